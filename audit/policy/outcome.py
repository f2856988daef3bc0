"""What a policy says of a record, as frozen data."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Word = Literal["PASSED", "VIOLATED", "INCONCLUSIVE", "IGNORED"]
PASSED, VIOLATED, INCONCLUSIVE = 0, 1, 5
"""Exit codes of the command."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Finding(_Part):
    """One rule for one group. `low` and `high` are the bounds that were held against the limit."""

    rule: str
    group: str = Field(description="group in words; for a measure, its attributes; 'record' for rules about the record")
    quantity: str = Field(description="what was judged, in words")
    verdict: Word
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    confidence: float | None = Field(None, description="of the rule")
    p: float | None = Field(None, ge=0, le=1, description="that the limit is kept, one-sided")
    p_adjusted: float | None = Field(None, ge=0, le=1, description="Holm's, over the groups of the rule")
    people: int | None = None
    trials: int | None = None
    method: str = ""
    reason: str = ""


class Outcome(_Part):
    """All findings of a policy on a record, in the policy's order."""

    schema_: Literal["faceaudit/gate-1"] = Field("faceaudit/gate-1", alias="schema")
    policy: str
    model: str
    benchmark: str
    plan: str = Field(description="digest of the record's plan")
    verdict: Literal["PASSED", "VIOLATED", "INCONCLUSIVE"]
    findings: list[Finding]

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    @property
    def exit_code(self) -> int:
        """0 passed, 1 violated, 5 inconclusive."""
        return {"PASSED": PASSED, "VIOLATED": VIOLATED, "INCONCLUSIVE": INCONCLUSIVE}[self.verdict]


def overall(findings: list[Finding]) -> Literal["PASSED", "VIOLATED", "INCONCLUSIVE"]:
    """One violation violates; else one open question leaves it open; a policy that judged nothing is no pass."""
    words = {finding.verdict for finding in findings}
    if "VIOLATED" in words:
        return "VIOLATED"
    return "PASSED" if "PASSED" in words and "INCONCLUSIVE" not in words else "INCONCLUSIVE"


def make_schema() -> dict[str, Any]:
    """JSON Schema of what `gate --json` prints."""
    made = Outcome.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "gate-1.json", **made}

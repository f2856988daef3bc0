"""A reproduction as frozen data: what reproduction.json holds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Judgement = Literal["identical", "rounding", "interval", "unjudged", "beyond"]
"""Equal; equal but for rounding; another number inside the record's interval; another one that no interval judges;
beyond noise: outside of the record's interval, or something that a run on the same inputs cannot change."""
Kind = Literal["counts", "rates", "intervals", "thresholds", "differences", "verdicts", "other"]
Outcome = Literal["identical", "within rounding", "within intervals", "not reproduced", "other inputs"]
Value = str | int | float | bool | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class Digest(_Part):
    """A digest of the record and what it is now."""

    name: str
    recorded: str
    again: str

    @property
    def same(self) -> bool:
        """Whether it is the same."""
        return self.recorded == self.again


class Changed(_Part):
    """A setting of the plan, or a piece of the environment, that is not the same."""

    name: str
    recorded: Any
    again: Any


class Tally(_Part):
    """How many numbers and words of one kind were compared, by judgement."""

    kind: Kind
    compared: int
    identical: int
    rounding: int
    interval: int
    unjudged: int
    beyond: int


class Difference(_Part):
    """One place of the record whose content is not the same; lists of numbers are one place."""

    kind: Kind
    place: str
    recorded: Value
    again: Value
    judgement: Judgement


class Reproduction(_Part):
    """A record held against another one of the same plan."""

    schema_: Literal["faceaudit/reproduction-1"] = Field("faceaudit/reproduction-1", alias="schema")
    software: str
    benchmark: str
    model: str
    revision: str
    recorded: str = Field(description="when the record was made")
    again: str = Field(description="when the other one was made")
    how: Literal["measured again", "templates from the cache", "compared"]
    outcome: Outcome
    rounding: float = Field(description="relative difference up to which two numbers count as equal but for rounding")
    digests: list[Digest]
    settings: list[Changed] = Field(description="settings of the plan that are not the same")
    environment: list[Changed] = Field(description="what is not the same")
    environment_from: Literal["environment.json", "record"]
    environment_compared: int
    tallies: list[Tally]
    differences: list[Difference] = Field(description="all but those within rounding, the gravest first")
    left_out: int = Field(0, description="differences beyond the longest list that is kept")

    @property
    def reproduced(self) -> bool:
        """Whether nothing differs beyond noise, on the same inputs."""
        return self.outcome not in ("not reproduced", "other inputs")

    @property
    def verdicts_changed(self) -> int:
        """Verdicts that are not the same."""
        return sum(row.kind == "verdicts" and row.judgement == "beyond" for row in self.differences)


def make_schema() -> dict[str, Any]:
    """JSON Schema of reproduction.json."""
    made = Reproduction.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "reproduction-1.json", **made}

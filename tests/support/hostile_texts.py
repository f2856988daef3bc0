"""Records in which every text that somebody else wrote attacks the page that shows it."""

from __future__ import annotations

from typing import Any

from audit.record import EvaluationRecord

PAYLOADS = (
    "<img src=x onerror=hit()>", '"><svg onload=hit()>', "</title><script>hit()</script>",
    "</style><script>hit()</script>", "--><script>hit()</script>", 'x" onmouseover="hit()" ',
    "x' autofocus onfocus='hit()' ", "javascript:hit()//", "<a href=javascript:hit()>a</a>",
    "<iframe src=//evil.example>", "<base href=//evil.example>",
    '<meta http-equiv=refresh content="0;url=//evil.example">', "<link rel=stylesheet href=//evil.example>",
    "</svg><script>hit()</script>", "]]><script>hit()</script>", "<details open ontoggle=hit()>",
    "{{ hit() }}{% print(hit()) %}", "${hit()}`hit()`", "<form action=//evil.example><button>", "&lt;script&gt;hit()",
    "[a](javascript:hit())", "<template><script>hit()</script>", "\u2028<script>hit()</script>",
)  # fmt: skip
"""Each calls `hit`, reaches out, or changes where the page leads, if anything takes it for more than text."""

WORDS_OF_THE_SCHEMA = {
    "schema", "created", "metric", "view", "policy", "support", "verdict", "measure", "quantity", "task",
    "consent_tier", "purposes", "provenance", "unit",
}  # fmt: skip
"""Fields whose values the schema lists, or that a reader compares with its own words."""


def attacked(record: EvaluationRecord, turn: int = 0) -> tuple[EvaluationRecord, set[str]]:
    """Put a payload before every text of a record; the same text gets the same one, so that names still meet.

    Parameters
    ----------
    turn : which payload the first text gets

    Returns
    -------
    The record, and the places of the texts in it (`model.name`; `*` is any number of a list).
    """
    chosen: dict[str, str] = {}
    places: set[str] = set()

    def text(value: str) -> str:
        return chosen.setdefault(value, PAYLOADS[(turn + len(chosen)) % len(PAYLOADS)] + value)

    def walk(value: Any, place: tuple[str, ...]) -> Any:
        if place and (place[-1] in WORDS_OF_THE_SCHEMA or value == "rest"):
            return value
        if isinstance(value, str):
            places.add(".".join(place))
            return text(value)
        if isinstance(value, list):
            return [walk(item, (*place, "*")) for item in value]
        if isinstance(value, dict):
            named = place and place[-1] in {"group", "reference_group", "against", "worst", "best", "attributes"}
            return {text(key) if named else key: walk(item, (*place, key)) for key, item in value.items()}
        return value

    made = walk(record.model_dump(by_alias=True), ())
    return EvaluationRecord.model_validate(made), places

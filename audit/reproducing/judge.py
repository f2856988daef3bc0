"""What a difference in one place of a record is worth.

Two runs on the same files with the same seed draw the same numbers, so that only arithmetic is left to differ: another
processor or library may change a score in its last digits, a threshold with it, and seldom a decision. An interval of
the record says how far chance in the choice of people moves a rate; another rate inside of it leaves every conclusion
where it was. Where a place has no interval, its difference is shown and not judged.
"""

from __future__ import annotations

from typing import Any

from audit.reproducing.places import ABSENT, Place
from audit.reproduction import Judgement, Kind

ROUNDING = 1.2e-5
"""A hundred times the unit of float32: what sums of some hundred terms in another order can differ by."""
_ESTIMATES = ("value", "ratio", "shift", "change", "expected", "median", "disparity")
"""Names of what an item's `interval` is of."""
_DESIGN = {"total", "subjects", "samples", "people", "unit"}
"""How many there are of what was given: the same inputs have the same."""
_COUNTS = _DESIGN | {"errors", "trials", "failures", "mated", "nonmated", "counts", "draws", "several_faces"}
_PARTS: dict[str, Kind] = {
    "operating_points": "thresholds",
    "differentials": "differences",
    "contrasts": "differences",
    "global_tests": "differences",
}
_INTERVALS = {"upper_bound", "variance", "design_effect", "effective_errors"}


def kind_of(place: Place) -> Kind:
    """Which kind of content stands in a place."""
    words = place.field.split()
    last = words[-1] if words else ""
    if last == "verdict":
        return "verdicts"
    if "interval" in words or last in _INTERVALS or place.part == "covariance":
        return "intervals"
    if last in _COUNTS and place.part in {"samples", "acquisition", "rates", "distributions", "identification"}:
        return "counts"
    if place.part in {"rates", "acquisition"}:
        return "rates"
    return _PARTS.get(place.part, "other")


def judge(place: Place, recorded: Any, again: Any) -> Judgement:
    """Judge what stands in one place of both records."""
    if recorded is ABSENT or again is ABSENT:
        gone = again is ABSENT and not (place.part == "acquisition" and recorded.get("stage") is not None)
        return "beyond" if gone else "unjudged"
    if recorded == again and type(recorded) is type(again):
        return "identical"
    if place.field.endswith("verdict"):
        return "beyond"
    if _close(recorded, again):
        return "rounding"
    if place.part in {"samples", "acquisition"} and place.field.split()[-1:][0] in _DESIGN:
        return "beyond"
    return _by_interval(place, recorded, again)


def _close(one: Any, two: Any) -> bool:
    """Whether two numbers, or two lists of them, are equal but for rounding; whole numbers are not rounded."""
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(a == b or _close(a, b) for a, b in zip(one, two, strict=True))
    if not (_is_number(one) and _is_number(two)) or (isinstance(one, int) and isinstance(two, int)):
        return False
    return bool(abs(one - two) <= ROUNDING * max(abs(one), abs(two)))


def _by_interval(place: Place, recorded: Any, again: Any) -> Judgement:
    """Judge an item by its estimate: inside or outside of the interval that the record gives it."""
    interval = place.recorded.get("interval")
    name = next((name for name in _ESTIMATES if name in place.recorded), None)
    if name is None or not isinstance(interval, dict):
        return "unjudged"
    estimate: Any = place.again.get(name)
    if not _is_number(estimate):
        return "beyond" if place.field == name else "unjudged"
    if not (_is_number(recorded) or _is_number(again) or isinstance(recorded, list)):
        return "unjudged"
    slack = ROUNDING * abs(estimate)
    return "interval" if interval["low"] - slack <= estimate <= interval["high"] + slack else "beyond"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Names and quotations come from strangers: make them harmless once, before anything is worded.

Control and direction-changing characters become visible escapes, over-long names are cut (and stay distinct), and words
that claim more than an evaluation can show are withheld wherever they come from.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from audit import alike
from audit.comparison import Comparison
from audit.record import EvaluationRecord
from audit.report.strings import say
from audit.reproduction import Reproduction

LONGEST_NAME = 48
LONGEST_TEXT = 6000
_NUMBERS = frozenset({int, float, bool, type(None)})
_KEPT = frozenset("\u200c\u200d\u200e\u200f\u061c")  # joiners and marks that ordinary Persian, Arabic, Hebrew need
_CLAIMS = re.compile(r"un[\W_]?biased|bias[\W_]*free|\bno[\W_]+bias|\bis\W+fair")
_ASCII = bytes(range(128))
_FOREIGN = re.compile(r"[^\x00-\x7f]+")


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    r"""Make a text from outside safe to show.

    >>> clean("a\u202eb\x1b[31m")
    'a\\u202eb\\u001b[31m'
    """
    shown = "".join(_visible(c) for c in text)
    if len(shown) > LONGEST_TEXT:
        shown = shown[:LONGEST_TEXT] + "…"
    return _withhold(shown)


def claims(text: str) -> bool:
    """Whether a text claims more than an evaluation can show.

    >>> claims("This set is fair."), claims("fairness")
    (True, False)
    """
    plain = text.lower()
    foreign = plain.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
    if any(map(_hides, set(foreign))):  # else, as nearly always, a long page need not be folded
        plain = _FOREIGN.sub(lambda run: _folded_run(run[0]), plain)
    return ("bias" in plain or "fair" in plain) and _CLAIMS.search(plain) is not None


def _withhold(text: str) -> str:
    """Replace claims, also those that accents, joiners or letters of other alphabets hide."""
    folded, places = _folded(text)
    kept, last = [], 0
    for match in _CLAIMS.finditer(folded):
        kept += [text[last : places[match.start()]], say("word.withheld")]
        last = places[match.end() - 1] + 1
    return "".join((*kept, text[last:]))


def _folded(text: str) -> tuple[str, range | list[int]]:
    """A text in small plain letters, and where each of them stands in the original."""
    if text.isascii():
        return text.lower(), range(len(text))
    folded, places = [], []
    for place, c in enumerate(text):
        for part in alike.plain(c):
            folded.append(part)
            places.append(place)
    return "".join(folded), places


@lru_cache(maxsize=4096)
def _folded_run(text: str) -> str:
    return _folded(text)[0]


def _hides(character: str) -> bool:
    """Whether folding makes letters appear or characters vanish; dashes and quotation marks do neither."""
    folded = _folded_run(character)
    return not folded or any(c.isascii() and c.isalpha() for c in folded)


def scrub(record: EvaluationRecord) -> EvaluationRecord:
    """Copy a record with every text cleaned and every name of a group or attribute short and distinct."""
    data = record.model_dump(by_alias=True, exclude={"covariance"})
    names = _short_names(_names(record))
    return EvaluationRecord.model_validate(_walk(data, names))


def scrub_comparison(comparison: Comparison) -> Comparison:
    """As `scrub`, for records side by side."""
    groups = [row.group for row in comparison.differences]
    groups += [group for row in comparison.disparities for group in (row.group, row.against) if group is not None]
    names = [text for one in comparison.records for text in (one.label, one.model, one.benchmark)]
    names += [name for row in comparison.disparities for name in row.attributes]
    names += [name for point in comparison.front for name in point.attributes]
    names += [text for group in groups for item in group.items() for text in item]
    return Comparison.model_validate(_walk(comparison.model_dump(by_alias=True), _short_names(names)))


def scrub_reproduction(found: Reproduction) -> Reproduction:
    """As `scrub`, for a reproduction."""
    return Reproduction.model_validate(_walk(found.model_dump(by_alias=True), {}))


def _visible(c: str) -> str:
    if c in "\n\t":
        return " "
    if c in _KEPT or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}:
        return c
    return f"\\u{ord(c):04x}"


def _names(record: EvaluationRecord) -> list[str]:
    groups = [count.group for count in record.samples.by_group] + [rate.group for rate in record.rates]
    attributes = list(record.benchmark.attributes)
    values = [value for part in record.benchmark.attributes.values() for value in part.values]
    curves = [text for curve in record.curves for text in (curve.attribute, curve.unit)]
    return [*attributes, *values, *curves, *(text for group in groups for item in group.items() for text in item)]


def _short_names(names: list[str]) -> dict[str, str]:
    short: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        base = " ".join(clean(name).split()) or say("word.empty")
        if len(base) > LONGEST_NAME:
            base = base[: LONGEST_NAME - 1] + "…"
        unique, n = base, 2
        while unique in taken:
            unique, n = f"{base} ({n})", n + 1
        taken.add(unique)
        short[name] = unique
    return short


def _walk(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return names[value] if value in names else clean(value)
    if isinstance(value, dict):
        return {
            names[key] if key in names else clean(key): item if type(item) in _NUMBERS else _walk(item, names)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], int | float):
            return value
        return [_walk(item, names) for item in value]
    return value

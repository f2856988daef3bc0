"""Numbers and names as a reader meets them. Rounding happens here and nowhere else."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context
from typing import Any, Literal

from audit.domain import UNKNOWN
from audit.record import Group, IntervalPart, SamplesPart
from audit.report.strings import has, say

_TWO = Context(prec=2, rounding=ROUND_HALF_UP)


def number(n: int) -> str:
    """Print a count.

    >>> number(20604)
    '20,604'
    """
    return f"{n:,}"


def significant(x: float) -> str:
    """Print a number with two significant digits, no more and no fewer.

    >>> [significant(x) for x in (0.225, 0.4, 4, 9.96, 22.5, 1234.0, 0.00012, 0)]
    ['0.23', '0.40', '4.0', '10', '23', '1,200', '0.00012', '0']
    """
    rounded = _TWO.create_decimal(repr(float(x)))
    if rounded == 0 or abs(rounded) >= 10:
        return f"{int(rounded):,}"
    return f"{rounded:.{1 - rounded.adjusted()}f}"


def signed(x: float) -> str:
    """Print a difference with its sign.

    >>> [signed(x) for x in (0.537, -2.0, 0.0)]
    ['+0.54', '−2.0', '0']
    """
    return f"{'+' if x > 0 else '−' if x < 0 else ''}{significant(abs(x))}"


def percent(x: float) -> str:
    """Print a rate in per cent with two significant digits.

    >>> [percent(x) for x in (0, 9 / 40, 0.00098, 1.0, 1e-9)]
    ['0%', '23%', '0.098%', '100%', 'less than 0.0001%']
    """
    if 0 < x < 1e-6:
        return say("number.tiny")
    if 0.995 <= x < 1:
        return say("number.nearly")
    return f"{significant(100 * x)}%"


def tick(x: float) -> str:
    """Print a share that was set, or that labels an axis: nothing is rounded away.

    >>> tick(0.001), tick(1.0)
    ('0.1%', '100%')
    """
    return f"{100 * x:.10g}%"


def exact(x: float) -> str:
    """Print a setting as it was declared: nothing is rounded away.

    >>> exact(1.25), exact(2.0)
    ('1.25', '2')
    """
    return f"{x:.10g}"


def bounds(interval: IntervalPart | None) -> str:
    """Print the interval of a rate."""
    if interval is None:
        return say("number.no_interval")
    return say("number.bounds", low=percent(max(0.0, interval.low)), high=percent(min(1.0, interval.high)))


def times(x: float) -> str:
    """Print a ratio.

    >>> [times(x) for x in (12.34, 0.083, 1.0)]
    ['12', '0.083', '1.0']
    """
    return significant(x) if math.isfinite(x) else "∞"


def ratio_bounds(interval: IntervalPart | None) -> str:
    """Print the interval of a ratio."""
    if interval is None:
        return say("number.no_interval")
    return say("number.bounds", low=times(max(0.0, interval.low)), high=times(interval.high))


def one_in(x: float | None) -> str:
    """Print a rate as a frequency, or nothing where that says no more than the counts.

    >>> one_in(0.025), one_in(0.9), one_in(0.0)
    ('about 1 in 40', '', '')
    """
    if x is None or not 0 < x <= 0.5:
        return ""
    return say("number.one_in", n=significant(1 / x).removesuffix(".0"))


def target(x: float | None) -> str:
    """Name a target false match rate."""
    return (
        say("number.given")
        if x is None
        else say("number.target", n=f"{round(1 / x):,}" if x <= 0.1 else significant(1 / x))
    )


def p_value(p: float | None) -> str:
    """Print a p-value."""
    if p is None:
        return "–"
    return say("number.p_tiny") if p < 0.001 else significant(p)


def people(n: int) -> str:
    """Print a number of people."""
    return say("count.person" if n == 1 else "count.people", n=number(n))


def images(n: int) -> str:
    """Print a number of images."""
    return say("count.image" if n == 1 else "count.images", n=number(n))


def tried(samples: SamplesPart) -> str:
    """Print what was tried: images, samples, or comparisons that were given with scores."""
    if samples.unit == "side":
        return comparisons(samples.total // 2)
    if samples.unit == "sample":
        return say("count.sample" if samples.total == 1 else "count.samples", n=number(samples.total))
    return images(samples.total)


def comparisons(n: int) -> str:
    """Print a number of comparisons."""
    return say("count.comparison" if n == 1 else "count.comparisons", n=number(n))


def plain(name: str) -> str:
    """Print a label as words: underscores are spaces."""
    return name.replace("_", " ").strip() or name


def group_name(group: Group) -> str:
    """Name a group in words; a value that does not speak for itself carries its attribute.

    >>> group_name({"gender": "female", "ethnicity": "west_asian"}), group_name({"age": "18-30"}), group_name({})
    ('female, west asian', 'age 18-30', 'everyone')
    """
    if not group:
        return say("word.everyone")
    return ", ".join(isolate(_value_name(name, value)) for name, value in group.items())


def quoted(group: Group | Literal["rest"]) -> str:
    """Name a group inside a sentence.

    >>> quoted({"gender": "female"}), quoted("rest")
    ('“female”', 'the other groups')
    """
    return say("word.rest") if isinstance(group, str) else say("word.quoted", name=group_name(group))


def side_name(group: Group | Literal["rest"]) -> str:
    """Name a group, or everyone else."""
    return say("word.rest") if isinstance(group, str) else group_name(group)


def _value_name(name: str, value: str) -> str:
    speaks = sum(c.isalpha() for c in value) > 1 and value != UNKNOWN
    return plain(value) if speaks else f"{plain(name)} {plain(value)}"


def attributes_name(names: Sequence[str]) -> str:
    """Name an attribute, or several of them together."""
    return " × ".join(isolate(plain(name)) for name in names) or say("word.everyone")


def isolate(text: str) -> str:
    """Keep right-to-left text from reordering its neighbours."""
    return f"\u2068{text}\u2069" if any("\u0590" <= c <= "\u08ff" or "\ufb1d" <= c <= "\ufefc" for c in text) else text


def join(items: Iterable[str], *, most: int = 4) -> str:
    """Join names, the tail counted."""
    listed = list(items)
    if len(listed) > most:
        return say("word.and_more", names="; ".join(listed[:most]), n=number(len(listed) - most))
    return "; ".join(listed)


def key_word(section: str, key: str) -> str:
    """Look up a word of a closed list; one that the catalogue does not know is shown as it is."""
    full = f"{section}.{key}"
    return say(full) if has(full) else plain(key)


def setting(value: Any) -> str:
    """Print the value of a setting."""
    if value is None:
        return say("word.default")
    if value in ([], {}):
        return say("word.none")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

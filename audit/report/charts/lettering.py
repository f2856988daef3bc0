"""Render a specification, its words written by us: measuring text took nine tenths of the time of a drawing.

Vega measures every text that it draws, for layouts that these specifications do not have: their texts stand at given
pixels. So it draws them empty, which fixes place, style and order, and the words are filled in afterwards, as Vega
itself would have written them (a test compares the two letter by letter).
"""

from __future__ import annotations

import mmap
import re
import sys
from collections.abc import Iterator
from functools import cache
from html import escape

import vl_convert

from audit.errors import DataError
from audit.report.charts.canvas import Spec

LEADING = 2
"""Pixels between lines of a text, beside the size of its letters."""
_RESERVED = 66 << 30
"""Bytes: V8 wants 32 GiB at a multiple of 32 GiB, so it asks for twice as much; measured with `ulimit -v`."""
_NO_RESERVE = 0x4000
"""MAP_NORESERVE of Linux."""
_PLACE = re.compile(r'<text (?P<style>[^>]*font-size="(?P<size>\d+)px"[^>]*)/>')


def drawn(spec: Spec) -> str:
    """Render a specification of `audit.report.charts` to SVG text.

    Parameters
    ----------
    spec : layers of marks with positions in pixels; texts broken at line ends

    Raises
    ------
    DataError
        Where `ulimit -v` does not leave what the library reserves.
    """
    _require_addresses()
    layers = [_without_words(layer) if layer["mark"]["type"] == "text" else layer for layer in spec["layer"]]
    svg: str = vl_convert.vegalite_to_svg({**spec, "layer": layers}, allowed_base_urls=[])
    words = _words(spec)
    return _PLACE.sub(lambda place: _filled(place, next(words)), svg)


@cache
def _require_addresses() -> None:
    """Find out whether the library can begin: without its addresses it ends the process without a word."""
    if sys.platform != "linux" or sys.maxsize < _RESERVED:
        return
    try:
        mmap.mmap(-1, _RESERVED, flags=mmap.MAP_PRIVATE | _NO_RESERVE, prot=0).close()
    except OSError:
        raise DataError(
            "report",
            f"no chart can be drawn: Vega's engine reserves {_RESERVED >> 30} GiB of addresses, "
            "though it uses a tenth of one, and this process may not have them",
            "Lift the limit (ulimit -v unlimited) and give the same command: the record is written",
        ) from None


def _without_words(layer: Spec) -> Spec:
    rows = [{**row, "text": ""} for row in layer["data"]["values"]]
    return {**layer, "data": {"values": rows}}


def _words(spec: Spec) -> Iterator[str]:
    """Texts in the order in which they are drawn."""
    for layer in spec["layer"]:
        if layer["mark"]["type"] == "text":
            yield from (str(row["text"]) for row in layer["data"]["values"])


def _filled(place: re.Match[str], text: str) -> str:
    first, *more = [escape(line.strip(), quote=False) for line in text.split("\n")]
    if not first and not more:
        return place[0]
    step = int(place["size"]) + LEADING
    lines = _span("<tspan", first) + "".join(_span(f'<tspan x="0" dy="{step}"', line) for line in more)
    return f"<text {place['style']}>{lines if more else first}</text>"


def _span(opening: str, line: str) -> str:
    return f"{opening}>{line}</tspan>" if line else f"{opening}/>"

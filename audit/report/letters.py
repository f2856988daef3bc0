"""Which letters the fonts inside typst have: a character that none of them has is printed as its code.

No list of them is kept: a probe sets each character, light and bold, in a text and in a picture, since PDF/UA-1 refuses
a document with a letter that has no glyph.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

import typst

STANDARD: Final = "ua-1"
PROBE = rb"""#set document(title: "-")
#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"))
#let texts = json(bytes(sys.inputs.view))
#texts.plain
#strong(texts.plain)
#image(bytes(texts.drawn), format: "svg", alt: "-")"""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><g font-family="sans-serif">'
    '<text y="5">{0}</text><text y="9" font-weight="bold">{0}</text></g></svg>'
)
ORDINARY = re.compile(
    r"[\u00a0-\u017f\u0391-\u03c9\u0410-\u044f\u2010-\u2026\u2190-\u2193\u2212\u2260-\u2265\u25cb\u25cf\u25d0]"
)
"""What the fonts certainly have, alone and beside each other; for texts whose marks and letters do not go together."""


def coded(text: str, characters: Iterable[str]) -> str:
    """Print characters inside JSON as their codes; what only shapes or orders letters goes."""
    return text.translate({ord(c): "" if unicodedata.category(c) == "Cf" else rf"\\u{ord(c):04x}" for c in characters})


def unusual(text: str) -> list[str]:
    """List the characters of a text that may be missing, or may not go together."""
    return [c for c in set(text) if ord(c) > 126 and not ORDINARY.match(c)]


def missing(text: str) -> list[str]:
    """List the characters of a text that no font here has, found by setting them."""
    return list(_missing("".join(sorted({c for c in text if ord(c) > 126}))))


@cache
def _missing(text: str) -> tuple[str, ...]:
    if not text or _settable(text):
        return ()
    if len(text) == 1:
        return (text,)
    half = len(text) // 2
    return _missing(text[:half]) + _missing(text[half:])


def _settable(text: str) -> bool:
    try:
        words = " ".join(f"a{c}b" for c in text)
        typeset(PROBE, json.dumps({"plain": words, "drawn": SVG.format(drawable(words))}), 0)
    except typst.TypstError:
        return False
    return True


def drawable(svg: str) -> str:
    """Leave out what only shapes or orders letters: in a picture it would be a letter without a glyph."""
    return "".join(c for c in svg if c.isascii() or unicodedata.category(c) != "Cf")


def typeset(source: bytes, text: str, timestamp: int | None) -> bytes:
    """Set a template with its data, `sys.inputs.view`, as PDF; no file and no font of the machine is read."""
    return typst.compile(
        source,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=STANDARD,
        sys_inputs={"view": text},
        timestamp=timestamp or 0,
    )

"""The layout of RADIATE: `RADIATE_450_COLOR_BMP/{RS or RADIATE_COLOR_n}/{ID}/{ID}_{EXPR}.bmp`.

The id of a person begins with the letter of race or ethnicity and that of sex. The 16 codes of expression (AC, AO, CC,
..., SUR) are kept as written, as a condition. Every picture is a sample: a person has up to 16, all of one session as
far as is known, so that mated comparisons cross expressions and nothing else.
"""

from __future__ import annotations

import re
from pathlib import Path

from audit.benchmarks import named
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor

LETTERS = {
    "race": {"A": "asian", "B": "black", "H": "hispanic", "W": "white", "O": "other"},
    "sex": {"F": "female", "M": "male"},
}
EXPRESSIONS = ["AC", "AO", "CC", "CO", "DC", "DO", "FC", "FO", "HC", "HE", "HO", "NC", "NO", "SC", "SO", "SUR"]
FORM = "RADIATE_450_COLOR_BMP/{RS or RADIATE_COLOR_n}/{ID}/{ID}_{EXPR}.bmp"
_PATTERN = re.compile(
    r"(?:.*/)?(?P<folder>[^/]+)/(?P<subject>(?P<race>[A-Z])(?P<sex>[A-Z])\d+)"
    rf"_(?P<expression>{'|'.join(EXPRESSIONS)})\.[bB][mM][pP]"
)


def read(root: Path, descriptor: Descriptor) -> Content:
    """Read a folder in the layout of RADIATE.

    Raises
    ------
    DataError
        As `named.read`: unknown letters, a picture in the folder of another person.
    """
    contradiction = named.own_folder(r"[A-Z]{2}\d+")
    return named.read(root, descriptor, pattern=_PATTERN, form=FORM, letters=LETTERS, contradiction=contradiction)

"""The layout of the Chicago Face Database: `Images/CFD/{RS}-{id}/CFD-{RS}-{id}-{photo}-{N|HO|HC|A|F}.jpg`.

R is the letter of race and S that of gender; with the number they are the person's id. `CFD-MR` and `CFD-INDIA`, with
the letters M and I, lie beside `CFD` and are read too. Every picture is a sample; its expression is a condition (N
neutral, HO happy with open mouth, HC happy with closed mouth, A angry, F fearful). Only a part of the people has more
than the neutral picture: the others have no mated pair and stand behind false match rates alone.

The norming table is not read: which columns it has was not seen (from memory, unverified).
"""

from __future__ import annotations

import re
from pathlib import Path

from audit.benchmarks import named
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor

LETTERS = {
    "race": {"A": "asian", "B": "black", "L": "latino", "W": "white", "M": "multiracial", "I": "indian"},
    "gender": {"F": "female", "M": "male"},
}
FORM = "Images/CFD/{RS}-{id}/CFD-{RS}-{id}-{photo}-{N|HO|HC|A|F}.jpg"
_PATTERN = re.compile(
    r"(?:.*/)?(?P<folder>[^/]+)/CFD-(?P<subject>(?P<race>[A-Z])(?P<gender>[A-Z])-\d+)"
    r"-(?P<photo>\d+)-(?P<expression>N|HO|HC|A|F)\.[jJ][pP][gG]"
)


def read(root: Path, descriptor: Descriptor) -> Content:
    """Read a folder in the layout of the Chicago Face Database.

    Raises
    ------
    DataError
        As `named.read`: unknown letters, a picture in the folder of another person.
    """
    contradiction = named.own_folder(r"[A-Z]{2}-\d+")
    return named.read(root, descriptor, pattern=_PATTERN, form=FORM, letters=LETTERS, contradiction=contradiction)

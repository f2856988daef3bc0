"""The layout of Face Place: `{race}/{R}{S}{NNNN}_{d4}_{pose}.jpg`, one folder a race.

R is the letter of race and S that of sex, both given by the laboratory; with the number they are the person's id. The
first digit of `d4` is the session (1 to 3). The pose is 00F, 30L, 30R, 45L, ... or a code of expression; it is kept as
written. Every picture is a sample: mated comparisons then cross sessions, poses and expressions, which is what the set
is for; poses enter as a condition, so that a user can keep the frontal ones in a copy.
"""

from __future__ import annotations

import re
from pathlib import Path

from audit.benchmarks import named
from audit.benchmarks.content import Content
from audit.benchmarks.descriptor import Descriptor

LETTERS = {
    "race": {"A": "asian", "B": "black", "C": "caucasian", "H": "hispanic", "M": "multiracial"},
    "sex": {"F": "female", "M": "male"},
}
FORM = "{race}/{R}{S}{NNNN}_{d4}_{pose}.jpg"
_PATTERN = re.compile(
    r"(?:.*/)?(?P<folder>[^/]+)/(?P<subject>(?P<race>[A-Z])(?P<sex>[A-Z])\d{4})"
    r"_(?P<session>\d)\d{3}_(?P<pose>[0-9A-Za-z]+)\.[jJ][pP][gG]"
)
_FOLDERS = {
    "asian": "A",
    "africanamerican": "B",
    "black": "B",
    "caucasian": "C",
    "hispanic": "H",
    "multiracial": "M",
}


def read(root: Path, descriptor: Descriptor) -> Content:
    """Read a folder in the layout of Face Place.

    Raises
    ------
    DataError
        As `named.read`: unknown letters, a race folder with pictures of another letter.
    """
    return named.read(root, descriptor, pattern=_PATTERN, form=FORM, letters=LETTERS, contradiction=_contradiction)


def _contradiction(match: re.Match[str]) -> str | None:
    letter = _FOLDERS.get(re.sub(r"[^a-z]", "", match["folder"].lower()))
    if letter is not None and letter != match["race"]:
        return f"the letter {match['race']!r} of its name is not that of the folder {match['folder']!r} ({letter!r})"
    return None

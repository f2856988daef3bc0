"""Plain small letters of a text: what accents, joiners, wide forms or letters of other alphabets hide."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_ALIKE = str.maketrans(
    "авеԁгһіјкӏмнорԛѕтуԝхсβεηικμνορτυχαɑɡɩıɴᴜʙ",
    "abedrhijklmhopqstywxcbenikmvoptuxaagiinub",
)
"""Letters of other alphabets, in lower case, that look like Latin ones in one of their cases."""


@lru_cache(maxsize=4096)
def plain(character: str) -> str:
    """Plain letters that one character stands for; none for an accent or an invisible one.

    >>> "".join(map(plain, "Ｌ\u0301F\u200dW, сelеbа"))
    'lfw, celeba'
    """
    parts = unicodedata.normalize("NFKD", character.lower())
    return "".join(part for part in parts.translate(_ALIKE) if unicodedata.category(part) not in {"Mn", "Cf"})


def plain_text(text: str) -> str:
    """Plain letters of a whole text."""
    return text.lower() if text.isascii() else "".join(map(plain, text))

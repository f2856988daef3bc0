"""TOML that nobody here wrote: whatever is wrong with it is one kind of error, and soon found."""

from __future__ import annotations

import tomllib
from typing import Any

LARGEST = 1 << 20
"""Characters of a file at most; what is written by hand has thousands."""
DEEPEST = 1000
"""Dots in a line at most: the library takes time with the square of the parts of a key."""


def loads(text: str) -> dict[str, Any]:
    """Read TOML.

    Raises
    ------
    tomllib.TOMLDecodeError
        Also for what the library raises other errors for, or takes minutes for: thousands of levels, keys of thousands
        of parts, numbers of thousands of digits.

    Examples
    --------
    >>> loads("a = " + "[" * 5000)
    Traceback (most recent call last):
    ...
    tomllib.TOMLDecodeError: it is nested too deeply
    """
    if len(text) > LARGEST:
        raise tomllib.TOMLDecodeError(f"it is longer than {LARGEST:,} characters")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > DEEPEST:
            raise tomllib.TOMLDecodeError(f"more than {DEEPEST:,} dots (at line {number})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("it is nested too deeply") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise tomllib.TOMLDecodeError("it holds a number of thousands of digits") from None

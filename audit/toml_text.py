"""TOML that nobody here wrote: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import tomllib
from typing import Any


def loads(text: str) -> dict[str, Any]:
    """Read TOML.

    Raises
    ------
    tomllib.TOMLDecodeError
        Also for what the library raises other errors for: thousands of levels, and numbers of thousands of digits.

    Examples
    --------
    >>> loads("a = " + "[" * 5000)
    Traceback (most recent call last):
    ...
    tomllib.TOMLDecodeError: it is nested too deeply
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("it is nested too deeply") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise tomllib.TOMLDecodeError("it holds a number of thousands of digits") from None

"""Read cells that hold Python literals, from tables that nobody here wrote: `ast.literal_eval`, within bounds."""

from __future__ import annotations

import ast
import re
import warnings

LONGEST = 4096
"""Characters of a cell; a selection of labels is far shorter, and a parser is not to be fed more."""
_NUMBERED = re.compile(r"^\d+\.\s+")


def values(cell: str) -> tuple[str, ...]:
    """Texts that a cell holds, without their "N. " prefixes; () for an empty cell or None.

    A list or tuple of texts is a selection of several; a text, a number, or a cell that is no literal at all is one
    value. Three whole numbers are a colour, written "r,g,b".

    Raises
    ------
    ValueError
        Saying what is wrong: too long, broken, nested, or of another type.

    Examples
    --------
    >>> values("['1. She/her/hers', '3. They/them/their']")
    ('She/her/hers', 'They/them/their')
    >>> values("31"), values("She/her/hers"), values("[102, 78, 65]"), values("None")
    (('31',), ('She/her/hers',), ('102,78,65',), ())
    """
    text = cell.strip()
    if len(text) > LONGEST:
        raise ValueError(f"a cell of {len(text)} characters; a selection of labels has at most {LONGEST}")
    if not text or text == "None":
        return ()
    if not text.isprintable():
        raise ValueError(f"{_short(text)} holds a character that cannot be printed")
    if text[0] not in "[({'\"":
        return (_NUMBERED.sub("", text),)
    found = _texts(_literal(text))
    if not all(value.isprintable() for value in found):
        raise ValueError(f"{_short(text)} holds a character that cannot be printed")
    return found


def _literal(text: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of backslashes that Python would spell otherwise
            return ast.literal_eval(text)
    except (RecursionError, MemoryError):
        raise ValueError(f"{_short(text)} is nested too deeply") from None
    except (SyntaxError, TypeError, ValueError):
        raise ValueError(f"{_short(text)} is no Python literal") from None


def _texts(read: object) -> tuple[str, ...]:
    if isinstance(read, str):
        return (_NUMBERED.sub("", read.strip()),) if read.strip() else ()
    if isinstance(read, list | tuple):
        if len(read) == 3 and all(type(each) is int for each in read):
            return (",".join(map(str, read)),)
        if all(isinstance(each, str) for each in read):
            found = (_NUMBERED.sub("", each.strip()) for each in read if each.strip())
            return tuple(dict.fromkeys(found))
    raise ValueError(f"{_short(repr(read))} is neither a text nor a list of texts")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")

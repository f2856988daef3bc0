"""A document can fit the schema and still make no sense: a target of 0, a metric that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from audit.errors import DataError

SENSELESS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
"""What reading such a document runs into, wherever that is."""


@contextmanager
def making_sense(place: str) -> Iterator[None]:
    """Turn what is run into while a record is shown, judged or compared into one line.

    Parameters
    ----------
    place : str
        What the error names.

    Raises
    ------
    DataError
        With the kind of the error; the error itself is its cause.
    """
    try:
        yield
    except SENSELESS as error:
        why = f"{type(error).__name__}: {str(error)[:100]}"
        raise DataError(
            place,
            f"fits the schema, but makes no sense ({why})",
            "Take it as faceaudit wrote it; if nobody changed it, please report this",
        ) from error

"""Options that take several words or numbers, repeated or separated by commas."""

from __future__ import annotations

from audit.errors import PlanError

VENDOR = "vendor"


def split(values: list[str] | None) -> tuple[str, ...] | None:
    """Split repeated and comma-separated values; an empty text asks for everyone only."""
    if values is None:
        return None
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def numbers(values: list[str] | None, place: str) -> tuple[float, ...] | None:
    """As `split`, for numbers.

    Raises
    ------
    PlanError
        For a word that is no number.
    """
    words = split(values)
    if not words:
        return None
    try:
        return tuple(float(word) for word in words)
    except ValueError:
        raise PlanError(place, f"expected numbers such as 1e-3, found {', '.join(words)!r}", "") from None


def thresholds(values: list[str] | None, place: str) -> tuple[float | str, ...] | None:
    """As `numbers`; the word vendor stands for the threshold that comes with the model."""
    words = split(values) or ()
    rest = numbers([word for word in words if word != VENDOR], place) or ()
    return (*rest, *([VENDOR] if VENDOR in words else [])) or None


def count(word: str, place: str) -> int:
    """A number of things, from 0 on.

    Raises
    ------
    PlanError
        For anything else.
    """
    if not (word.isascii() and word.isdigit()):
        raise PlanError(place, f"expected a number from 0 on, found {word!r}", "For example 2")
    return int(word)

"""Options that take several words or numbers, repeated or separated by commas."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

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


def whole(values: list[str] | None, place: str) -> tuple[int, ...] | None:
    """As `numbers`, for whole ones."""
    words = split(values)
    return tuple(count(word, place) for word in words) if words else None


def degradations_of(values: list[str] | None) -> tuple[str, ...] | None:
    """As `split`; the word none stands for none at all."""
    words = split(values)
    return () if words == ("none",) else words


def own_settings(models: Sequence[str], given: Sequence[str]) -> list[Any]:
    """Models, those with settings of their own as a table.

    Parameters
    ----------
    given : MODEL:SETTING=VALUE, the value as in a plan, or a word

    Raises
    ------
    PlanError
        For another form, or a model that is not among them.

    >>> own_settings(["mtcnn", "dlib-cnn"], ["dlib-cnn:images=20"])
    ['mtcnn', {'model': 'dlib-cnn', 'images': 20}]
    """
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        head, equal, value = text.partition("=")
        model, _, setting = head.rpartition(":")
        if not equal or not setting or model not in models:
            known = ", ".join(models) or "none"
            raise PlanError("--for", f"found {text!r}", f"Write MODEL:SETTING=VALUE for one of the models: {known}")
        try:
            parsed = tomllib.loads(f"x = {value}")["x"]
        except tomllib.TOMLDecodeError:
            parsed = value
        found.setdefault(model, {})[setting.strip().replace("-", "_")] = parsed
    return [{"model": name, **found[name]} if name in found else name for name in models]

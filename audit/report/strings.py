"""Every sentence of the report, from one catalogue: a translation is a file of the same keys beside `en.toml`.

The language is that of the running context (`speaking`), not an argument of every function: a report is made in one.
A sentence that a translation lacks is said in English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources

from audit.errors import DataError

LANGUAGE = "en"
_SPOKEN: ContextVar[str] = ContextVar("language of the report", default=LANGUAGE)


def languages() -> tuple[str, ...]:
    """Languages that have a catalogue, English first."""
    found = {entry.name.removesuffix(".toml") for entry in resources.files("audit.report").iterdir()
             if entry.name.endswith(".toml")}  # fmt: skip
    return (LANGUAGE, *sorted(found - {LANGUAGE}))


@cache
def catalogue(language: str = LANGUAGE) -> dict[str, str]:
    """Read a catalogue into `section.key` -> sentence."""
    text = resources.files("audit.report").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return {
        f"{section}.{name}": " ".join(sentence.split())
        for section, sentences in tomllib.loads(text).items()
        for name, sentence in sentences.items()
    }


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say everything inside in a language.

    Raises
    ------
    DataError
        If there is no catalogue of it.
    """
    if language not in languages():
        raise DataError("--language", f"no catalogue for {language!r}", f"Known languages: {', '.join(languages())}")
    before = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def spoken() -> str:
    """The language that is spoken now."""
    return _SPOKEN.get()


def say(key: str, /, **values: object) -> str:
    """Print a sentence of the catalogue, its placeholders filled.

    >>> say("support.count-only")
    'counts only'
    """
    english = catalogue()[key]
    sentence = english if spoken() == LANGUAGE else catalogue(spoken()).get(key, english)
    return sentence.format(**values)


def has(key: str) -> bool:
    """Whether the catalogue holds a sentence."""
    return key in catalogue()

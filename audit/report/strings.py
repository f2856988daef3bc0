"""Every sentence of the report, from one catalogue: a translation is a file beside `en.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

LANGUAGE = "en"


@cache
def catalogue(language: str = LANGUAGE) -> dict[str, str]:
    """Read a catalogue into `section.key` -> sentence."""
    text = resources.files("audit.report").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return {
        f"{section}.{name}": " ".join(sentence.split())
        for section, sentences in tomllib.loads(text).items()
        for name, sentence in sentences.items()
    }


def say(key: str, /, **values: object) -> str:
    """Print a sentence of the catalogue, its placeholders filled.

    >>> say("support.count-only")
    'counts only'
    """
    return catalogue()[key].format(**values)


def has(key: str) -> bool:
    """Whether the catalogue holds a sentence."""
    return key in catalogue()

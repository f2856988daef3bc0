"""The catalogue: what is known of 58 face data sets, and how far each fact was checked.

It describes sets that the gate refuses too, so that the gate knows their names and an auditor can read the reason.
Every fact has a mark (`Entry.mark`); a fact from memory is never shown without it.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from audit import alike

Mark = Literal["V", "P", "M"]
MARKS: dict[Mark, str] = {"V": "verified", "P": "partly verified", "M": "from memory, unverified"}
FACTS = (
    "consent",
    "labels",
    "attributes",
    "subjects",
    "images",
    "tasks",
    "licence",
    "redistribution",
    "commercial",
    "biometric",
    "access",
    "layout",
    "minors",
    "status",
    "withdrawal",
    "citation",
)


class Entry(BaseModel):
    """One data set. Facts are text: what a source says, not what a program infers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    name: str
    aliases: tuple[str, ...]
    tier: str = Field(description="as classified; `consent.strictest` reads it")
    verified: Mark
    consent: str
    labels: str
    attributes: str
    subjects: str
    images: str
    tasks: str
    licence: str
    redistribution: str
    commercial: str
    biometric: str
    access: str
    layout: str
    minors: str
    status: str
    withdrawal: str
    citation: str
    source: str
    marks: dict[str, Mark] = Field(default_factory=dict, description="facts whose mark differs from `verified`")

    def mark(self, fact: str) -> Mark:
        """How far a fact was checked."""
        return self.marks.get(fact, self.verified)

    def fact(self, name: str) -> str:
        """Give a fact as text that carries its mark unless it was verified.

        >>> find("lfw").fact("subjects")
        '5749 (from memory, unverified)'
        """
        text = str(getattr(self, name)) or "not known"
        mark = self.mark(name)
        return text if mark == "V" or MARKS[mark] in text else f"{text} ({MARKS[mark]})"

    @property
    def names(self) -> tuple[str, ...]:
        """Its id, its aliases and its name."""
        return (self.id, *self.aliases, self.name)


def normal(name: str) -> str:
    """Reduce a name to what identifies it, whatever letters it is written in.

    >>> normal("MS-Celeb-1M"), normal("\uff2c\uff26\uff37")
    ('msceleb1m', 'lfw')
    """
    return re.sub(r"[^a-z0-9]", "", alike.plain_text(name))


@cache
def entries() -> dict[str, Entry]:
    """Read the catalogue: id to entry."""
    text = resources.files("audit.benchmarks").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {key: Entry(id=key, **values) for key, values in tomllib.loads(text).items()}


@cache
def _by_name() -> dict[str, Entry]:
    return {normal(name): entry for entry in entries().values() for name in entry.names}


def find(name: str) -> Entry | None:
    """Find a data set by its id, name or alias, whatever the spelling of case and punctuation."""
    return _by_name().get(normal(name))


def near(name: str) -> str | None:
    """Find the known name nearest to one that is not known."""
    spelled = {normal(known): known for entry in entries().values() for known in (entry.id, *entry.aliases)}
    matches = difflib.get_close_matches(normal(name), list(spelled), n=1)
    return spelled[matches[0]] if matches else None

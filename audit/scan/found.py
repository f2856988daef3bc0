"""What a scan looks for and how it says what it found."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Leak:
    """A file, or a place in one, and why it cannot be published."""

    place: str
    reason: str


@dataclass(frozen=True)
class Ids:
    """Ids of people and samples of a benchmark.

    One that no ordinary text would contain (eight characters or more, or letters and digits together) is looked for as
    a word everywhere; a short number only where it is a whole value.
    """

    names: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def telling(self) -> frozenset[str]:
        """Ids that are looked for as words."""
        return frozenset(name for name in self.names if _TELLING.fullmatch(name) or len(name) >= 8)

    def word_in(self, text: str) -> bool:
        """Whether a word of a text is such an id, with or without the suffix of a file."""
        return any(word in self.telling or word.rpartition(".")[0] in self.telling for word in _WORD.findall(text))

    def is_value(self, text: str) -> bool:
        """Whether a whole value is an id."""
        return text in self.names


_TELLING = re.compile(r"(?=.*[A-Za-z_-])(?=.*\d).{4,}")
_WORD = re.compile(r"[\w.-]*\w")

"""What a check of a bundle found, one line a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audit.errors import shown

Outcome = Literal["established", "failed", "not established"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A question, its answer, and in words what was looked at or what is missing."""

    question: str
    outcome: Outcome
    detail: str

    def __post_init__(self) -> None:
        """A bundle can neither break, steer nor flood the terminal on which it is checked."""
        object.__setattr__(self, "detail", shown(self.detail))

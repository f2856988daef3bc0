"""What a check of a bundle found, one line a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["established", "failed", "not established"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A question, its answer, and in words what was looked at or what is missing."""

    question: str
    outcome: Outcome
    detail: str

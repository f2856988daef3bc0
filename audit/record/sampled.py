"""How comparisons were drawn, where not all were made."""

from __future__ import annotations

from pydantic import Field

from audit.record.part import Group, Part


class SamplingRound(Part):
    """Comparisons drawn until then, and the widest interval: half its width over the rate; null: not yet to be told."""

    drawn: int
    widest: float | None
    group: Group


class SamplingGroup(Part):
    """Non-mated comparisons drawn within a group, of how many."""

    group: Group
    drawn: int
    of: int


class Sampling(Part):
    """Non-mated comparisons that were drawn instead of made all; every admitted one had the same chance.

    The design weight is the same in every cell, so that rates are plain ratios of what was drawn.
    """

    asked: int | None = Field(description="how many the plan asks for; null: it asks for a precision")
    precision: float | None
    drawn: int
    of: int
    weight: float | None = Field(description="comparisons that each one drawn stands for; 1: all were made")
    seed: int
    rounds: list[SamplingRound]
    stopped: str = Field(description="why no more were drawn")
    by_group: list[SamplingGroup]

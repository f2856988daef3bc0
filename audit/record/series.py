"""What changes with the one factor that a series changes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audit.record.part import IntervalPart, Part


class Movement(Part):
    """What changes when one factor of a person's picture changes; the same people under both levels.

    Quantities: the mean score with the person's own other samples; FNMR with them (and FRR, in which a picture without
    a template is rejected); the share of pictures in which a detector, or the model, finds no usable face ("miss"); the
    mean shift of that coordinate of five landmarks which may have moved farthest, in percent of the distance of the
    eyes, with an interval that holds for all coordinates together; its `before` is 0.
    """

    factor: str
    level: str
    position: int
    against: str = Field(description="'own': the level that the person's other samples show; else a level")
    quantity: Literal["score", "FNMR", "FRR", "miss", "landmarks"]
    operating_point: str | None
    detector: str | None = Field(description="of a miss: the detector, or 'model' for the model's own way")
    people: int
    before: float | None
    after: float | None
    change: float | None = Field(description="after - before")
    interval: IntervalPart | None = Field(description="of the change")
    errors: list[int] | None = Field(None, description="before and after; null for means")
    trials: list[int] | None = Field(None, description="before and after; null for means")
    reason: str | None = None

"""What the parts of a record share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Unit = Annotated[float, Field(ge=0, le=1)]
Group = dict[str, str]
"""Attribute to value; {} is everyone."""


class Part(BaseModel):
    """Frozen; unknown keys are refused, and no number is infinite or NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class IntervalPart(Part):
    """Confidence interval."""

    low: float
    high: float
    level: float
    method: str


def group_text(group: Group | Literal["rest"] | None) -> str | None:
    """Print a group of the record.

    >>> group_text({"gender": "female", "ethnicity": "black"}), group_text({}), group_text("rest")
    ('gender=female & ethnicity=black', 'everyone', 'rest')
    """
    if group is None or isinstance(group, str):
        return group
    return " & ".join(f"{name}={value}" for name, value in group.items()) or "everyone"

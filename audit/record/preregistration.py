"""Whether the plan was locked before data were touched, and whether the lock was kept to."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from audit.record.part import Part


class ChangedSetting(Part):
    """Something that was locked and then not kept to: a setting of the plan, `benchmark descriptor` or `weights`."""

    setting: str
    locked: Any
    used: Any


class Preregistration(Part):
    """What a lock beside the plan says, held against what was done.

    A lock carries the time of the machine that made it: whoever can set that clock, or throws results away, can make
    one afterwards. What it proves against them is what an independent party has seen of its digest, and when.
    """

    locked: bool
    digest: str | None = Field(None, description="of the lock")
    created: str | None = Field(None, description="when the lock says that it was made")
    followed: bool | None = Field(None, description="null: nothing was locked")
    differences: list[ChangedSetting] = Field([], description="what was changed after the lock")
    same_code: bool | None = Field(None, description="whether the lock was made by the same version of faceaudit")
    results_before: int | None = Field(
        None,
        description="evaluations of this model on this benchmark that were there before the lock, as far as the folder "
        "of results tells",
    )
    other_plans: int = Field(
        0,
        description="evaluations of this model on this benchmark under other plans that were there before this one, as "
        "far as the folder of results tells",
    )

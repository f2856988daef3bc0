"""Search in a list, and what it would do in a place."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audit.record.part import Group, IntervalPart, Part, Unit


class ListGroup(Part):
    """People of a group: on the list, tested and on it (mated), tested and not on it (non-mated), and probes of these.

    Null where so few people stand behind a number that it is not given.
    """

    group: Group
    people: int | None = Field(description="on the list")
    share: Unit | None = Field(description="of the people on the list")
    mated_people: int | None
    mated: int | None
    nonmated_people: int | None
    nonmated: int | None
    reason: str | None = None


class ListThresholdPart(Part):
    """A threshold set at a target FPIR; `threshold` null: not estimable, and `reason` says why."""

    id: str
    target_fpir: float
    achieved_fpir: float | None
    threshold: float | None
    set_on: str
    reason: str | None = None


class CmcCurve(Part):
    """Share of mated probes whose mate is among the first 1, 2, ... candidates, with pointwise intervals."""

    group: Group
    found: list[Unit]
    low: list[Unit]
    high: list[Unit]
    reason: str | None = None


class ListTradeoff(Part):
    """Detection and identification rate (mate first, and at or above the threshold) over FPIR, at common thresholds."""

    group: Group
    fpir: list[Unit]
    dir: list[Unit]
    reason: str | None = None


class Confusion(Part):
    """In whose group a wrong candidate lies: errors of probes of `group` whose first candidate is of `candidate`.

    `share` is what the list's composition alone would give. Null where fewer than the plan's people stand behind it.
    """

    attributes: list[str]
    group: Group
    candidate: Group
    operating_point: str = Field(description="'rank-only': wrong first candidates of mated probes; else false alarms")
    errors: int | None
    of: int | None
    share: Unit | None
    reason: str | None = None


class ListGrowth(Part):
    """False alarms of everyone against the first part of the list, at a threshold."""

    operating_point: str
    people: int = Field(description="on this part of the list")
    errors: int
    trials: int
    value: Unit | None
    interval: IntervalPart | None


class Identification(Part):
    """One against many inside the benchmark: who was on the list, and rates that name nobody.

    FPIR and FNIR stand in `rates`, their ratios in `contrasts` and their spreads in `differentials`.
    """

    people: int = Field(description="on the list")
    references: int = Field(description="templates on the list")
    images: int = Field(description="pictures of each person on the list; the highest score counts")
    composed_by: str | None = Field(description="attribute whose groups have declared shares; null: as the benchmark")
    mated: int = Field(description="probes of people on the list")
    nonmated: int = Field(description="probes of people not on it")
    unlistable: int = Field(description="people with too few pictures to be on the list")
    untested: int = Field(description="of them, those who were left out of a closed set")
    without_reference: int = Field(description="people whose pictures for the list gave no template")
    ranks: list[int]
    groups: list[ListGroup]
    operating_points: list[ListThresholdPart]
    cmc: list[CmcCurve]
    tradeoff: list[ListTradeoff]
    confusion: list[Confusion]
    growth: list[ListGrowth]


class ScenarioRow(Part):
    """False and right alarms a day of one group of those who pass; {} is everybody.

    `alarm` is the probability that somebody who is not on the list raises one, if comparisons do not depend on each
    other; `band` is where it lies if they do, at the measured false match rate. Null with a reason where the benchmark
    has too little of a group.
    """

    group: Group
    share: Unit = Field(description="of the faces")
    on_list: Unit = Field(description="of the list")
    errors: int | None = Field(description="false matches with the groups on the list")
    trials: int | None
    rate: Unit | None = Field(description="false match rate with the list's composition")
    interval: IntervalPart | None = Field(description="of `rate`")
    upper_bound: Unit | None = Field(description="one-sided 95 % bound of `rate` where no error was seen")
    spread: float | None = Field(description="variance of `rate` between people")
    candidates: float | None = Field(description="false candidates a face, on average: list size x `rate`")
    alarm: Unit | None
    alarm_interval: IntervalPart | None
    band: tuple[Unit, Unit] | None
    false_alarms: float | None = Field(description="a day")
    false_interval: tuple[float, float] | None = Field(
        description="from the interval of `rate`, or of all groups' added"
    )
    false_band: tuple[float, float] | None
    right_alarms: float | None = Field(description="a day: people on the list who are found")
    right_interval: tuple[float, float] | None
    wrong_share: Unit | None = Field(description="share of alarms that are wrong")
    wrong_interval: tuple[Unit, Unit] | None
    reason: str | None = None


class ScenarioPart(Part):
    """What the measured rates would do in a place: arithmetic on them, not a measurement of that place."""

    by: str
    operating_point: str
    searches_per_day: float
    list_size: int
    listed: Unit = Field(description="share of the faces whose person is on the list")
    band_method: Literal["between-people", "measured-growth"]
    effective_share: float | None = Field(
        None,
        description="share of the list that counted where one was tried: the growth of FPIR over that of 1-(1-f)^N",
    )
    tried_size: int | None = Field(None, description="people on the list that was tried")
    compared: int = Field(description="other people that anybody here was compared with, at most")
    extrapolated: bool = Field(description="the list is longer than that")
    rows: list[ScenarioRow] = Field(description="everybody first")

"""What an attribute model said, against the labels of a benchmark: sums over people, never a picture's own outcome."""

from __future__ import annotations

from pydantic import Field

from audit.domain import Provenance, Support
from audit.record.part import Group, IntervalPart, Part, Unit


class PicturesPart(Part):
    """Pictures of one condition (an expression, say), which were also measured apart; their errors have no contrasts.

    Operating points of these pictures are called like those of all, with " (condition=value)" behind.
    """

    condition: str
    value: str
    pictures: int
    people: int


class UnsayableLabel(Part):
    """A true label that the model has no word for: whatever it says of these people is wrong."""

    value: str
    people: int | None
    pictures: int | None
    reason: str | None = None


class LabelTable(Part):
    """Pictures of a group by true label (rows, as `values`) and what was said (as `words`, then: not processed).

    Null with a reason where fewer than the plan's people stand behind it; a row of fewer people is null.
    """

    part: Group = Field(description="condition and value of these pictures; {}: all")
    group: Group
    counts: list[list[int] | None] | None
    people: int
    reason: str | None = None


class BalancedAccuracy(Part):
    """Mean recall over the true labels that the model can say; null with a reason where one of them has nobody."""

    part: Group
    group: Group
    value: Unit | None
    interval: IntervalPart | None
    pictures: int
    subjects: int
    reason: str | None = None


class ParityPart(Part):
    """How differently a word is said of the groups of an attribute or an intersection, as fairlearn defines it."""

    measure: str
    formula: str
    word: str
    attributes: list[str]
    value: Unit | None
    interval: IntervalPart | None
    null_p: Unit | None = Field(description="chance of a value as far from equal, if the groups had the same rates")
    null_median: Unit | None
    null_far: Unit | None = Field(description="95 % point of a difference, 5 % point of a ratio, under equal rates")
    included: list[Group]
    excluded: list[dict[str, Group | str]] = Field(description="groups left out, each with `group` and `reason`")
    reason: str | None = None


class LabelsPart(Part):
    """An attribute of which the model says a label. Error rates stand in `rates` (CER, NPR) at `operating_point`."""

    attribute: str = Field(description="as the model calls it")
    truth: str = Field(description="attribute of the benchmark that it is compared with")
    provenance: Provenance = Field(description="who gave the benchmark's labels")
    meaning: str = Field(description="of the model's labels, and who gave them in training")
    operating_point: str
    values: list[str] = Field(description="true labels that occur")
    words: list[str] = Field(description="what the model can say: the benchmark's word where both have it")
    labels: list[str] = Field(description="the same as the model calls them")
    unsayable: list[UnsayableLabel]
    foreign: list[str] = Field(description="words of the model that are nobody's true label here")
    without_truth: dict[str, int] = Field(description="people without a true label, by reason")
    tables: list[LabelTable]
    balanced: list[BalancedAccuracy]
    parity: list[ParityPart]


class YearsPart(Part):
    """A mean or a quantile in years."""

    value: float | None
    interval: IntervalPart | None


class AgeErrorsPart(Part):
    """Estimated less true age over the pictures of a group: its mean size, its mean, the size that 90 % do not exceed.

    Pictures that were not processed (`lost`) have no error in years.
    """

    part: Group
    group: Group
    pictures: int
    subjects: int
    lost: int
    mae: YearsPart
    bias: YearsPart = Field(description="above 0: taken for older")
    p90: YearsPart = Field(description="of 30 people and more: among fewer it would be a person's own")
    support: Support
    reason: str | None = None


class AgesPart(Part):
    """Ages in years. Shares of pictures stand in `rates`: OFF, PASS, STOP, NPR."""

    truth: str
    provenance: Provenance
    meaning: str
    band: str | None = Field(description="name under which groups of true age stand; null: there are no bands")
    edges: list[float]
    off: list[float]
    challenge: float
    limits: list[float]
    without_truth: dict[str, int]
    errors: list[AgeErrorsPart]


class AttributesPart(Part):
    """What an attribute model said."""

    labels: list[LabelsPart]
    ages: AgesPart | None = Field(None, description="null: the model says no age, or the benchmark has none in years")
    parts: list[PicturesPart] = Field([], description="pictures that were also measured apart")
    left_out: dict[str, str] = Field({}, description="what the model says too, and why it is compared with nothing")

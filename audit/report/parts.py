"""What a report is made of: frozen data that every format (page, print, Markdown) renders in its own way.

Nothing here is rounded, ordered or worded any more: that has happened in `audit.report.view`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audit.domain import Verdict

Tone = Literal["plain", "note", "warning"]
Marker = Literal["solid", "half", "hollow", "bound", "none"]
"""How a rate is drawn: sufficient, low precision, counts only, an upper bound where no error was seen, nothing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a main text, a smaller second line, and a mark that repeats in shape what colour says."""

    text: str
    note: str = ""
    kind: Literal["text", "number", "rate", "name"] = "text"
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; the first column names the row. A row of one cell is a heading over the rows below."""

    id: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notices:
    """Sentences that the consent gate demands to be said."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms and what they are here."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's words, unchanged, with their source."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled vertical line in a picture."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class RowMark:
    """One row of a row picture; `low` and `high` None where there is no interval. A row without marker is a heading."""

    label: str
    detail: str
    marker: Marker
    x: float | None = None
    low: float | None = None
    high: float | None = None
    heading: bool = False
    band: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class RowPicture:
    """Values with intervals, one row each, on a logarithmic axis or a linear one."""

    rows: tuple[RowMark, ...]
    ticks: tuple[Line, ...]
    domain: tuple[float, float]
    axis: str
    lines: tuple[Line, ...] = ()
    band: tuple[float, float] | None = None
    linear: bool = False


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell of a heat map; `level` counts classes from 0 (no error seen), None where nothing was measured."""

    row: int
    column: int
    text: str
    level: int | None


@dataclass(frozen=True, slots=True)
class HeatPicture:
    """A square of group pairs."""

    labels: tuple[str, ...]
    cells: tuple[HeatCell, ...]
    legend: tuple[str, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class CurvePanel:
    """One detection error trade-off: points (fmr, fnmr), zeros kept as zeros."""

    label: str
    detail: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class CurvePicture:
    """Small multiples of DET curves, each before the curve of everyone."""

    panels: tuple[CurvePanel, ...]
    everyone: tuple[tuple[float, float], ...]
    ticks: tuple[Line, ...]
    x_axis: str
    y_axis: str
    zero: str


@dataclass(frozen=True, slots=True)
class Ridge:
    """Two histograms of one group as heights in [0, 1] over the centres of shared bins."""

    label: str
    detail: str
    mated: tuple[float, ...]
    nonmated: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RidgePicture:
    """Score distributions, one row a group, thresholds through all of them."""

    centres: tuple[float, ...]
    rows: tuple[Ridge, ...]
    lines: tuple[Line, ...]
    ticks: tuple[Line, ...]
    axis: str
    mated: str
    nonmated: str


@dataclass(frozen=True, slots=True)
class BandPanel:
    """A smooth curve with its band over the shared axis, on a scale of its own; lists are of one length."""

    label: str
    detail: str
    x: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    ticks: tuple[Line, ...]
    domain: tuple[float, float]


@dataclass(frozen=True, slots=True)
class BandPicture:
    """Small multiples of smooth curves over one number that people carry."""

    panels: tuple[BandPanel, ...]
    ticks: tuple[Line, ...]
    domain: tuple[float, float]
    axis: str


@dataclass(frozen=True, slots=True)
class SeverityLine:
    """One group: its rate at every severity, with bounds; lists are of one length."""

    label: str
    x: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SeverityPanel:
    """One way in which pictures were made worse."""

    label: str
    detail: str
    lines: tuple[SeverityLine, ...]


@dataclass(frozen=True, slots=True)
class SeverityPicture:
    """Small multiples: what happens to a rate as pictures get worse, a line a group with its band of uncertainty."""

    panels: tuple[SeverityPanel, ...]
    labels: tuple[str, ...]
    x_ticks: tuple[Line, ...]
    y_ticks: tuple[Line, ...]
    x_axis: str
    y_axis: str


@dataclass(frozen=True, slots=True)
class HistogramRow:
    """A measured value with its interval below a histogram: bins are (left, right, height in [0, 1])."""

    label: str
    detail: str
    spoken: str
    bins: tuple[tuple[float, float, float], ...]
    x: float
    low: float
    high: float
    line: float | None


@dataclass(frozen=True, slots=True)
class HistogramPicture:
    """Values before what chance alone gives, one row each, on a logarithmic axis; the last three are the legend."""

    rows: tuple[HistogramRow, ...]
    ticks: tuple[Line, ...]
    domain: tuple[float, float]
    axis: str
    filled: str
    measured: str
    line: str


@dataclass(frozen=True, slots=True)
class ScatterMark:
    """A point with an interval in both directions; bounds None where there is none."""

    label: str
    x: float
    y: float
    x_bounds: tuple[float, float] | None = None
    y_bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ScatterPicture:
    """Points over a linear axis and a logarithmic one; each has a shape and a label of its own."""

    marks: tuple[ScatterMark, ...]
    x_ticks: tuple[Line, ...]
    y_ticks: tuple[Line, ...]
    x_domain: tuple[float, float]
    y_domain: tuple[float, float]
    x_axis: str
    y_axis: str
    better: str


Picture = (
    RowPicture
    | HeatPicture
    | CurvePicture
    | RidgePicture
    | BandPicture
    | SeverityPicture
    | HistogramPicture
    | ScatterPicture
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its title, what it shows in words, and its data as a table."""

    id: str
    title: str
    caption: str
    alt: str
    picture: Picture
    table: Table


@dataclass(frozen=True, slots=True)
class Finding:
    """What one attribute showed for one kind of error."""

    verdict: Verdict
    label: str
    title: str
    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings about one kind of error."""

    title: str
    text: str
    items: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Something that opens in place."""

    title: str
    blocks: tuple[Block, ...]


Block = Paragraph | Listing | Notices | Facts | Quote | Table | Figure | Findings | Fold


@dataclass(frozen=True, slots=True)
class Term:
    """A word and its explanation."""

    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report; `terms` are explained in place, `part` names the part of the report it belongs to."""

    id: str
    title: str
    lead: str
    blocks: tuple[Block, ...]
    terms: tuple[Term, ...] = ()
    part: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reviewer's question, its answer in a line, and what is behind it."""

    question: str
    answer: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportView:
    """A whole report. The first page: headline, answers, `verdicts` (by attribute), then the sections."""

    language: str
    title: str
    subtitle: str
    consent: str
    verdict: Verdict
    verdict_label: str
    headline: str
    evidence: str
    alerts: tuple[str, ...]
    answers: tuple[Answer, ...]
    sections: tuple[Section, ...]
    footer: str
    verdicts: Table | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What stands first of a report, wherever many are listed.

    `naming` is the sentence of the catalogue that names it by `model` and `benchmark`, `metrics` are the errors that it
    is about, `target` says at which setting. `verdicts` are by attribute and kind of error, where `metrics` at one
    setting do not say it all.
    """

    naming: str
    verdict: Verdict
    headline: str
    evidence: str
    metrics: tuple[str, ...]
    target: str
    groups: Table
    verdicts: Table | None = None

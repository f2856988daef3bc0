"""A finished audit as a notebook shows it: tidy frames, a card, charts, and its report in any format.

The record stays what it is, a document that decides every number; this is a way to look at one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from audit import frames
from audit.errors import DataError
from audit.record import EvaluationRecord
from audit.record import read as read_record
from audit.report import notebook, render

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from audit.report.parts import Figure

Metric = Literal["FMR", "FNMR"]


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """A record, the folder that holds it, and ways to look at it.

    Charts are Altair charts of the report's own pictures; the sentence that stands in for a picture where none can be
    seen is their `description`.

    Parameters
    ----------
    record : everything that was measured
    folder : where record.json lies, and report.html beside it
    reused : whether it was finished before, so that nothing was measured
    earlier : where the record lies that this one replaced, if people withdrew
    timing : seconds of this run, step by step; of the record that it made, `record.timing` has more
    """

    record: EvaluationRecord
    folder: Path
    reused: bool = False
    earlier: Path | None = None
    timing: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | str) -> Evaluation:
        """Open an audit that was saved.

        Parameters
        ----------
        path : a record.json, or the folder that holds it

        Raises
        ------
        DataError
            Naming the file, or the place in the document.
        """
        place = Path(path)
        place = place / "record.json" if place.is_dir() else place
        return cls(read_record(place), place.parent, reused=True)

    @cached_property
    def rates(self) -> pd.DataFrame:
        """Error rates, tidy: see `audit.frames.rates`."""
        return frames.rates(self.record)

    @cached_property
    def contrasts(self) -> pd.DataFrame:
        """Ratios between groups with their verdicts, tidy: see `audit.frames.contrasts`."""
        return frames.contrasts(self.record)

    @cached_property
    def differentials(self) -> pd.DataFrame:
        """Disparity measures with their null distributions, tidy: see `audit.frames.differentials`."""
        return frames.differentials(self.record)

    @property
    def report_path(self) -> Path:
        """Where the page of this audit lies."""
        return self.folder / "report.html"

    def report(self, out: Path | str | None = None, formats: Sequence[str] | str = ("html",)) -> list[Path]:
        """Write the report.

        Parameters
        ----------
        out : folder; default: beside the record
        formats : one or several of `audit.report.FORMATS`

        Raises
        ------
        DataError
            If a format is unknown or the folder cannot be written.
        """
        wanted = [formats] if isinstance(formats, str) else list(formats)
        return render(self.record, self.folder if out is None else Path(out), wanted)

    def chart_rates(self, metric: Metric = "FMR") -> alt.LayerChart:
        """Draw a rate by group with intervals, counts and support, at the strictest threshold for everyone."""
        return self.chart(metric.lower())

    def chart_spread(self, metric: Metric = "FMR") -> alt.LayerChart:
        """Draw the headline spread of each attribute before what chance alone would give."""
        return self.chart(f"spread-{metric.lower()}")

    def chart_contrasts(self, *attributes: str, metric: Metric = "FMR") -> alt.LayerChart:
        """Draw the ratios of one attribute, or of several together, before the declared margin."""
        return self.chart(f"ratio-{metric.lower()}-{self._number(attributes)}")

    def chart_heat(self, *attributes: str) -> alt.LayerChart:
        """Draw false match rates within and between the groups of one attribute, or of several together."""
        return self.chart(f"heat-{self._number(attributes)}")

    def chart_scores(self) -> alt.LayerChart:
        """Draw the score distributions of every group and the thresholds through them."""
        return self.chart("scores")

    def chart_det(self) -> alt.LayerChart:
        """Draw the detection error trade-off of every group."""
        return self.chart("det")

    def chart(self, name: str) -> alt.LayerChart:
        """Draw any picture of the report.

        Parameters
        ----------
        name : one of `charts`

        Raises
        ------
        DataError
            If the report has no such picture: the message names those that it has.
        """
        if name not in self._figures:
            raise DataError(
                f"chart {name!r}", "this report has no such picture", f"It has: {', '.join(self._figures) or 'none'}"
            )
        return notebook.chart(self._figures[name])

    @cached_property
    def charts(self) -> dict[str, str]:
        """Names of the pictures that the report has, each with its title."""
        return {name: figure.title for name, figure in self._figures.items()}

    @cached_property
    def _figures(self) -> dict[str, Figure]:
        return notebook.figures(self.record)

    def _number(self, attributes: Sequence[str]) -> int:
        """Which of the sets of attributes that were measured this is; none: the first."""
        sets = notebook.attribute_sets(self.record)
        if not attributes and sets:
            return 0
        for number, names in enumerate(sets):
            if set(names) == set(attributes):
                return number
        known = ", ".join(" & ".join(names) for names in sets) or "none"
        raise DataError(" & ".join(attributes) or "chart", "the people were not grouped so", f"Grouped by: {known}")

    def __repr__(self) -> str:
        return f"<Evaluation of {self.record.model.name} on {self.record.benchmark.name}: {self.folder}>"

    def _repr_html_(self) -> str:
        """The card that a notebook shows: verdict, first sentence, groups."""
        return notebook.card(self.record)

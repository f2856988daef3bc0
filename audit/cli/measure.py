"""`faceaudit benchmarks measure`: the skin tone of people in a benchmark's pictures, with how sure it is.

The table names people, so it is for whoever keeps the data, not for publication.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from audit.cli.progress import Progress
from audit.errors import NothingMeasured, PlanError

if TYPE_CHECKING:
    from audit.domain import Benchmark
    from audit.measured import Tones

COLUMNS = ("subject_id", "measured_ita", "band", "images", "between_images", "within_picture", "between_sides")


def command(
    benchmark: Annotated[str, typer.Argument(help="Folder, or name of a benchmark in a data entry.")],
    by: Annotated[str | None, typer.Option(help="Also show how it lies within the groups of this attribute.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV with a row for each person; names people, keep it.")] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Parent of benchmark folders; repeatable.")] = None,
    acknowledge: Annotated[list[str] | None, typer.Option(help="Consent tier knowingly accepted (T3, S2).")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="First N people only.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Machine-readable output: counts and spreads, nobody named.")
    ] = False,
) -> None:
    """Measure skin tone (individual typology angle) in a benchmark's pictures: its groups, and how sure it is."""
    from audit import benchmarks, measured  # noqa: PLC0415 - pandas and pydantic load with it
    from audit.models.card import Detection  # noqa: PLC0415 - as above
    from audit.plan import RunOptions, make  # noqa: PLC0415 - as above

    with Progress(benchmark) as progress:
        loaded = benchmarks.load(
            benchmark,
            data=benchmarks.data_entries(data or ()),
            acknowledge=acknowledge or (),
            purposes=("evaluation",),
            progress=progress,
        )
        usual = Detection.of(make({"benchmark": loaded.name, "model": "dlib"}))  # as in a plan that says nothing else
        tones = measured.measure(loaded, loaded.subjects[:limit], usual, RunOptions(progress=progress), last=True)
    if not tones.people:
        raise NothingMeasured(
            loaded.name, "no face was found in its pictures", "Look at them: faceaudit benchmarks check"
        )
    groups = _groups(loaded, tones, by) if by else {}
    if out is not None:
        _write(out, _table(tones))
    if as_json:
        summary = asdict(tones.summary()) | {"bands": _bands(tones), "note": measured.NOTE}
        if by:
            summary["by"] = {by: {name: _quantiles(values) for name, values in groups.items()}}
        typer.echo(json.dumps(summary, indent=1, ensure_ascii=False))
        return
    _show(loaded.name, tones, groups)


def _show(name: str, tones: Tones, groups: dict[str, list[float]]) -> None:
    from audit import measured  # noqa: PLC0415 - as above
    from audit.report.strings import say  # noqa: PLC0415 - as above

    console = Console(highlight=False)
    console.print(f"[bold]{name}: {measured.NAME}[/]")
    found = tones.summary()
    values = {"pixels": found.pixel_spread, "sides": found.sides, "between": found.image_spread}
    shown = {key: say("word.unknown") if value is None else f"{value:.1f}" for key, value in values.items()}
    told = say("labels.measured", people=found.people, images=found.images, several=found.several_bands, **shown)
    console.print(told, markup=False)
    if found.without:
        console.print(say("labels.not_measured", without=found.without), markup=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("", "people", "least", "25 %", "median", "75 %", "most"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    everybody = {"everyone": [one.degrees for one in tones.people]}
    for group, degrees in {**everybody, **groups}.items():
        table.add_row(group, str(len(degrees)), *(f"{value:.0f}" for value in _quantiles(degrees)))
    console.print(table)
    console.print(", ".join(f"{band} {count}" for band, count in _bands(tones).items()), markup=False)
    console.print(measured.NOTE, markup=False)


def _groups(loaded: Benchmark, tones: Tones, by: str) -> dict[str, list[float]]:
    """Degrees of the people of each group of an attribute; who has several values counts in each."""
    from audit import groups  # noqa: PLC0415 - as above

    if by not in loaded.attributes:
        raise PlanError(
            f"--by {by}", f"{loaded.name!r} has no such attribute", f"It has: {', '.join(loaded.attributes)}"
        )
    degrees = {one.subject_id: one.degrees for one in tones.people}
    found: dict[str, list[float]] = {}
    for subject in loaded.subjects:
        if subject.subject_id in degrees:
            for value in groups.labels(subject, loaded.attributes[by]):
                found.setdefault(f"{by}={value}", []).append(degrees[subject.subject_id])
    return dict(sorted(found.items(), key=lambda item: -float(np.median(item[1]))))


def _quantiles(degrees: list[float]) -> list[float]:
    return [round(float(value), 1) for value in np.percentile(degrees, [0, 25, 50, 75, 100])]


def _bands(tones: Tones) -> dict[str, int]:
    from audit.skin import ita  # noqa: PLC0415 - as above

    found = [ita.band(one.degrees) for one in tones.people]
    return {band: found.count(band) for band in ita.BANDS}


def _table(tones: Tones) -> str:
    from audit.skin import ita  # noqa: PLC0415 - as above

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in tones.people:
        between = "" if one.spread is None else f"{one.spread:.2f}"
        spreads = (between, f"{one.pixel_spread:.2f}", f"{one.sides:.2f}")
        writer.writerow((one.subject_id, f"{one.degrees:.2f}", ita.band(one.degrees), one.images, *spreads))
    return text.getvalue()


def _write(out: Path, text: str) -> None:
    try:
        out.touch(mode=0o600)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlanError(f"--out {out}", f"cannot be written: {error.strerror}", "Give a writable file") from None

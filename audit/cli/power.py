"""`faceaudit power`: what a benchmark could show, before anything is run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit.cli.words import numbers, split
from audit.errors import PlanError

TARGETS = (1e-2, 1e-3)


def command(
    benchmark: Annotated[
        str | None, typer.Option(help="Name or folder of a benchmark; default: the bundled one.")
    ] = None,
    subjects: Annotated[
        Path | None, typer.Option(help="Instead: a table with subject_id, attributes, and perhaps images.")
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="With --subjects: images of each person.")] = 2,
    by: Annotated[list[str] | None, typer.Option(help="Attributes to group by: a,b")] = None,
    fmr: Annotated[list[str] | None, typer.Option(help="Target false match rates; repeatable, or a,b")] = None,
    fnmr: Annotated[float | None, typer.Option(help="False non-match rate to plan for.")] = None,
    like: Annotated[Path | None, typer.Option(help="An earlier record.json: assume what it measured.")] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Folder that holds benchmarks; put first.")] = None,
    acknowledge: Annotated[list[str] | None, typer.Option(help="Consent tier that you knowingly accept.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for power.json and power.svg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on stdout.")] = False,
) -> None:
    """Before a run: the smallest ratio between groups that a benchmark can show, and how many people are missing."""
    from audit import forecast as room  # noqa: PLC0415 - the help text needs none of it
    from audit.metrics.power import Assumptions  # noqa: PLC0415
    from audit.record import read  # noqa: PLC0415

    if subjects is not None and benchmark is not None:
        raise PlanError("power", "found both --benchmark and --subjects", "Give one of them")
    if fnmr is not None and not 0 < fnmr < 1:
        raise PlanError("--fnmr", f"found {fnmr:g}", "A rate lies between 0 and 1, such as 0.05")
    assumed, source = Assumptions(), "about what dlib shows on the bundled benchmark"
    if like is not None:
        path = like / "record.json" if like.is_dir() else like
        record = read(path)
        assumed = room.like(record, assumed)
        source = f"measured in the audit of {record.model.name} on {record.benchmark.name}"
    if fnmr is not None:
        assumed = Assumptions(assumed.within, assumed.between, assumed.mated_within, fnmr)
    people = (
        room.of_table(subjects, images)
        if subjects is not None
        else room.of_benchmark(benchmark or "synthetic", data or (), tuple(acknowledge or ()))
    )
    made = room.forecast(people, split(by), numbers(fmr, "--fmr") or TARGETS, assumed, source=source)
    text = made.model_dump_json(by_alias=True, indent=1)
    if out is not None:
        from audit.report.power import write_power_picture  # noqa: PLC0415

        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / "power.json").write_text(text + "\n", encoding="utf-8")
            write_power_picture(made.rows, made.margins, out / "power.svg")
        except OSError as error:
            raise PlanError(f"--out {out}", f"cannot be written: {error.strerror}", "Name a folder of yours") from None
    if as_json:
        typer.echo(text)
        return
    from rich.console import Console  # noqa: PLC0415

    from audit.report.power import power_table  # noqa: PLC0415

    console = Console()
    console.print(power_table(made.benchmark, made.rows, made.margins))
    console.print(f"Assumed ({source}): {_assumed(made.assumed)}", highlight=False)
    if out is not None:
        console.print(f"Picture: {out / 'power.svg'}", highlight=False, soft_wrap=True)


def _assumed(assumed: object) -> str:
    words = {
        "within": "correlation of comparisons of the same two people",
        "between": "variance of how often people match others, over its squared mean",
        "mated_within": "correlation of comparisons of one person",
        "fnmr": "false non-match rate",
    }
    return "; ".join(f"{text} {getattr(assumed, name):.2g}" for name, text in words.items())

"""`faceaudit reproduce`: the plan of a record run again, and what differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit.cli.marked import mention
from audit.cli.words import count
from audit.errors import PlanError
from audit.plan import RunOptions

if TYPE_CHECKING:
    from audit.record import EvaluationRecord
    from audit.reproduction import Reproduction
    from audit.rerun import Given

NEGATIVE = 1


def command(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A record.json, or the folder that holds it.")],
    against: Annotated[
        Path | None, typer.Option(metavar="RECORD", help="Compare with this record instead of running the plan again.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Where the record's model lies: onnx:FILE, card:FILE.toml, templates:FILE.")
    ] = None,
    benchmark: Annotated[str | None, typer.Option(help="Where its benchmark lies: a folder, or another name.")] = None,
    subjects: Annotated[Path | None, typer.Option(help="For templates:FILE: the table of people.")] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Folder that holds benchmarks or weights; put first.")] = None,
    out: Annotated[Path, typer.Option(help="Where the new record and the comparison are written.")] = Path(
        "reproduced"
    ),
    cached: Annotated[
        bool, typer.Option("--cached", help="Take templates from the cache: faster, and it shows less.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Go on with other weights, pictures or labels; never a reproduction.")
    ] = False,
    acknowledge: Annotated[list[str] | None, typer.Option(help="Consent tier that you knowingly accept.")] = None,
    workers: Annotated[
        str, typer.Option(help="Images at the same time, 0: one a core; or ray, or ray://HOST:PORT: on a cluster.")
    ] = "0",
    device: Annotated[str, typer.Option(help="Where networks and comparisons run: cpu or cuda.")] = "cpu",
    obtain: Annotated[bool, typer.Option("--obtain", help="Download the benchmark from its public source.")] = False,
    send_images_to: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Let a model behind an address be sent images; the host of its card."),
    ] = None,
    requirements: Annotated[
        bool, typer.Option("--requirements", help="Print the record's packages for pip install -r, and run nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
) -> None:
    """Run the plan of a record again: exit 0 if nothing differs beyond noise, 1 if something does or inputs differ.

    Templates are extracted again. The new record, reproduction.json, .html and .md are written below --out.
    """
    from audit import record as records  # noqa: PLC0415 - the help text needs none of it
    from audit.rerun import Given  # noqa: PLC0415

    path = _file(record)
    if requirements:
        typer.echo(_requirements(path), nl=False)
        return
    mention([path] if against is None else [path, _file(against)])
    known = records.read(path)
    if against is not None:
        if _file(against).resolve() == path.resolve():
            raise PlanError("--against", "is the record itself", "Give the record that somebody else made")
        found, folder = _compared(known, path, records.read(_file(against)), _file(against)), out
    else:
        if device not in {"cpu", "cuda"}:
            raise PlanError("--device", f"found {device!r}", "Take --device cpu or --device cuda")
        options = RunOptions(
            data=tuple(data or ()),
            out=out,
            workers=0 if workers.startswith("ray") else count(workers, "--workers"),
            cluster=workers if workers.startswith("ray") else "",
            device="cuda" if device == "cuda" else "cpu",
            obtain=obtain,
            fresh=not cached,
            send_images_to=tuple(send_images_to or ()),
        )
        given = Given(path, benchmark, model, subjects, tuple(acknowledge or ()), anyway)
        found, folder = _measured(known, given, options, quiet=quiet)
    _show(found, folder, as_json=as_json, quiet=quiet)
    raise typer.Exit(0 if found.reproduced else NEGATIVE)


def _file(path: Path) -> Path:
    return path / "record.json" if path.is_dir() else path


def _measured(known: EvaluationRecord, given: Given, options: RunOptions, *, quiet: bool) -> tuple[Reproduction, Path]:
    from dataclasses import replace  # noqa: PLC0415

    from audit import environment  # noqa: PLC0415 - the help text needs none of it
    from audit.cli.progress import Progress  # noqa: PLC0415
    from audit.reproducing import compare  # noqa: PLC0415
    from audit.rerun import rerun  # noqa: PLC0415

    if options.cluster:
        from audit.cluster import require  # noqa: PLC0415 - most runs have none

        require(options.cluster)
    before = environment.read(given.record.parent)
    with Progress(f"{known.model.name} on {known.benchmark.name}", quiet=quiet) as progress:
        made = rerun(known, given, replace(options, progress=progress))
    both = before, environment.read(made.folder)
    return compare(
        known, made.record, both, "measured again" if options.fresh else "templates from the cache"
    ), made.folder


def _compared(known: EvaluationRecord, path: Path, other: EvaluationRecord, beside: Path) -> Reproduction:
    from audit import environment  # noqa: PLC0415 - the help text needs none of it
    from audit.reproducing import compare  # noqa: PLC0415

    return compare(known, other, (environment.read(path.parent), environment.read(beside.parent)))


def _requirements(path: Path) -> str:
    """The packages beside a record, as pip reads them."""
    from audit import environment  # noqa: PLC0415 - the help text needs none of it

    found = environment.read(path.parent)
    if found is None:
        raise PlanError(
            str(path.parent),
            f"has no {environment.FILE}",
            "It is written beside every record; ask for it where the record came from",
        )
    return environment.requirements(found.packages, str(path.parent / environment.FILE))


def _show(found: Reproduction, folder: Path, *, as_json: bool, quiet: bool) -> None:
    from audit.report import render_reproduction, reproduction_lines, reproduction_table  # noqa: PLC0415

    written = render_reproduction(found, folder)
    if as_json:
        typer.echo(found.model_dump_json(by_alias=True, indent=1))
        return
    if quiet:
        return
    from rich.console import Console  # noqa: PLC0415

    console = Console()
    console.print(reproduction_table(found))
    for line in reproduction_lines(found):
        console.print(line, highlight=False, markup=False)
    for path in written:
        console.print(f"Written: {path}", highlight=False, soft_wrap=True, markup=False)

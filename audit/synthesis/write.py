"""Write a set: pictures, tables, what every picture was made from, and a descriptor. It goes on where it stopped."""

from __future__ import annotations

import csv
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from audit.errors import DataError, PlanError
from audit.synthesis import assets as sources
from audit.synthesis import describe, design, picture
from audit.synthesis.design import Cast, Settings
from audit.synthesis.people import Person
from audit.synthesis.picture import Pixels, Sitter
from audit.synthesis.views import View

LICENCE = "CC0-1.0"
QUALITY = 85
"""WebP quality of what is written."""
_PART = "people.jsonl.part"
_CONDITIONS = ("yaw", "pitch", "expression", "key", "exposure", "warmth", "blur", "noise", "jpeg", "glasses")

Progress = Callable[[str, int, int], None]


class Line(BaseModel):
    """What `people.jsonl` says of a person: settings of the set, licences, parameters, digests of the pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject_id: str
    licence: str = LICENCE
    geometry: str = f"{sources.WHEEL} {sources.VERSION}, CC0"
    generator: str = f"faceaudit {version('faceaudit')}"
    settings: Settings
    person: Person
    views: tuple[View, ...]
    series: View | None
    files: dict[str, str] = {}

    @property
    def cast(self) -> Cast:
        """The person with the photographs."""
        return Cast(self.subject_id, self.person, self.views, self.series)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: of whom, how, and where it goes. A series has a factor and a level in `change`."""

    sample_id: str
    path: str
    person: Person
    view: View
    like: View | None = None
    change: tuple[str, str] | None = None


def shots(member: Cast) -> Iterator[Shot]:
    """All pictures of a person: the views, the series' own picture, then one picture for every change."""
    name = member.subject_id
    for view in member.views:
        yield Shot(f"{name}-{view.name}", f"images/{name}-{view.name}.webp", member.person, view)
    if member.series is None:
        return
    yield Shot(f"{name}-own", f"series/{name}-own.webp", member.person, member.series)
    for factor, level, person, view in design.changes(member.person, member.series):
        label = f"{name}-{factor}-{design.STEPS[factor].index(level)}"
        yield Shot(label, f"series/{label}.webp", person, view, member.series, (factor, level))


def write(folder: Path, settings: Settings, *, workers: int = 0, progress: Progress | None = None) -> list[Line]:
    """Make a set in a folder.

    Parameters
    ----------
    folder : Path
        Made if it is missing. If it holds a part of the same set, what is there is kept.
    settings : Settings
    workers : int
        Processes; 0 is the number of processors.
    progress : callable, optional
        Called with ("render", people done, people in all).

    Raises
    ------
    PlanError
        If the extra is not installed.
    DataError
        If the folder holds something else, or cannot be written.
    """
    members = design.cast(settings, sources.assets().modifiers)
    try:
        lines = _begin(folder, settings)
        todo = [member for member in members if member.subject_id not in lines]
        if progress:
            progress("render", len(lines), len(members))
        with (folder / _PART).open("a", encoding="utf-8") as part:
            for line in _rendered(todo, folder, settings, workers or os.cpu_count() or 1):
                part.write(_dump(line))
                part.flush()
                lines[line.subject_id] = line
                if progress:
                    progress("render", len(lines), len(members))
        ordered = [lines[member.subject_id] for member in members]
        _finish(folder, settings, ordered)
    except OSError as error:
        way_out = "What was rendered is kept: make room there, and the same command goes on"
        raise DataError(str(folder), f"cannot be written: {error.strerror}", way_out) from None
    return ordered


def read(folder: Path) -> dict[str, Line]:
    """Read `people.jsonl`: subject id to what the pictures were made from.

    Raises
    ------
    DataError
        Naming the line.
    """
    return {line.subject_id: line for line in _lines(folder / "people.jsonl")}


def again(line: Line, sample_id: str) -> Pixels:
    """Make one recorded picture again, before it is encoded.

    Raises
    ------
    PlanError
        If the person has no such picture, or the extra is not installed.
    """
    for shot in shots(line.cast):
        if shot.sample_id == sample_id:
            return picture.photograph(Sitter(shot.person, sources.assets()), shot.view, like=shot.like)
    raise PlanError(line.subject_id, f"there is no picture {sample_id!r}", "Ids are in samples.csv and series.csv")


def _begin(folder: Path, settings: Settings) -> dict[str, Line]:
    """Find what is already there; refuse a folder with anything else."""
    folder.mkdir(parents=True, exist_ok=True)
    known = next((folder / name for name in (_PART, "people.jsonl") if (folder / name).exists()), None)
    if known is None:
        if any(folder.iterdir()):
            raise DataError(str(folder), "is not empty", "Give an empty or a new folder")
        lines: dict[str, Line] = {}
    else:
        lines = {line.subject_id: line for line in _lines(known, cut_short=known.name == _PART)}
    for line in lines.values():
        if line.settings != settings or line.generator != Line.model_fields["generator"].default:
            raise DataError(
                str(folder), "holds a set of other settings or another version", "Give an empty or a new folder"
            )
    kept = {name: line for name, line in lines.items() if _intact(folder, line)}
    for name in ("images", "series") if settings.series else ("images",):
        (folder / name).mkdir(exist_ok=True)
    (folder / _PART).write_text("".join(map(_dump, kept.values())), encoding="utf-8")
    return kept


def _intact(folder: Path, line: Line) -> bool:
    return all((folder / path).is_file() and _digest(folder / path) == sha256 for path, sha256 in line.files.items())


def _lines(path: Path, *, cut_short: bool = False) -> Iterator[Line]:
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(str(path), f"cannot be read: {error}", "Make the set again") from None
    for number, row in enumerate(rows, 1):
        try:
            yield Line.model_validate_json(row)
        except ValidationError:
            if cut_short and number == len(rows):
                return
            raise DataError(
                f"{path}, line {number}", "is not what a person is made from", "Make the set again"
            ) from None


def _rendered(members: Sequence[Cast], folder: Path, settings: Settings, workers: int) -> Iterator[Line]:
    """Render people side by side; a few ahead, so that stopping loses little."""
    if not members:
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # read when a worker starts: threads of threads would fight for the cores
    with ProcessPoolExecutor(min(workers, len(members)), multiprocessing.get_context("spawn")) as pool:
        waiting = iter(members)
        ahead: set[Future[Line]] = set()
        try:
            while True:
                while len(ahead) < 2 * workers and (member := next(waiting, None)) is not None:
                    ahead.add(pool.submit(_render, member, str(folder), settings))
                if not ahead:
                    return
                done, ahead = wait(ahead, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _render(member: Cast, folder: str, settings: Settings) -> Line:
    sitters: dict[str, Sitter] = {}
    files = {}
    for shot in shots(member):
        sitter = sitters.setdefault(shot.person.model_dump_json(), Sitter(shot.person, sources.assets()))
        content = picture.encode(picture.photograph(sitter, shot.view, like=shot.like), QUALITY)
        (Path(folder) / shot.path).write_bytes(content)
        files[shot.path] = hashlib.sha256(content).hexdigest()
    return Line(
        subject_id=member.subject_id,
        settings=settings,
        person=member.person,
        views=member.views,
        series=member.series,
        files=files,
    )


def _finish(folder: Path, settings: Settings, lines: Sequence[Line]) -> None:
    """Write the tables and the descriptor; then the part is done with."""
    (folder / "people.jsonl").write_text("".join(map(_dump, lines)), encoding="utf-8")
    _table(folder / "subjects.csv", [_subject(line) for line in lines])
    _table(folder / "samples.csv", [row for line in lines for row in _samples(line)])
    names = ["people.jsonl", "subjects.csv", "samples.csv"]
    series = [row for line in lines for row in _series(line)]
    if series:
        _table(folder / "series.csv", series)
        names.append("series.csv")
    described = describe.descriptor(
        {name: ((folder / name).stat().st_size, _digest(folder / name)) for name in names},
        people=[line.person for line in lines],
        pictures=sum(len(line.files) for line in lines),
        series=sum(line.series is not None for line in lines),
        shared=settings.shared,
    )
    text = json.dumps(described, indent=1, ensure_ascii=False)
    (folder / "croissant.json").write_text(text + "\n", encoding="utf-8")
    (folder / _PART).unlink()


def _subject(line: Line) -> dict[str, Any]:
    person = line.person
    return {
        "subject_id": line.subject_id,
        "morph": person.morph,
        "tone_band": design.tone_band(person.skin.ita),
        "gender": person.gender,
        "age": person.age,
        "ita": person.skin.ita,
        "hair_style": person.hair.style,
        "hair_colour": person.hair.colour,
    }


def _samples(line: Line) -> Iterator[dict[str, Any]]:
    for shot in shots(line.cast):
        if shot.path.startswith("images/"):
            yield {
                "sample_id": shot.sample_id,
                "path": shot.path,
                "subject_id": line.subject_id,
                "sha256": line.files[shot.path],
                "view": shot.view.name,
                **{name: getattr(shot.view, name) for name in _CONDITIONS},
            }


def _series(line: Line) -> Iterator[dict[str, Any]]:
    """A row for every level of every factor; the own picture stands once for each."""
    if line.series is None:
        return
    by_change = {shot.change: shot for shot in shots(line.cast) if shot.path.startswith("series/")}
    own = design.own_levels(line.person)
    for factor, levels in design.STEPS.items():
        for position, level in enumerate(levels):
            shot = by_change[None if level == own[factor] else (factor, level)]
            yield {
                "sample_id": shot.sample_id,
                "path": shot.path,
                "sha256": line.files[shot.path],
                "subject_id": line.subject_id,
                "factor": factor,
                "level": level,
                "position": position,
                "own": "yes" if level == own[factor] else "no",
            }


def _table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def _dump(line: Line) -> str:
    return line.model_dump_json() + "\n"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

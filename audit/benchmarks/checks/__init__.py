"""Check the files of a benchmark: every defect at once, each with file and row, without ever stopping at one.

The gate comes first: of a refused set no image is read. What is found is for the eyes of whoever keeps the data: it
names files and rows, and no label beside a person's id beyond the cell that is wrong. It is not for publication.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audit.benchmarks import LAYOUTS, ccv2, consent, descriptor, fhibe, general, places, reader_of, recognise
from audit.benchmarks.checks import described, duplicates, gone, labels, pictures, rows
from audit.benchmarks.checks.pictures import Facts
from audit.benchmarks.checks.rows import Arranged, Picture
from audit.benchmarks.checks.table import CHECKS, Check, Finding
from audit.benchmarks.content import IMAGE_SUFFIXES, Content
from audit.benchmarks.descriptor import Descriptor
from audit.errors import DataError

__all__ = ["ARRANGEMENTS", "CHECKS", "Check", "Finding", "Outcome", "check"]

ARRANGEMENTS: dict[str, Callable[[Path, list[Finding]], Arranged]] = {
    "general": rows.general,
    "london": rows.london_set,
}
"""Layout to the function that reads it leniently; another one is read as for an audit, up to its first error."""

LEFT_OUT: dict[str, Callable[[Path, Content], set[str]]] = {"ccv2": ccv2.left_out, "fhibe": fhibe.left_out}
"""Layout to the function that gives the image files it knows and takes no sample of: they need no row."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was looked at, and what was found, in the order of `CHECKS`."""

    name: str
    root: Path
    people: int
    images: int
    findings: tuple[Finding, ...]

    @property
    def defects(self) -> int:
        """Number of findings that are defects."""
        return sum(finding.severity == "defect" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        counts = {"people": self.people, "images": self.images, "defects": self.defects}
        return {
            "benchmark": self.name,
            **counts,
            "notes": len(self.findings) - self.defects,
            "findings": [finding.to_json() for finding in self.findings],
        }


def check(
    name_or_folder: str,
    *,
    data: Sequence[Path] = (),
    acknowledge: Sequence[str] = (),
    progress: Callable[[str, int, int], None] = lambda *_: None,
    today: dt.date | None = None,
) -> Outcome:
    """Check a benchmark.

    Parameters
    ----------
    name_or_folder : str
        As for `load`; a folder need not have a descriptor.
    data, acknowledge
        As for `load`.
    progress : callable
        Called with ("check", files done, files in all).
    today : date, optional
        For the age of a live set.

    Raises
    ------
    Refused
        If the gate refuses the set. An old copy of a live set is a finding here, since nothing is measured on it.
    DataError
        If there is no such benchmark or folder.
    """
    findings: list[Finding] = []
    root, known = _found(name_or_folder, data, acknowledge, findings)
    dataset = known.dataset if known is not None else None
    if dataset is not None:
        findings += described.freshness(dataset, today or dt.datetime.now(tz=dt.UTC).date())
    arranged = _arranged(root, known, findings)
    if arranged is not None:
        findings += labels.check(arranged.people, arranged.key, dataset, arranged.separator)
    findings += gone.check(root, arranged)
    listed = arranged.pictures if arranged is not None else []
    spare = arranged.spare if arranged is not None else set()
    images = _files(root, known, listed, spare, findings, progress)
    people = len({row.cells.get(arranged.key) for row in arranged.people.rows}) if arranged is not None else 0
    if arranged is not None:
        main = sum(picture.row.file != "series.csv" for picture in listed)
        findings += described.readme_counts(root, people=people, images={images, len(listed), main})
    order = {name: k for k, name in enumerate(CHECKS)}
    findings.sort(key=lambda finding: (finding.severity, order[finding.check], finding.file, finding.row or 0))
    name = dataset.name if dataset is not None else root.name
    return Outcome(name, root, people, images, tuple(findings))


def _found(
    name: str, data: Sequence[Path], acknowledge: Sequence[str], findings: list[Finding]
) -> tuple[Path, Descriptor | None]:
    try:
        found = places.find(name, data=data)
    except DataError:
        root = Path(name).expanduser()
        if not root.is_dir():
            raise
        recognise.check_folder(root, place=name)
        wrong = list(described.broken(root, place=name))
        if not wrong:
            raise
        findings += wrong
        return root, None
    # An old copy is a finding, not a refusal: to the gate this one was checked today.
    dataset = found.descriptor.dataset.model_copy(update={"last_checked": dt.datetime.now(tz=dt.UTC).date()})
    recognise.check_described(dataset, place=name)
    consent.gate(
        dataset,
        place=name,
        known=found.known,
        shipped=places.shipped_of(found.known),
        acknowledge=acknowledge,
        purposes=("evaluation",),
    )
    if found.root is None:
        raise DataError(name, "its files are not here", f"Obtain them, or put their folder into {places.ENVIRONMENT}")
    return found.root, found.descriptor


def _arranged(root: Path, known: Descriptor | None, findings: list[Finding]) -> Arranged | None:
    """Rows of the tables, read leniently; of a layout without such a reading, what its own reader gives."""
    layout = known.dataset.layout if known is not None else "general"
    if layout in ARRANGEMENTS:
        home = general.tables_folder(root, known) if known is not None and layout == "general" else root
        return ARRANGEMENTS[layout](home, findings)
    if known is None or layout not in LAYOUTS:
        findings.append(Finding("layout-error", descriptor.FILE_NAME, None, "faceaudit:layout", layout))
        return None
    try:
        made = reader_of(known)(root, known)
        spare = LEFT_OUT[layout](root, made) if layout in LEFT_OUT else set()
        return rows.read_by(made, root, known, spare)
    except DataError as error:
        findings.append(Finding("layout-error", error.place, text=f"{error.found}. {error.way_out}"))
        return None


def _files(
    root: Path,
    known: Descriptor | None,
    listed: Sequence[Picture],
    spare: AbstractSet[str],
    findings: list[Finding],
    progress: Callable[[str, int, int], None],
) -> int:
    """Look at every file that is named or lies there, but the spare ones; returns the number of image files."""
    of: dict[str, Picture] = {}
    for picture in listed:
        wrong = rows.outside(root, picture.path)
        if wrong is not None:
            findings.append(picture.finding(wrong))
        else:
            of.setdefault(Path(picture.path).as_posix(), picture)
    there = dict(_walk(root))
    found = [path for path, linked in there.items() if Path(path).suffix.lower() in IMAGE_SUFFIXES and not linked]
    for path, linked in there.items():
        if linked and path not in {picture.path for picture in listed}:
            findings.append(Finding("link-outside", path))
    found = [path for path in found if path not in spare]
    findings += [Finding("file-without-row", path) for path in found if listed and path not in of]
    findings += [picture.finding("row-without-file") for path, picture in of.items() if not (root / path).is_file()]
    declared = _declared(root, known, of, findings)
    present = [path for path in dict.fromkeys([*of, *found, *declared]) if (root / path).is_file()]
    facts = pictures.look_at_all([root / path for path in present], progress)
    for path in present:
        findings += _about(path, facts[root / path], of.get(path), declared.get(path, []))
    findings += _duplicates([(of[path], facts[root / path]) for path in present if path in of])
    return len(found)


def _walk(root: Path) -> Iterator[tuple[str, bool]]:
    """Files below a folder, in order, each with whether it is a link to outside. Linked folders are not entered."""
    real = root.resolve()
    for folder, inner, names in os.walk(root):
        inner.sort()
        for name in sorted([*names, *(each for each in inner if (Path(folder) / each).is_symlink())]):
            path = Path(folder) / name
            linked = path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real)
            if linked or not path.is_dir():
                yield path.relative_to(root).as_posix(), linked


def _declared(
    root: Path, known: Descriptor | None, of: dict[str, Picture], findings: list[Finding]
) -> dict[str, list[tuple[Finding, str]]]:
    """Path to what is declared of it: (finding if it differs, SHA-256)."""
    declared: dict[str, list[tuple[Finding, str]]] = {}

    def add(path: str, digest: str | None, place: Finding) -> None:
        if rows.outside(root, path):
            return
        if digest not in (None, "", "unknown"):
            declared.setdefault(path, []).append((place, str(digest)))
        if not (root / path).is_file() and path not in of:
            findings.append(Finding("declared-file-missing", place.file, place.row, value=path))

    files = known.files if known is not None else {}
    sums = list(described.sums(root))
    listed = {path for path, _, _ in sums}
    for path, file in files.items():
        add(path, file.sha256, Finding("digest-mismatch", descriptor.FILE_NAME, value=path))
    for path, picture in of.items():
        add(path, picture.sha256, picture.finding("digest-mismatch"))
        bare = path not in declared and path not in listed and not picture.row.cells.get("sha256")
        if known is not None and not known.dataset.live and bare:
            findings.append(picture.finding("digest-missing"))
    for path, line, digest in sums:
        add(path, digest, Finding("digest-mismatch", described.SUMS, line, value=path))
    return declared


def _about(
    path: str, facts: Facts, picture: Picture | None, declared: Sequence[tuple[Finding, str]]
) -> Iterator[Finding]:
    if facts.sha256 is not None:
        wrong = [place for place, digest in declared if digest != facts.sha256]
        yield from wrong[:1]
    for problem, text in facts.problems:
        yield picture.finding(problem, text) if picture is not None else Finding(problem, path, text=text)


def _duplicates(looked: Sequence[tuple[Picture, Facts]]) -> Iterator[Finding]:
    first: dict[str, Picture] = {}
    unique: list[tuple[Picture, Facts]] = []
    for picture, facts in looked:
        before = first.setdefault(facts.sha256, picture) if facts.sha256 is not None else picture
        if before is picture:
            unique.append((picture, facts))
            continue
        same = before.subject_id == picture.subject_id
        kind = "duplicate-within-subject" if same else "duplicate-across-subjects"
        yield picture.finding(kind, f"the file of {before.row.place}")
    hashed = [(picture, facts.hash) for picture, facts in unique if facts.hash is not None]
    if hashed:
        bits = np.stack([value for _, value in hashed])
        for late, early, distance in duplicates.nearest_earlier(bits, [picture.subject_id for picture, _ in hashed]):
            other = hashed[early][0].row
            text = f"the image of {other.place}; {distance} of {pictures.BITS} bits differ"
            yield hashed[late][0].finding("near-duplicate", text)

"""What is wrong with rows of samples, people and pairs, beside their labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from audit.benchmarks import london, protocol
from audit.benchmarks.checks import raw
from audit.benchmarks.checks.raw import Row, Table
from audit.benchmarks.checks.table import Finding
from audit.benchmarks.content import Content, real
from audit.benchmarks.descriptor import Descriptor
from audit.benchmarks.schema import file_path

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that a row names: its path in the folder, whose it is, and where that is written."""

    path: str
    subject_id: str
    row: Row
    sha256: str = ""

    def finding(self, check: str, text: str = "") -> Finding:
        """Make a finding in the row, with the path as its value."""
        column = "path" if "path" in self.row.cells else None
        return self.row.finding(check, column, text, self.path)


@dataclass(frozen=True, slots=True)
class Arranged:
    """Tables of a folder: people with their key column, pictures, and how cells are split."""

    people: Table
    key: str
    pictures: list[Picture]
    separator: str | None
    spare: AbstractSet[str] = frozenset()
    """Image files that the layout knows and takes no sample of: they need no row."""


def general(root: Path, findings: list[Finding]) -> Arranged:
    """Read the general layout as far as possible."""
    people = raw.read(root, "subjects.csv", required=["subject_id"], findings=findings)
    required = ["sample_id", "path", "subject_id"]
    samples = raw.read(root, "samples.csv", required=required, findings=findings)
    tables = [samples]
    if (root / "series.csv").exists():
        tables.append(raw.read(root, "series.csv", required=required, findings=findings))
    pictures: dict[tuple[str, str], Picture] = {}
    for table in tables:
        for row in table.rows:
            path, subject = row.cells.get("path", ""), row.cells.get("subject_id", "")
            sha256 = row.cells.get("sha256", "")
            if not path.strip():
                continue
            made = Picture(path, subject, row, sha256 if row.whole and _SHA256.fullmatch(sha256) else "")
            before = pictures.setdefault((path, "" if table is samples else subject), made)
            if before is not made and table is samples:
                findings.append(made.finding("path-twice", f"it is in row {before.row.number} too"))
    known = {row.cells.get("subject_id", "") for row in people.rows}
    findings += _samples(samples, tables, known if people.rows else None, people)
    findings += _padded([(samples, "sample_id"), (people, "subject_id")])
    if (root / "pairs.csv").exists():
        pairs = raw.read(root, "pairs.csv", required=["probe", "reference"], findings=findings)
        ids = {row.cells.get("sample_id", "") for row in samples.rows}
        findings += _pairs(pairs, ids or None)
        findings += _folds(
            pairs, {row.cells.get("sample_id", ""): row.cells.get("subject_id", "") for row in samples.rows}
        )
    return Arranged(people, "subject_id", list(pictures.values()), "|")


def london_set(root: Path, findings: list[Finding]) -> Arranged:
    """Read the London layout as far as possible."""
    people = raw.read(root, london.TABLE, required=["face_id"], findings=findings)
    findings += _padded([(people, "face_id")])
    pictures = []
    for row in people.rows:
        name = row.cells.get("face_id", "")
        if name.strip():
            pictures += [Picture(f"{folder}/{name}_{code}.jpg", name, row) for _, folder, code in london.EXPRESSIONS]
    return Arranged(people, "face_id", list({picture.path: picture for picture in pictures}.values()), None)


_SEPARATOR = "\x1f"


def read_by(content: Content, root: Path, known: Descriptor, spare: AbstractSet[str]) -> Arranged:
    """Take what a layout's own reader gave, as rows: one a person, called by the id."""
    columns = {spec.name: spec.column or spec.name for spec in known.dataset.attributes}
    people = Table("labels", ("subject", *columns.values()))
    of = {}
    for subject in content.subjects:
        cells = {column: _SEPARATOR.join(subject.attributes[name]) for name, column in columns.items()}
        of[subject.subject_id] = Row(
            people.file, None, {"subject": subject.subject_id, **cells}, who=repr(subject.subject_id)
        )
    people.rows += of.values()
    pictures = []
    for sample in content.samples:
        path = sample.path.relative_to(root).as_posix()
        pictures.append(Picture(path, sample.subject_id, Row(path, None, {}), sample.sha256 or ""))
    return Arranged(people, "subject", pictures, _SEPARATOR, spare)


def outside(root: Path, path: str) -> str | None:
    """Say which check a path fails that leaves the folder, by its words or through a link."""
    try:
        file_path(path)
    except ValueError:
        return "path-escapes"
    return None if real(root / path).is_relative_to(real(root)) else "link-outside"


def _samples(samples: Table, tables: Sequence[Table], known: set[str] | None, people: Table) -> Iterator[Finding]:
    first: dict[str, Row] = {}
    for row in samples.rows:
        name = row.cells.get("sample_id", "")
        before = first.setdefault(name, row)
        if name.strip() and before is not row:
            yield row.finding("duplicate-sample-id", "sample_id", f"it stands in row {before.number} too")
    counts = Counter(row.cells.get("subject_id", "") for row in samples.rows)
    for table in tables:
        for row in table.rows:
            subject = row.cells.get("subject_id", "")
            if known is not None and subject.strip() and subject not in known:
                yield row.finding("unknown-subject", "subject_id")
            digest = row.cells.get("sha256", "")
            if digest and row.whole and not _SHA256.fullmatch(digest):
                yield row.finding("digest-malformed", "sha256")
    if samples.rows and "subject_id" in samples.header:
        for row in people.rows:
            if row.cells.get("subject_id", "").strip() and not counts[row.cells["subject_id"]]:
                yield row.finding("subject-without-sample", "subject_id")
        alone = [name for name, count in counts.items() if count == 1]
        if alone:
            yield Finding("single-sample", samples.file, None, "subject_id", text=f"{len(alone)} of {len(counts)}")


def _padded(columns: Sequence[tuple[Table, str]]) -> Iterator[Finding]:
    for table, column in columns:
        padded = [row for row in table.rows if re.fullmatch(r"0\d+", row.cells.get(column, ""))]
        if padded:
            yield padded[0].finding("zero-padded-ids", column, f"{len(padded)} of {len(table.rows)} rows")


def _pairs(pairs: Table, known: set[str] | None) -> Iterator[Finding]:
    seen: dict[frozenset[str], Row] = {}
    for row in pairs.rows:
        ids = [row.cells.get(column, "") for column in ("probe", "reference")]
        if not row.whole or not all(each.strip() for each in ids):
            continue
        for column, name in zip(("probe", "reference"), ids, strict=True):
            if known is not None and name not in known:
                yield row.finding("unknown-pair-id", column)
        before = seen.setdefault(frozenset(ids), row)
        if ids[0] == ids[1]:
            yield row.finding("self-pair")
        elif before is not row:
            yield row.finding("doubled-pair", text=f"it stands in row {before.number} too")


def _folds(pairs: Table, owner: Mapping[str, str]) -> Iterator[Finding]:
    for name in protocol.misspelt(pairs.header):
        yield Finding("fold-column", pairs.file, 1, name, name)
    if protocol.FOLD not in pairs.header:
        return
    folds = {}
    for row in pairs.rows:
        pair = row.cells.get("probe", ""), row.cells.get("reference", "")
        fold = row.cells.get(protocol.FOLD, "").strip()
        if row.whole and not fold:
            yield row.finding("empty-fold", protocol.FOLD)
        if row.whole and fold and owner.keys() >= set(pair):
            folds[pair] = fold
    for fold, why in protocol.lacking(folds, owner):
        yield Finding("fold-lacks", pairs.file, None, protocol.FOLD, fold, why)

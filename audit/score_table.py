"""Scores that somebody else computed: a table of comparisons, read in pieces, with errors that name the row.

Columns `probe_subject`, `reference_subject`, `score`, and optionally `probe` and `reference` (sample ids). CSV (UTF-8)
or Parquet. A row takes 24 bytes in memory: only one piece of the file at a time is there as text.

A missing score (an empty cell, NA, NaN, null) is a failure and is counted; an infinite one is an error.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import hashlib
import io
import re
from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from audit.errors import DataError

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]

SUBJECTS = ("probe_subject", "reference_subject")
SAMPLES = ("probe", "reference")
SCORE = "score"
MISSING = ("", "na", "n/a", "nan", "null", "none")
"""What stands for a missing score, in any case."""
LARGEST = 1e100
"""Scores of larger size are refused: their squares are infinite."""
BLOCK = 1 << 23
"""Bytes of CSV that are parsed at a time; more where a row is longer."""
_HEADER = 1 << 24
"""Bytes of the first row of a CSV at most."""
BATCH = 1 << 17
"""Rows of Parquet that are read at a time."""


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Comparisons with their scores.

    Parameters
    ----------
    subjects : ids, in the order of their codes
    probe, reference : (R,) code of each comparison's subjects
    score : (R,) larger means more alike; NaN where it is missing
    samples : ids, or None where the table names no samples
    probe_sample, reference_sample : (R,), empty without samples
    owner : (samples,) subject of each sample
    unread : columns that were left alone
    blank : rows without any content
    digest : SHA-256 of the file, hexadecimal
    """

    subjects: tuple[str, ...]
    probe: Codes
    reference: Codes
    score: Floats
    samples: tuple[str, ...] | None
    probe_sample: Codes
    reference_sample: Codes
    owner: Codes
    unread: tuple[str, ...]
    blank: int
    digest: str

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Comparisons without a score, (R,)."""
        return np.isnan(self.score)


def read(
    path: Path,
    *,
    subjects: Sequence[str] | None = None,
    samples: Mapping[str, str] | None = None,
    distance: bool = False,
) -> ScoreTable:
    """Read a table of scores.

    Parameters
    ----------
    path : CSV, or Parquet if its name ends so
    subjects : known ids; another one is an error. None: whoever stands in the table
    samples : known sample ids with their subjects; another one is an error
    distance : negate, so that larger means more alike

    Raises
    ------
    DataError
        Naming file, row, column and value.
    """
    parquet = path.suffix.lower() in {".parquet", ".pq"}
    digest = _digest(path)
    columns = _parquet_columns(path) if parquet else _csv_columns(path)
    _require(path, columns)
    named = all(name in columns for name in SAMPLES)
    if samples is not None and not named:
        raise DataError(
            str(path), "has no columns 'probe' and 'reference', but --samples was given", "Add them, or leave it out"
        )
    wanted = [*SUBJECTS, SCORE, *(SAMPLES if named else ())]
    lines = _Lines(path, first=1 if parquet else 2)
    pieces = _parquet_pieces(path, wanted) if parquet else _csv_pieces(path, wanted, columns, lines)
    people = _Ids(subjects, "--subjects")
    pictures = _Ids(None if samples is None else list(samples), "--samples")
    found: list[tuple[NDArray[Any], ...]] = []
    with contextlib.closing(pieces):  # at a mistake the reader ends with this function
        for piece in pieces:
            who = [people.encode(piece.column(name), name, lines) for name in SUBJECTS]
            what = [pictures.encode(piece.column(name), name, lines) for name in SAMPLES] if named else [_NONE, _NONE]
            found.append((*who, _numbers(piece.column(SCORE), lines), *what))
            lines.done += piece.num_rows
    if not lines.done:
        raise DataError(str(path), "has no rows", "It needs a header and at least one comparison")
    probe, reference, score, one, two = (np.concatenate(column) for column in zip(*found, strict=True))
    owner = np.full(len(pictures.place), -1, dtype=np.int32)
    if samples is not None:
        owner[:] = [people.place.get(subject, -1) for subject in samples.values()]
    if named:
        _check_samples(owner, (probe, reference), (one, two), list(pictures.place), list(people.place), lines)
    return ScoreTable(
        subjects=tuple(people.place),
        probe=probe,
        reference=reference,
        score=-score if distance else score,
        samples=tuple(pictures.place) if named else None,
        probe_sample=one,
        reference_sample=two,
        owner=owner,
        unread=tuple(name for name in columns if name not in wanted),
        blank=len(lines.blank),
        digest=digest,
    )


def without(table: ScoreTable, people: Collection[str]) -> ScoreTable:
    """Take people out: their comparisons and their samples. Codes of subjects stay as they are."""
    kept = np.array([name not in people for name in table.subjects], dtype=bool)
    rows = kept[table.probe] & kept[table.reference]
    made = replace(table, probe=table.probe[rows], reference=table.reference[rows], score=table.score[rows])
    if table.samples is None:
        return made
    held = kept[table.owner] | (table.owner < 0)
    place = np.cumsum(held, dtype=np.int32) - 1
    return replace(
        made,
        samples=tuple(name for name, stays in zip(table.samples, held, strict=True) if stays),
        owner=table.owner[held],
        probe_sample=place[table.probe_sample[rows]],
        reference_sample=place[table.reference_sample[rows]],
    )


_NONE: Codes = np.zeros(0, dtype=np.int32)


class _Lines:
    """Which row of the file a comparison stands in: blank lines and the header count, as an editor counts them."""

    def __init__(self, path: Path, first: int) -> None:
        self.path, self.first, self.done = path, first, 0
        self.blank: list[int] = []

    def row(self, index: int) -> int:
        """Row of a comparison, by its index in the file."""
        row = index + self.first
        for blank in self.blank:
            row += blank <= row
        return row

    def place(self, index: int, column: str | None = None) -> str:
        """File, row and column of a comparison, by its index in the file."""
        return f"{self.path}, row {self.row(index)}" + (f", column {column!r}" if column else "")

    def here(self, index: int, column: str) -> str:
        """The same, by its index in the piece that is being read."""
        return self.place(self.done + index, column)


class _Ids:
    """Codes of ids, in order of appearance, or those of a list that is given."""

    def __init__(self, known: Sequence[str] | None, flag: str) -> None:
        self.place: dict[str, int] = {name: code for code, name in enumerate(known or ())}
        self._open, self._flag = known is None, flag

    def encode(self, column: Any, name: str, lines: _Lines) -> Codes:
        """Codes of a column of text."""
        encoded = column.dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.unify_dictionaries().combine_chunks()
        indices = encoded.indices
        values = [value or "" for value in encoded.dictionary.to_pylist()]
        rows = indices.to_numpy(zero_copy_only=False) if not indices.null_count else None
        wrong = [
            k for k, value in enumerate(values) if not value.strip() or (not self._open and value not in self.place)
        ]
        if rows is None:
            first = int(np.flatnonzero(indices.is_null().to_numpy(zero_copy_only=False))[0])
            raise DataError(lines.here(first, name), "is empty", "Every comparison names both people (and samples)")
        if wrong:
            first = int(np.flatnonzero(np.isin(rows, wrong))[0])
            value = values[int(rows[first])]
            if not value.strip():
                raise DataError(lines.here(first, name), "is empty", "Every comparison names both people (and samples)")
            near = difflib.get_close_matches(value, self.place, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise DataError(
                lines.here(first, name),
                f"{value!r} is not in the table of {self._flag}",
                f"{hint}Add it there, or remove the row",
            )
        codes = np.array([self.place.setdefault(value, len(self.place)) for value in values], dtype=np.int32)
        return np.asarray(codes[rows], dtype=np.int32)


def _numbers(column: Any, lines: _Lines) -> Floats:
    """Scores of a column of text or numbers; missing ones are NaN."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        text = pc.utf8_trim_whitespace(column)
        absent = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING))
        try:
            column = pc.cast(pc.if_else(absent, None, text), pa.float64())
        except pa.ArrowInvalid:
            raise _no_number(text.to_pylist(), lines) from None
    else:
        try:
            column = pc.cast(column, pa.float64(), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise DataError(
                f"{lines.path}, column {SCORE!r}", f"holds {column.type}, not numbers", "Store scores as numbers"
            ) from None
    made = np.asarray(pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False), dtype=np.float64)
    large = np.abs(made) > LARGEST
    if large.any():
        first = int(np.flatnonzero(large)[0])
        raise DataError(
            lines.here(first, SCORE),
            f"{made[first]} is no score",
            f"A comparison that failed has an empty score; any other lies within {LARGEST:g} of 0",
        )
    return made


def _no_number(texts: Sequence[str | None], lines: _Lines) -> DataError:
    for index, text in enumerate(texts):
        if text is not None and text.lower() not in MISSING:
            try:
                pc.cast(pa.array([text]), pa.float64())
            except pa.ArrowInvalid:
                return DataError(
                    lines.here(index, SCORE), f"{text[:80]!r} is no number", "Write 0.731, or nothing where it failed"
                )
    raise AssertionError("every text is a number")


def _check_samples(
    owner: Codes,
    subjects: tuple[Codes, Codes],
    samples: tuple[Codes, Codes],
    names: Sequence[str],
    people: Sequence[str],
    lines: _Lines,
) -> None:
    """A sample belongs to one person, is not compared with itself, and two samples are compared once; fills `owner`."""
    open_ = owner < 0
    for side in (1, 0):
        fresh = open_[samples[side]]
        owner[samples[side][fresh]] = subjects[side][fresh]
    for side, column in enumerate(SAMPLES):
        wrong = owner[samples[side]] != subjects[side]
        if wrong.any():
            row = int(np.argmax(wrong))
            sample = int(samples[side][row])
            raise DataError(
                lines.place(row, column),
                f"{names[sample]!r} is a sample of {people[subjects[side][row]]!r} here, "
                f"and of {people[owner[sample]]!r} in {_where(sample, owner, open_, subjects, samples, lines)}",
                "A sample shows one person: correct one of the two",
            )
    same = samples[0] == samples[1]
    if same.any():
        row = int(np.argmax(same))
        raise DataError(lines.place(row), f"{names[samples[0][row]]!r} is compared with itself", "Remove the row")
    keys = np.minimum(*samples).astype(np.int64) * len(names) + np.maximum(*samples)
    ordered = np.sort(keys)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(again):
        first, second = np.flatnonzero(keys == again[0])[:2]
        raise DataError(
            lines.place(int(second)),
            f"{names[samples[0][second]]!r} and {names[samples[1][second]]!r} stand in row {lines.row(int(first))} too",
            "Keep one row for two samples, whichever of them is the probe",
        )


def _where(
    sample: int,
    owner: Codes,
    open_: NDArray[np.bool_],
    subjects: tuple[Codes, Codes],
    samples: tuple[Codes, Codes],
    lines: _Lines,
) -> str:
    """Where a sample is said to be its owner's."""
    if not open_[sample]:
        return "the table of --samples"
    rows = [
        int(np.argmax(found))
        for side in (0, 1)
        if (found := (samples[side] == sample) & (subjects[side] == owner[sample])).any()
    ]
    return f"row {lines.row(min(rows))}"


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise DataError(str(path), "no such table of scores", "Give a CSV or Parquet file") from None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", "Give a readable CSV or Parquet file") from None


def _require(path: Path, columns: Sequence[str]) -> None:
    for name in (*SUBJECTS, SCORE):
        if name not in columns:
            near = difflib.get_close_matches(name, columns[:1000], n=1)
            hint = f"Is it the one called {near[0]!r}?" if near else _listed(columns)
            raise DataError(str(path), f"the column {name!r} is missing", hint)
    if len(set(columns)) < len(columns):
        doubled = next(name for name, count in Counter(columns).items() if count > 1)
        raise DataError(f"{path}, row 1", f"the column {doubled!r} stands twice", "Rename or remove one")
    one = [name for name in SAMPLES if name in columns]
    if len(one) == 1:
        other = next(name for name in SAMPLES if name not in one)
        raise DataError(str(path), f"has the column {one[0]!r} but not {other!r}", "Give both sample ids, or neither")


def _listed(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - 12:,} more" if len(columns) > 12 else ""
    return f"Columns are {', '.join(repr(name[:40]) for name in columns[:12])}{more}"


def _csv_columns(path: Path) -> list[str]:
    with path.open("rb") as stream:
        line = stream.readline(_HEADER + 1)
    if len(line) > _HEADER:
        raise DataError(f"{path}, row 1", f"is longer than {_HEADER >> 20} MiB", "It names the columns, each once")
    try:
        text = line.decode("utf-8-sig")
        return next(csv.reader(io.StringIO(text)), [])
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, row 1", f"is not UTF-8 (byte {error.start})", "Save it as UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path}, row 1", f"is no row of names: {error}", "It names the columns, each once") from None


def _csv_pieces(path: Path, wanted: Sequence[str], columns: Sequence[str], lines: _Lines) -> Generator[Any]:
    """Record batches of text; the reader checks UTF-8 and the number of cells."""
    header = sum(len(name) + 3 for name in columns)
    reading = pacsv.ReadOptions(block_size=max(BLOCK, 8 * header), use_threads=False)
    parsing = pacsv.ParseOptions(ignore_empty_lines=False)  # a handler in Python could outlive the interpreter
    converting = pacsv.ConvertOptions(include_columns=list(wanted), column_types=dict.fromkeys(wanted, pa.string()))
    try:
        with pacsv.open_csv(path, reading, parsing, converting) as reader:
            for batch in reader:
                yield _without_blanks(batch, lines)
    except pa.ArrowInvalid as error:
        cells = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error))
        if cells:
            found = f"has {cells[3]} cells, the header has {cells[2]}"
            raise DataError(f"{path}, row {cells[1]}", found, "Quote cells with commas") from None
        raise _arrow(path, error, lines) from None


def _without_blanks(batch: Any, lines: _Lines) -> Any:
    """Leave out rows of which every cell is empty, such as the last line of many files, and note where they stand."""
    blank = np.ones(batch.num_rows, dtype=bool)
    for column in batch.columns:
        blank &= pc.equal(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
    if not blank.any():
        return batch
    before = lines.first + lines.done + len(lines.blank)
    lines.blank += (np.flatnonzero(blank) + before).tolist()
    return batch.filter(pa.array(~blank))


def _arrow(path: Path, error: Exception, lines: _Lines) -> DataError:
    """The library's own words, with the first place that can be told from them."""
    text = str(error)
    if "UTF8" in text.upper().replace("-", ""):
        number, byte = _first_not_utf8(path)
        return DataError(f"{path}, row {number}", f"is not UTF-8 (byte {byte} of the row)", "Save it as UTF-8")
    return DataError(f"{path}, after row {lines.done + lines.first - 1}", f"is not CSV: {text[:200]}", "Mend the file")


def _first_not_utf8(path: Path) -> tuple[int, int]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return number, error.start
    return 0, 0


def _parquet_columns(path: Path) -> list[str]:
    return list(_parquet(path).schema_arrow.names)


def _parquet(path: Path) -> Any:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:  # names that are no UTF-8, among others
        raise DataError(str(path), f"is not Parquet: {str(error)[:200]}", "Give a CSV or Parquet file") from None


def _parquet_pieces(path: Path, wanted: Sequence[str]) -> Generator[Any]:
    texts = [name for name in wanted if name != SCORE]
    try:
        for batch in _parquet(path).iter_batches(batch_size=BATCH, columns=list(wanted)):
            batch.validate(full=True)  # texts that are no UTF-8
            table = pa.Table.from_batches([batch])
            for name in texts:
                place = table.schema.get_field_index(name)
                table = table.set_column(place, name, table.column(name).cast(pa.string()))
            yield table
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(str(path), f"cannot be read: {str(error)[:200]}", "Write the file again") from None

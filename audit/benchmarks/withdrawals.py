"""Withdrawals: the list `withdrawn.csv` beside a benchmark, which takes people out of everything.

The list may be published, so it names nobody: a row is the HMAC-SHA256 of a subject id under a salt, the day of the
withdrawal, and a mark of the salt. Ids are short ("001" to "102") and could be guessed from a plain or openly salted
hash; so the salt (`withdrawn.salt`, 32 random bytes in hexadecimal) stays with the data and is never published. Who
holds the data, and therefore the ids, can check every row; who holds only the list can check none. The mark is the
first 16 digits of the salt's SHA-256: with a salt that is not the list's, a run stops, since it would take out nobody.

A list that cannot be read stops the run too: it is never passed over.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import hmac
import io
import os
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from audit import whole_file
from audit.benchmarks import content
from audit.benchmarks.content import Content
from audit.benchmarks.schema import AttributeSpec
from audit.domain import Sample, Withdrawals
from audit.errors import DataError

LIST, SALT = "withdrawn.csv", "withdrawn.salt"
COLUMNS = ("subject_hash", "withdrawn_on", "salt_mark")
_HEX = re.compile(r"[0-9a-f]{64}")
_ANEW = f"Mend it, or restore {LIST} and {SALT} from the keeper of the data: a list that cannot be read is not ignored"


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as it was read: hash to day, and the salt that it was made with (kept out of every message)."""

    path: Path
    days: Mapping[str, dt.date]
    salt: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 over the rows, sorted: the same list in another order, or on another machine, is the same list."""
        rows = sorted(f"{name},{day.isoformat()}\n" for name, day in self.days.items())
        return hashlib.sha256("".join(rows).encode()).hexdigest()

    def of(self, subjects: Collection[str]) -> tuple[str, ...]:
        """Those of some subject ids that are on the list."""
        return tuple(subject for subject in subjects if hashed(subject, self.salt) in self.days)


def hashed(subject: str, salt: bytes) -> str:
    """HMAC-SHA256 of a subject id, hexadecimal."""
    return hmac.new(salt, subject.encode(), hashlib.sha256).hexdigest()


def read(folder: Path) -> Listed | None:
    """Read the list of a folder; None if there is none.

    Raises
    ------
    DataError
        Naming file, row and column, if the list or its salt cannot be read or do not belong together.
    """
    path = folder / LIST
    _no_other_spelling(folder)
    if not os.path.lexists(path):
        return None
    rows = _rows(path)
    if not rows:
        return Listed(path, {}, b"")
    salt = _salt(folder / SALT)
    days: dict[str, dt.date] = {}
    for number, (name, day, mark) in rows:
        where = f"{path}, row {number}"
        if not _HEX.fullmatch(name):
            raise DataError(f"{where}, column 'subject_hash'", "is no hash (64 digits in lower case)", _ANEW)
        if mark != _mark(salt):
            raise DataError(
                f"{where}, column 'salt_mark'", f"the row was made with another salt than that of {SALT}", _ANEW
            )
        when = _day(day, where)
        days[name] = min(when, days.get(name, when))
    return Listed(path, days, salt)


def apply(found: Content, folders: Sequence[Path], root: Path, specs: Sequence[AttributeSpec]) -> tuple[
    Content, Withdrawals | None
]:  # fmt: skip
    """Take everybody on the lists of some folders out of what a layout has read.

    Their samples, the comparisons and series that they stand in, and pictures of other people that are byte for byte
    one of theirs go; what the layout noted in counts is counted again without them.

    Returns
    -------
    (content, withdrawals)
        The latter None where there is no list; else with what of theirs lies here, so that the cache can be cleared.
    """
    lists = _lists(folders)
    if not lists:
        return found, None
    gone = _gone(lists, [subject.subject_id for subject in found.subjects])
    pictures = (*found.samples, *(level.sample for level in found.series))
    theirs = {sample.sha256 for sample in pictures if sample.subject_id in gone} - {None, "unknown"}
    out = {s.sample_id: s for s in pictures if s.subject_id in gone or (s.sha256 in theirs)}
    return _without(found, gone, frozenset(out), root, specs), _summary(lists, gone, tuple(out.values()))


def among(subjects: Collection[str], folders: Sequence[Path]) -> Withdrawals | None:
    """Say who of some people is on the lists of some folders, where no pictures are known; None: there is no list."""
    lists = _lists(folders)
    return _summary(lists, _gone(lists, subjects), ()) if lists else None


def _lists(folders: Sequence[Path]) -> list[Listed]:
    unique = dict.fromkeys(folder.resolve() for folder in folders)
    return [one for folder in unique if (one := read(folder)) is not None]


def _gone(lists: Sequence[Listed], subjects: Collection[str]) -> frozenset[str]:
    return frozenset(name for one in lists for name in one.of(subjects))


def _summary(lists: Sequence[Listed], gone: frozenset[str], samples: tuple[Sample, ...]) -> Withdrawals:
    days = [day for one in lists for day in one.days.values()]
    digests = sorted(one.digest for one in lists)
    return Withdrawals(
        listed=len({name for one in lists for name in one.days}),
        date=max(days).isoformat() if days else "",
        digest=digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest(),
        subjects=tuple(sorted(gone)),
        samples=samples,
    )


def _without(
    found: Content, gone: frozenset[str], out: frozenset[str], root: Path, specs: Sequence[AttributeSpec]
) -> Content:
    if not gone:
        return found
    subjects = tuple(subject for subject in found.subjects if subject.subject_id not in gone)
    samples = tuple(sample for sample in found.samples if sample.sample_id not in out)
    series = tuple(row for row in found.series if row.sample.sample_id not in out)
    pairs = None if found.pairs is None else tuple(pair for pair in found.pairs if not out.intersection(pair))
    folds = {pair: fold for pair, fold in found.folds.items() if not out.intersection(pair)}
    before = (*found.samples, *(level.sample for level in found.series))
    after = (*samples, *(level.sample for level in series))
    theirs = {sample.path for sample in before if sample.sample_id in out}
    counted = (
        (content.label_notes(found.subjects, specs), content.label_notes(subjects, specs)),
        (content.silent_notes(found.subjects, found.samples), content.silent_notes(subjects, samples)),
        (content.file_notes(root, before), content.file_notes(root, after, known=theirs)),
    )
    stale = {note for then, _ in counted for note in then}
    kept = [note for note in found.notes if note not in stale]
    # A layout that counts in its own words, or not at all, is not counted for in these.
    again = [note for then, now in counted if set(then) <= set(found.notes) for note in now]
    return replace(
        found, subjects=subjects, samples=samples, series=series, pairs=pairs, folds=folds, notes=(*kept, *again)
    )


def add(folder: Path, subject: str, day: dt.date) -> dt.date | None:
    """Put a person on the list of a folder; the id itself is written nowhere.

    Returns
    -------
    date or None
        The day under which the person was on the list already: then nothing is changed.

    Raises
    ------
    DataError
        If the list there cannot be read, or the folder cannot be written.
    """
    import fcntl  # noqa: PLC0415 - two keepers at once must not lose a row; not there on every system

    if day > _today():
        raise DataError("--date", f"{day} lies in the future", "Give the day on which the person withdrew")
    try:
        if not (folder / SALT).exists():  # whole or not at all: one that is cut off would lock the list for ever
            whole_file.write(folder / SALT, (secrets.token_hex(32) + "\n").encode(), keep=True)
        with (folder / SALT).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            listed = read(folder)
            salt = _salt(folder / SALT)
            name = hashed(subject, salt)
            if listed is not None and name in listed.days:
                return listed.days[name]
            _append(folder / LIST, [name, day.isoformat(), _mark(salt)])
    except OSError as error:
        raise DataError(
            str(error.filename or folder),
            f"cannot be written: {error.strerror}",
            "Nothing was recorded: make the folder writable and do it again",
        ) from None
    return None


def _append(path: Path, row: Sequence[str]) -> None:
    """Add a row whole: a list that was cut off in the middle of a row cannot be read."""
    text = path.read_text(encoding="utf-8-sig") if path.exists() else ",".join(COLUMNS) + "\n"
    text += "" if text.endswith("\n") else "\n"
    whole_file.write(path, (text + ",".join(row) + "\n").encode())


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", _ANEW) from None
    except UnicodeDecodeError as error:
        raise DataError(str(path), f"is not UTF-8 (byte {error.start})", _ANEW) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{path}, row {reader.line_num}", f"is not CSV: {error}", _ANEW) from None
    if not rows or tuple(rows[0][1]) != COLUMNS:
        raise DataError(f"{path}, row 1", f"the columns are not {', '.join(COLUMNS)}", _ANEW)
    for number, row in rows[1:]:
        if len(row) != len(COLUMNS):
            raise DataError(f"{path}, row {number}", f"has {len(row)} cells instead of {len(COLUMNS)}", _ANEW)
    return rows[1:]


def _salt(path: Path) -> bytes:
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise DataError(str(path), f"is missing, so that nobody on {LIST} can be found", _ANEW) from None
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}", _ANEW) from None
    except UnicodeDecodeError:
        text = ""
    if not _HEX.fullmatch(text):
        raise DataError(str(path), "is no salt (64 digits in lower case)", _ANEW)
    return bytes.fromhex(text)


def _mark(salt: bytes) -> str:
    return hashlib.sha256(salt).hexdigest()[:16]


def _day(text: str, where: str) -> dt.date:
    place = f"{where}, column 'withdrawn_on'"
    try:
        day = dt.date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        day = None
    if day is None:
        raise DataError(place, f"{text!r} is no day, such as 2026-01-31", _ANEW)
    if day > _today():
        raise DataError(place, f"{text} lies in the future", "Correct it, or the clock of this machine")
    return day


def _today() -> dt.date:
    """Today where it is latest: a keeper's day is not refused because a machine counts in UTC."""
    return dt.datetime.now(tz=dt.timezone(dt.timedelta(hours=14))).date()


def _no_other_spelling(folder: Path) -> None:
    """A list under a name that is almost right would be passed over in silence."""
    try:
        names = [name for name in os.listdir(folder) if name.lower().startswith("withdrawn.csv")]  # noqa: PTH208
    except OSError:
        return  # what cannot be listed cannot be read: the layout says so
    if names and LIST not in names:
        raise DataError(str(folder / min(names)), f"looks like a list of withdrawals, which is called {LIST}", _ANEW)

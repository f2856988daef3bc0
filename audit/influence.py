"""What every person added to the error rates of an audit: kept in the private cache, so that records can be compared.

Two models that were measured on the same people err on the same people: the difference of their rates is known better
than either rate, if their covariance is known. A record carries nothing about single people, and must not. So the sums
behind its clustered variances are filed under the record's digests in the cache, beside the templates: folders 0700,
files 0600, people as keyed hashes whose key never leaves the cache. Whoever has only the records compares them without.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import secrets
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit import whole_file
from audit.compare.by_subject import PairErrors
from audit.errors import DataError
from audit.groups import Grouping
from audit.metrics.evaluation import Measured
from audit.metrics.rates import Tally
from audit.record import EvaluationRecord
from audit.store import default_root

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_MAGIC = b"faceaudit-influence-1\n"
_NOBODY = hashlib.sha256(b"").hexdigest()


def people_domain(record: EvaluationRecord) -> str | None:
    """Within what subject ids name the same people: a benchmark, or a table of people; None where neither is known."""
    return domain(record.benchmark.consent_tier, record.benchmark.name, record.digests.benchmark)


def domain(tier: str, benchmark: str, digest: str) -> str | None:
    """The same, before there is a record; `digest` is that of the descriptor or, without one, of the table."""
    if tier != "undocumented":
        return f"benchmark {benchmark}"
    return None if digest == _NOBODY else f"table {digest}"


def hashes(subjects: Iterable[str], within: str, root: Path | None = None) -> list[str]:
    """Keyed hashes of subject ids within a domain, as the cache knows people.

    Raises
    ------
    OSError
        If the cache has no key yet and cannot be written.
    """
    key = _key(root)
    return [_hash(name, within, key).decode() for name in subjects]


def forget(people: Iterable[str], root: Path | None = None) -> int:
    """Delete the sums of every audit that counted one of some people, given as keyed hashes, and damaged ones.

    Raises
    ------
    DataError
        If one cannot be deleted.
    """
    gone = {name.encode() for name in people}
    deleted = 0
    for path in sorted(_folder(root).glob("*.people")):
        kept = _parse(path)
        if kept is not None and gone.isdisjoint(kept.people.tolist()):
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                str(path),
                f"sums that count a withdrawn person cannot be deleted: {error.strerror}",
                "Make the cache writable, or delete this file yourself",
            ) from error
        deleted += 1
    return deleted


@dataclass(frozen=True, eq=False)
class Influence:
    """Sums by person of one audit; n people, G groups, T operating points, R pairs of people with errors.

    Parameters
    ----------
    people : (n,) bytes, keyed hashes
    groups : G groups, each as sorted (attribute, value) pairs
    points : ids of the T operating points
    member : (G, n) who belongs where
    residuals : metric to (T, n, G): sum over a person's trials of errors - rate x trials
    trials, rates, subjects, squares : metric to (T, G); squares: sums over pairs of squared residuals, 0 if no pairs
    atom_of, allowed : (n,) and (A, A), which people were compared
    samples : (n,) samples of each person if every sample was compared with every other, else None
    first, second, pair_trials, pair_errors : (R,), (R,), (R,), (T, R); None where they were too many to keep
    """

    people: NDArray[np.bytes_]
    groups: tuple[tuple[tuple[str, str], ...], ...]
    points: tuple[str, ...]
    member: NDArray[np.bool_]
    residuals: dict[str, Floats]
    trials: dict[str, Floats]
    rates: dict[str, Floats]
    subjects: dict[str, Floats]
    squares: dict[str, Floats]
    atom_of: Ints
    allowed: NDArray[np.bool_]
    samples: Ints | None
    first: Ints | None
    second: Ints | None
    pair_trials: Ints | None
    pair_errors: Ints | None

    def cell(self, point: str | None, group: dict[str, str]) -> tuple[int, int] | None:
        """Indices of an operating point (the first for None: failures depend on none) and of a group."""
        name = tuple(sorted(group.items()))
        if name not in self.groups or (point is not None and point not in self.points) or not self.points:
            return None
        return 0 if point is None else self.points.index(point), self.groups.index(name)


def make(
    subjects: Sequence[str],
    within: str,
    grouping: Grouping,
    measured: Sequence[Measured],
    pairs: PairErrors | None,
    root: Path | None = None,
) -> Influence:
    """Take the sums out of what was measured.

    Parameters
    ----------
    subjects : ids, in the order of `grouping.atom_of`; they are hashed with the cache's own key
    pairs : false matches by pair of people at all global thresholds; None: too many
    """
    total = len(grouping.groups)

    def of(name: str) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        for metric in dict.fromkeys(name for one in measured for name in one.tallies):
            tallies = [one.tallies.get(metric) or _nothing(len(subjects), total) for one in measured]
            if name == "squares":
                rows = [np.diag(t.cross)[:total] if t.paired else np.zeros(total) for t in tallies]
            elif name == "residuals":
                rows = [t.residuals[:, :total] for t in tallies]
            else:
                rows = [np.asarray(getattr(t, name), dtype=np.float64)[:total] for t in tallies]
            found[metric] = np.array(rows, dtype=np.float64)
        return found

    held: tuple[Ints | None, ...] = (None, None, None, None)
    if pairs is not None:
        at = [int(np.searchsorted(pairs.thresholds, _some(one.point.value))) for one in measured]
        held = (pairs.first, pairs.second, pairs.trials, pairs.errors[at])
    everybody = np.ones((grouping.atoms, grouping.atoms), dtype=bool)
    key = _key(root)
    return Influence(
        np.array([_hash(name, within, key) for name in subjects], dtype="S32"),
        tuple(tuple(sorted(group.items)) for group in grouping.groups),
        tuple(one.point.id for one in measured),
        grouping.member[:, grouping.atom_of],
        of("residuals"),
        of("trials"),
        of("rates"),
        of("subjects"),
        of("squares"),
        grouping.atom_of,
        everybody if grouping.allowed is None else grouping.allowed,
        None if pairs is None else pairs.samples,
        *held,
    )


def _nothing(people: int, groups: int) -> Tally:
    """Of a kind of error that was not counted at an operating point: no trial."""
    none = np.zeros(groups, dtype=np.int64)
    return Tally(none, none, none, np.zeros((people, groups)), np.zeros((0, 0)), paired=False)


def _some(threshold: float | None) -> float:
    if threshold is None:
        raise ValueError("an operating point without a threshold has no rates")
    return threshold


def _hash(subject: str, within: str, key: bytes) -> bytes:
    return hmac.new(key, f"{within}\0{subject}".encode(), hashlib.sha256).hexdigest()[:32].encode()


def _folder(root: Path | None) -> Path:
    return (root or default_root()) / "influence"


def _key(root: Path | None) -> bytes:
    """The cache's own key, made at its first use."""
    path = _folder(root) / "key"
    with suppress(FileNotFoundError):
        return path.read_bytes()
    write_private(path, secrets.token_bytes(32), keep=True)
    return path.read_bytes()


def _path(record: EvaluationRecord, root: Path | None) -> Path:
    parts = [record.digests.model_dump(), record.model.name, record.model.revision]
    name = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return _folder(root) / f"{name}.people"


def write_private(path: Path, content: bytes, *, keep: bool = False) -> None:
    """Write atomically for this user alone; with `keep`, whoever was first wins."""
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    whole_file.put(path, content, keep=keep)


def store(record: EvaluationRecord, found: Influence, root: Path | None = None) -> None:
    """File the sums under the record's digests.

    Raises
    ------
    OSError
        If the cache cannot be written; an audit goes on without.
    """
    arrays: dict[str, Any] = {
        "about": np.frombuffer(json.dumps({"groups": found.groups, "points": found.points}).encode(), dtype=np.uint8),
        "people": found.people, "member": found.member, "atom_of": found.atom_of, "allowed": found.allowed,
    }  # fmt: skip
    for name in ("samples", "first", "second", "pair_trials", "pair_errors"):
        if getattr(found, name) is not None:
            arrays[name] = getattr(found, name)
    for name in ("residuals", "trials", "rates", "subjects", "squares"):
        arrays |= {f"{name}.{metric}": values for metric, values in getattr(found, name).items()}
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    body = content.getvalue()
    write_private(_path(record, root), _MAGIC + hashlib.sha256(body).digest() + body)


def load(record: EvaluationRecord, root: Path | None = None) -> Influence | None:
    """The sums behind a record, or None where this cache has none, or a damaged file."""
    return _parse(_path(record, root))


def _parse(path: Path) -> Influence | None:
    try:
        content = path.read_bytes()
        start = len(_MAGIC) + 32
        if content[:start] != _MAGIC + hashlib.sha256(content[start:]).digest():
            return None
        with np.load(io.BytesIO(content[start:]), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays["about"].tobytes())
        grouped: dict[str, Any] = {
            name: {key.partition(".")[2]: values for key, values in arrays.items() if key.startswith(f"{name}.")}
            for name in ("residuals", "trials", "rates", "subjects", "squares")
        }
        return Influence(
            people=arrays["people"],
            groups=tuple(tuple((str(a), str(b)) for a, b in group) for group in about["groups"]),
            points=tuple(about["points"]),
            member=arrays["member"],
            atom_of=arrays["atom_of"],
            allowed=arrays["allowed"],
            samples=arrays.get("samples"),
            first=arrays.get("first"),
            second=arrays.get("second"),
            pair_trials=arrays.get("pair_trials"),
            pair_errors=arrays.get("pair_errors"),
            **grouped,
        )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None

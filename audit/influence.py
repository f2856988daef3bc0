"""What every person added to the error rates of an audit: kept in the private cache, so that records can be compared.

Two models that were measured on the same people err on the same people: the difference of their rates is known better
than either rate, if their covariance is known. A record carries nothing about single people, and must not. So the sums
behind its clustered variances are filed under the record's digests in the cache, beside the templates: folders 0700,
files 0600, people as keyed hashes whose key never leaves the cache. Whoever has only the records compares them without.

The covariance of a rate p of one audit with a rate q of another, both of one group (`audit.stats.clustered`, with R and
S the residual row sums of their pair cells, y and z the residuals of subject pairs)::

    cov(p, q) = f (R'S - sum y z) / (M N)      f: geometric mean of the two small-sample factors

`sum y z` runs over the pairs of people compared in both audits, with y = e - p c from the sparse table of pairs that
have errors. Where that table was too large to keep, its bound sqrt(sum y^2 sum z^2) stands for it, which makes the
difference look less certain, never more.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import secrets
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.compare.by_subject import PairErrors
from audit.groups import Grouping
from audit.metrics.evaluation import METRICS, Measured
from audit.record import EvaluationRecord
from audit.store import default_root

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_MAGIC = b"faceaudit-influence-1\n"
_NOBODY = hashlib.sha256(b"").hexdigest()
_LOST = {"FMR": 4.0, "FNMR": 1.0, "FTA": 1.0}


def people_domain(record: EvaluationRecord) -> str | None:
    """Within what subject ids name the same people: a benchmark, or a table of people; None where neither is known."""
    if record.benchmark.consent_tier != "undocumented":
        return f"benchmark {record.benchmark.name}"
    digest = record.digests.benchmark
    return None if digest == _NOBODY else f"table {digest}"


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
    domain: str,
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
        for metric in METRICS:
            tallies = [one.tallies[metric] for one in measured]
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
    return Influence(
        np.array([_hash(name, domain, _key(root)) for name in subjects], dtype="S32"),
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


def _some(threshold: float | None) -> float:
    if threshold is None:
        raise ValueError("an operating point without a threshold has no rates")
    return threshold


def _hash(subject: str, domain: str, key: bytes) -> bytes:
    return hmac.new(key, f"{domain}\0{subject}".encode(), hashlib.sha256).hexdigest()[:32].encode()


def _folder(root: Path | None) -> Path:
    return (root or default_root()) / "influence"


def _key(root: Path | None) -> bytes:
    """The cache's own key, made at its first use."""
    path = _folder(root) / "key"
    with suppress(FileNotFoundError):
        return path.read_bytes()
    _write(path, secrets.token_bytes(32), keep=True)
    return path.read_bytes()


def _path(record: EvaluationRecord, root: Path | None) -> Path:
    parts = [record.digests.model_dump(), record.model.name, record.model.revision]
    name = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return _folder(root) / f"{name}.people"


def _write(path: Path, content: bytes, *, keep: bool = False) -> None:
    """Write atomically for this user alone; with `keep`, whoever was first wins."""
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mkstemp makes files of mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        if keep:
            with suppress(FileExistsError):
                os.link(name, path)
            return
        os.replace(name, path)  # noqa: PTH105 - mkstemp returns a name
    finally:
        Path(name).unlink(missing_ok=True)


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
    _write(_path(record, root), _MAGIC + hashlib.sha256(body).digest() + body)


def load(record: EvaluationRecord, root: Path | None = None) -> Influence | None:
    """The sums behind a record, or None where this cache has none, or a damaged file."""
    try:
        content = _path(record, root).read_bytes()
        start = len(_MAGIC) + 32
        if content[:start] != _MAGIC + hashlib.sha256(content[start:]).digest():
            return None
        with np.load(io.BytesIO(content[start:]), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays["about"].tobytes())
        grouped: dict[str, Any] = {
            name: {metric: arrays[f"{name}.{metric}"] for metric in METRICS}
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


@dataclass(frozen=True, eq=False)
class Shared:
    """Two audits with the people that they have in common."""

    a: Influence
    b: Influence
    at_a: Ints
    at_b: Ints

    @classmethod
    def of(cls, a: Influence, b: Influence) -> Shared:
        """Align people by their hashes."""
        _, at_a, at_b = np.intersect1d(a.people, b.people, assume_unique=True, return_indices=True)
        return cls(a, b, at_a.astype(np.int64), at_b.astype(np.int64))

    def covariance(
        self, metric: str, a: tuple[str | None, dict[str, str]], b: tuple[str | None, dict[str, str]]
    ) -> float | None:
        """Covariance of a rate of the one audit with a rate of the other; each is (operating point, group).

        Returns
        -------
        None where one of the two has no such rate
        """
        here, there = self.a.cell(*a), self.b.cell(*b)
        if here is None or there is None:
            return None
        (t, g), (u, h) = here, there
        totals = self.a.trials[metric][t, g], self.b.trials[metric][u, h]
        if not all(totals):
            return None
        own = self.a.residuals[metric][t, self.at_a, g] @ self.b.residuals[metric][u, self.at_b, h]
        if metric == "FMR":
            own -= self._pairs(t, g, u, h)
        factor = 1.0
        for people in (self.a.subjects[metric][t, g], self.b.subjects[metric][u, h]):
            if people > _LOST[metric]:
                factor *= people / (people - _LOST[metric])
        return float(np.sqrt(factor) * own / (totals[0] * totals[1]))

    def floor(self, a: tuple[str | None, dict[str, str]], b: tuple[str | None, dict[str, str]]) -> float:
        """Least variance of the log ratio of two FMRs above 0: the part that single pairs of people add.

        `sum (y / (M p) - z / (N q))^2`: as the variance of one rate is not below `sum y^2 / M^2`. From few people the
        estimate of what they add beyond it may be anything, also less than nothing.
        """
        here, there = self.a.cell(*a), self.b.cell(*b)
        if here is None or there is None:
            return 0.0
        errors = [
            one.trials["FMR"][at] * one.rates["FMR"][at] for one, at in ((self.a, here), (self.b, there))
        ]  # fmt: skip
        if not all(errors):
            return 0.0
        own = self.a.squares["FMR"][here] / errors[0] ** 2 + self.b.squares["FMR"][there] / errors[1] ** 2
        return max(0.0, float(own - 2 * self._pairs(*here, *there) / (errors[0] * errors[1])))

    def _pairs(self, t: int, g: int, u: int, h: int) -> float:
        """Sum over pairs of people compared in both audits of the product of their residuals, or its bound."""
        a, b = _Pairs.of(self.a, self.at_a, t, g), _Pairs.of(self.b, self.at_b, u, h)
        if a is None or b is None:
            return float(np.sqrt(self.a.squares["FMR"][t, g] * self.b.squares["FMR"][u, h]))
        p, q = float(self.a.rates["FMR"][t, g]), float(self.b.rates["FMR"][u, h])
        _, x, y = np.intersect1d(a.key, b.key, assume_unique=True, return_indices=True)
        ee = float(a.errors[x] @ b.errors[y])
        ec = float(a.errors @ b.compared(a.first, a.second))
        ce = float(b.errors @ a.compared(b.first, b.second))
        return ee - q * ec - p * ce + p * q * _both(a, b)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of common people (numbered alike in both audits) that lie within a group."""

    key: Ints
    first: Ints
    second: Ints
    errors: Floats
    trials: Floats
    samples: Floats | None
    inside: NDArray[np.bool_]
    atom_of: Ints
    allowed: NDArray[np.bool_]

    @classmethod
    def of(cls, one: Influence, at: Ints, t: int, g: int) -> _Pairs | None:
        if one.first is None or one.second is None or one.pair_trials is None or one.pair_errors is None:
            return None
        place = np.full(len(one.people), -1, dtype=np.int64)
        place[at] = np.arange(len(at))
        inside = one.member[g]
        keep = (place[one.first] >= 0) & (place[one.second] >= 0) & inside[one.first] & inside[one.second]
        i, j = place[one.first[keep]], place[one.second[keep]]
        low, high = np.minimum(i, j), np.maximum(i, j)
        key = low * len(at) + high
        order = np.argsort(key)
        samples = None if one.samples is None else one.samples[at].astype(np.float64)
        return cls(
            key[order], low[order], high[order], one.pair_errors[t][keep][order].astype(np.float64),
            one.pair_trials[keep][order].astype(np.float64), samples, inside[at], one.atom_of[at], one.allowed,
        )  # fmt: skip

    def compared(self, first: Ints, second: Ints) -> Floats:
        """Comparisons of pairs in this audit, as far as they lie within its group."""
        if self.samples is not None:
            fits = self.inside[first] & self.inside[second] & self.allowed[self.atom_of[first], self.atom_of[second]]
            return np.where(fits, self.samples[first] * self.samples[second], 0.0)
        key = first * len(self.inside) + second
        found = np.searchsorted(self.key, key)
        found = np.minimum(found, max(len(self.key) - 1, 0))
        return np.where(self.key[found] == key, self.trials[found], 0.0) if len(self.key) else np.zeros(len(key))


def _both(a: _Pairs, b: _Pairs) -> float:
    """Sum over pairs compared in both of the product of their numbers of comparisons."""
    if a.samples is None:
        return float(a.trials @ b.compared(a.first, a.second))
    if b.samples is None:
        return float(b.trials @ a.compared(b.first, b.second))
    size = a.samples * b.samples * (a.inside & b.inside)
    label, place = np.unique(a.atom_of * len(b.allowed) + b.atom_of, return_inverse=True)
    sums = np.bincount(place, size, len(label))
    one, two = label // len(b.allowed), label % len(b.allowed)
    reach = (a.allowed[np.ix_(one, one)] & b.allowed[np.ix_(two, two)]).astype(np.float64)
    return float((sums @ reach @ sums - size**2 @ reach.diagonal()[place]) / 2)

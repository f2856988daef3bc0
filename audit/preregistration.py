"""A plan that is locked before data are touched, and what a record says of it afterwards.

The lock (`NAME.lock.json` beside NAME.toml) holds the plan of every model with all of its settings, the digest of the
benchmark's descriptor, that of the weights if they are here, when it was made and by which version. Its own digest is
over all of that: deposited with somebody else, it shows later that nothing was changed. By itself it shows no more than
that somebody who does not cheat has kept to a plan: clocks can be set, and files thrown away.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from audit import provenance, results
from audit.errors import DataError, PlanError
from audit.plan import AuditPlan
from audit.record import ChangedSetting, EvaluationRecord, Preregistration, write_text

SUFFIX = ".lock.json"
UNKNOWN = "unknown"
_WHAT = ("model", "benchmark")
_LARGEST = 1 << 20
_LONG_AGO = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_HEAD = 4096
"""Bytes of a record that hold when it was made."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class LockedPlan(_Part):
    """One model on one benchmark, as the record will name them."""

    plan: dict[str, Any]
    benchmark_digest: str = Field(description="SHA-256 of the canonical descriptor")
    weights: str = Field(description="SHA-256; unknown: they were not here")
    results: int = Field(ge=0, description="evaluations of it that lay in the folder of results when it was locked")


class Lock(_Part):
    """The whole lock."""

    schema_: Literal["faceaudit/plan-lock-1"] = Field("faceaudit/plan-lock-1", alias="schema")
    created: AwareDatetime
    software: str
    code: str = Field(description="SHA-256 of the package's own source files")
    plans: list[LockedPlan] = Field(min_length=1)
    digest: str = Field(description="SHA-256 of the canonical JSON form of all else")

    def expected(self) -> str:
        """The digest that the content has."""
        text = json.dumps(
            self.model_dump(mode="json", by_alias=True, exclude={"digest"}), sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(text.encode()).hexdigest()


def make_schema() -> dict[str, Any]:
    """JSON Schema of a lock."""
    made = Lock.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "plan-lock-1.json", **made}


def make(plans: list[LockedPlan], software: str) -> Lock:
    """Lock plans, now."""
    made = Lock(
        created=dt.datetime.now(dt.UTC).replace(microsecond=0),
        software=software,
        code=provenance.code_digest(),
        plans=plans,
        digest="",
    )
    return made.model_copy(update={"digest": made.expected()})


def beside(plan: Path) -> Path:
    """Where the lock of a plan lies.

    >>> beside(Path("london.toml")).name
    'london.lock.json'
    """
    return plan.with_suffix(SUFFIX)


def write(lock: Lock, path: Path) -> None:
    """Write a lock; one that is there is never overwritten.

    Raises
    ------
    PlanError
        If there is a lock already.
    DataError
        If it cannot be written.
    """
    if path.exists():
        raise PlanError(
            str(path),
            "is there already: a plan is locked once",
            "Keep to it; or lock a changed plan under another name, so that both can be shown",
        )
    write_text(path, lock.model_dump_json(by_alias=True, indent=1) + "\n")


def read(path: Path) -> Lock:
    """Read a lock and hold it against its own digest.

    Raises
    ------
    DataError
        If it cannot be read, is no lock of this version, or was edited.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(str(path), "is too large to be a lock", "Give the file that 'faceaudit plan lock' wrote")
        lock = Lock.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(
            str(path), f"cannot be read: {error.strerror}", "Give the file that 'faceaudit plan lock' wrote"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"])[:200] or "(document)"
        raise DataError(
            f"{path}#/{where}", first["msg"], "Give the file that 'faceaudit plan lock' wrote, or move this one away"
        ) from None
    if lock.digest != lock.expected():
        raise DataError(
            str(path),
            f"was edited: its content has the digest {lock.expected()[:12]}..., and it says {lock.digest[:12]}...",
            "Put the file back that 'faceaudit plan lock' wrote; a lock that was changed is none",
        )
    return lock


def said(record: EvaluationRecord, lock: Lock | None, out: Path) -> Preregistration:
    """Hold a record that is about to be written against the lock.

    Parameters
    ----------
    out : folder of results; earlier evaluations in it are counted
    """
    there = list(_made(out, record.benchmark.name, record.model.name))
    others = sum(digest != record.digests.plan[:12] for digest, _ in there)
    if lock is None:
        return Preregistration(locked=False, other_plans=others)
    locked = _of(lock, record)
    changed = [*_settings(locked.plan, record.plan), *_files(locked, record), *_times(lock, record)]
    return Preregistration(
        locked=True,
        digest=lock.digest,
        created=lock.created.isoformat(),
        followed=not changed,
        differences=changed,
        same_code=lock.code == record.digests.code,
        results_before=max(locked.results, sum(made <= lock.created for _, made in there)),
        other_plans=others,
    )


def already(out: Path, benchmark: str, model: str) -> int:
    """Evaluations of a model on a benchmark that lie in a folder of results, whatever their plan."""
    return sum(1 for _ in _made(out, benchmark, model))


def _of(lock: Lock, record: EvaluationRecord) -> LockedPlan:
    """The locked plan that a record has to keep to: of its model and benchmark, else the one that is closest."""
    return max(lock.plans, key=lambda one: [one.plan.get(name) == record.plan.get(name) for name in _WHAT])


def _settings(locked: dict[str, Any], used: dict[str, Any]) -> Iterator[ChangedSetting]:
    """Settings that are not as they were locked; one that the lock does not know was left at its default."""
    for name in dict.fromkeys((*used, *locked)):
        before, after = (values.get(name, _default(name)) for values in (locked, used))
        if before != after:
            yield ChangedSetting(setting=name, locked=before, used=after)


def _default(name: str) -> Any:
    field = AuditPlan.model_fields.get(name)
    if field is None or field.is_required():
        return None
    value = field.get_default(call_default_factory=True)
    return list(value) if isinstance(value, tuple) else value


def _files(locked: LockedPlan, record: EvaluationRecord) -> Iterator[ChangedSetting]:
    pairs = (
        ("benchmark descriptor", locked.benchmark_digest, record.digests.benchmark),
        ("weights", locked.weights, record.digests.weights),
    )
    for name, before, after in pairs:
        if before not in (UNKNOWN, after):
            yield ChangedSetting(setting=name, locked=before, used=after)


def _times(lock: Lock, record: EvaluationRecord) -> Iterator[ChangedSetting]:
    """A lock that is younger than what it locked: it came later, or a clock was turned back."""
    if lock.created > _moment(record.created):
        yield ChangedSetting(setting="time", locked=lock.created.isoformat(), used=record.created)


def _moment(text: str) -> dt.datetime:
    """When something was made; what is no time counts as old."""
    try:
        made = dt.datetime.fromisoformat(text)
    except ValueError:
        return _LONG_AGO
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)


def _made(out: Path, benchmark: str, model: str) -> Iterator[tuple[str, dt.datetime]]:
    """Name of the folder and time of every evaluation of a model on a benchmark; what cannot be read counts as old."""
    safe = results.folder(benchmark, model, "", "").parts[1]
    for path in results.records_of(out, benchmark):
        if not path.parent.parent.name.startswith(safe):
            continue
        try:
            with path.open("rb") as stream:
                head = stream.read(_HEAD)
        except OSError:
            head = b""
        found = re.search(rb'"created":\s*"([^"]{10,40})"', head)
        yield path.parent.name.partition("-")[0], _moment(found[1].decode(errors="replace") if found else "")

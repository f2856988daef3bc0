"""What a run writes: the record, what stands beside it, and the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit import (
    environment,
    forgetting,
    influence,
    preregistration,
    superseded,
    tasks,
    whole_file,
)
from audit import record as records
from audit.domain import Benchmark, FailureToAcquire, Sample
from audit.evaluation import Evaluation
from audit.models import ModelCard
from audit.plan import RunOptions
from audit.record import EvaluationRecord

if TYPE_CHECKING:
    from audit.counted import Counted, Look
    from audit.preregistration import Lock


CARD = "card.json"
"""What a model's card says, beside its record."""


def withdraw(
    benchmark: Benchmark,
    samples: Sequence[Sample],
    files: Mapping[str, str | FailureToAcquire],
    folder: Path,
    options: RunOptions,
) -> None:
    """Clear the cache of people who withdrew, and mark earlier records; before anything is answered from either."""
    domain = influence.domain(benchmark.consent.tier, benchmark.name, benchmark.digest)
    forgetting.clear(benchmark, samples, files, domain, options.cache)
    superseded.mark(options.out, benchmark.name, benchmark.withdrawn, folder)


def lock_of(options: RunOptions) -> Lock | None:
    """The lock that a run is held against, read before anything else; None: there is none."""
    return None if options.lock is None else preregistration.read(options.lock)


@dataclass(frozen=True, eq=False)
class Made:
    """A record, the files that are published beside it, by name, and the tables that its numbers follow from."""

    record: EvaluationRecord
    beside: Mapping[str, bytes] = field(default_factory=dict)
    tables: Counted | None = None

    def but(self, record: EvaluationRecord, looks: Sequence[Look] = ()) -> Made:
        """The same with more in the record, and in the tables."""
        tables = self.tables and self.tables.and_looks(looks)
        return replace(self, record=record, tables=tables)

    def files(self) -> dict[str, bytes]:
        """Everything that is written beside the record."""
        return {**self.beside, **(self.tables.files() if self.tables else {})}


def published(made: Made, folder: Path, options: RunOptions, lock: Lock | None = None, *, reused: bool) -> Evaluation:
    """Write a record, what stands beside it and its report; of a record that is there, the report if it is missing.

    A record that is marked superseded is not overwritten, but moves aside. One that is new says whether a lock was kept
    to; one that is there already says what it said. The record comes after the tables: whoever finds one finds them.
    """
    record = made.record
    if not reused:
        record = record.model_copy(update={"preregistration": preregistration.said(record, lock, options.out)})
    earlier = None if reused else superseded.set_aside(folder)
    if not reused:
        for seal in (*folder.glob("evidence.*"), *folder.glob("signer.pem")):  # of the files that are written over
            seal.unlink()
        for name, content in made.files().items():
            records.write_bytes(folder / name, content)
        environment.write(record.hardware["device"], folder)
        records.write(record, folder / "record.json")
    done = Evaluation(record, folder, reused=reused, earlier=earlier)
    if not reused or not done.report_path.exists():
        done.report()
    if reused:  # a run that was killed while it wrote them may have left something beside them
        whole_file.sweep(folder / "record.json")
        whole_file.sweep(done.report_path)
    return done


def described(descriptor: str, card: str) -> dict[str, bytes]:
    """Descriptor and card as files."""
    said = {"benchmark.json": descriptor, CARD: card}
    return {name: f"{text}\n".encode() for name, text in said.items() if text}


def card_text(card: ModelCard | tasks.TaskCard) -> str:
    """All of a card that may be published, as JSON."""
    return json.dumps(card.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

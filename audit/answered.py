"""Scores of a service that compares two pictures: which comparisons it is asked for, and what it answered.

Everybody with everybody would be a request for every pair of pictures. So a benchmark's own list of comparisons is
asked for, or all mated comparisons with as many others as the plan draws. What was answered is kept in the cache,
with the comparisons that are under way: the same command asks only for the rest, and whoever withdraws takes all of
it along.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audit import decode, missing_scores
from audit.compare.counts import Floats, Ints
from audit.domain import DURING, FailureToAcquire, Picture, Sample
from audit.errors import DataError, NothingMeasured
from audit.inputs import Inputs, Progress
from audit.metrics.evaluation import Acquired
from audit.models.http import Comparer
from audit.plan import RunOptions
from audit.record import Sampling
from audit.score_table import ScoreTable
from audit.store import COMPARISONS, default_root

if TYPE_CHECKING:
    from audit.compare.pairs import ListedPairs

_HELD = 256 << 20
"""Bytes of encoded pictures that are held at a time."""
_LASTING = {"decode", "detect", "align"}
"""Stages whose failures the same two pictures will meet again."""
Score = float | FailureToAcquire


@dataclass(frozen=True, eq=False)
class Answered:
    """Comparisons with their scores, how they were drawn, who failed, and what a reader has to know of it."""

    comparisons: ListedPairs
    sampling: Sampling | None
    acquired: Acquired
    noticed: tuple[str, ...]


def compared(inputs: Inputs, options: RunOptions, progress: Progress) -> Answered:
    """Ask for every comparison that is not known yet.

    Raises
    ------
    NothingMeasured
        If no comparison has a score.
    ModelError
        The service cannot be used; what was answered is kept.
    """
    from audit.compare.pairs import ListedPairs, places  # noqa: PLC0415 - loads the compiler, as the recipe does
    from audit.sampling import drawn  # noqa: PLC0415 - as above

    people, samples = inputs.judged, inputs.judged.samples
    place = {name: index for index, name in enumerate(people.subjects)}
    subject = np.array([place[sample.subject_id] for sample in samples], dtype=np.int64)
    sampling = None
    if inputs.benchmark.pairs is not None:
        probe, reference = places(inputs.benchmark.pairs, [sample.sample_id for sample in samples])
    else:
        probe, reference, sampling = drawn(inputs.plan, subject, people.grouping)
    found = _Asking(inputs, options, progress).all(probe, reference)
    scores = np.array([np.nan if isinstance(one, FailureToAcquire) else one for one in found], dtype=np.float64)
    there = ~np.isnan(scores)
    if not there.any():
        raise NothingMeasured(inputs.card.name, f"none of {len(found):,} comparisons has a score", _most(found))
    grouping = people.grouping
    made = ListedPairs(
        subject[probe[there]], subject[reference[there]], scores[there], grouping.atom_of, grouping.atoms
    )  # fmt: skip
    table = _table(samples, people.subjects, subject, probe, reference, scores)
    acquired = missing_scores.acquired(table, np.arange(len(people.subjects), dtype=np.int32), len(people.subjects))
    return Answered(made, sampling, acquired, tuple(_noticed(found, len(samples) - len(table.samples or ()))))


def _most(found: list[Score]) -> str:
    reasons = Counter(f"{one.stage}: {one.reason}" for one in found if isinstance(one, FailureToAcquire))
    return "; ".join(f"{count:,} x {reason}" for reason, count in reasons.most_common(3))


def _noticed(found: list[Score], unasked: int) -> Iterator[str]:
    failed = sum(isinstance(one, FailureToAcquire) for one in found)
    if failed:
        yield f"{failed:,} of {len(found):,} comparisons have no score ({_most(found)}); they are counted as failures."
    if unasked:
        yield f"{unasked:,} images stand in no comparison; they are not counted."


def _table(
    samples: tuple[Sample, ...], people: tuple[str, ...], subject: Ints, probe: Ints, reference: Ints, scores: Floats
) -> ScoreTable:
    """The answers as a table of scores, of the samples that stand in a comparison."""
    used = np.unique(np.r_[probe, reference])
    codes = [np.searchsorted(used, side).astype(np.int32) for side in (probe, reference)]
    owner = subject.astype(np.int32)
    return ScoreTable(
        people,
        owner[probe],
        owner[reference],
        scores,
        tuple(samples[index].sample_id for index in used),
        codes[0],
        codes[1],
        owner[used],
        (),
        0,
        "",
    )


class _Asking:
    """Encodes pictures as they are needed, asks for pairs side by side, and keeps what was answered."""

    def __init__(self, inputs: Inputs, options: RunOptions, progress: Progress) -> None:
        self._samples, self._files, self._card = inputs.judged.samples, inputs.files, inputs.card
        self._options, self._progress = options, progress
        self._comparer = Comparer(inputs.card)
        self._pictures: OrderedDict[int, bytes | FailureToAcquire] = OrderedDict()
        self._failed: set[int] = set()
        self._held = self._done = 0
        self._lock = threading.Lock()
        path = (options.cache or default_root()) / COMPARISONS / f"answers-{self._key(inputs)}.jsonl"
        self._kept = _Kept(path, fresh=options.fresh)

    def _key(self, inputs: Inputs) -> str:
        """What decides an answer, beside the pictures."""
        parts = [self._card.weights_sha256, self._card.preprocessing, inputs.benchmark.name]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def all(self, probe: Ints, reference: Ints) -> list[Score]:
        """A score or a failure for every comparison, in order."""
        service = self._card.service
        at_once = 1 if service is None else service.at_once
        order = np.lexsort((reference, probe))  # pictures are encoded once where they follow each other
        found: dict[int, Score] = {}
        with ThreadPoolExecutor(min(at_once, 4 * (os.cpu_count() or 1))) as pool:
            try:
                answers = pool.map(lambda k: self._one(int(probe[k]), int(reference[k]), len(order)), order)
                found.update(zip(map(int, order), answers, strict=True))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            finally:
                self._kept.close()
        return [found[k] for k in range(len(order))]

    def _one(self, probe: int, reference: int, total: int) -> Score:
        digests = [self._files[self._samples[index].sample_id] for index in (probe, reference)]
        known = self._kept.get(digests)
        score = self._asked(probe, reference) if known is None else known
        if known is None and not (isinstance(score, FailureToAcquire) and score.stage not in _LASTING):
            self._kept.put(digests, score)
        with self._lock:
            self._done += 1
            self._progress("compare", self._done, total)
        return score

    def _asked(self, probe: int, reference: int) -> Score:
        pictures = []
        for index in (probe, reference):
            picture = self._encoded(index)
            if isinstance(picture, FailureToAcquire):
                return picture
            pictures.append(picture)
        return self._comparer.score(*pictures)

    def _encoded(self, index: int) -> bytes | FailureToAcquire:
        with self._lock:
            if index in self._pictures:
                self._pictures.move_to_end(index)
                return self._pictures[index]
        made = self._encode(self._samples[index])
        with self._lock:
            if index not in self._pictures:
                self._pictures[index] = made
                self._held += _size(made)
            while self._held > _HELD and len(self._pictures) > 1:
                self._held -= _size(self._pictures.popitem(last=False)[1])
            if isinstance(made, FailureToAcquire):
                self._failed.add(index)
                self._stop_at_too_many()
        return made

    def _encode(self, sample: Sample) -> bytes | FailureToAcquire:
        content = decode.read(sample.path)
        if isinstance(content, FailureToAcquire):
            return decode.lately(content)
        if hashlib.sha256(content).hexdigest() != self._files[sample.sample_id]:
            return FailureToAcquire("read", f"file changed {DURING}")
        size = self._comparer.working_size
        if size is not None:
            picture = decode.decode_for(content, size)
        else:
            pixels = decode.decode(content)
            picture = pixels if isinstance(pixels, FailureToAcquire) else Picture(pixels)
        if isinstance(picture, FailureToAcquire):
            return picture
        return self._comparer.encode(replace(picture, box=sample.box, points=sample.points))

    def _stop_at_too_many(self) -> None:
        most = self._options.max_failures
        if most is not None and len(self._failed) > most:
            raise DataError(
                "--max-failures",
                f"{len(self._failed)} samples failed, at most {most} are allowed",
                "Mend the images, or allow more; what was computed is kept",
            )


def _size(made: bytes | FailureToAcquire) -> int:
    return len(made) if isinstance(made, bytes) else 0


class _Kept:
    """Answers in a file of the cache, a line each, under the digests of the two pictures."""

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self._known: dict[str, Score] = {}
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            before = "" if fresh or not path.exists() else path.read_text(encoding="utf-8", errors="replace")
            self._known = dict(_lines(before))
            self._stream = os.fdopen(
                os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if fresh else os.O_APPEND), 0o600),
                "w",
                encoding="utf-8",
            )
            if before and not before.endswith("\n"):  # a line that was cut off must not spoil the next one
                self._stream.write("\n")
        except OSError as error:
            raise DataError(str(path), f"cannot be written: {error.strerror}", "Set FACEAUDIT_CACHE") from None

    def get(self, digests: list[str | FailureToAcquire]) -> Score | None:
        """What was answered to two pictures."""
        return self._known.get(_pair(digests))

    def put(self, digests: list[str | FailureToAcquire], score: Score) -> None:
        """Keep an answer, at once: an interrupted run loses none."""
        said = [score.stage, score.reason] if isinstance(score, FailureToAcquire) else score
        with self._lock:
            self._stream.write(json.dumps([_pair(digests), said]) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Leave the file."""
        self._stream.close()


def _pair(digests: list[str | FailureToAcquire]) -> str:
    return hashlib.sha256(json.dumps([str(one) for one in digests]).encode()).hexdigest()[:32]


def _lines(text: str) -> Iterator[tuple[str, Score]]:
    """Answers that can be read; a line that was cut off is asked for again."""
    for line in text.splitlines():
        try:
            pair, said = json.loads(line)
            yield str(pair), FailureToAcquire(*said) if isinstance(said, list) else float(said)
        except (ValueError, TypeError):
            continue

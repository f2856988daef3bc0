"""Samples to templates and failures: looked up first, then decoded, extracted and filed, batch by batch.

The model is loaded only if something is not in the store. An image's outcome does not depend on its batch, so it is
the same whatever was cached. Every worker has a batch of its own, so that none waits for another, and results are filed
while they go on: stopping loses at most the batches in flight.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from audit import decode
from audit.domain import DURING, FailureToAcquire, Picture, Points, Sample, Template
from audit.errors import DataError
from audit.models.guard import Extractor, Outcome, PictureExtractor, outcomes
from audit.store import Key, TemplateStore

Progress = Callable[[str, int, int], None]


class Card(Protocol):
    """What decides an outcome: of a model (`ModelCard`) or of a detector (`DetectorCard`)."""

    @property
    def weights_sha256(self) -> str:
        """Digest of the weights."""
        ...

    @property
    def preprocessing(self) -> str:
        """Id of everything between the file and the network."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a template."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """An image file as it was read, and what its benchmark has marked in it (`audit.domain.Sample`)."""

    content: bytes
    box: tuple[float, float, float, float] | None = None
    points: Points | None = None


Parcel = tuple[list[int], list[File]]
"""Files of a batch, and a number for each."""
Elsewhere = Callable[[Iterator[Parcel]], Generator[tuple[list[int], list[Outcome], Mapping[str, float]]]]
"""Turns parcels into their numbers, outcomes and the seconds that each stage took, in any order."""

BATCH = 8
"""Images a batch at most: as many as networks are given at a time."""
BATCH_BYTES = 96 * 2**20
"""Decoded bytes at most in all batches that are worked on (but at least one image), and as many ahead of them."""

_LASTING = {"decode", "detect", "align"}
"""Stages whose failures the same bytes will meet again; others (a file that moved, a model's error) are tried again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """Outcome of every sample.

    Attributes
    ----------
    templates : float32, m x dimension
        Of the samples that have one, in sample order.
    template_index : int64, m
        Index of each template's sample.
    failures : sample id to FailureToAcquire
        Every sample has a template or stands here.
    several_faces : int
        Samples with a template in whose image more than one face was seen.
    faces : tuple of int, m
        Faces seen in each template's image.
    recomputed : int
        Outcomes that were not in the store.
    unsaved : int
        Outcomes that could not be filed (a full disk, for example); they are in this result all the same.
    timing : seconds
        Of the steps one after the other (lookup, load, extract), and within the last, all threads together, of every
        stage (decode, detect, align, template).
    """

    templates: NDArray[np.float32]
    template_index: NDArray[np.int64]
    failures: dict[str, FailureToAcquire]
    several_faces: int
    recomputed: int
    faces: tuple[int, ...] = ()
    unsaved: int = 0
    timing: dict[str, float] = field(default_factory=dict)

    def part(self, samples: Sequence[Sample], first: int) -> Extraction:
        """Outcomes of a stretch of the samples, from index `first` on; indices count from there."""
        inside = (self.template_index >= first) & (self.template_index < first + len(samples))
        names = {sample.sample_id for sample in samples}
        return replace(
            self,
            templates=self.templates[inside],
            template_index=self.template_index[inside] - first,
            failures={name: failure for name, failure in self.failures.items() if name in names},
            several_faces=sum(self.faces[index] > 1 for index in np.flatnonzero(inside)),
            faces=tuple(self.faces[index] for index in np.flatnonzero(inside)),
        )


def hash_samples(
    samples: Sequence[Sample], *, workers: int = 0, progress: Progress | None = None
) -> dict[str, str | FailureToAcquire]:
    """SHA-256 of every sample's file, hexadecimal, or the failure to read it.

    Parameters
    ----------
    samples : sequence of Sample
    workers : int
        Threads; 0 is the number of processors.
    progress : callable or None
        Called with ("read", done, total).
    """
    found: dict[str, str | FailureToAcquire] = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for sample, digest in zip(samples, pool.map(lambda s: decode.fingerprint(s.path), samples), strict=True):
            found[sample.sample_id] = digest
            if progress:
                progress("read", len(found), len(samples))
    return found


def extract(
    samples: Sequence[Sample],
    card: Card,
    load: Callable[[], Extractor],
    store: TemplateStore,
    *,
    digests: Mapping[str, str | FailureToAcquire],
    workers: int = 0,
    fresh: bool = False,
    max_failures: int | None = None,
    progress: Progress | None = None,
    elsewhere: Elsewhere | None = None,
    noting: Card | None = None,
) -> Extraction:
    """Extract a template or a failure from every sample.

    Parameters
    ----------
    samples : sequence of Sample
    card : Card
        Of the model or detector; with the image's digest it is the key in the store.
    load : callable
        Loads the model; called at most once, and only if an outcome is not in the store.
    store : TemplateStore
    digests : mapping
        Of every sample id, from `hash_samples`; a failure there is the sample's outcome.
    workers : int
        Threads that decode; 0 is the number of processors.
    fresh : bool
        Recompute everything, and file it anew.
    max_failures : int or None
        Give up when more samples than this have failed.
    progress : callable or None
        Called with ("extract", done, total).
    elsewhere : callable or None
        Makes outcomes on other machines, in place of a model that is loaded here (`audit.extract_on_cluster`).
    noting : Card or None
        Of the meter whose numbers the model notes on the way: they are filed under it.

    Raises
    ------
    DataError
        If the store cannot be written before anything is computed, or `max_failures` is exceeded.
    ModelError
        If the model cannot be loaded.
    """
    run = _Run(samples, card, store, digests, max_failures, progress, noting)
    started = time.perf_counter()
    missing = run.look_up(fresh=fresh)
    run.timing["lookup"] = time.perf_counter() - started
    run.report()
    if missing:
        store.prepare()
    if missing and elsewhere is not None:
        started = time.perf_counter()
        run.timing |= run.work_elsewhere(missing, elsewhere)
        run.timing["extract"] = time.perf_counter() - started
    elif missing:
        started = time.perf_counter()
        model = load()
        run.timing["load"] = time.perf_counter() - started
        started = time.perf_counter()
        with decode.quiet_about_size():
            run.work(missing, model, workers or os.cpu_count() or 1)
        run.timing["extract"] = time.perf_counter() - started
        run.timing["decode"] = sum(run.decoding)
        run.timing |= model.seconds if isinstance(model, PictureExtractor) else {}
    return run.result(len(missing))


def picture(file: File, working_size: int | None) -> Picture | FailureToAcquire:
    """Decode a file for a model; at full size, unless it can do with images decoded at a part of it."""
    if working_size is not None:
        made = decode.decode_for(file.content, working_size)
    else:
        pixels = decode.decode(file.content)
        made = pixels if isinstance(pixels, FailureToAcquire) else Picture(pixels)
    return made if isinstance(made, FailureToAcquire) else replace(made, box=file.box, points=file.points)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Images that are worked on together, and their samples' indices."""

    indices: list[int]
    images: list[Picture]

    @property
    def bytes(self) -> int:
        return sum(image.pixels.nbytes for image in self.images)


class _Run:
    """What one call of `extract` knows so far."""

    def __init__(
        self,
        samples: Sequence[Sample],
        card: Card,
        store: TemplateStore,
        digests: Mapping[str, str | FailureToAcquire],
        max_failures: int | None,
        progress: Progress | None,
        noting: Card | None = None,
    ) -> None:
        self.noting = noting
        self.samples, self.card, self.store, self.digests = samples, card, store, digests
        self.max_failures, self.progress = max_failures, progress
        self.outcomes: dict[int, Outcome] = {}
        self.timing: dict[str, float] = {}
        self.failed: Counter[str] = Counter()
        self.unsaved = 0
        self.working_size: int | None = None
        self.decoding: list[float] = []

    def key(self, index: int, of: Card | None = None) -> Key:
        card = of or self.card
        digest = self.digests[self.samples[index].sample_id]
        if isinstance(digest, FailureToAcquire):
            raise TypeError("a sample that cannot be read has no key")
        sample = self.samples[index]
        if sample.box is None:
            return Key(digest, card.weights_sha256, card.preprocessing)
        marked = hashlib.sha256(f"{card.preprocessing} {sample.box} {sample.points}".encode()).hexdigest()[:16]
        return Key(digest, card.weights_sha256, marked)

    def look_up(self, *, fresh: bool) -> list[int]:
        missing = []
        for index, sample in enumerate(self.samples):
            digest = self.digests[sample.sample_id]
            known = (
                digest if isinstance(digest, FailureToAcquire) else None if fresh else self.store.get(self.key(index))
            )
            if known is None or (isinstance(known, Template) and known.vector.shape != (self.card.dimension,)):
                missing.append(index)
            else:
                self._note(index, known)
        return missing

    def work(self, missing: list[int], model: Extractor, threads: int) -> None:
        self.working_size = model.working_size if isinstance(model, PictureExtractor) else None
        at_once = threads if isinstance(model, PictureExtractor) else 1
        # Threads that decode are threads of their own: they wait for files while the others compute.
        with ThreadPoolExecutor(threads) as decoders, ThreadPoolExecutor(at_once) as workers:
            try:
                self._compute(self._batches(missing, decoders), model, workers, at_once)
            except BaseException:
                decoders.shutdown(wait=True, cancel_futures=True)
                workers.shutdown(wait=True, cancel_futures=True)
                raise

    def work_elsewhere(self, missing: list[int], elsewhere: Elsewhere) -> dict[str, float]:
        """File what comes back, in any order; returns the seconds of each stage, all workers together."""
        spent: Counter[str] = Counter()
        with contextlib.closing(elsewhere(self._parcels(missing))) as arriving:
            for indices, found, seconds in arriving:
                for index, outcome in zip(indices, found, strict=True):
                    self._file(index, outcome)
                spent.update(seconds)
                self.report()
        self.report()
        return dict(spent)

    def _parcels(self, missing: list[int]) -> Iterator[Parcel]:
        """Files as they are, a batch at a time, within `BATCH_BYTES`."""
        held: list[int] = []
        files: list[File] = []
        weight = 0
        for index in missing:
            file = self.file(index)
            if isinstance(file, FailureToAcquire):
                self._file(index, file)
                continue
            if files and (len(files) == BATCH or weight + len(file.content) > BATCH_BYTES):
                yield held, files
                held, files, weight = [], [], 0
            held.append(index)
            files.append(file)
            weight += len(file.content)
        if files:
            yield held, files

    def _compute(self, batches: Iterator[_Batch], model: Extractor, pool: ThreadPoolExecutor, at_once: int) -> None:
        """Keep every worker at a batch of its own and one more in waiting, and file the outcomes in order."""
        begun: deque[tuple[_Batch, Future[list[Outcome]]]] = deque()
        for batch in batches:
            while begun and (len(begun) > at_once or batch.bytes + sum(each.bytes for each, _ in begun) > BATCH_BYTES):
                self._finish(*begun.popleft())
            begun.append((batch, pool.submit(outcomes, model, batch.images, self.card.dimension)))
        while begun:
            self._finish(*begun.popleft())

    def _finish(self, batch: _Batch, running: Future[list[Outcome]]) -> None:
        for index, outcome in zip(batch.indices, running.result(), strict=True):
            self._file(index, outcome)
        self.report()

    def _note(self, index: int, outcome: Outcome) -> None:
        self.outcomes[index] = outcome
        if isinstance(outcome, FailureToAcquire):
            self.failed[f"{outcome.stage}: {outcome.reason}"] += 1

    def _file(self, index: int, outcome: Outcome) -> None:
        self._note(index, outcome)
        if isinstance(outcome, FailureToAcquire) and outcome.stage not in _LASTING:
            return
        try:
            self.store.put(self.key(index), outcome)
            if self.noting is not None and isinstance(outcome, Template) and outcome.noted is not None:
                self.store.put(self.key(index, self.noting), Template(outcome.noted, outcome.faces))
        except DataError as error:
            if not self.unsaved:  # said once: the next thousand would say the same
                _log.warning("%s", error)
            self.unsaved += 1

    def _batches(self, missing: list[int], pool: ThreadPoolExecutor) -> Iterator[_Batch]:
        """Decode ahead of the model, in sample order, within `BATCH_BYTES`."""
        ahead: dict[int, Future[Picture | FailureToAcquire]] = {}
        waiting = iter(missing)
        depth = largest = 1
        batch = _Batch([], [])
        for index in missing:
            while len(ahead) < depth and (following := next(waiting, None)) is not None:
                ahead[following] = pool.submit(self._decode, following)
            image = ahead.pop(index).result()
            if isinstance(image, FailureToAcquire):
                self._file(index, image)
                continue
            # Images are decoded ahead as far as they fit into the budget at the size of the largest so far.
            largest = max(largest, image.pixels.nbytes)
            depth = max(1, min(2 * BATCH, BATCH_BYTES // largest))
            if batch.images and (len(batch.images) == BATCH or batch.bytes + image.pixels.nbytes > BATCH_BYTES):
                yield batch
                batch = _Batch([], [])
            batch.indices.append(index)
            batch.images.append(image)
        if batch.images:
            yield batch

    def _decode(self, index: int) -> Picture | FailureToAcquire:
        began = time.perf_counter()
        try:
            return self._picture(index)
        finally:
            self.decoding.append(time.perf_counter() - began)

    def _picture(self, index: int) -> Picture | FailureToAcquire:
        file = self.file(index)
        return file if isinstance(file, FailureToAcquire) else picture(file, self.working_size)

    def file(self, index: int) -> File | FailureToAcquire:
        """Read the file of a sample, and see that it is still the one whose digest is known."""
        sample = self.samples[index]
        content = decode.read(sample.path)
        if isinstance(content, FailureToAcquire):
            if not sample.path.parent.is_dir():
                raise DataError(
                    str(sample.path.parent),
                    "has vanished during the run",
                    "Bring it back and run the same command: what was computed is kept",
                )
            return decode.lately(content)
        if hashlib.sha256(content).hexdigest() != self.digests[sample.sample_id]:
            return FailureToAcquire("read", f"file changed {DURING}")
        return File(content, sample.box, sample.points)

    def report(self) -> None:
        if self.progress:
            self.progress("extract", len(self.outcomes), len(self.samples))
        failed = self.failed.total()
        if self.max_failures is not None and failed > self.max_failures:
            said = "; ".join(f"{count} x {reason}" for reason, count in self.failed.most_common(3))
            raise DataError(
                "--max-failures",
                f"{failed} samples failed, at most {self.max_failures} are allowed ({said})",
                "Mend the images, or allow more; what was computed is kept",
            )

    def result(self, recomputed: int) -> Extraction:
        order = range(len(self.samples))
        index = [i for i in order if isinstance(self.outcomes[i], Template)]
        found = [outcome for i in index if isinstance(outcome := self.outcomes[i], Template)]
        vectors = np.array([template.vector for template in found], np.float32)
        return Extraction(
            templates=vectors.reshape(len(found), self.card.dimension),
            template_index=np.array(index, np.int64),
            failures={
                self.samples[i].sample_id: outcome
                for i in order
                if isinstance(outcome := self.outcomes[i], FailureToAcquire)
            },
            several_faces=sum(template.faces > 1 for template in found),
            faces=tuple(template.faces for template in found),
            recomputed=recomputed,
            unsaved=self.unsaved,
            timing=self.timing,
        )

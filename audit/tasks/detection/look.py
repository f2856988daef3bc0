"""Pictures to detections: each decoded once, made worse in memory, and shown to every detector that has not seen it.

What a detector found in a picture under a condition is filed in the store under the digests of all three, so nothing is
looked at twice, and stopping loses at most the pictures in work. Pictures made worse are never written anywhere.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from audit import decode
from audit.degradations import AS_TAKEN, Condition, degrade
from audit.domain import Detections, FaceDetector, FailureToAcquire, Picture, Sample, Template
from audit.errors import DataError, StoppedError
from audit.inputs import Progress
from audit.models import detection
from audit.models.detection import FaceDetectorCard
from audit.models.guard import NoTemplateError
from audit.store import Key, TemplateStore
from audit.tasks.detection import packed

Outcome = Detections | FailureToAcquire
TOO_SMALL = "image is smaller than the smallest face"
_PICTURE = {"read", "decode"}


@dataclass(frozen=True, eq=False)
class Job:
    """A detector, the samples that it is to see, under which conditions, and how."""

    card: FaceDetectorCard
    samples: Sequence[Sample]
    conditions: Sequence[Condition]
    seed: int

    def key(self, digest: str, condition: Condition) -> Key:
        """Under which an outcome is kept."""
        said = f"detection {self.card.preprocessing} {condition.key(self.seed)}"
        return Key(digest, self.card.weights_sha256, hashlib.sha256(said.encode()).hexdigest()[:16])


@dataclass(eq=False)
class Seen:
    """What a detector found: by sample id and condition, in pixels of the whole picture.

    `failures` are pictures that no detector could be shown; they have no outcome.
    """

    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    failures: dict[str, FailureToAcquire] = field(default_factory=dict)
    unsaved: int = 0
    computed: int = 0


def look(
    jobs: Sequence[Job],
    files: Mapping[str, str | FailureToAcquire],
    store: TemplateStore,
    *,
    workers: int = 0,
    fresh: bool = False,
    max_failures: int | None = None,
    progress: Progress | None = None,
) -> list[Seen]:
    """Show pictures to detectors, as far as their outcomes are not known.

    Parameters
    ----------
    jobs : one a detector; those of one working size share every picture made worse
    files : sample id to the digest of its file, or why it cannot be read
    store : of outcomes
    workers : pictures at the same time; 0 is the number of processors
    fresh : look at everything again
    max_failures : give up once so many pictures could not be shown
    progress : called with ("extract", done, total), in outcomes

    Raises
    ------
    DataError
        If the cache cannot be written before anything is computed, or `max_failures` is exceeded.
    ModelError
        If a detector cannot be loaded.
    """
    run = _Run(jobs, files, store, max_failures, progress)
    missing = run.look_up(fresh=fresh)
    run.report()
    if missing:
        store.prepare()
        run.work(missing, workers or os.cpu_count() or 1)
    return run.seen


Missing = dict[str, list[tuple[int, Condition]]]
"""Sample id to the jobs and conditions that nothing is known of."""


class _Run:
    def __init__(
        self,
        jobs: Sequence[Job],
        files: Mapping[str, str | FailureToAcquire],
        store: TemplateStore,
        max_failures: int | None,
        progress: Progress | None,
    ) -> None:
        self.jobs, self.files, self.store = jobs, files, store
        self.max_failures, self.progress = max_failures, progress
        self.seen = [Seen() for _ in jobs]
        self.samples = {sample.sample_id: sample for job in jobs for sample in job.samples}
        self.total = sum(len(job.samples) * len(job.conditions) for job in jobs)
        self.done = 0

    def look_up(self, *, fresh: bool) -> Missing:
        missing: Missing = {}
        for number, job in enumerate(self.jobs):
            for sample in job.samples:
                digest = self.files[sample.sample_id]
                if isinstance(digest, FailureToAcquire):
                    self._fail(number, sample.sample_id, digest)
                    continue
                for condition in job.conditions:
                    if sample.sample_id in self.seen[number].failures:
                        break
                    known = None if fresh else self.store.get(job.key(digest, condition))
                    if known is None or not self._note(number, sample.sample_id, condition, known):
                        missing.setdefault(sample.sample_id, []).append((number, condition))
        return missing

    def work(self, missing: Missing, threads: int) -> None:
        from audit.models.pipeline import one_thread_an_image  # noqa: PLC0415 - loads torch

        detectors = {number: detection.load(self.jobs[number].card) for number in _wanted(missing)}
        with decode.quiet_about_size(), one_thread_an_image(), ThreadPoolExecutor(threads) as pool:
            waiting, running = iter(missing), dict[Future[list[_Found]], str]()
            try:
                while True:
                    while len(running) < 2 * threads and (name := next(waiting, None)) is not None:
                        running[pool.submit(self._sample, name, missing[name], detectors)] = name
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        name = running.pop(future)
                        for found in future.result():
                            self._file(name, found)
                        self.report()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _sample(
        self, name: str, wanted: list[tuple[int, Condition]], detectors: Mapping[int, FaceDetector]
    ) -> list[_Found]:
        """Everything that is missing of one picture, one working size after the other.

        It is decoded for each: what a detector sees must not depend on which others are asked.
        """
        content = self._content(name)
        if isinstance(content, FailureToAcquire):
            return [_Found(number, AS_TAKEN, content) for number in dict.fromkeys(number for number, _ in wanted)]
        made: list[_Found] = []
        for size in dict.fromkeys(self._size(number) for number, _ in wanted):
            asked = [(number, condition) for number, condition in wanted if self._size(number) == size]
            made += self._at_size(name, decode.decode_for(content, size), size, asked, detectors)
        return made

    def _at_size(
        self,
        name: str,
        picture: Picture | FailureToAcquire,
        size: int,
        wanted: list[tuple[int, Condition]],
        detectors: Mapping[int, FaceDetector],
    ) -> list[_Found]:
        """Make the picture worse in every way that is asked for, once, and show it to all who ask."""
        if isinstance(picture, FailureToAcquire):
            return [_Found(number, AS_TAKEN, picture) for number in dict.fromkeys(number for number, _ in wanted)]
        pixels, scale = packed.reduced(picture, size)
        asked: dict[tuple[Condition, int], list[int]] = {}
        for number, condition in wanted:
            asked.setdefault((condition, self.jobs[number].seed), []).append(number)
        made = []
        for (condition, seed), numbers in asked.items():
            worse = degrade(pixels, condition, seed, str(self.files[name]))
            made += [_Found(number, condition, self._shown(number, worse, scale, detectors)) for number in numbers]
        return made

    def _size(self, number: int) -> int:
        return self.jobs[number].card.settings.working_size

    def _shown(
        self, number: int, pixels: NDArray[np.uint8], scale: NDArray[np.float64], detectors: Mapping[int, FaceDetector]
    ) -> Template | FailureToAcquire:
        if min(pixels.shape[:2]) < self.jobs[number].card.settings.smallest_face:
            return FailureToAcquire("detect", TOO_SMALL)
        try:
            found = detectors[number].detect(pixels)
        except StoppedError:
            raise
        except NoTemplateError as error:
            return error.failure
        except MemoryError:
            return FailureToAcquire("read", "not enough memory")
        except Exception as error:  # noqa: BLE001 - a detector raises what it likes: its failure is this outcome
            return FailureToAcquire("template", f"the detector failed: {type(error).__name__}")
        return packed.pack(found, scale)

    def _content(self, name: str) -> bytes | FailureToAcquire:
        sample = self.samples[name]
        content = decode.read(sample.path)
        if isinstance(content, FailureToAcquire):
            if not sample.path.parent.is_dir():
                raise DataError(
                    str(sample.path.parent),
                    "has vanished during the run",
                    "Bring it back and run the same command: what was computed is kept",
                )
            return content
        if hashlib.sha256(content).hexdigest() != self.files[name]:
            return FailureToAcquire("read", "file changed during the run")
        return content

    def _file(self, name: str, found: _Found) -> None:
        job, lasting = self.jobs[found.job], True
        if isinstance(found.outcome, FailureToAcquire):
            lasting = found.outcome.stage in {"decode", "detect"}
        self.seen[found.job].computed += 1
        self._note(found.job, name, found.condition, found.outcome)
        if lasting:
            try:
                self.store.put(job.key(str(self.files[name]), found.condition), found.outcome)
            except DataError:
                self.seen[found.job].unsaved += 1

    def _note(self, number: int, name: str, condition: Condition, outcome: Template | FailureToAcquire) -> bool:
        """Take an outcome up; False where it cannot be one of this program."""
        if isinstance(outcome, FailureToAcquire):
            if outcome.stage in _PICTURE or outcome.reason == TOO_SMALL:
                self._fail(number, name, outcome)
                return True
            self.seen[number].outcomes[name, condition.id] = outcome
        else:
            unpacked = packed.unpack(outcome)
            if unpacked is None:
                return False
            self.seen[number].outcomes[name, condition.id] = unpacked
        self.done += 1
        return True

    def _fail(self, number: int, name: str, failure: FailureToAcquire) -> None:
        if name not in self.seen[number].failures:
            self.seen[number].failures[name] = failure
            known = [key for key in self.seen[number].outcomes if key[0] == name]
            for key in known:
                del self.seen[number].outcomes[key]
            self.done += len(self.jobs[number].conditions) - len(known)

    def report(self) -> None:
        if self.progress:
            self.progress("extract", min(self.done, self.total), self.total)
        failed = {name: failure for seen in self.seen for name, failure in seen.failures.items()}
        if self.max_failures is not None and len(failed) > self.max_failures:
            counts = Counter(f"{one.stage}: {one.reason}" for one in failed.values())
            said = "; ".join(f"{count} x {reason}" for reason, count in counts.most_common(3))
            raise DataError(
                "--max-failures",
                f"{len(failed)} samples failed, at most {self.max_failures} are allowed ({said})",
                "Mend the images, or allow more; what was computed is kept",
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    job: int
    condition: Condition
    outcome: Template | FailureToAcquire


def _wanted(missing: Missing) -> Iterator[int]:
    return iter(sorted({number for asked in missing.values() for number, _ in asked}))

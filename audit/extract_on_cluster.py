"""Extraction on a Ray cluster: a worker a processor or a GPU, each with the model, files in and outcomes out.

What travels are the model's weight files, once, and image files as they are, a batch at a time: workers need no folder
in common with this machine, and learn no name, path or label. Files are read and held against their digests here, and
templates are filed here alone. A worker with another version of the package or of what decides a number is refused.

In place of a worker that dies another one starts, and its batches are made again. As no template depends on its
neighbours (`audit.models.pipeline`), it does not matter where, with which others, or in which order an image is worked
on.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from audit import cluster, decode, models, provenance
from audit.domain import FailureToAcquire, Picture
from audit.errors import AuditError, DataError, ModelError
from audit.extract import BATCH_BYTES, File, Parcel, picture
from audit.models.card import ModelCard
from audit.models.guard import Extractor, Outcome, PictureExtractor, outcomes

RETRIES = 5
"""Deaths of workers that a batch survives, and a start; beyond, something in it kills them."""

Load = Callable[[ModelCard, int, str], Extractor]
"""From a card, a number of threads and a device to the model."""


def load(card: ModelCard, threads: int, device: str) -> Extractor:
    """Load a model on a worker."""
    return models.load(card, workers=threads, device=device)


class Worker:
    """A model on some machine.

    Parameters
    ----------
    card : its paths are those of another machine
    preprocessing, code : what the card's preprocessing and this package's code are there
    files : gives the content of the weight files, by their path there
    load : makes the model
    threads, device : for it
    """

    def __init__(
        self,
        card: ModelCard,
        preprocessing: str,
        code: str,
        files: Callable[[], Mapping[Path, bytes]],
        load: Load,
        threads: int,
        device: str,
    ) -> None:
        self._card = card
        self._refusal: AuditError | None = None
        self._lock, self._told = Lock(), dict[str, float]()
        try:
            _require_alike(card, preprocessing, code)
            with tempfile.TemporaryDirectory(prefix="faceaudit-") as folder:
                self._model = load(_moved(card, files(), Path(folder)), threads, device)
        except AuditError as error:
            self._refusal = error

    def why_not(self) -> AuditError | None:
        """Why this worker cannot be used; None where it can."""
        return self._refusal

    def extract(self, files: list[File]) -> tuple[list[Outcome], dict[str, float]]:
        """Outcomes of a batch, in order, and seconds by stage; may be called from several threads."""
        size = self._model.working_size if isinstance(self._model, PictureExtractor) else None
        found: dict[int, Outcome] = {}
        held: dict[int, Picture] = {}
        with decode.quiet_about_size():
            for number, file in enumerate(files):
                made = picture(file, size)
                if isinstance(made, FailureToAcquire):
                    found[number] = made
                    continue
                held[number] = made
                if sum(one.pixels.nbytes for one in held.values()) > BATCH_BYTES:
                    found |= self._outcomes(held)
                    held = {}
        found |= self._outcomes(held)
        return [found[number] for number in range(len(files))], self._spent()

    def _outcomes(self, held: Mapping[int, Picture]) -> dict[int, Outcome]:
        made = outcomes(self._model, list(held.values()), self._card.dimension) if held else []
        return dict(zip(held, made, strict=True))

    def _spent(self) -> dict[str, float]:
        """Seconds by stage that nobody was told of yet."""
        with self._lock:
            now = self._model.seconds if isinstance(self._model, PictureExtractor) else {}
            spent = {stage: seconds - self._told.get(stage, 0.0) for stage, seconds in now.items()}
            self._told = now
        return spent


def _require_alike(card: ModelCard, preprocessing: str, code: str) -> None:
    """Refuse a worker that would make other templates."""
    if provenance.code_digest() != code:
        raise ModelError("--workers", "a worker has another version of faceaudit", "Install the same one everywhere")
    if card.preprocessing != preprocessing:
        versions = ", ".join(card.packages)
        raise ModelError("--workers", f"a worker has other versions of {versions}", "Install the same ones everywhere")


def _moved(card: ModelCard, files: Mapping[Path, bytes], folder: Path) -> ModelCard:
    """The card with its weight files in a folder of this machine."""
    here = {}
    for number, (path, content) in enumerate(files.items()):
        here[path] = folder / str(number) / path.name
        here[path].parent.mkdir()
        here[path].write_bytes(content)
    parts = {name: here[path] for name, path in card.parts.items()}
    return card.model_copy(update={"weights": here[card.weights], "parts": parts})


def on(address: str, card: ModelCard, device: str, load: Load = load) -> Callable[[Iterator[Parcel]], _Arriving]:
    """Give `audit.extract.extract` its `elsewhere`.

    Parameters
    ----------
    address : `ray` or `ray://HOST:PORT`
    device : with `cuda` a worker has a GPU of its own and its share of the processors; otherwise one processor

    Raises
    ------
    PlanError
        If nothing answers at the address.
    ModelError
        If a weight file cannot be read, or a worker has other versions.
    DataError
        If workers die again and again on the same images.
    """
    return partial(_sweep, address, card, device, load)


_Arriving = Generator[tuple[list[int], list[Outcome], Mapping[str, float]]]


def _sweep(address: str, card: ModelCard, device: str, load: Load, parcels: Iterator[Parcel]) -> _Arriving:
    files = {path: _content(path) for path in dict.fromkeys([card.weights, *card.parts.values()])}
    with cluster.connected(address) as ray:
        yield from _Crew(ray, card, files, device, load).work(parcels)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(str(path), f"cannot be read: {error.strerror}", "Give a readable file of weights") from None


@dataclass
class _Batch:
    """A batch under way, and how many workers have died on it."""

    indices: list[int]
    files: list[File]
    deaths: int = 0


class _Crew:
    """The workers of a run, and which batches they hold."""

    def __init__(self, ray: Any, card: ModelCard, files: Mapping[Path, bytes], device: str, load: Load) -> None:
        self._ray = ray
        there = ray.cluster_resources()
        processors = int(there.get("CPU", 1))
        self._size = int(there.get("GPU", 0)) if device == "cuda" else processors
        if not self._size:
            raise ModelError("--device cuda", "no machine of the cluster has a GPU", "Take --device cpu")
        threads = max(1, processors // self._size) if device == "cuda" else 1
        self._ahead = threads + 1  # a batch for every thread, and one in waiting
        made = ray.remote(num_cpus=threads, num_gpus=int(device == "cuda"), max_concurrency=threads)(Worker)
        sent = partial(ray.get, ray.put(files))
        self._make = partial(
            made.remote, card, card.preprocessing, provenance.code_digest(), sent, load, threads, device
        )
        self._starting: dict[Any, Any] = {}
        self._alive: list[Any] = []
        self._held: dict[Any, tuple[Any, _Batch]] = {}
        self._lost = 0

    def work(self, parcels: Iterator[Parcel]) -> _Arriving:
        """Hand out batches as workers become ready, and give back what arrives."""
        batches = (_Batch(*parcel) for parcel in parcels)
        waiting = deque(itertools.islice(batches, self._size))
        for _ in range(len(waiting)):
            self._start()

        def feed(worker: Any) -> None:
            batch = waiting.popleft() if waiting else next(batches, None)
            if batch is not None:
                self._held[worker.extract.remote(self._ray.put(batch.files))] = worker, batch

        try:
            while self._held or (self._starting and waiting):
                (ready, *_), _ = self._ray.wait([*self._held, *self._starting], num_returns=1)
                if ready in self._starting:
                    worker = self._admit(ready)
                    for _ in range(self._ahead if worker else 0):
                        feed(worker)
                    continue
                worker, batch = self._held.pop(ready)
                arrived = self._take(ready, worker, batch)
                if arrived is None:
                    waiting.appendleft(batch)
                else:
                    feed(worker)
                    yield batch.indices, *arrived
        finally:
            for worker in (*self._alive, *self._starting.values()):
                self._ray.kill(worker)

    def _start(self) -> None:
        worker = self._make()
        self._starting[worker.why_not.remote()] = worker

    def _admit(self, ready: Any) -> Any:
        """Take in a worker that has started, or raise what it says against itself; None if another one starts."""
        worker = self._starting.pop(ready)
        try:
            refusal: AuditError | None = self._ray.get(ready)
        except self._ray.exceptions.RayError as error:
            self._lost += 1
            if self._lost > RETRIES:
                found = f"workers cannot be started: {_reason(error)}"
                raise ModelError("--workers", found, "Install the same faceaudit on every machine") from None
            self._start()
            return None
        if refusal is not None:
            raise refusal
        self._alive.append(worker)
        return worker

    def _take(self, ready: Any, worker: Any, batch: _Batch) -> tuple[list[Outcome], Mapping[str, float]] | None:
        """Outcomes of a batch; None if its worker has died, in whose place another one starts."""
        errors = self._ray.exceptions
        try:
            arrived: tuple[list[Outcome], Mapping[str, float]] = self._ray.get(ready)
        except errors.RayError as error:
            batch.deaths += 1
            if batch.deaths > RETRIES or not isinstance(error, errors.RayActorError):
                raise DataError(
                    "--workers",
                    f"workers failed on the same images {batch.deaths} times: {_reason(error)}",
                    "What was computed is kept: run the same command again, with or without Ray",
                ) from None
            if worker in self._alive:  # it may hold another batch, which then comes here too
                self._alive.remove(worker)
                self._start()
            return None
        return arrived


def _reason(error: Exception) -> str:
    """What Ray says last: above it stand traces of its own."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__

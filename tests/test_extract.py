"""Extraction: every sample has an outcome, nothing is computed twice, nothing computed is lost."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit import extract as module
from audit import models
from audit.domain import FaceModel, FailureToAcquire, Picture, Sample, Template
from audit.errors import DataError
from audit.extract import Extraction, extract, hash_samples
from audit.models.card import ModelCard
from audit.plan import make
from audit.store import TemplateStore

DIMENSION = 4


class Colours:
    """A model whose template is the image's mean colour; it fails, raises or misbehaves on certain colours."""

    name = "colours"
    revision = "1"
    card = None

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.loads = 0

    def load(self) -> FaceModel:
        self.loads += 1
        return self

    def extract(self, images: Sequence[np.ndarray]) -> list[Template | FailureToAcquire]:
        self.seen.append(len(images))
        return [self._one(image) for image in images]

    def _one(self, image: np.ndarray) -> Template | FailureToAcquire:
        red, green, blue = image.mean(axis=(0, 1))
        if green > 250:
            raise RuntimeError("a secret path")
        if blue > 250:
            return FailureToAcquire("detect", "no face")
        vector = np.array([red, green, blue, 1], np.float64)
        if red > 250:
            vector[1] = np.nan
        if red == 250:
            vector[:] = 0
        if red == 249:
            vector = vector[:2]
        return Template(vector, 2 if red == 100 else 1)


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    path = tmp_path / "colours.onnx"
    path.write_bytes(b"weights")
    path.with_suffix(".toml").write_text(
        'licence = "MIT"\ntraining_data = "none"\ntraining_consent = "none"\nsimilarity = "cosine"\n'
        f"dimension = {DIMENSION}\n[input]\nsize = 32\nmean = [0, 0, 0]\ndeviation = [1, 1, 1]\n"
    )
    return models.describe(f"onnx:{path}", plan=make({"benchmark": "b", "model": "onnx"}))


@pytest.fixture
def paint(tmp_path: Path) -> Callable[..., Sample]:
    def make_sample(name: str, colour: tuple[int, int, int], size: int = 20) -> Sample:
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (size, size), colour).save(path)
        return Sample(name, name, path)

    return make_sample


@pytest.fixture
def store(tmp_path: Path) -> TemplateStore:
    return TemplateStore(tmp_path / "store")


def go(samples: Sequence[Sample], card: ModelCard, model: Colours, store: TemplateStore, **more: object) -> Extraction:
    return extract(samples, card, model.load, store, digests=hash_samples(samples), **more)


def many(paint: Callable[..., Sample], count: int) -> list[Sample]:
    return [paint(f"s{i:02}", (i + 1, 2, 3)) for i in range(count)]


def test_templates_come_in_sample_order_and_nothing_is_computed_twice(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore
) -> None:
    samples, model, told = many(paint, 40), Colours(), []
    first = go(samples, card, model, store, progress=lambda *said: told.append(said))
    assert first.templates.dtype == np.float32
    assert first.templates[:, 0].tolist() == list(range(1, 41))
    assert first.template_index.tolist() == list(range(40))
    assert (first.recomputed, model.loads, sum(model.seen)) == (40, 1, 40)
    assert told[0] == ("extract", 0, 40)
    assert told[-1] == ("extract", 40, 40)
    second = go(samples, card, model, store)
    assert (second.recomputed, model.loads, sum(model.seen)) == (0, 1, 40)
    assert second.templates.tobytes() == first.templates.tobytes()
    third = go(samples, card, model, store, fresh=True)
    assert (third.recomputed, model.loads) == (40, 2)


def test_only_what_is_missing_is_computed(card: ModelCard, paint: Callable[..., Sample], store: TemplateStore) -> None:
    samples, model = many(paint, 10), Colours()
    go(samples[3:6], card, model, store)
    rest = go(samples, card, model, store)
    assert rest.recomputed == 7
    assert rest.templates[:, 0].tolist() == list(range(1, 11))


def test_a_renamed_image_is_known_and_a_changed_one_is_not(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore, tmp_path: Path
) -> None:
    model = Colours()
    sample = paint("one", (1, 2, 3))
    go([sample], card, model, store)
    moved = Sample("two", "two", sample.path.rename(tmp_path / "elsewhere.png"))
    assert go([moved], card, model, store).recomputed == 0
    assert go([paint("two", (9, 2, 3))], card, model, store).recomputed == 1


def bad_files(folder: Path, paint: Callable[..., Sample]) -> dict[str, tuple[Sample, FailureToAcquire]]:
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "truncated.jpg")
    content = (folder / "truncated.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(content[: len(content) // 2])
    (folder / "text.jpg").write_text("this is no image")
    (folder / "empty.jpg").touch()
    expected = {
        "truncated": ("decode", "truncated image"),
        "text": ("decode", "not an image of a known format"),
        "empty": ("read", "empty file"),
        "missing": ("read", "missing file"),
    }
    found = {
        name: (Sample(name, name, folder / f"{name}.jpg"), FailureToAcquire(*said)) for name, said in expected.items()
    }
    for name, colour, stage, reason in (
        ("blue", (0, 0, 255), "detect", "no face"),
        ("green", (0, 255, 0), "template", "model error: RuntimeError"),
        ("red", (255, 0, 0), "template", "template is not finite"),
        ("dark", (250, 0, 0), "template", "template is zero"),
        ("short", (249, 0, 0), "template", "template is not of the card's dimension"),
    ):
        found[name] = (paint(name, colour), FailureToAcquire(stage, reason))
    return found


def test_every_bad_image_is_its_own_failure_and_no_other_is_lost(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore, tmp_path: Path
) -> None:
    bad = bad_files(tmp_path, paint)
    good = many(paint, 20)
    samples = [*good[:7], *(sample for sample, _ in bad.values()), *good[7:]]
    result = go(samples, card, Colours(), store)
    assert result.failures == {name: failure for name, (_, failure) in bad.items()}
    assert [samples[i].sample_id for i in result.template_index] == [sample.sample_id for sample in good]
    assert result.templates[:, 0].tolist() == list(range(1, 21))


def test_failures_of_bytes_are_kept_and_failures_of_circumstance_are_tried_again(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore, tmp_path: Path
) -> None:
    bad = bad_files(tmp_path, paint)
    samples, model = [sample for sample, _ in bad.values()], Colours()
    first = go(samples, card, model, store)
    second = go(samples, card, model, store)
    assert second.failures == first.failures
    assert second.recomputed == 4  # the four of the stage "template"


def test_a_model_that_answers_too_little_is_asked_one_by_one(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore
) -> None:
    class Lazy(Colours):
        def extract(self, images: Sequence[np.ndarray]) -> list[Template | FailureToAcquire]:
            return super().extract(images[:1])

    assert go(many(paint, 3), card, Lazy(), store).templates[:, 0].tolist() == [1, 2, 3]


def test_ctrl_c_loses_at_most_the_batch_in_flight(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore
) -> None:
    class Stopped(Colours):
        def extract(self, images: Sequence[np.ndarray]) -> list[Template | FailureToAcquire]:
            if len(self.seen) == 2:
                raise KeyboardInterrupt
            return super().extract(images)

    samples = many(paint, 60)
    with pytest.raises(KeyboardInterrupt):
        go(samples, card, Stopped(), store)
    assert go(samples, card, Colours(), store).recomputed == 60 - 2 * module.BATCH


def test_the_batch_stays_within_its_bytes(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_BYTES", 3 * 100 * 100 * 3)
    samples = [paint(f"l{i}", (i + 1, 0, 0), 100) for i in range(7)] + [paint("huge", (99, 0, 0), 300)]
    model = Colours()
    result = go(samples, card, model, store)
    assert model.seen == [3, 3, 1, 1]
    assert result.templates[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7, 99]


def test_too_many_failures_stop_the_run_and_say_which(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore
) -> None:
    samples = [*many(paint, 20), *(paint(f"b{i}", (i, 0, 255)) for i in range(3))]
    with pytest.raises(DataError, match=r"--max-failures: 3 samples failed, at most 2.*3 x detect: no face"):
        go(samples, card, Colours(), store, max_failures=2)
    assert not go(samples, card, Colours(), store, max_failures=3).recomputed


def test_a_file_that_changes_under_the_run_is_not_filed_as_another(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore
) -> None:
    sample = paint("one", (1, 2, 3))
    digests = hash_samples([sample])
    paint("one", (7, 8, 9))
    result = extract([sample], card, Colours().load, store, digests=digests)
    assert result.failures == {"one": FailureToAcquire("read", "file changed during the run")}


def test_a_cache_that_cannot_be_written_is_said_before_the_model_is_loaded(
    card: ModelCard, paint: Callable[..., Sample], tmp_path: Path
) -> None:
    (tmp_path / "blocked").touch()
    model = Colours()
    with pytest.raises(DataError, match="FACEAUDIT_CACHE"):
        go(many(paint, 2), card, model, TemplateStore(tmp_path / "blocked"))
    assert model.loads == 0


def test_a_disk_that_fills_up_loses_nothing_computed(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DataError("cache", "cannot be written: No space left on device")

    monkeypatch.setattr(store, "put", full)
    result = go(many(paint, 5), card, Colours(), store)
    assert (result.unsaved, len(result.templates)) == (5, 5)


def test_a_damaged_entry_is_computed_again(card: ModelCard, paint: Callable[..., Sample], store: TemplateStore) -> None:
    samples = many(paint, 3)
    first = go(samples, card, Colours(), store)
    entry = next(path for path in store.root.rglob("*.outcome"))
    entry.write_bytes(entry.read_bytes()[:-3])
    again = go(samples, card, Colours(), store)
    assert again.recomputed == 1
    assert again.templates.tobytes() == first.templates.tobytes()


def test_several_faces_are_counted(card: ModelCard, paint: Callable[..., Sample], store: TemplateStore) -> None:
    samples = [paint("two", (100, 0, 0)), paint("one", (50, 0, 0))]
    assert go(samples, card, Colours(), store).several_faces == 1
    assert go(samples, card, Colours(), store).several_faces == 1


def test_no_sample_gives_an_empty_table(card: ModelCard, store: TemplateStore) -> None:
    model = Colours()
    result = go([], card, model, store)
    assert result.templates.shape == (0, DIMENSION)
    assert model.loads == 0


def test_digests_are_those_of_the_files(paint: Callable[..., Sample], tmp_path: Path) -> None:
    samples = [*many(paint, 5), Sample("gone", "gone", tmp_path / "gone.png")]
    told: list[tuple[str, int, int]] = []
    found = hash_samples(samples, workers=2, progress=lambda *said: told.append(said))
    assert list(found) == [sample.sample_id for sample in samples]
    for sample in samples[:5]:
        assert found[sample.sample_id] == hashlib.sha256(sample.path.read_bytes()).hexdigest()
    assert found["gone"] == FailureToAcquire("read", "missing file")
    assert told[-1] == ("read", 6, 6)


class Side(Colours):
    """The same, on pictures: a batch waits until two others are worked on beside it, or for ten seconds."""

    working_size = 20
    seconds: dict[str, float]

    def __init__(self) -> None:
        super().__init__()
        self.seconds = {}
        self.met = threading.Barrier(3)
        self.most = 0
        self.inside = 0
        self.lock = threading.Lock()

    def extract_pictures(self, pictures: Sequence[Picture]) -> list[Template | FailureToAcquire]:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        if len(pictures) == module.BATCH:  # and not one of its images again, alone, because the batch raised
            with contextlib.suppress(threading.BrokenBarrierError):
                self.met.wait(timeout=10)
        with self.lock:
            self.inside -= 1
        return self.extract([picture.pixels for picture in pictures])


def test_workers_have_batches_side_by_side_and_outcomes_keep_their_order(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore
) -> None:
    samples, model = many(paint, 6 * module.BATCH), Side()
    samples[5] = paint("bad", (0, 255, 0))
    found = go(samples, card, model, store, workers=3)
    assert model.most == 3
    assert not model.met.broken
    expected = [k + 1 for k in range(len(samples)) if k != 5]
    assert found.templates[:, 0].tolist() == expected
    assert found.failures == {"bad": FailureToAcquire("template", "model error: RuntimeError")}


def test_batches_side_by_side_stay_within_the_bytes_together(
    card: ModelCard, paint: Callable[..., Sample], store: TemplateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for one batch of two pictures: three workers, and yet one batch at a time."""
    monkeypatch.setattr(module, "BATCH_BYTES", 2 * 20 * 20 * 3)
    model = Side()
    found = go(many(paint, 9), card, model, store, workers=3)
    assert model.seen == [2, 2, 2, 2, 1]
    assert model.most == 1
    assert found.templates[:, 0].tolist() == list(range(1, 10))

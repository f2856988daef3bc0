"""Extraction beside the documented loop, beside dlib's own network, and beside the sum of its own stages."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import pytest
import stand_in_weights
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from audit import benchmarks, decode, models
from audit.domain import Picture, Sample
from audit.extract import extract, hash_samples
from audit.models import dlib_net
from audit.models.card import ModelCard
from audit.models.pipeline import Pipeline, one_thread_an_image
from audit.plan import make
from audit.store import TemplateStore

pytestmark = [pytest.mark.performance, pytest.mark.london]


@pytest.fixture(scope="module")
def samples(london: Path, shared: Path) -> tuple[Sample, ...]:
    """Every sixth picture of the London Set."""
    return benchmarks.load("london", data=[shared / "benchmarks"]).samples[::6]


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_seconds(work: Callable[[], object]) -> float:
    """Of all threads: other work on the machine, and how many cores it has, do not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


def spent(card: ModelCard, model: Pipeline, samples: tuple[Sample, ...], cache: Path) -> tuple[np.ndarray, float]:
    """Templates, and CPU seconds of everything from the files to the templates in the cache."""
    found: list[np.ndarray] = []
    used = cpu_seconds(lambda: found.append(extracted(card, model, samples, cache)[0]))
    return found[0], used


def extracted(card: ModelCard, model: Pipeline, samples: tuple[Sample, ...], cache: Path) -> tuple[np.ndarray, float]:
    found = extract(samples, card, lambda: model, TemplateStore(cache), digests=hash_samples(samples))
    assert not found.failures
    return found.templates, found.timing["extract"]


def test_facenet_beside_the_documented_loop(
    samples: tuple[Sample, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fixed weights; the loop is MTCNN on the full picture, its crop of 160 pixels, and the network, on one core."""
    spec, network = f"card:{stand_in_weights.facenet(tmp_path)}", stand_in_weights.inception()
    models_of = {}
    for precision in ("float32", "bfloat16"):
        card = models.describe(
            spec, data=[tmp_path], plan=make({"benchmark": "b", "model": spec, "arithmetic": precision})
        )
        models_of[precision] = card, models.load(card, workers=1)
        extracted(*models_of[precision], samples[:8], tmp_path / "warm")
    detector = MTCNN(margin=0, select_largest=True)
    theirs: list[np.ndarray] = []

    def loop(some: tuple[Sample, ...]) -> None:
        for sample in some:
            face = detector(Image.open(sample.path).convert("RGB"))
            with torch.inference_mode():
                theirs.append(network(face[None]).numpy()[0])

    ours: dict[str, list[np.ndarray]] = {precision: [] for precision in models_of}
    mine, whole = dict.fromkeys(models_of, 0.0), 0.0
    for first in range(0, 32, 8):  # by turns, so that other work on the machine is in the way of both
        some = samples[first : first + 8]
        for precision, (card, model) in models_of.items():
            templates, used = spent(card, model, some, tmp_path / "cache")
            ours[precision].extend(templates)
            mine[precision] += used
        with one_thread_an_image():
            whole += cpu_seconds(lambda some=some: loop(some))
    other = np.array(theirs)
    for precision, made in ours.items():
        found = np.array(made)
        cosine = (found * other).sum(axis=1) / np.linalg.norm(found, axis=1) / np.linalg.norm(other, axis=1)
        ratio = whole / mine[precision]
        with capsys.disabled():
            print(
                f"\nfacenet in {precision}: CPU seconds a picture: loop {whole / len(other):.3f}, "
                f"ours {mine[precision] / len(other):.3f} ({ratio:.1f} x); cosine {np.median(cosine):.4f}"
            )
        assert np.median(cosine) >= 0.99
        if precision == "float32" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
            assert ratio >= 8


def test_deepfaces_model_beside_its_own_represent(
    samples: tuple[Sample, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file of weights, the same network, the same detector (facenet-pytorch's), on one core.

    Its default detector fetches a file, so the one of its detectors is taken whose weights are installed.
    """
    some = samples[::8]
    own = stand_in_weights.deepface(tmp_path, "facenet512")
    home = tmp_path / "home" / ".deepface" / "weights"
    home.mkdir(parents=True)
    (home / "facenet512_weights.pth").symlink_to(tmp_path / "own-facenet512.pth")
    script = Path(__file__).parents[1] / "support" / "deepface_timed.py"
    out = tmp_path / "theirs.npz"
    asked = [script, tmp_path / "home", "Facenet512", "fastmtcnn", out, *(sample.path for sample in some)]
    subprocess.run([sys.executable, *map(str, asked)], check=True, capture_output=True)
    with np.load(out) as said:
        theirs, whole = said["templates"], float(said["seconds"])
    spec = f"card:{own}"
    card = models.describe(spec, data=[tmp_path], plan=make({"benchmark": "b", "model": spec}))
    card = card.model_copy(update={"input": card.input.model_copy(update={"alignment": "deepface"})})
    model = models.load(card, workers=1)
    extracted(card, model, some, tmp_path / "warm")
    ours, mine = spent(card, model, some, tmp_path / "cache")
    cosine = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    with capsys.disabled():
        print(
            f"\ndeepface's Facenet512: CPU seconds a picture: represent {whole / len(some):.2f}, "
            f"ours {mine / len(some):.3f} ({whole / mine:.1f} x); cosine {np.median(cosine):.4f}"
        )
    assert np.median(cosine) >= 0.99
    assert whole >= 5 * mine


def test_dlibs_network_beside_dlibs_own(samples: tuple[Sample, ...], capsys: pytest.CaptureFixture[str]) -> None:
    card = models.describe("dlib", plan=make({"benchmark": "london", "model": "dlib"}))
    model = models.load(card)
    chips = [model.crop(Picture(np.asarray(Image.open(sample.path))))[0] for sample in samples[:24]]
    own = dlib.face_recognition_model_v1(face_recognition_models.face_recognition_model_location())
    theirs: list[np.ndarray] = []
    slow = seconds(lambda: theirs.extend(np.array(own.compute_face_descriptor(chip)) for chip in chips))
    network = dlib_net.read(card.weights.read_bytes(), card.weights)
    batches = [torch.from_numpy(np.stack(chips[k : k + 8]).transpose(0, 3, 1, 2).copy()).float() for k in (0, 8, 16)]
    ours: list[np.ndarray] = []
    with torch.inference_mode(), one_thread_an_image():
        network(batches[0])
        fast = seconds(lambda: ours.extend(row for batch in batches for row in network(batch).numpy()))
    apart = np.abs(np.array(ours) - np.array(theirs)).max()
    with capsys.disabled():
        print(f"\ndlib's network: {slow / fast:.1f} x on one core; largest difference {apart:.1e}")
    assert apart <= 1e-4
    assert slow >= 4 * fast


def test_the_whole_takes_little_more_than_its_stages(
    samples: tuple[Sample, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Decode, detect, align and template one after the other on one core, divided by the cores; taken in turns.

    In CPU seconds too: those are what is done besides the stages, and no wait for a core.
    """
    card = models.describe("dlib", plan=make({"benchmark": "london", "model": "dlib"}))
    model = models.load(card)
    extracted(card, model, samples[:8], tmp_path / "warm")
    contents = [sample.path.read_bytes() for sample in samples]
    digests = hash_samples(samples)

    def stages() -> None:
        with one_thread_an_image():
            model.extract_pictures([decode.decode_for(content, 682) for content in contents])  # type: ignore[misc]

    def whole() -> None:
        extract(samples, card, lambda: model, TemplateStore(tmp_path), digests=digests, fresh=True)

    spent_on: dict[str, list[tuple[float, float]]] = {"stages": [], "whole": []}
    for _ in range(4):
        for work in (stages, whole):
            began = time.process_time()
            taken = seconds(work)
            spent_on[work.__name__].append((taken, time.process_time() - began))
    (alone, alone_cpu), (together, together_cpu) = (np.min(rows, axis=0) for rows in spent_on.values())
    ideal = alone / (os.cpu_count() or 1)
    with capsys.disabled():
        print(
            f"\nstages {alone:.2f} s, over the cores {ideal:.2f} s; whole {together:.2f} s "
            f"({together / ideal:.2f} of it); CPU seconds {alone_cpu:.2f} and {together_cpu:.2f} "
            f"({together_cpu / alone_cpu:.2f} of it)"
        )
    assert together_cpu <= 1.25 * alone_cpu
    assert together <= 1.5 * ideal

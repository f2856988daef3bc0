"""Templates made on a Ray of this machine: those of this process, whoever dies on the way."""

from __future__ import annotations

import json
import os
import signal
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from audit import extract_on_cluster, models, provenance
from audit.cli import app
from audit.domain import FailureToAcquire, Sample, Template
from audit.errors import AuditError, DataError, ModelError
from audit.extract import Extraction, extract, hash_samples
from audit.extract_on_cluster import Worker
from audit.models.card import ModelCard
from audit.plan import make
from audit.store import TemplateStore

COUNT = 70


@pytest.fixture(scope="module")
def local():
    """One Ray for the tests here: two workers of one thread each."""
    ray = pytest.importorskip("ray", reason="pip install 'faceaudit[ray]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Ray's own start-up says is not ours to mend
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
        yield
        ray.shutdown()


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    path = tmp_path / "colours.onnx"
    path.write_bytes(b"weights")
    path.with_suffix(".toml").write_text(
        'licence = "MIT"\ntraining_data = "none"\ntraining_consent = "none"\nsimilarity = "cosine"\n'
        "dimension = 4\n[input]\nsize = 32\nmean = [0, 0, 0]\ndeviation = [1, 1, 1]\n"
    )
    return models.describe(f"onnx:{path}", plan=make({"benchmark": "b", "model": "onnx"}))


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    """Pictures of one colour each; one is no image, one is missing, one has changed."""
    made = []
    for k in range(COUNT):
        path = tmp_path / f"{k}.png"
        Image.new("RGB", (20, 20), (k + 1, 2, 3)).save(path)
        made.append(Sample(f"s{k}", f"p{k}", path))
    made[5].path.write_bytes(b"no image")
    made[9].path.unlink()
    return made


def loader(fatal: int = -1, once: Path | None = None) -> Callable[[ModelCard, int, str], object]:
    """A model whose template is the mean colour; a certain red kills the process, the first time or every time."""

    def load(card: ModelCard, threads: int, device: str) -> object:
        assert card.weights.read_bytes() == b"weights"
        assert threads == 1

        def one(image: np.ndarray) -> Template | FailureToAcquire:
            red, green, blue = image.mean(axis=(0, 1))
            if red == fatal and not (once and once.exists()):
                if once:
                    once.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return (
                Template(np.array([red, green, blue, 1], np.float32)) if red != 8 else FailureToAcquire("detect", "no")
            )

        return SimpleNamespace(extract=lambda images: [one(image) for image in images])

    return load


def go(samples: Sequence[Sample], card: ModelCard, store: Path, **how: object) -> Extraction:
    digests = hash_samples(samples)
    return extract(samples, card, lambda: loader()(card, 1, "cpu"), TemplateStore(store), digests=digests, **how)


def assert_same(one: Extraction, two: Extraction) -> None:
    assert one.templates.tobytes() == two.templates.tobytes()
    assert one.template_index.tolist() == two.template_index.tolist()
    assert one.failures == two.failures


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_changes_nothing_and_all_is_filed_here(
    local: None, card: ModelCard, samples: list[Sample], tmp_path: Path
) -> None:
    died = tmp_path / "died"
    elsewhere = extract_on_cluster.on("ray", card, "cpu", loader(40, died))
    there = go(samples, card, tmp_path / "there", elsewhere=elsewhere)
    assert died.exists()
    here = go(samples, card, tmp_path / "here")
    assert_same(here, there)
    assert (len(there.templates), there.recomputed) == (COUNT - 3, COUNT - 1)
    assert sorted(failure.stage for failure in there.failures.values()) == ["decode", "detect", "read"]
    # The same files lie in both caches, and the second run there computes nothing but what may be mended.
    files = [sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*.outcome")) for n in ("here", "there")]
    assert files[0] == files[1]
    assert go(samples, card, tmp_path / "there", elsewhere=pytest.fail).recomputed == 0


@pytest.mark.filterwarnings("ignore")
def test_images_that_kill_every_worker_end_the_run_in_one_line_and_the_rest_is_kept(
    local: None, card: ModelCard, samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract_on_cluster, "RETRIES", 1)
    elsewhere = extract_on_cluster.on("ray", card, "cpu", loader(COUNT))
    with pytest.raises(DataError, match="workers failed on the same images 2 times") as caught:
        go(samples, card, tmp_path / "there", elsewhere=elsewhere)
    assert "\n" not in str(caught.value)
    again = go(samples, card, tmp_path / "there")
    assert 0 < again.recomputed < COUNT - 1


@pytest.mark.filterwarnings("ignore")
def test_too_many_failures_stop_workers_too(
    local: None, card: ModelCard, samples: list[Sample], tmp_path: Path
) -> None:
    elsewhere = extract_on_cluster.on("ray", card, "cpu", loader())
    with pytest.raises(DataError, match="--max-failures: 3 samples failed"):
        go(samples, card, tmp_path / "there", elsewhere=elsewhere, max_failures=2)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_cannot_load_says_so_in_its_own_words(
    local: None, card: ModelCard, samples: list[Sample], tmp_path: Path
) -> None:
    def refuse(card: ModelCard, threads: int, device: str) -> object:
        raise ModelError("model x", "onnxruntime is not installed", "Install it")

    elsewhere = extract_on_cluster.on("ray", card, "cpu", refuse)
    with pytest.raises(ModelError, match=r"^model x: onnxruntime is not installed\. Install it$"):
        go(samples, card, tmp_path / "there", elsewhere=elsewhere)


@pytest.mark.london
@pytest.mark.filterwarnings("ignore")
def test_a_part_of_london_has_the_same_record(
    local: None, london_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command, with dlib: all but when and how fast, and the same templates in the cache to the last bit."""
    monkeypatch.setenv("FACEAUDIT_DATA", london_env["FACEAUDIT_DATA"])
    records, caches = [], []
    for workers in ("2", "ray"):
        monkeypatch.setenv("FACEAUDIT_CACHE", str(tmp_path / f"cache-{workers}"))
        command = ["run", "--benchmark", "london", "--model", "dlib", "--limit", "5", "--by", "gender", "--fmr", "0.2"]
        more = ["--workers", workers, "--out", str(tmp_path / workers), "--json", "--quiet"]
        made = CliRunner().invoke(app, [*command, *more])
        assert made.exit_code == 0, made.exception
        record = json.loads(Path(json.loads(made.stdout)["evaluations"][0]["record"]).read_bytes())
        records.append({name: value for name, value in record.items() if name not in ("created", "timing")})
        root = tmp_path / f"cache-{workers}" / "templates"
        caches.append({path.relative_to(root): path.read_bytes() for path in root.rglob("*.outcome")})
    assert records[0] == records[1]
    assert len(caches[0]) == 10
    assert caches[0] == caches[1]


def test_a_worker_with_other_versions_is_refused(card: ModelCard) -> None:
    """In this process: what a worker says is the same wherever it stands."""

    def files() -> dict[Path, bytes]:
        return {card.weights: b"weights"}

    alike = (card.preprocessing, provenance.code_digest())
    assert Worker(card, *alike, files, loader(), 1, "cpu").why_not() is None
    for changed, message in (((alike[0], "x"), "another version of faceaudit"), (("x", alike[1]), "other versions of")):
        refusal = Worker(card, *changed, files, loader(), 1, "cpu").why_not()
        assert isinstance(refusal, AuditError)
        assert message in str(refusal)
        assert "\n" not in str(refusal)

"""Threads, batches, tiles and workers change no number: one table of settings, each against the plain way.

`FACEAUDIT_LONG=1` takes every setting alone from the pictures to the record, too, and not only all of them together,
and libraries with one thread (an audit with one of everything is in the short form).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from audit import environment
from audit.compare import halves
from audit.compare.all_pairs import AllPairs
from audit.compare.parts import Checkpoint
from audit.record import EvaluationRecord, read
from audit.reproducing import compare

LONG = os.environ.get("FACEAUDIT_LONG") == "1"
WITHOUT = "pip install 'faceaudit[ray]'"
KINDS = [(128, "euclidean"), (128, "cosine"), (512, "cosine"), (512, "dot")]
"""Dimensions and similarities of the models that are shipped, and the plain product."""
TILES = (64, 100, 256, 512, 1024)
"""Of 16 templates linear algebra takes another way, and scores move by some 1e-7: no setting asks for such tiles."""
WORKERS = (1, 2, 5)


def counted(dimension: int, similarity: str, **how: object) -> str:
    """A digest of everything that 450 templates of 150 people leave: histograms, exact scores, counts at thresholds."""
    rng = np.random.default_rng(dimension)
    people = 150
    owner = np.arange(3 * people) // 3
    own = rng.normal(size=(people, dimension))
    vectors = (own[owner] + 0.8 * rng.normal(size=(3 * people, dimension))).astype(np.float32)
    pairs = AllPairs(vectors, owner, np.arange(people) % 3, 3, similarity, **how)
    scores = pairs.scores()
    thresholds = np.unique(scores.score)[::997]
    counts = pairs.at(thresholds, halves(np.arange(people) % 3, 2, np.random.default_rng(1)), 2)
    held = hashlib.sha256()
    for part in (scores.histogram, scores.score, scores.count, counts.errors, counts.mated_errors, counts.see):
        held.update(np.ascontiguousarray(part).tobytes())
    return held.hexdigest()


@pytest.fixture(scope="module")
def plain() -> dict[tuple[int, str], str]:
    """In one thread and the usual tiles."""
    return {kind: counted(*kind, workers=1) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("workers", WORKERS)
def test_tiles_and_threads_change_no_count(
    plain: dict, monkeypatch: pytest.MonkeyPatch, kind: tuple[int, str], tile: int, workers: int
) -> None:
    monkeypatch.setattr("audit.compare.blocks.BLOCK", tile)
    assert counted(*kind, workers=workers) == plain[kind]


def test_what_is_kept_on_the_way_changes_no_count(plain: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 64)
    monkeypatch.setattr("audit.compare.parts.INTERVAL", 0.0)
    for k, kind in enumerate(KINDS):
        for _ in range(2):  # the second time it goes on from what is there
            kept = Checkpoint(tmp_path / str(k), pytest.fail)
            assert counted(*kind, workers=2, checkpoint=kept) == plain[kind]


def threads_of(number: int) -> dict[str, str]:
    """Every variable by which a library is told its number of threads."""
    return dict.fromkeys(environment.THREADS, str(number))


COUNTED = """
import os, runpy
here = runpy.run_path(os.environ["SELF"])
print(*(here["counted"](*kind) for kind in here["KINDS"]))
"""


@pytest.mark.parametrize("threads", [1, 3] if LONG else [3])
def test_threads_of_libraries_change_no_count(plain: dict, threads: int) -> None:
    """Linear algebra reads its number of threads once, so each is a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", COUNTED], check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SELF": __file__, **threads_of(threads)},
    )  # fmt: skip
    assert run.stdout.split() == [plain[kind] for kind in KINDS]


@pytest.fixture
def cluster() -> Iterator[None]:
    ray = pytest.importorskip("ray", reason=WITHOUT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Ray's own start-up says is not ours to mend
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
        yield
        ray.shutdown()


@pytest.mark.filterwarnings("ignore")
def test_workers_of_ray_change_no_count(cluster: None, plain: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 64)
    assert {kind: counted(*kind, cluster="ray") for kind in KINDS} == plain


MODELS: dict[str, tuple[str, ...]] = {
    "dlib": ("--benchmark", "synthetic", "--model", "dlib"),
    "mobilefacenet": ("--benchmark", "london", "--model", "onnx:mobilefacenet.onnx"),
}
TOGETHER: dict[str, tuple[dict[str, int], dict[str, str]]] = {
    "one of everything": ({"workers": 1, "BATCH": 1}, threads_of(1)),
    "more of everything": ({"workers": 3, "BATCH": 3, "BLOCK": 64}, threads_of(3)),
}
EACH: dict[str, tuple[dict[str, int], dict[str, str]]] = {
    "one worker": ({"workers": 1}, {}),
    "three workers": ({"workers": 3}, {}),
    "batches of one picture": ({"BATCH": 1, "workers": 2}, {}),
    "batches of three pictures": ({"BATCH": 3, "workers": 2}, {}),
    "tiles of 64 templates": ({"BLOCK": 64}, {}),
    "one thread of OpenMP": ({}, {"OMP_NUM_THREADS": "1"}),
    "three threads of OpenMP": ({}, {"OMP_NUM_THREADS": "3"}),
    "one thread of the compiler": ({}, {"NUMBA_NUM_THREADS": "1"}),
}
"""From picture files to the record: sizes and workers, then variables of the environment."""
SETTINGS = {**TOGETHER, **EACH} if LONG else TOGETHER
AUDIT = """
import sys, audit.extract, audit.compare.blocks
from audit.cli import main
audit.extract.BATCH, audit.compare.blocks.BLOCK = {batch}, {block}
main({arguments!r})
"""


def audited(model: str, sizes: dict[str, int], env: dict[str, str], folder: Path) -> EvaluationRecord:
    """A record of eight people, made by a process of its own, with a cache of its own."""
    arguments = ["run", *MODELS[model], "--limit", "8", "--fmr", "0.1", "--json", "--out", str(folder)]
    arguments += ["--workers", str(sizes.get("workers", 0))]
    code = AUDIT.format(batch=sizes.get("BATCH", 8), block=sizes.get("BLOCK", 1024), arguments=arguments)
    run = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True,
        env={**os.environ, "FACEAUDIT_CACHE": str(folder / "cache"), **env},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return read(Path(json.loads(run.stdout)["evaluations"][0]["record"]))


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, dict[str, str]], EvaluationRecord]:
    """The record of a model with nothing set."""
    made: dict[str, EvaluationRecord] = {}

    def get(model: str, env: dict[str, str]) -> EvaluationRecord:
        if model not in made:
            made[model] = audited(model, {}, env, tmp_path_factory.mktemp(model))
        return made[model]

    return get


@pytest.mark.london
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_the_work_changes_a_number(
    default: Callable[[str, dict[str, str]], EvaluationRecord],
    london: Path,
    london_env: dict[str, str],
    tmp_path: Path,
    model: str,
    setting: str,
) -> None:
    data = {"FACEAUDIT_DATA": london_env["FACEAUDIT_DATA"]}
    sizes, variables = SETTINGS[setting]
    made = audited(model, sizes, {**data, **variables}, tmp_path)
    found = compare(default(model, data), made)
    assert found.outcome == "identical", found.differences[:5]
    assert sum(row.compared for row in found.tallies) > 3000

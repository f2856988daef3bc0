"""What comparisons cost, as ratios measured side by side in one process; each figure is a dictionary.

As a program it measures memory in a process of its own: peak megabytes beyond what stood before, and seconds, of
`python comparison_ratios.py ours|roc|pandas TEMPLATES DIMENSION GROUPS`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import torch

from audit import groups
from audit.compare import bfloat16, halves
from audit.compare.all_pairs import AllPairs
from audit.domain import Attribute, Benchmark, Consent, Subject
from audit.metrics import points

IMAGES = 4
TARGETS = (1e-2, 1e-3)
SIDES = (512, 1024, 2048, 4096)
Data = tuple[np.ndarray, np.ndarray, groups.Grouping]


def people(templates: int, dimension: int, tones: int) -> Data:
    """Templates of made-up people, four each, their owners, and the people in groups."""
    number = templates // IMAGES
    rng = np.random.default_rng(1)
    subjects = tuple(Subject(f"s{k}", {"tone": (f"t{k % tones}",)}) for k in range(number))
    consent = Consent("S1", "", "", "CC0", {}, "no", False, "none")
    tone = {"tone": Attribute("tone", "annotated")}
    benchmark = Benchmark("s", "S", "1", Path(), consent, "c", tone, ("tone",), subjects, (), "")
    who = np.repeat(np.arange(number), IMAGES)
    vectors = 2 * rng.standard_normal((len(who), dimension), dtype=np.float32)
    vectors += rng.standard_normal((number, dimension), dtype=np.float32)[who]
    return vectors, who, groups.make(benchmark, ["tone"], subjects)


def ours(data: Data, **how: object) -> float:
    """Seconds from templates to exact thresholds, distributions and clustered sums of all operating points."""
    vectors, who, grouping = data
    half = halves(grouping.atom_of, 20, np.random.default_rng(1))
    began = time.perf_counter()
    pairs = AllPairs(vectors, who, grouping.atom_of, grouping.atoms, "cosine", **how)
    scores = points.exact_scores(pairs, grouping, TARGETS)
    placed = points.operating_points(scores, grouping, TARGETS)
    counts = pairs.at(points.common(placed), half, 20)
    own, _ = points.own_counts(pairs, grouping, placed)
    seconds = time.perf_counter() - began
    number = len(who)
    assert scores.histogram.sum() == number * (number - 1) // 2
    assert counts.errors.sum() > 0
    assert len(own.thresholds) >= 1
    return seconds


def products(vectors: np.ndarray, side: int) -> float:
    """Seconds of the same matrix products alone: torch, all cores, an output that is used again."""
    x = torch.from_numpy(vectors)
    out = torch.empty(side * side)
    began = time.perf_counter()
    for i in range(0, len(x), side):
        for j in range(i, len(x), side):
            one, two = x[i : i + side], x[j : j + side]
            torch.mm(one, two.T, out=out[: len(one) * len(two)].view(len(one), len(two)))
    return time.perf_counter() - began


def interleaved(one: Callable[[], float], two: Callable[[], float], repeats: int) -> dict[str, float]:
    """Median ratio of pairs measured one after the other, and the median seconds."""
    pairs = [(one(), two()) for _ in range(repeats)]
    ratio = statistics.median(first / second for first, second in pairs)
    return {
        "ratio": ratio,
        "first": statistics.median(p[0] for p in pairs),
        "second": statistics.median(p[1] for p in pairs),
    }


def against_products(templates: int, dimension: int, tones: int = 8, repeats: int = 5) -> dict[str, float]:
    """Everything over the products alone, at the tile side at which these are fastest."""
    warm()
    data = people(templates, dimension, tones)
    fastest = min(SIDES, key=lambda side: min(products(data[0], side) for _ in range(2)))
    made = interleaved(lambda: ours(data), lambda: products(data[0], fastest), repeats)
    return {**made, "side": fastest, "templates": templates, "dimension": dimension}


def growth(small: int, large: int, dimension: int, repeats: int = 5) -> dict[str, float]:
    """Time of a comparison among many templates over that among few."""
    warm()
    few, many = people(small, dimension, 8), people(large, dimension, 8)
    per = {n: n * (n - 1) / 2 for n in (small, large)}
    return interleaved(lambda: ours(many) / per[large], lambda: ours(few) / per[small], repeats)


def many_groups(templates: int, dimension: int, repeats: int = 5) -> dict[str, float]:
    """64 groups over one."""
    warm()
    one, many = people(templates, dimension, 1), people(templates, dimension, 64)
    return interleaved(lambda: ours(many), lambda: ours(one), repeats)


def many_comparisons(templates: int, dimension: int, tones: int = 8) -> dict[str, float]:
    """Everything once, in a process of its own, over the products alone right after it; and its memory."""
    found = memory("ours", templates, dimension, tones)
    vectors = people(templates, dimension, tones)[0]
    alone = min(products(vectors, side) for side in (1024, 2048))
    return {**found, "ratio": found["seconds"] / alone}


def ray_workers(templates: int, dimension: int) -> dict[str, float]:
    """How many times as fast two Ray workers of one thread are as one, start-up excluded."""
    import ray  # noqa: PLC0415 - an extra

    data, seconds = people(templates, dimension, 8), {}
    for workers in (1, 2):
        ray.init("local", num_cpus=workers, include_dashboard=False, log_to_driver=False, configure_logging=False)
        ours(people(16_000, 16, 8), cluster="ray")  # start-up: ten tasks, so that every worker has loaded what it needs
        seconds[workers] = ours(data, cluster="ray")
        ray.shutdown()
    return {"ratio": seconds[1] / seconds[2], "first": seconds[1], "second": seconds[2]}


def warm() -> None:
    """Compile, also what multiplies many templates."""
    ours(people(bfloat16.MANY, 16, 8))


def roc(data: Data) -> float:
    """Seconds of scikit-learn's ROC over all scores, materialised."""
    from sklearn.metrics import roc_curve  # noqa: PLC0415 - a peer, where it is installed

    vectors, who, _ = data
    began = time.perf_counter()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    one, two = np.triu_indices(len(unit), 1)
    scores = (unit @ unit.T)[one, two]
    roc_curve(who[one] == who[two], scores)
    return time.perf_counter() - began


def group_by(data: Data) -> float:
    """Seconds of a pandas group-by that counts false matches by pair of groups at one threshold."""
    import pandas as pd  # noqa: PLC0415

    vectors, who, grouping = data
    began = time.perf_counter()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    one, two = np.triu_indices(len(unit), 1)
    atom = grouping.atom_of[who]
    table = pd.DataFrame(
        {"a": atom[one], "b": atom[two], "mated": who[one] == who[two], "wrong": (unit @ unit.T)[one, two] >= 0.1}
    )
    table.groupby(["a", "b", "mated"])["wrong"].agg(["sum", "count"])
    return time.perf_counter() - began


def memory(which: str, templates: int, dimension: int, tones: int = 8) -> dict[str, float]:
    """Peak megabytes beyond what stood before, and seconds, in a process of its own."""
    command = [sys.executable, __file__, which, str(templates), str(dimension), str(tones)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _measure_here(which: str, templates: int, dimension: int, tones: int) -> dict[str, float]:
    work = {"ours": ours, "roc": roc, "pandas": group_by}[which]
    if which == "ours":
        warm()
    else:
        work(people(200, 16, tones))
    data = people(templates, dimension, tones)
    megabytes, seconds = peak(lambda: work(data))
    return {"megabytes": megabytes, "seconds": seconds}


def peak(work: Callable[[], float]) -> tuple[float, float]:
    """Peak megabytes beyond what stood before, while something works, and what it gives."""
    process = psutil.Process()
    before = highest = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.005):
            highest = max(highest, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    given = work()
    done.set()
    watcher.join()
    return (highest - before) / 2**20, given


if __name__ == "__main__":
    print(json.dumps(_measure_here(sys.argv[1], *(int(word) for word in sys.argv[2:5]))))

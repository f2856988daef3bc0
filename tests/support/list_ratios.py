"""What one against many costs beside its matrix products, measured side by side in one process.

As a program it measures memory in a process of its own: peak megabytes beyond templates and libraries, of
`python list_ratios.py PROBES REFERENCES DIMENSION`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
import torch
from comparison_ratios import interleaved, peak

from audit.compare.blocks import ArrayRows
from audit.compare.identify import AgainstList

SIDES = (1024, 4096)


class Data(NamedTuple):
    """Templates, the references first; a third of the probes is of people on the list."""

    vectors: np.ndarray
    subject: np.ndarray
    references: int
    people: int


def people(probes: int, references: int, dimension: int) -> Data:
    rng = np.random.default_rng(1)
    number = 2 * references
    subject = np.r_[np.arange(references), rng.integers(0, number, probes)]
    vectors = rng.standard_normal((len(subject), dimension), dtype=np.float32)
    vectors += rng.standard_normal((number, dimension), dtype=np.float32)[subject]
    return Data(vectors, subject, references, number)


def ours(data: Data) -> float:
    """Seconds from templates to thresholds at two target FPIRs, and all counts there."""
    atoms = np.arange(data.people) % 8
    probes = np.arange(data.references, len(data.subject))
    began = time.perf_counter()
    against = AgainstList(ArrayRows(data.vectors), data.subject, probes, np.arange(data.references), atoms, 8, "cosine")
    scores, _ = against.highest()
    counts = against.at(np.unique(np.quantile(scores, [0.9, 0.99])), (1, 5))
    seconds = time.perf_counter() - began
    assert counts.mated.sum() + counts.nonmated.sum() == len(probes)
    assert counts.false_positives.any()
    return seconds


def products(data: Data, side: int) -> float:
    """Seconds of the same matrix products alone: torch, all cores, an output that is used again."""
    references = torch.from_numpy(data.vectors[: data.references])
    probes = torch.from_numpy(data.vectors[data.references :])
    out = torch.empty(side * side)
    began = time.perf_counter()
    for i in range(0, len(probes), side):
        for j in range(0, len(references), side):
            one, two = probes[i : i + side], references[j : j + side]
            torch.mm(one, two.T, out=out[: len(one) * len(two)].view(len(one), len(two)))
    return time.perf_counter() - began


def against_products(probes: int, references: int, dimension: int, repeats: int) -> dict[str, float]:
    """Ratio to the products at whichever side is fastest here."""
    data = people(probes, references, dimension)
    ours(people(100, 50, dimension))  # compiles
    side = min(SIDES, key=lambda s: products(data, s))
    return {**interleaved(lambda: ours(data), lambda: products(data, side), repeats), "side": side}


def memory(probes: int, references: int, dimension: int) -> float:
    """Peak megabytes beyond templates and libraries, in a process of its own."""
    command = [sys.executable, __file__, str(probes), str(references), str(dimension)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _peak(probes: int, references: int, dimension: int) -> float:
    ours(people(2000, 1500, dimension))
    data = people(probes, references, dimension)
    return peak(lambda: ours(data))[0]


if __name__ == "__main__":
    print(_peak(*(int(word) for word in sys.argv[1:])))

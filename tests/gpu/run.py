"""On a machine with a CUDA device: are counts equal, and how fast is it? Needs torch, numba and numpy alone.

    python tests/gpu/run.py [--templates 20000] [--dimension 512]

Prints one line a check, and exits with 1 if one fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from audit.compare import device, halves
from audit.compare.all_pairs import AllPairs
from audit.compare.counts import Reach


def people(templates: int, dimension: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Templates, their subjects (4 each), and the atom (of 8) of each subject."""
    rng = np.random.default_rng(1)
    number = templates // 4
    who = np.repeat(np.arange(number), 4)
    own = rng.standard_normal((number, dimension), dtype=np.float32)
    return own[who] + 2 * rng.standard_normal((len(who), dimension), dtype=np.float32), who, np.arange(number) % 8


def counted(vectors: np.ndarray, who: np.ndarray, atom_of: np.ndarray, where: str, similarity: str = "cosine") -> tuple:
    """Everything of one audit's comparisons, and the seconds."""
    began = time.perf_counter()
    pairs = AllPairs(vectors, who, atom_of, 8, similarity, device=where)
    scores = pairs.scores(None, [Reach(np.ones((8, 8), dtype=bool), 0.01)])
    above = np.cumsum(scores.histogram[:36].sum(axis=0)[::-1])[::-1]
    threshold = scores.grid.edges()[int(np.argmax(above <= 0.01 * above[0]))]
    errors = pairs.at(np.array([threshold]), halves(atom_of, 20, np.random.default_rng(1)), 20)
    return scores, errors, pairs, time.perf_counter() - began


def products(vectors: np.ndarray, side: int, where: str) -> float:
    """Seconds of the same matrix products alone."""
    x = torch.from_numpy(vectors).to(where)
    out = torch.empty(side * side, device=where)
    if where == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    for i in range(0, len(x), side):
        for j in range(i, len(x), side):
            a, b = x[i : i + side], x[j : j + side]
            torch.mm(a, b.T, out=out[: len(a) * len(b)].view(len(a), len(b)))
    if where == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def main() -> int:
    """Run all checks."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--templates", type=int, default=20_000)
    ask.add_argument("--dimension", type=int, default=512)
    asked = ask.parse_args()
    if not torch.cuda.is_available():
        print("skipped: torch sees no CUDA device")
        return 0
    torch.backends.cuda.matmul.allow_tf32 = False
    print(f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}, numpy {np.__version__}")
    good = True
    for similarity in ("cosine", "euclidean"):
        small = people(6000, asked.dimension)
        here, there = counted(*small, "cpu", similarity), counted(*small, "cuda", similarity)
        equal = np.array_equal(here[0].histogram.sum(axis=1), there[0].histogram.sum(axis=1))
        grid = here[0].grid
        gap = device.TOLERANCE * max(abs(grid.low), abs(grid.high)) * grid.scale
        near = np.zeros(grid.size)
        for _, _, score in here[2].chunks():
            at = (score - grid.low) * grid.scale
            edge = np.rint(at).astype(np.int64)
            close = (np.abs(at - edge) <= gap) & (edge >= 0) & (edge < grid.size)
            near += np.bincount(edge[close], minlength=grid.size)
        above = [np.cumsum(found[0].histogram.sum(axis=0)[::-1])[::-1] for found in (here, there)]
        moved = np.abs(above[0] - above[1])
        fits = bool((moved <= near).all())
        good &= equal and fits
        print(
            f"{similarity}: cells equal {equal}; at most {moved.max():,} of {above[0][0]:,} comparisons on the other "
            f"side of an edge, {near.max():,.0f} lie within the tolerance; within bounds {fits}"
        )
    data = people(asked.templates, asked.dimension)
    counted(*data, "cuda")
    rows = {name: counted(*data, name)[3] for name in ("cuda", "cpu")}
    alone = {side: min(products(data[0], side, "cuda") for _ in range(3)) for side in (2048, 8192, 16384)}
    comparisons = len(data[0]) * (len(data[0]) - 1) // 2
    best = min(alone.values())
    print(f"{len(data[0]):,} templates of {asked.dimension}: {comparisons:,} comparisons")
    print(f"cpu {rows['cpu']:.2f} s, cuda {rows['cuda']:.2f} s ({rows['cpu'] / rows['cuda']:.1f} x), ", end="")
    print(f"products alone on cuda {best:.3f} s (ratio {rows['cuda'] / best:.1f})")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

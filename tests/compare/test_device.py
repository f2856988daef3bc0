"""Tiles with torch against the compiled ones: on the processor the same products, hence the same counts."""

from __future__ import annotations

import numpy as np
import pytest

from audit.compare import all_pairs, device, halves
from audit.compare import counts as limits
from audit.compare.all_pairs import AllPairs
from audit.compare.counts import Reach
from audit.errors import PlanError


def people(number: int, dimension: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(number), rng.integers(1, 5, number))
    own = rng.standard_normal((number, dimension))
    vectors = own[subject] + 0.8 * rng.standard_normal((len(subject), dimension))
    return vectors.astype(np.float32), subject, rng.integers(0, 3, number)


def counted(similarity: str, where: str, number: int = 60, dimension: int = 12) -> tuple:
    vectors, subject, atom_of = people(number, dimension)
    pairs = AllPairs(vectors, subject, atom_of, 3, similarity, device=where)
    scores = pairs.scores(None, [Reach(np.ones((3, 3), dtype=bool), 0.05)])
    threshold = np.quantile(scores.grid.edges(), [0.4, 0.6])
    return scores, pairs.at(threshold, halves(atom_of, 4, np.random.default_rng(1)), 4), pairs


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_torch_and_compiled_tiles_leave_the_same(monkeypatch: pytest.MonkeyPatch, similarity: str) -> None:
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 32)
    monkeypatch.setattr(limits, "EXACT_ROWS", 100)
    compiled = counted(similarity, "cpu")

    def counter(self: AllPairs) -> device.DeviceCounter:
        return device.DeviceCounter(self._blocks, self._atoms, self._grid, "cpu")

    monkeypatch.setattr(all_pairs.AllPairs, "_counter", counter)
    torch = counted(similarity, "cpu")
    np.testing.assert_array_equal(compiled[0].histogram, torch[0].histogram)
    for name in ("errors", "see", "sec", "mated_errors", "half_errors"):
        np.testing.assert_array_equal(getattr(compiled[1], name), getattr(torch[1], name))
    for one, two in zip(compiled[2]._pass.held, torch[2]._pass.held, strict=True):
        assert one.tile == two.tile
        np.testing.assert_array_equal(np.sort(one.place), np.sort(two.place))


@pytest.mark.gpu
@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_a_gpu_counts_the_same_but_at_edges(similarity: str) -> None:
    """Numbers at or above an edge differ by no more than the comparisons that lie within the tolerance of it."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    here, there = counted(similarity, "cpu", 3000, 512), counted(similarity, "cuda", 3000, 512)
    grid = here[0].grid
    reach = max(abs(grid.low), abs(grid.high))
    np.testing.assert_array_equal(here[0].histogram.sum(axis=1), there[0].histogram.sum(axis=1))
    above = [np.cumsum(found[0].histogram.sum(axis=0)[::-1])[::-1] for found in (here, there)]
    near = np.zeros(grid.size)
    for _, _, score in here[2].chunks():
        at = (score - grid.low) * grid.scale
        edge = np.rint(at).astype(int)
        close = (np.abs(at - edge) <= device.TOLERANCE * reach * grid.scale) & (edge >= 0) & (edge < grid.size)
        near += np.bincount(edge[close], minlength=grid.size)
    assert (np.abs(above[0] - above[1]) <= near).all()


def test_a_device_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch  # noqa: PLC0415 - loads in seconds

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(PlanError, match="torch sees no CUDA device"):
        AllPairs(*people(4, 4), 3, "cosine", device="cuda")

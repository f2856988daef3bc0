"""Products in terms of bfloat16: exact, in the steps of the manual, as accurate as float32, the same in every tile."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.compare import bfloat16, halves
from audit.compare import counts as limits
from audit.compare.all_pairs import AllPairs
from audit.compare.counts import Reach
from audit.compare.matrix_unit import DEPTH, SIDE, TERMS, permitted
from audit.compare.pairs import ListedPairs

WAYS = ["anywhere", *(["unit"] if permitted() else [])]
"""This machine's processor may have no such unit; the steps are the same."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(bfloat16, "available", lambda: request.param == "unit")
    return str(request.param)


def of_bits(bits: np.ndarray) -> np.ndarray:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def products(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Scores of all with all; numbers of templates are multiples of 32."""
    made = bfloat16.aligned((len(one), len(two) + bfloat16.GAP), np.float32)
    bfloat16.multiply(bfloat16.terms_of(one), bfloat16.terms_of(two), (0, len(one), 0, len(two)), made)
    return made[:, : len(two)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-(2.0**60), 2.0**60, width=32), min_size=1, max_size=70),
    st.integers(-60, 0),
)
def test_a_number_is_the_sum_of_its_terms(numbers: list[float], power: int) -> None:
    values = np.zeros((bfloat16.PANEL, len(numbers)), dtype=np.float32)
    values[7] = np.array(numbers, dtype=np.float32) * np.float32(2.0**power)
    values[np.abs(values) < 1e-30] = 0
    terms = bfloat16.terms_of(values)
    steps = -(-len(numbers) // DEPTH)
    for rows in (terms.rows, terms.columns.transpose(0, 1, 2, 4, 3, 5).reshape(terms.rows.shape)):
        assert rows.shape == (2, steps, TERMS, SIDE, DEPTH)
        whole = of_bits(rows).astype(np.float64).sum(axis=2).transpose(0, 2, 1, 3).reshape(bfloat16.PANEL, -1)
        np.testing.assert_array_equal(whole[:, : len(numbers)], values)
        assert not whole[:, len(numbers) :].any()


def test_steps_are_those_of_the_manual(way: str) -> None:
    """TDPBF16PS, written down again: products at even and at odd places by themselves, and their sum on top."""
    rng = np.random.default_rng(3)
    one, two = (rng.standard_normal((32, 5 * DEPTH + 3), dtype=np.float32) for _ in "ab")
    found = products(one, two)
    left, right = (of_bits(bfloat16.terms_of(values).rows) for values in (one, two))
    total = np.zeros((32, 32), dtype=np.float32)
    for step in range(left.shape[1]):
        for i, j in ((0, 2), (0, 1), (1, 1), (1, 0), (2, 0), (0, 0)):
            mine, other = (of[:, step, part].reshape(32, DEPTH) for of, part in ((left, i), (right, j)))
            even, odd = np.zeros_like(total), np.zeros_like(total)
            for k in range(0, DEPTH, 2):
                even = even + mine[:, k, None] * other[None, :, k]
                odd = odd + mine[:, k + 1, None] * other[None, :, k + 1]
            total = total + (even + odd)
    assert total.dtype == np.float32
    np.testing.assert_array_equal(found, total)


def _kinds(dimension: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(dimension)
    plain = rng.standard_normal((64, dimension), dtype=np.float32)
    alike = plain[:1] + np.float32(1e-3) * plain
    heavy = plain.copy()
    heavy[:, 0] *= 30 * dimension
    return {
        "plain": plain,
        "alike": alike,
        "one number rules": heavy,
        "never negative": np.maximum(plain, 0),
        "of every size": plain * np.exp(rng.normal(0, 6, (64, dimension))).astype(np.float32),
    }


@pytest.mark.parametrize("dimension", [1, 31, 128, 512, 1000])
@pytest.mark.parametrize("kind", list(_kinds(2)))
def test_scores_are_as_exact_as_float32(way: str, kind: str, dimension: int) -> None:
    """Beside products in float64: at most the rounding of every step, and no worse on average than float32's."""
    unit = _kinds(dimension)[kind]
    unit = unit / np.maximum(np.linalg.norm(unit.astype(np.float64), axis=1, keepdims=True), 1e-30)
    unit = unit.astype(np.float32)
    exact = unit.astype(np.float64) @ unit.T.astype(np.float64)
    off = np.abs(products(unit, unit) - exact)
    plain = np.zeros_like(exact, dtype=np.float32)
    for k in range(dimension):
        plain += unit[:, k, None] * unit[None, :, k]
    assert off.max() < 2.0**-20
    assert np.sqrt((off**2).mean()) <= max(1.5 * np.sqrt(((plain - exact) ** 2).mean()), 2.0**-26)


def test_scores_do_not_depend_on_where_they_are_made(way: str) -> None:
    rng = np.random.default_rng(1)
    one, two = (rng.standard_normal((96, 200), dtype=np.float32) for _ in "ab")
    whole = products(one, two)
    np.testing.assert_array_equal(products(one[32:], two[64:]), whole[32:, 64:])
    made = bfloat16.aligned((32, 64 + 32), np.float32)
    bfloat16.multiply(bfloat16.terms_of(one), bfloat16.terms_of(two), (64, 96, 0, 64), made)
    np.testing.assert_array_equal(made[:, :64], whole[64:, :64])


def people(seed: int = 0, subjects: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), rng.integers(1, 5, subjects))
    vectors = rng.normal(size=(subjects, 40))[subject] + 0.7 * rng.normal(size=(len(subject), 40))
    return vectors.astype(np.float32), subject, np.arange(subjects) % 3


def all_of(similarity: str, **how: object) -> AllPairs:
    vectors, subject, atom_of = people()
    return AllPairs(vectors, subject, atom_of, 3, similarity, by_terms=True, **how)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_all_that_is_counted_is_that_of_the_scores_listed(
    monkeypatch: pytest.MonkeyPatch, way: str, similarity: str
) -> None:
    """Histograms, exact rows and clustered sums, beside the same comparisons one by one; scores beside float64."""
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 64)
    monkeypatch.setattr(limits, "EXACT_ROWS", 100)
    vectors, subject, atom_of = people()
    pairs = all_of(similarity)
    one, two, score = (np.concatenate(column) for column in zip(*all_of(similarity).by_sample(), strict=True))
    values = vectors.astype(np.float64)
    if similarity == "cosine":
        values /= np.linalg.norm(values, axis=1, keepdims=True)
    exact = (values[one] * values[two]).sum(axis=1)
    if similarity == "euclidean":
        exact = -np.linalg.norm(values[one] - values[two], axis=1)
    assert len(score) == len(subject) * (len(subject) - 1) // 2
    np.testing.assert_allclose(score, exact, rtol=3e-6, atol=1e-6)
    listed = ListedPairs(subject[one], subject[two], score, atom_of, 3)
    reach = [Reach(np.ones((3, 3), dtype=bool), 0.05)]
    counted, beside = pairs.scores(None, reach), listed.scores()
    # Dot products and distances have a grid of their own where they are listed.
    every = np.ones(len(counted.histogram), dtype=bool)
    assert counted.total(every) == beside.total(every) == len(score)
    bins = counted.grid.bins(score)
    np.testing.assert_array_equal(counted.summed(every), np.bincount(bins, minlength=counted.grid.size))
    at = np.quantile(score, [0.9, 0.97])
    half = halves(atom_of, 5, np.random.default_rng(1))
    for name in ("errors", "comparisons", "see", "sec", "scc", "mated_errors", "mated", "half_errors"):
        np.testing.assert_array_equal(
            getattr(pairs.at(at, half, 5), name), getattr(listed.at(at, half, 5), name), err_msg=name
        )


@pytest.mark.parametrize("block", [32, 64, 256])
@pytest.mark.parametrize("workers", [1, 3])
def test_tiles_and_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch, way: str, block: int, workers: int) -> None:
    monkeypatch.setattr(limits, "EXACT_ROWS", 100)
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 1024)
    plain = sorted(zip(*(np.concatenate(c) for c in zip(*all_of("cosine").by_sample(), strict=True)), strict=True))
    monkeypatch.setattr("audit.compare.blocks.BLOCK", block)
    monkeypatch.setattr("audit.compare.tiles.SLICE", 32)
    monkeypatch.setattr("audit.compare.tiles.HEIGHT", 64)
    pairs = all_of("cosine", workers=workers)
    assert sorted(zip(*(np.concatenate(c) for c in zip(*pairs.by_sample(), strict=True)), strict=True)) == plain
    assert pairs.scores().total(np.ones(9, dtype=bool)) == len(plain)


def test_one_person_with_more_samples_than_a_block(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr("audit.compare.blocks.BLOCK", 32)
    rng = np.random.default_rng(5)
    subject = np.repeat(np.arange(12), [75, *[3] * 11])
    vectors = rng.normal(size=(len(subject), 20)).astype(np.float32)
    parts, plain = (
        AllPairs(vectors, subject, np.arange(12) % 2, 2, "cosine", by_terms=way_).scores() for way_ in (True, False)
    )
    assert parts.exact
    assert plain.exact
    np.testing.assert_array_equal(np.bincount(parts.cell, parts.count), np.bincount(plain.cell, plain.count))


def test_it_is_taken_for_many_templates_and_not_where_numbers_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bfloat16, "available", lambda: True)
    vectors, subject, atom_of = people()

    def taken(similarity: str, values: np.ndarray) -> bool:
        return AllPairs(values, subject, atom_of, 3, similarity)._by_terms

    assert not taken("cosine", vectors)
    monkeypatch.setattr(bfloat16, "MANY", 100)
    tiny = vectors * np.float32(1e-12)
    assert [taken(kind, vectors) for kind in ("cosine", "dot", "euclidean")] == [True] * 3
    assert [taken(kind, tiny) for kind in ("cosine", "dot", "euclidean")] == [True, False, False]
    monkeypatch.setattr(bfloat16, "available", lambda: False)
    assert not taken("cosine", vectors)


@pytest.mark.skipif(sys.platform != "linux", reason="stacks of signals as Linux has them")
def test_a_unit_that_the_system_refuses_is_not_used() -> None:
    """The system gives a process the unit only if every thread could keep its tiles on its stack of signals."""
    code = (
        "import ctypes\n"
        "libc = ctypes.CDLL(None)\n"
        "class Stack(ctypes.Structure):\n"
        "    _fields_ = [('at', ctypes.c_void_p), ('flags', ctypes.c_int), ('size', ctypes.c_size_t)]\n"
        "memory = ctypes.create_string_buffer(4096)\n"
        "small = Stack(ctypes.addressof(memory), 0, 4096)\n"
        "taken = libc.sigaltstack(ctypes.byref(small), None)\n"
        "from audit.compare import bfloat16\n"
        "import numpy as np\n"
        "values = np.ones((32, 4), np.float32)\n"
        "made = bfloat16.aligned((32, 48), np.float32)\n"
        "terms = bfloat16.terms_of(values)\n"
        "bfloat16.multiply(terms, terms, (0, 32, 0, 32), made)\n"
        "print(taken, bfloat16.available(), made[:, :32].min(), made[:, :32].max())\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert found.stdout.split() == ["0", "False", "4.0", "4.0"]


@pytest.mark.parametrize("setting", ["NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"])
def test_code_for_another_processor_leaves_the_unit_alone(setting: str) -> None:
    """The compiler ended the process: it knows the unit's instructions for processors that have one alone."""
    env = {**os.environ, setting: {"NUMBA_CPU_NAME": "generic"}.get(setting, "+sse2")}
    code = "from audit.compare import bfloat16; print(bfloat16.available())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert found.stdout.split() == ["False"]


def test_what_was_made_of_blocks_goes_with_its_comparisons() -> None:
    """No circle that the collector has to find: a worker would gather the templates of task after task."""
    gc.disable()
    try:
        pairs = all_of("cosine")
        kept = [weakref.ref(pairs._blocks), weakref.ref(pairs._blocks.terms(pairs._blocks.cut[0]))]
        assert all(one() is not None for one in kept)
        del pairs
        assert [one() for one in kept] == [None, None]
    finally:
        gc.enable()


def test_windows_that_do_not_fit_are_refused() -> None:
    terms = bfloat16.terms_of(np.ones((64, 5), np.float32))
    made = bfloat16.aligned((64, 80), np.float32)
    for window, room in (
        ((0, 96, 0, 64), made),
        ((0, 16, 0, 64), made),
        ((0, 64, 0, 64), made[:, :64]),
        ((0, 64, 0, 64), made[:32]),
    ):
        with pytest.raises(ValueError, match="does not fit"):
            bfloat16.multiply(terms, terms, window, room)
    with pytest.raises(ValueError, match="40 templates"):
        bfloat16.terms_of(np.ones((40, 5), np.float32))

"""What people added to the rates: covariances against a plain double loop, and what the cache holds of it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from two_models import Model, draw, measure

from audit import influence
from audit.side_by_side.shared import Shared

POINT = "given-1"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Model]:
    root = tmp_path_factory.mktemp("cache")
    one, two, owner = draw(24, np.random.default_rng(3))
    return measure(one, owner, 0.25, root), measure(two, owner, 0.3, root, lost=3)


def by_pair(model: Model, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """False matches and comparisons of every two people, counted one by one."""
    n = 24
    errors, trials = np.zeros((n, n)), np.zeros((n, n))
    for a, b in itertools.combinations(range(len(model.owner)), 2):
        i, j = model.owner[a], model.owner[b]
        if i == j:
            continue
        wrong = float(model.templates[a].astype(np.float64) @ model.templates[b].astype(np.float64)) >= threshold
        for x, y in ((i, j), (j, i)):
            trials[x, y] += 1
            errors[x, y] += wrong
    return errors, trials


@pytest.mark.parametrize("group", [{}, {"g": "a"}, {"g": "b"}])
def test_covariance_of_two_false_match_rates_is_that_of_a_plain_loop(
    models: tuple[Model, Model], group: dict[str, str]
) -> None:
    """Also where one model has no template of some samples, so that trials differ."""
    inside = np.array([not group or "ab"[k >= 12] == group["g"] for k in range(24)])
    residuals, totals, people = [], [], []
    for model, threshold in zip(models, (0.25, 0.3), strict=True):
        e, c = (x * np.outer(inside, inside) for x in by_pair(model, threshold))
        residuals.append(e - e.sum() / c.sum() * c)
        totals.append(c.sum() / 2)
        people.append((c.sum(axis=1) > 0).sum())
    y, z = residuals
    expected = y.sum(axis=1) @ z.sum(axis=1) - (y * z).sum() / 2
    factor = np.sqrt(np.prod([n / (n - 4) for n in people]))
    shared = Shared.of(models[0].kept, models[1].kept)
    found = shared.covariance("FMR", (POINT, group), (POINT, group))
    assert found == pytest.approx(factor * expected / (totals[0] * totals[1]), rel=1e-9)
    rates = [m.rate("FMR", **group) for m in models]
    floor = ((y / rates[0].errors - z / rates[1].errors) ** 2).sum() / 2
    assert shared.floor((POINT, group), (POINT, group)) == pytest.approx(floor, rel=1e-9)


def test_covariance_of_mated_rates_is_a_sum_over_people(models: tuple[Model, Model]) -> None:
    found = Shared.of(models[0].kept, models[1].kept).covariance("FNMR", (POINT, {}), (POINT, {}))
    residuals, totals = [], []
    for model, threshold in zip(models, (0.25, 0.3), strict=True):
        scores = [
            model.templates[model.owner == k].astype(np.float64) for k in range(24) if (model.owner == k).sum() == 2
        ]
        wrong = np.array([float(t[0] @ t[1] < threshold) for t in scores])
        whole = np.zeros(24)
        whole[24 - len(wrong) :] = wrong - wrong.mean()
        residuals.append(whole)
        totals.append(len(wrong))
    factor = np.sqrt(np.prod([n / (n - 1) for n in totals]))
    assert found == pytest.approx(factor * residuals[0] @ residuals[1] / (totals[0] * totals[1]), rel=1e-9)


@pytest.mark.parametrize("metric", ["FMR", "FNMR"])
def test_covariance_with_itself_is_the_variance(models: tuple[Model, Model], metric: str) -> None:
    for model in models:
        rate = model.rate(metric)
        found = Shared.of(model.kept, model.kept).covariance(metric, (POINT, {}), (POINT, {}))
        assert found == pytest.approx(rate.variance, rel=1e-9)


def test_with_too_many_pairs_the_covariance_is_never_larger(tmp_path: Path) -> None:
    one, two, owner = draw(24, np.random.default_rng(3))
    whole = [measure(t, owner, 0.25, tmp_path) for t in (one, two)]
    without = [measure(t, owner, 0.25, tmp_path, listed=False) for t in (one, two)]
    for group in ({}, {"g": "a"}):
        exact = Shared.of(whole[0].kept, whole[1].kept).covariance("FMR", (POINT, group), (POINT, group))
        bound = Shared.of(without[0].kept, without[1].kept).covariance("FMR", (POINT, group), (POINT, group))
        assert bound <= exact


def test_people_without_a_counterpart_add_nothing(tmp_path: Path) -> None:
    one, two, owner = draw(24, np.random.default_rng(3))
    a, b = measure(one, owner, 0.25, tmp_path), measure(two, owner, 0.25, tmp_path)
    strangers = np.array([b"%032d" % k for k in range(24)], dtype="S32")
    other = b.kept
    stranger = influence.Influence(
        **{**{f: getattr(other, f) for f in other.__dataclass_fields__}, "people": strangers}
    )
    assert Shared.of(a.kept, stranger).covariance("FMR", (POINT, {}), (POINT, {})) == 0


def test_what_is_not_there_has_no_covariance(models: tuple[Model, Model]) -> None:
    shared = Shared.of(models[0].kept, models[1].kept)
    assert shared.covariance("FMR", ("elsewhere", {}), (POINT, {})) is None
    assert shared.covariance("FMR", (POINT, {"g": "z"}), (POINT, {})) is None


def test_the_cache_keeps_it_private_and_whole(models: tuple[Model, Model], tmp_path: Path) -> None:
    from policy_records import made_record  # noqa: PLC0415

    path, record = made_record(tmp_path / "made", people=12)
    root = tmp_path / "made" / "cache"
    folder = root / "influence"
    files = list(folder.iterdir())
    assert len(files) == 2  # the key and one record
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    kept = influence.load(record, root)
    assert kept is not None
    assert len(kept.people) == 36
    entry = next(file for file in files if file.suffix == ".people")
    assert {len(name) for name in kept.people.tolist()} == {32}  # keyed hashes, no ids
    other = made_record(tmp_path / "other", people=12)[1]
    assert other.digests == record.digests
    elsewhere = influence.load(other, tmp_path / "other" / "cache")
    assert not set(elsewhere.people.tolist()) & set(kept.people.tolist())  # another cache, another key
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 0xFF
    entry.write_bytes(content)
    assert influence.load(record, root) is None
    entry.write_bytes(b"")
    assert influence.load(record, root) is None
    assert influence.load(record, tmp_path / "nowhere") is None
    assert "influence" not in path.read_text()

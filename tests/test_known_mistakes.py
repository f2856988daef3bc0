"""METHODS.md, section 5: mistakes that tools of this field make, each with a test that would catch it here."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from audit import scoring
from audit.errors import AuditError
from audit.metrics.thresholds import threshold_at_fmr
from audit.plan import RunOptions
from audit.record import EvaluationRecord, Rate
from audit.scoring import Given
from audit.stats.intervals import wilson

PACKAGE = Path(__file__).resolve().parents[1] / "audit"
Pair = tuple[str, str, float | None]


def audited(
    folder: Path, pairs: list[Pair], labels: dict[str, str], fmr: float = 0.05, **settings: object
) -> EvaluationRecord:
    scores = folder / "scores.csv"
    lines = [f"{one},{two},{'' if score is None else repr(score)}" for one, two, score in pairs]
    scores.write_text("probe_subject,reference_subject,score\n" + "\n".join(lines) + "\n")
    people = folder / "people.csv"
    people.write_text("subject_id,g\n" + "".join(f"{name},{label}\n" for name, label in labels.items()))
    made = scoring.evaluate(Given(scores, people), {"fmr": (fmr,), **settings}, RunOptions(out=folder / "out"))
    return made.record


def rate(record: EvaluationRecord, metric: str, group: str | None, point: str = "global-fmr-0.05") -> Rate:
    wanted = {} if group is None else {"g": group}
    return next(
        r for r in record.rates
        if (r.metric, r.group, r.operating_point, r.reference_group) == (metric, wanted, point, None)
    )  # fmt: skip


def independent(sizes: dict[str, int], seed: int) -> tuple[list[Pair], dict[str, str]]:
    """As many mated and non-mated comparisons a group, each of people of its own, scores of the same distributions."""
    rng = np.random.default_rng(seed)
    pairs: list[Pair] = []
    labels: dict[str, str] = {}
    for group, size in sizes.items():
        for k in range(size):
            one, two = f"{group}{k}x", f"{group}{k}y"
            labels |= {one: group, two: group}
            pairs += [(one, one, float(rng.normal(2, 1))), (one, two, float(rng.normal(0, 1)))]
    return pairs, labels


def test_1_identical_distributions_give_the_same_rates_whatever_the_size_of_a_group(tmp_path: Path) -> None:
    """Thresholds fitted per group by interpolation make the answer depend on 3,000, 300 or 100 pairs.

    Here the rates of all groups are the same within their intervals in both views, over twelve sets of data: intervals
    hold the truth about 95 times in 100, and at groups' own thresholds no size has a rate of its own.
    """
    sets = 12
    held = disparities = 0
    own: dict[str, list[float]] = {"a": [], "b": [], "c": []}
    for seed in range(sets):
        folder = tmp_path / str(seed)
        folder.mkdir()
        record = audited(folder, *independent({"a": 3000, "b": 300, "c": 100}, seed))
        assert [rate(record, "FMR", g).trials for g in "abc"] == [3000, 300, 100]
        for metric, truth in (("FMR", 0.05), ("FNMR", norm.cdf(norm.isf(0.05) - 2))):
            held += sum(
                rate(record, metric, g).interval.low <= truth <= rate(record, metric, g).interval.high for g in "abc"
            )
        for group, rates in own.items():
            rates.append(rate(record, "FNMR", group, f"per-group-fmr-0.05:g={group}").value)
        disparities += any(d.verdict == "DISPARITY" for d in record.differentials)
    total = 6 * sets
    assert held / total >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / total)
    assert disparities <= 2
    for group in "bc":
        apart = np.log(own[group]) - np.log(own["a"])
        assert abs(apart.mean()) <= 3 * apart.std(ddof=1) / math.sqrt(sets)


def test_2_a_failure_is_neither_a_silent_reject_nor_dropped(tmp_path: Path) -> None:
    pairs, labels = independent({"a": 100, "b": 100}, 9)
    mated_b = [k for k, pair in enumerate(pairs) if pair[0] == pair[1] and pair[0].startswith("b")]
    whole = audited(tmp_path, pairs, labels)
    for k in mated_b[:20]:
        pairs[k] = (*pairs[k][:2], None)
    record = audited(tmp_path, pairs, labels)
    fnmr, frr = rate(record, "FNMR", "b"), rate(record, "FRR", "b")
    assert (fnmr.trials, rate(whole, "FNMR", "b").trials) == (80, 100)  # conditional: what was compared
    fta = next(a for a in record.acquisition if a.group == {"g": "b"} and a.stage is None)
    assert (fta.failures, fta.samples) == (40, 400)  # both sides of 20 of 200 comparisons
    assert frr.value == pytest.approx(0.1 + 0.9 * fnmr.value)  # generalised: failures count against the system
    assert next(a for a in record.acquisition if a.group == {"g": "a"} and a.stage is None).failures == 0


def test_3_missing_labels_stay_a_group_and_intervals_count_people(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    names = [f"s{k}" for k in range(40)]
    labels = dict(zip(names, ["a"] * 15 + ["b"] * 15 + [""] * 10, strict=True))
    pairs: list[Pair] = [(one, two, float(rng.normal())) for k, one in enumerate(names) for two in names[k + 1 :]] * 10
    pairs += [(name, name, float(rng.normal(2, 1))) for name in names]
    record = audited(tmp_path, pairs, labels)
    assert rate(record, "FMR", "unknown").trials == 450
    within = sum(rate(record, "FMR", g).trials for g in ("a", "b", "unknown"))
    across = sum(r.trials for r in record.rates if r.metric == "FMR" and r.reference_group is not None)
    everyone = rate(record, "FMR", None)
    assert within + across == everyone.trials == 7800
    errors = [
        r.errors for r in record.rates if r.metric == "FMR" and r.operating_point == "global-fmr-0.05" and r.group
    ]
    assert sum(errors) == everyone.errors
    # The same ten comparisons of every two people ten times over: a row bootstrap would shrink by the root of ten.
    for group in (None, "a", "b"):
        found = rate(record, "FMR", group)
        naive = wilson(found.value, found.trials)
        assert found.interval.high - found.interval.low > 2.5 * (naive[1] - naive[0])


@pytest.mark.parametrize("seed", range(20))
def test_4_the_target_is_never_exceeded(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, counts = np.unique(np.round(rng.normal(size=rng.integers(50, 400)), 1), return_counts=True)
    target = float(rng.uniform(0.01, 0.2))
    found = threshold_at_fmr(scores, counts, target)
    assert counts[scores >= found.value].sum() <= target * counts.sum() + 1e-9
    lower = scores[scores < found.value].max()
    assert counts[scores >= lower].sum() > target * counts.sum()  # the nearest one above it would exceed


def test_4_a_threshold_says_that_it_is_judged_on_its_own_data(tmp_path: Path) -> None:
    record = audited(tmp_path, *independent({"a": 60, "b": 60}, 2))
    assert "120 non-mated comparisons of this benchmark" in record.operating_points[0].set_on
    assert any("set on the comparisons that they are judged on" in line for line in record.limits)


def calls(wanted: Callable[[ast.Call], bool]) -> list[str]:
    """Places in the package where a call is made."""
    return [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and wanted(node)
    ]


def named(call: ast.Call) -> str:
    return ast.unparse(call.func)


def test_5_no_pickle_is_ever_loaded() -> None:
    loads = calls(lambda call: named(call).endswith(("torch.load", "pickle.load", "pickle.loads", "joblib.load")))
    safe = calls(
        lambda call: (
            named(call).endswith("torch.load")
            and any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in call.keywords)
        )
    )
    assert loads == safe
    allowed = calls(
        lambda call: any(k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in call.keywords)
    )
    assert not allowed


def test_6_nothing_of_a_file_is_evaluated() -> None:
    assert not calls(lambda call: named(call) in ("eval", "exec", "compile", "builtins.eval", "pd.eval"))
    assert not calls(lambda call: named(call).endswith((".eval", "frame.query")) and bool(call.args))


def test_7_numbers_are_never_cut_into_bins_that_nobody_declared(tmp_path: Path) -> None:
    pairs, _ = independent({"a": 40}, 1)
    ages = {name: str(20 + k) for k, name in enumerate(dict.fromkeys(name for pair in pairs for name in pair[:2]))}
    with pytest.raises(AuditError, match="a number without declared bins"):
        audited(tmp_path, pairs, ages)


def test_8_too_few_people_are_never_shown_as_fair(tmp_path: Path) -> None:
    """Five people a group, no error in one of them: everything is inconclusive, and the page never says equal."""
    pairs, labels = independent({"a": 40, "b": 5}, 6)
    record = audited(tmp_path, pairs, labels)
    assert {c.verdict for c in record.contrasts} == {"INCONCLUSIVE"}
    assert {d.verdict for d in record.differentials} == {"INCONCLUSIVE"}
    assert all(d.reason for d in record.differentials if d.value is None)
    page = next((tmp_path / "out").rglob("report.html")).read_text().lower()
    for word in ("unbiased", "no bias", "is fair", "are fair"):
        assert word not in page

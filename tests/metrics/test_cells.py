from __future__ import annotations

import numpy as np
import pytest

from audit.metrics.cells import adjusted_rates, effective_zero_sizes, join, log_rates, make_cells, pooled_design_effect


def test_pooled_design_effect_and_zero_sizes_by_hand() -> None:
    """Variances are 2 and 6 times those of independent trials, which are .09/900 and .16/400."""
    errors, totals, subjects = [90, 80, 0], [900, 400, 600], [30, 20, 24]
    variances = [2 * 0.09 / 900, 6 * 0.16 / 400, 0.0]
    deff = (2 * 1e-4 + 6 * 4e-4) / 5e-4
    assert pooled_design_effect(errors, totals, variances) == pytest.approx(deff)
    np.testing.assert_allclose(effective_zero_sizes(errors, totals, subjects, variances), np.array(totals) / deff)


def test_without_any_error_half_the_subjects_stand_for_the_trials() -> None:
    assert pooled_design_effect([0, 0], [100, 100], [0, 0]) is None
    assert effective_zero_sizes([0, 0], [100, 100], [30, 11], [0, 0]).tolist() == [15, 5.5]


def test_logs_for_tests() -> None:
    cells = make_cells(
        [0, 20, 100], [100, 100, 100], [50, 50, 50], [[0, 0, 0], [0, 0.0032, 0], [0, 0, 0]], [49.0, 50.0, 50.0]
    )
    logs, sigma = log_rates(cells)
    np.testing.assert_allclose(logs, np.log([0.5 / 50, 0.2, 1.0]))
    p = 0.5 / 51
    np.testing.assert_allclose(np.diag(sigma), [(1 - 0.01) / (0.01 * 50), 0.0032 / 0.04, p / ((1 - p) * 51)])
    assert np.count_nonzero(sigma - np.diag(np.diag(sigma))) == 0


def test_covariance_is_put_on_the_log_scale() -> None:
    cells = make_cells([10, 40], [100, 100], [50, 50], [[0.001, 0.0005], [0.0005, 0.004]])
    np.testing.assert_allclose(log_rates(cells)[1], [[0.1, 0.0125], [0.0125, 0.025]])


def test_each_error_rate_is_adjusted_by_itself() -> None:
    fmr = make_cells([0, 10], [1000, 1000], [40, 40], np.diag([0, 1e-5]), [1000.0, 1000.0])
    fnmr = make_cells([5, 0], [50, 50], [40, 40], np.diag([1e-3, 0]), [10.0, 10.0])
    rates, flags = adjusted_rates(join(fmr, fnmr, np.zeros((4, 4))))
    np.testing.assert_allclose(rates, [1 - 0.05**0.001, 0.01, 0.1, 0.1])
    assert flags.tolist() == [True, False, False, True]
    none, flagged = adjusted_rates(make_cells([0, 0], [9, 9], [4, 4], np.zeros((2, 2))))
    assert not none.any()
    assert not flagged.any()


def test_empty_groups_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one comparison"):
        make_cells([0, 1], [0, 10], [3, 3], np.diag([0, 0.01]))
    with pytest.raises(ValueError, match="covariance"):
        make_cells([0, 1], [5, 10], [3, 3], np.zeros((3, 3)), [5.0, 5.0])
    one = make_cells([1], [10], [3], [[0.1]])
    with pytest.raises(ValueError, match="joined"):
        join(one, make_cells([1, 1], [10, 10], [3, 3], np.diag([0.1, 0.1])), np.zeros((3, 3)))

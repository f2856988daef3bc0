"""Disparity measures over K groups: the table `MEASURES`, one entry a measure.

Every measure is made from one function `part(choose, rates)`: the groups (worst, best, order, signs) are chosen by
`choose` and the measure is evaluated on `rates`. With both the same it is the measure; with two halves of the subjects
it is its cross-fit, which choosing cannot inflate. Composite measures combine the part of the false match rates with
that of the false non-match rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from audit.metrics import parts
from audit.metrics.cells import Cells, adjusted_rates
from audit.metrics.parts import Floats, Part


@dataclass(frozen=True, slots=True)
class Measure:
    """A disparity measure: its formula, where it is from, and how to compute it."""

    id: str
    formula: str
    source: str
    part: Part
    scale: Literal["ratio", "dispersion", "score"]
    """ratio: 1 is equal, averaged in logarithms; dispersion: 0 is equal; score: 1 is equal, *smaller* is further."""
    zeros: Literal["adjust", "keep", "undefined"]
    """Where a zero cannot stand in it, zero rates are adjusted and flagged, or the measure is undefined."""
    unit: Callable[[float], float] | None
    """From a margin rho to the part's own scale; None: a difference of rates, to which no ratio corresponds."""
    combine: Callable[[Floats, Floats], Floats] | None = None
    """For composites: from the parts of FMR and FNMR to the measure."""
    remark: str = ""

    @property
    def equal(self) -> float:
        """Value where all rates are equal."""
        return 0.0 if self.scale == "dispersion" else 1.0

    @property
    def composite(self) -> bool:
        """Made from FMR and FNMR."""
        return self.combine is not None

    @property
    def scale_free(self) -> bool:
        """Unchanged where all rates are multiplied by one factor."""
        return self.unit is not None

    def __call__(self, choose: Floats, rates: Floats) -> Floats:
        """Evaluate on `rates` what `choose` chose; composites take FMR and FNMR side by side, ... x 2K."""
        if self.combine is None:
            return self.part(choose, rates)
        (c_fmr, c_fnmr), (fmr, fnmr) = np.split(choose, 2, axis=-1), np.split(rates, 2, axis=-1)
        return self.combine(self.part(c_fmr, fmr), self.part(c_fnmr, fnmr))

    def margin(self, rho: tuple[float, ...]) -> float | None:
        """Margin in the measure's own units: of a ratio itself, else the value for two groups at a ratio of rho."""
        if self.unit is None:
            return None
        units = [self.unit(x) for x in rho]
        if self.combine is None:
            return units[0]
        return float(self.combine(np.asarray(units[0]), np.asarray(units[1])))


@dataclass(frozen=True, slots=True)
class Value:
    """What a measure says: a number, or the reason why there is none."""

    value: float | None
    reason: str | None
    components: Mapping[str, float | None]
    zero_adjusted: tuple[int, ...]
    worst: int | None
    best: int | None


def evaluate(measure: Measure, cells: Cells) -> Value:
    """Evaluate a measure on observed rates.

    Parameters
    ----------
    measure : Measure
        Entry of `MEASURES`.
    cells : Cells
        K groups, or both error rates of K groups for a composite.

    Returns
    -------
    Value; `zero_adjusted`, `worst` and `best` are indices of groups, the latter two None for
    composites and where all rates are equal
    """
    k = cells.groups
    if cells.blocks != (2 if measure.composite else 1):
        raise ValueError(f"{measure.id} is made from {'FMR and FNMR' if measure.composite else 'one error rate'}")
    rates, flags = (
        (cells.rates, np.zeros(cells.errors.size, np.bool_)) if measure.zeros == "keep" else adjusted_rates(cells)
    )
    zero = tuple(sorted({int(i) % k for i in np.flatnonzero(flags)}))
    if k < 2:
        return Value(None, "one group: there is nothing to compare", {}, (), None, None)
    blocks = np.split(rates, cells.blocks)
    values = [_part_value(measure, block) for block in blocks]
    components = dict(zip(("FMR", "FNMR"), values, strict=True)) if measure.composite else {}
    worst, best = (None, None) if measure.composite else _ends(cells.rates)
    if any(value is None for value in values):
        return Value(None, "no error in any group", components, (), worst, best)
    if measure.zeros == "undefined" and zero:
        return Value(None, "a group has no error: defined for rates above 0 only", components, zero, worst, best)
    return Value(float(measure(rates, rates)), None, components, zero, worst, best)


def _part_value(measure: Measure, rates: Floats) -> float | None:
    # Nobody's error is no disparity for a difference or a Gini coefficient, and 0/0 for a ratio.
    undefined = measure.scale == "ratio" or measure.zeros != "keep"
    return None if undefined and not rates.any() else float(measure.part(rates, rates))


def _ends(rates: Floats) -> tuple[int | None, int | None]:
    return (None, None) if np.ptp(rates) == 0 else (int(np.argmax(rates)), int(np.argmin(rates)))


def _mean(a: Floats, b: Floats) -> Floats:
    return (a + b) / 2


def _geomean(a: Floats, b: Floats) -> Floats:
    return np.sqrt(a * b)


def _one_minus_mean(a: Floats, b: Floats) -> Floats:
    return 1 - (a + b) / 2


def _as_is(rho: float) -> float:
    return rho


def _half_log10(rho: float) -> float:
    return float(np.log10(rho) / 2)


def _two_group_gini(rho: float) -> float:
    return (rho - 1) / (rho + 1)


_NIST = "NIST IR 8429 (FRTE, Part 8: demographic differentials)"
_TABLE = (
    Measure("max/min", "max x_g / min x_g", _NIST, parts.max_min, "ratio", "adjust", _as_is),
    Measure("max/mean", "max x_g / mean x_g", _NIST, parts.max_mean, "ratio", "keep", _as_is),
    Measure("max/geomean", "max x_g / (prod x_g)^(1/K)", _NIST, parts.max_geomean, "ratio", "adjust", _as_is),
    Measure(
        "mean_abs_log10",
        "mean |log10(x_g / geomean)|",
        _NIST,
        parts.mean_abs_log10,
        "dispersion",
        "adjust",
        _half_log10,
    ),
    Measure(
        "gini",
        "sum_ij |x_i - x_j| / (2 K^2 mean) * K/(K-1)",
        _NIST,
        parts.gini,
        "dispersion",
        "keep",
        _two_group_gini,
        remark="all zero is 0; a terrible but equal system scores 0",
    ),
    Measure(
        "garbe",
        "(gini(FMR) + gini(FNMR)) / 2",
        "Howard et al. (2022), ICPR workshops, a = .5",
        parts.gini,
        "dispersion",
        "keep",
        _two_group_gini,
        _mean,
        remark="a terrible but equal system scores 0",
    ),
    Measure(
        "fdr",
        "1 - (max |FMR_i - FMR_j| + max |FNMR_i - FNMR_j|) / 2",
        "de Freitas Pereira & Marcel (2021), IEEE T-BIOM 4:19-29, a = .5",
        parts.max_difference,
        "score",
        "keep",
        None,
        _one_minus_mean,
        remark="nearly blind to differences of FMR where FMR is low",
    ),
    Measure(
        "ir",
        "sqrt(max FMR / min FMR * max FNMR / min FNMR)",
        "Grother (2021), NIST, inequity rate, a = .5",
        parts.max_min,
        "ratio",
        "undefined",
        _as_is,
        _geomean,
        remark="undefined where a group has no error",
    ),
    Measure(
        "werm",
        "sqrt(max/geomean FMR * max/geomean FNMR)",
        "Linghu et al. (2024), worst-case error rate metric",
        parts.max_geomean,
        "ratio",
        "adjust",
        _as_is,
        _geomean,
    ),
    Measure(
        "ser",
        "max error / min error",
        "Wang & Deng (2020), CVPR, skewed error ratio",
        parts.max_min,
        "ratio",
        "adjust",
        _as_is,
        remark="the error is the named rate at the named operating point; there, it equals max/min",
    ),
    Measure(
        "std",
        "standard deviation of 1 - x_g, ddof 1",
        "Robinson et al. (2020), CVPR workshops (BFW)",
        parts.std,
        "dispersion",
        "keep",
        None,
        remark="of the accuracy in one kind of comparison, mated or non-mated",
    ),
)
MEASURES: Mapping[str, Measure] = MappingProxyType({measure.id: measure for measure in _TABLE})
"""Every disparity measure by its id."""

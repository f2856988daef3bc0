"""The policy as it is written: TOML, frozen, unknown keys refused with the nearest known one."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from audit import toml_text
from audit.errors import PlanError
from audit.record import Group

Metric = Literal["FMR", "FNMR", "FTA", "FAR", "FRR", "MISS", "FDET", "CER", "OFF", "PASS", "STOP", "NPR"]
BY_PERSON = ("MISS", "FDET", "CER", "OFF", "PASS", "STOP", "NPR")
"""Rates of tasks that compare nobody: they are counted at an operating point of their own, set at no FMR."""
BOTH_WAYS = ("CER", "OFF", "PASS", "STOP")
"""Of these, a record also counts what was not processed as an error (generalised)."""
COMPOSITE = ("garbe", "ir", "werm")
"""Measures made from FMR and FNMR together."""
SINGLE = ("max/min", "max/mean", "max/geomean", "mean_abs_log10", "gini", "ser", "std")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class Support(_Part):
    """The least that a number must rest on before it is judged."""

    people: int = Field(0, ge=0, description="people who take part in the comparisons of a group")
    trials: int = Field(0, ge=0, description="comparisons, or samples for FTA")


class Rule(_Part):
    """One rule: of what, for whom, at most how much, and how sure."""

    name: str = Field(min_length=1, max_length=200, description="what the rule is called in logs")
    metric: Metric | None = Field(
        None,
        description="FMR, FNMR, FTA, FAR, FRR, or of tasks that compare nobody MISS, FDET, CER, OFF, PASS, STOP, NPR; "
        "none for garbe, ir and werm",
    )
    view: Literal["conditional", "generalised"] | None = Field(
        None,
        description="conditional (FMR, FNMR, FTA) or generalised (FAR, FRR); follows from the metric, and is asked for "
        "where CER, OFF, PASS or STOP are to count what was not processed as errors",
    )
    operating_point: str | None = Field(None, description="id of an operating point of the record, or target_fmr")
    target_fmr: float | None = Field(None, gt=0, lt=1, description="the operating point set at this FMR")
    threshold: Literal["global", "per-group"] = Field(
        "global", description="global: one threshold for everyone; per-group: each group's own at target_fmr"
    )
    groups: Literal["every", "everyone"] | tuple[str | Group, ...] = Field(
        "every",
        min_length=1,
        description='"every", "everyone", or a list of attributes ("gender", "gender & ethnicity") and groups '
        '({gender = "female"})',
    )
    maximum_rate: float | None = Field(None, gt=0, lt=1, description="largest error rate, between 0 and 1")
    maximum_ratio: float | None = Field(None, gt=1, description="largest ratio to what `to` names, above 1")
    to: Literal["best", "everyone"] | Group = Field(
        "best", description='what a ratio is to: "best", "everyone", or a group such as {gender = "male"}'
    )
    measure: str | None = Field(None, description="a disparity measure, together with maximum")
    maximum: float | None = Field(None, gt=0, description="largest value of `measure`")
    maximum_increase: float | None = Field(
        None, gt=1, description="largest ratio of the rate to that of the earlier record (--against), above 1"
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="confidence of each verdict, above 0.5 and below 1")
    sides: Literal["one", "two"] = Field(
        "one", description="one: the bound itself has this confidence; two: the interval of both bounds has"
    )
    minimum_support: Support = Field(Support(), description="people and trials, for example {people = 30}")
    on_missing: Literal["inconclusive", "violated", "ignored"] = Field(
        "inconclusive", description="what a group without a number counts as: inconclusive, violated or ignored"
    )

    @property
    def tail(self) -> float:
        """Probability with which one bound may be wrong."""
        return (1 - self.confidence) / (1 if self.sides == "one" else 2)

    @property
    def limit(self) -> float:
        """The one limit that the rule states."""
        return next(x for x in (self.maximum_rate, self.maximum_ratio, self.maximum, self.maximum_increase) if x)

    @property
    def way(self) -> str:
        """Which of the views of its metric it judges."""
        return self.view or _view(self.metric)

    @model_validator(mode="after")
    def _one_limit(self) -> Rule:
        given = [name for name in LIMITS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a rule states one of {', '.join(LIMITS)}; found {', '.join(given) or 'none'}")
        if (self.measure is None) != (self.maximum is None):
            raise ValueError("measure and maximum go together")
        if self.maximum_ratio is None and "to" in self.model_fields_set:
            raise ValueError("'to' belongs to maximum_ratio")
        return self

    @model_validator(mode="after")
    def _known_quantity(self) -> Rule:
        if self.measure is not None and self.measure not in (*COMPOSITE, *SINGLE):
            more = "; of fdr larger is better, so it has no maximum" if self.measure == "fdr" else ""
            raise ValueError(f"unknown measure {self.measure!r}: known are {', '.join((*COMPOSITE, *SINGLE))}{more}")
        if (self.measure in COMPOSITE) == (self.metric is not None):
            raise ValueError(
                f"{self.measure} is made from FMR and FNMR: leave out metric" if self.metric else "metric is missing"
            )
        if self.view == "generalised" and self.measure is not None:
            raise ValueError("measures are of conditional rates: leave out view")
        if self.view is not None and self.metric not in BOTH_WAYS and self.view != _view(self.metric):
            raise ValueError(f"{self.metric or self.measure} is {_view(self.metric)}, found view {self.view!r}")
        return self

    @model_validator(mode="after")
    def _place(self) -> Rule:
        given = (self.operating_point is not None) + (self.target_fmr is not None)
        if self.metric == "FTA" and self.measure is None and given:
            raise ValueError("FTA depends on no threshold: leave out operating_point and target_fmr")
        if self.metric in BY_PERSON and self.operating_point is None:
            raise ValueError(f"{self.metric} is counted at an operating_point of the record, such as its decision")
        if self.metric != "FTA" and given != 1:
            raise ValueError("a rule names its threshold once, by operating_point or by target_fmr")
        if self.threshold == "per-group" and (self.target_fmr is None or self.measure or self.maximum_ratio):
            raise ValueError("per-group thresholds go with target_fmr, and with maximum_rate or maximum_increase")
        if self.metric in {"MISS", "FDET"} and self.operating_point is None:
            raise ValueError(f"{self.metric} has no target_fmr: name operating_point, as-taken or degraded")
        if self.threshold == "per-group" and self.metric not in {"FMR", "FNMR"}:
            raise ValueError("at per-group thresholds a record holds FMR and FNMR only")
        return self


LIMITS = ("maximum_rate", "maximum_ratio", "maximum", "maximum_increase")


def _view(metric: str | None) -> str:
    return "generalised" if metric in {"FAR", "FRR"} else "conditional"


class RecordRules(_Part):
    """What the record itself must be, before its numbers are looked at."""

    consent_tiers: tuple[str, ...] = Field((), description="tiers of consent that are accepted; none: any")
    benchmarks: tuple[str, ...] = Field((), description="names of benchmarks that are accepted; none: any")
    maximum_age_days: float | None = Field(None, gt=0, description="oldest record that is accepted, in days")
    refuse_superseded: bool = Field(
        False, description="refuse a record beside which a later one of the same model and benchmark lies"
    )


class Policy(_Part):
    """Named rules, and what the record itself must be."""

    name: str = Field("policy", min_length=1, max_length=200, description="what the policy is called")
    record: RecordRules = RecordRules()
    rules: Annotated[tuple[Rule, ...], Field(description="tables [[rules]]")] = ()

    @model_validator(mode="after")
    def _names(self) -> Policy:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rules are called {twice[0]!r}: give each its own name")
        if not self.rules and self.record == RecordRules():
            raise ValueError("a policy without a rule judges nothing: add a [[rules]] table")
        return self

    @property
    def compares(self) -> bool:
        """Whether a rule needs an earlier record."""
        return any(rule.maximum_increase is not None for rule in self.rules)


DEFAULTS = ("confidence", "sides", "minimum_support", "on_missing")
"""What a table [defaults] may set for all rules."""


def make(values: Mapping[str, Any], *, place: str = "policy") -> Policy:
    """Validate a policy.

    Raises
    ------
    PlanError
        Naming the setting, what was found and what is allowed; unknown names come with the nearest known one.
    """
    rest = dict(values)
    defaults = _table(rest.pop("defaults", {}), f"{place}: defaults")
    _known(defaults, DEFAULTS, f"{place}: defaults")
    _known(rest, ("defaults", *Policy.model_fields), place)
    _known(_table(rest.get("record", {}), f"{place}: record"), RecordRules.model_fields, f"{place}: record")
    rules = rest.get("rules", [])
    if not isinstance(rules, list | tuple):
        raise PlanError(f"{place}: rules", f"expected tables, found {rules!r}", "Write each rule as [[rules]]")
    merged = []
    for number, rule in enumerate(rules, start=1):
        where = f"{place}: rule {number}"
        table = _table(rule, where)
        _known(table, Rule.model_fields, where)
        if isinstance(table.get("minimum_support"), Mapping):
            _known(table["minimum_support"], Support.model_fields, f"{where}: minimum_support")
        merged.append({**defaults, **table})
    try:
        return Policy(**{**rest, "rules": merged})
    except ValidationError as error:
        raise _complaint(error, place) from None


def _table(found: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise PlanError(place, f"expected a table, found {found!r}", "See docs/gate.md for an example")
    return found


def _known(table: Mapping[str, Any], known: Any, place: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, list(known), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}"
            raise PlanError(place, f"unknown setting {key!r}", hint)


def _complaint(error: ValidationError, place: str) -> PlanError:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    way_out = ""
    if where and where[0] == "rules" and len(where) > 1:
        at = f"{place}: rule {int(where[1]) + 1}"
        name = where[2] if len(where) > 2 else ""
        way_out = Rule.model_fields[name].description or "" if name in Rule.model_fields else ""
        place = f"{at}: {'.'.join(where[2:3])}" if name else at
    elif where:
        place = f"{place}: {'.'.join(where)}"
    message = first["msg"].removeprefix("Value error, ")
    found = "" if isinstance(first["input"], dict | Mapping) else f" (found {str(first['input'])[:80]!r})"
    return PlanError(place, message + found, way_out)


def read(path: Path) -> Policy:
    """Read POLICY.toml.

    Raises
    ------
    PlanError
        If it cannot be read, is no TOML or is no policy.
    """
    try:
        values = toml_text.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PlanError(str(path), "no such policy", "Give the path of a POLICY.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(str(path), f"not valid TOML: {error}", "Mend that line") from None
    except OSError as error:
        raise PlanError(str(path), f"cannot be read: {error.strerror}", "Give a readable file") from None
    return make(values, place=str(path))

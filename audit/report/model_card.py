"""The section for a model's card on the Hugging Face hub: results by group as metadata, the verdict as text.

The metadata follows the hub's `model-index`: results of a task on a data set, each with metrics that have a type, a
value, a name and arguments. A rate is one metric: its name says group and counts, its arguments hold them with the
interval. What could not be measured is left out there and stands in the text. `verified` is false: the hub means by it
that it ran the evaluation itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from audit.record import EvaluationRecord, OperatingPoint, Rate, group_text
from audit.report import markdown, parts
from audit.report.strings import say
from audit.report.view import words
from audit.report.view.rates import of_counts
from audit.report.view.source import Source

TASK = "image-feature-extraction"
"""The hub's word for a model that turns a picture into a template."""
TYPES = {
    "FMR": "false_match_rate",
    "FNMR": "false_non_match_rate",
    "FTA": "failure_to_acquire_rate",
    "MISS": "miss_rate",
    "CER": "classification_error_rate",
    "OFF": "age_off_rate",
    "PASS": "challenge_age_passed_rate",
    "STOP": "challenge_age_stopped_rate",
    "NPR": "not_processed_rate",
}
BY_DECISION = ("CER", "OFF", "PASS", "STOP", "NPR")
"""Rates whose operating point is a decision of its own, called by its id."""


def page(record: EvaluationRecord, view: parts.ReportView) -> str:
    """Render the section: YAML between two lines of dashes, then Markdown."""
    metadata = "\n".join(("---", *_yaml({"model-index": [index(record)]}, 0), "---"))
    table = [
        block
        for section in view.sections
        for block in section.blocks
        if isinstance(block, parts.Table) and block.id == "groups"
    ]
    made = [f"## {say('card.title')}", f"{markdown.escape(view.title)}. {markdown.escape(view.subtitle)}"]
    made += [f"> **{markdown.escape(alert)}**" for alert in view.alerts]
    made += [markdown.escape(view.consent), *markdown.short(view, 3)]
    for block in table:
        made += markdown.table(block)
    made += _limits(view)
    made += [say("card.how"), markdown.escape(view.footer)]
    return f"{metadata}\n\n{markdown.joined(made)}"


def _limits(view: parts.ReportView) -> list[str]:
    """What the report cannot say: a card is quoted without the report, so they go along."""
    section = next((one for one in view.sections if one.id == "limits"), None)
    if section is None:
        return []
    listed = [item for block in section.blocks if isinstance(block, parts.Listing) for item in block.items]
    return [f"### {markdown.escape(section.title)}", markdown.listing(listed)]


def index(record: EvaluationRecord) -> dict[str, Any]:
    """The entry of a model in `model-index`, as plain data with its texts cleaned."""
    source = Source.of(record)
    benchmark, model = source.record.benchmark, source.record.model
    dataset: dict[str, Any] = {"type": benchmark.name, "name": benchmark.title or benchmark.name}
    if benchmark.version:
        dataset["revision"] = benchmark.version
    dataset["args"] = {"consent_tier": benchmark.consent_tier, "people": source.record.samples.subjects}
    result = {
        "task": _task(source),
        "dataset": dataset,
        "metrics": list(_metrics(source)),
    }
    return {"name": model.name, "results": [result] if result["metrics"] else []}


def _task(source: Source) -> dict[str, str]:
    if source.record.detection is not None:
        return {"type": "object-detection", "name": say("card.task_detection")}
    if source.record.attributes is not None:
        return {"type": "image-classification", "name": say("card.task_attributes")}
    return {"type": TASK, "name": say("card.task")}


def _metrics(source: Source) -> Iterator[dict[str, Any]]:
    points = {point.id: point for point in source.shared}
    for rate in source.record.rates:
        point = None if rate.operating_point is None else points.get(rate.operating_point)
        shared = point is not None or rate.metric == "FTA"
        told = rate.value is not None and not source.banded(rate.group) and rate.reference_group is None
        if rate.metric in TYPES and rate.view == "conditional" and shared and told:
            yield _metric(rate, point)


def _metric(rate: Rate, point: OperatingPoint | None) -> dict[str, Any]:
    said = {
        "metric": rate.metric,
        "group": words.group_name(rate.group),
        "counts": of_counts(rate),
        "people": words.people(rate.subjects),
    }
    if point is None:
        name = say("card.name", **said)
    elif rate.metric in BY_DECISION:
        name = say("card.at_point", point=point.id, **said)
    elif rate.metric == "MISS":
        name = say("card.at_setting", setting=words.key_word("setting", point.id), **said)
    else:
        name = say("card.at", target=words.target(point.target_fmr), **said)
    args: dict[str, Any] = {"group": group_text(rate.group), "errors": rate.errors, "trials": rate.trials}
    args |= {"people": rate.subjects, "support": rate.support}
    if rate.interval is not None:
        low, high = max(0.0, rate.interval.low), min(1.0, rate.interval.high)
        args |= {"low": low, "high": high, "level": rate.interval.level, "method": rate.interval.method}
    if rate.zero_errors and rate.upper_bound is not None:
        args["upper_bound_95"] = rate.upper_bound
    if point is not None:
        name_of_value = "mean_threshold_of_folds" if point.by_fold else "threshold"
        args |= {name_of_value: point.threshold, "target_fmr": point.target_fmr}
    told = {key: value for key, value in args.items() if value is not None}
    return {"type": TYPES[rate.metric], "value": rate.value, "name": name, "args": told, "verified": False}


def _yaml(value: dict[str, Any], depth: int) -> Iterator[str]:
    """Lay data out as YAML: keys are ours, every text is quoted as JSON quotes it, which YAML reads alike."""
    room = "  " * depth
    for key, held in value.items():
        if isinstance(held, dict):
            yield f"{room}{key}:"
            yield from _yaml(held, depth + 1)
        elif isinstance(held, list):
            yield f"{room}{key}:" if held else f"{room}{key}: []"
            for item in held:
                first, *rest = _yaml(item, depth + 1)
                yield f"{room}- {first.lstrip()}"
                yield from rest
        else:
            yield f"{room}{key}: {_scalar(held)}"


def _scalar(value: object) -> str:
    r"""Print a scalar.

    >>> [_scalar(x) for x in (0.225, 1e-05, 3, False, 'a: "b" #c')]
    ['0.225', '1.0e-05', '3', 'false', '"a: \\"b\\" #c"']
    """
    if isinstance(value, float) and math.isfinite(value):
        shown = repr(value)
        return shown.replace("e", ".0e") if "e" in shown and "." not in shown else shown
    return json.dumps(value, ensure_ascii=False)

"""The threshold that comes with a model, and the model's papers, as a reviewer reads them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from audit import record as r
from audit import trained_on
from audit.record import EvaluationRecord
from audit.report import parts
from audit.report.view import make
from audit.report.view.source import Source

STATED = r.VendorThresholdPart(
    value=0.6, unit="euclidean", meaning="one person below it", source="its README", threshold=0.6
)


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if dataclasses.is_dataclass(value):
        return [t for field in dataclasses.fields(value) for t in texts(getattr(value, field.name))]
    return [t for item in value for t in texts(item)] if isinstance(value, tuple) else []


def with_model(record: EvaluationRecord, **changes: Any) -> EvaluationRecord:
    return record.model_copy(update={"model": record.model.model_copy(update=changes)})


def judged(record: EvaluationRecord, target: str = "global-fmr-0.001") -> EvaluationRecord:
    """The record with its point at a target renamed into the vendor's."""
    points = [
        p.model_copy(update={"id": "vendor-0.6", "policy": "given", "target_fmr": None}) if p.id == target else p
        for p in record.operating_points
    ]
    rates = [
        one.model_copy(update={"operating_point": "vendor-0.6"}) if one.operating_point == target else one
        for one in record.rates
    ]
    stated = STATED.model_copy(update={"operating_point": "vendor-0.6"})
    return with_model(record.model_copy(update={"operating_points": points, "rates": rates}), vendor_threshold=stated)


def section(record: EvaluationRecord, name: str) -> parts.Section | None:
    return next((one for one in make(record).sections if one.id == name), None)


def test_groups_of_one_rate_have_no_two_ends(london_like: EvaluationRecord) -> None:
    record = judged(london_like)
    none = {"errors": 0, "value": 0.0, "zero_errors": True}
    rates = [one.model_copy(update=none) if one.operating_point == "vendor-0.6" else one for one in record.rates]
    shown = section(record.model_copy(update={"rates": rates}), "vendor")
    assert shown is not None
    assert "By group its false match rate goes from" not in shown.lead


def test_one_sentence_says_what_the_threshold_really_does(london_like: EvaluationRecord) -> None:
    record = judged(london_like)
    shown = section(record, "vendor")
    assert shown is not None
    everyone = next(x for x in record.rates if x.operating_point == "vendor-0.6" and x.metric == "FMR" and not x.group)
    assert "dlib comes with a threshold of 0.6 (distance, at most)." in shown.lead
    assert f"{everyone.errors} of {everyone.trials:,} comparisons of different people pass" in shown.lead
    assert "No comparison of the same person fails" in shown.lead
    assert "By group its false match rate goes from" in shown.lead
    (table,) = (block for block in shown.blocks if isinstance(block, parts.Table))
    assert table.rows[0][0].text == "everyone"
    assert {"one person below it", "its README"} <= set(texts(shown.blocks))


def test_the_ends_are_the_groups_with_the_highest_and_lowest_rate(london_like: EvaluationRecord) -> None:
    record = judged(london_like)
    shown = section(record, "vendor")
    assert shown is not None
    rates = [
        x for x in record.rates
        if x.operating_point == "vendor-0.6" and x.metric == "FMR" and len(x.group) == 2 and x.value is not None
        and x.reference_group is None and x.view == "conditional"
    ]  # fmt: skip
    most = max(rates, key=lambda x: x.value or 0)
    assert shown.lead.endswith(f"({most.errors} of {most.trials:,}).")


def test_a_threshold_that_was_given_is_no_headline(london_like: EvaluationRecord) -> None:
    record = judged(london_like, "global-fmr-0.001")
    headline = Source.of(record).headline
    assert headline is not None
    assert headline.policy == "global"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vendor_threshold": None}, "None is stated."),
        ({"vendor_threshold": STATED}, "It was not judged here."),
        ({"vendor_threshold": STATED.model_copy(update={"threshold": None})}, "another unit than the scores"),
    ],
)
def test_without_a_judged_threshold_there_is_no_section_and_the_card_says_why(
    london_like: EvaluationRecord, changes: dict[str, Any], said: str
) -> None:
    record = with_model(london_like, **changes)
    assert section(record, "vendor") is None
    shown = section(record, "model")
    assert shown is not None
    assert any(said in text for text in texts(shown.blocks))


def test_the_papers_of_a_model_in_plain_words(london_like: EvaluationRecord) -> None:
    record = with_model(
        london_like,
        weights_licence="CC BY-NC-SA 4.0", research_only=True, digest_source="published by somebody",
        training_sets=trained_on.sets(["MS1MV2", "Nobody's set"]), self_declared=True,
        paper=r.PaperPart(title="A Paper", year=2014, link="https://example.org/paper"),
    )  # fmt: skip
    shown = section(record, "model")
    assert shown is not None
    said = " | ".join(texts(shown.blocks))
    for text in (
        "Self-declared weights", "CC BY-NC-SA 4.0 (For research only.)", "published by somebody",
        "MS-Celeb-1M", "WITHDRAWN June 2019", "not in the catalogue", "A Paper (2014), https://example.org/paper",
    ):  # fmt: skip
        assert text in said
    assert any("Self-declared weights" in alert for alert in make(record).alerts)
    assert not any("Self-declared" in alert for alert in make(london_like).alerts)


def test_consent_in_the_training_data_is_read_from_the_catalogue() -> None:
    from audit.benchmarks import catalogue  # noqa: PLC0415

    entry = catalogue.find("VGGFace2")
    assert entry is not None
    (shown,) = trained_on.sets(["vgg_face2"])
    assert (shown.name, shown.tier) == (entry.name, entry.tier)
    assert (shown.consent, shown.status) == (entry.fact("consent"), entry.fact("status"))

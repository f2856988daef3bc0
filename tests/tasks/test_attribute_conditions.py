"""Errors of single pictures that capture conditions are weighed with: by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audit.domain import Attribute, AttributeEstimate, FailureToAcquire, Sample
from audit.metrics.attributes import NO_TRUTH, vocabulary
from audit.models.attributes.card import Says
from audit.tasks.attribute_conditions import errors
from audit.tasks.attribute_truth import AgeTruth, LabelTruth, Truth


def test_errors_are_of_pictures_whose_truth_could_be_said() -> None:
    """Five people, a picture each: right, wrong, not processed, of no known truth, of a truth that it cannot say."""
    gender = Says(attribute="gender", labels=("Woman", "Man"), meaning="m", words={"Woman": "female", "Man": "male"})
    words = vocabulary(["female", "male", "nonbinary"], gender.labels, gender.words)
    labels = LabelTruth(
        gender, Attribute("gender", "self-reported"), words, np.array([0, 0, 1, NO_TRUTH, 2], dtype=np.int64), {}
    )
    years = AgeTruth(
        Says(attribute="age", meaning="m"), Attribute("age", "self-reported", "numeric"),
        np.array([30.0, 30.0, 30.0, np.nan, 30.0]), {},
    )  # fmt: skip
    samples = [Sample(f"s{k}", f"p{k}", Path("x")) for k in range(5)]
    said = {
        f"s{k}": AttributeEstimate(age, {"gender": {"Woman": p, "Man": 1 - p}})
        for k, (age, p) in enumerate([(34.0, 0.9), (36.0, 0.2), (30.0, 0.5), (30.0, 0.5), (None, 0.5)])
    } | {"s2": FailureToAcquire("detect", "no face")}
    found = errors(samples, np.arange(5), said, Truth((labels,), years), (5.0,))
    assert list(found) == ["gender wrong", "age off by more than 5 years"]
    np.testing.assert_array_equal(found["gender wrong"], [0, 1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["age off by more than 5 years"], [0, 1, np.nan, np.nan, np.nan])

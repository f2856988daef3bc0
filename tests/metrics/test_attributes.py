"""Misclassification by group and true class: by hand, and as Gender Shades reads its own table."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from audit import groups
from audit.compare import halves
from audit.domain import Attribute, DemographicGroup, ErrorRate, Subject
from audit.groups import Grouping
from audit.metrics import attributes, by_person, disparities
from audit.metrics.attributes import LabelOutcomes, Vocabulary, vocabulary
from audit.metrics.by_person import PersonEvidence
from audit.metrics.evaluation import Measured
from audit.stats.clustered import subject_covariance

SHAPE = {"level": 0.95, "min_subjects": 2}
GENDER = Attribute("gender", "self-reported", values=("female", "male", "nonbinary"))


class Set:
    name = "set"
    attributes: ClassVar = {"gender": GENDER, "skin": Attribute("skin", "annotated", values=("darker", "lighter"))}


def person(gender: str, skin: str = "darker") -> Subject:
    return Subject(f"{gender}{skin}", {"gender": (gender,) if gender else (), "skin": (skin,)})


@pytest.fixture
def small() -> tuple[LabelOutcomes, Grouping]:
    """Seven people with two or three pictures each, by hand.

    ====== ========= ======= ====== ==== ====
    person gender    skin    female male lost
    ====== ========= ======= ====== ==== ====
    0      female    darker  1      1    0
    1      female    darker  0      2    1
    2      female    lighter 2      0    0
    3      male      darker  0      2    0
    4      male      lighter 1      1    0
    5      nonbinary lighter 1      1    1
    6      unknown   lighter 2      0    0
    ====== ========= ======= ====== ==== ====
    """
    people = [
        person("female"), person("female"), person("female", "lighter"), person("male"), person("male", "lighter"),
        person("nonbinary", "lighter"), person("", "lighter"),
    ]  # fmt: skip
    values, truth, without = attributes.true_labels(people, GENDER)
    assert (values, truth.tolist(), without) == (
        ("female", "male", "nonbinary"),
        [0, 0, 0, 1, 1, 2, -1],
        {"no label": 1},
    )
    said = np.array([[1, 1], [0, 2], [2, 0], [0, 2], [1, 1], [1, 1], [2, 0]])
    words = vocabulary(values, ["Woman", "Man"], {"Woman": "female", "Man": "male"})
    outcomes = LabelOutcomes(words, truth, said, np.array([0, 1, 0, 0, 0, 1, 0]))
    return outcomes, groups.make(Set(), ["gender", "skin"], people)


AT = by_person.point("gender", None, "the most probable label")


def measure(outcomes: LabelOutcomes, grouping: Grouping) -> dict[str, Measured]:
    one = attributes.decided(outcomes, "gender")
    return {
        "conditional": by_person.measure(one.counted(), grouping, AT, **SHAPE),
        "generalised": by_person.measure(one.generalised(), grouping, AT, **SHAPE),
    }


def of(measured: dict[str, Measured], metric: str, view: str = "conditional", **group: str) -> ErrorRate:
    wanted = DemographicGroup.of(group)
    return next(r for r in measured[view].rates if r.metric == metric and r.group == wanted)


def test_errors_by_hand_in_both_views(small: tuple[LabelOutcomes, Grouping]) -> None:
    outcomes, grouping = small
    measured = measure(outcomes, grouping)

    def counts(view: str, **group: str) -> tuple[int, int, int]:
        rate = of(measured, "CER", view, **group)
        return rate.errors, rate.trials, rate.subjects

    assert counts("conditional") == (1 + 2 + 0 + 0 + 1, 10, 5)
    assert counts("conditional", gender="female") == (3, 6, 3)
    assert counts("conditional", gender="male") == (1, 4, 2)
    assert counts("conditional", gender="female", skin="darker") == (3, 4, 2)
    assert counts("generalised", gender="female", skin="darker") == (4, 5, 2)
    # Nobody says nonbinary: left out in one view, three errors of three in the other.
    assert counts("conditional", gender="nonbinary") == (0, 0, 0)
    assert of(measured, "CER", gender="nonbinary").value is None
    assert counts("generalised", gender="nonbinary") == (3, 3, 1)
    assert counts("generalised") == (4 + 1 + 3, 14, 6)
    # Without a true label nothing is right or wrong.
    assert counts("generalised", gender="unknown") == (0, 0, 0)
    lost = of(measured, "NPR")
    assert (lost.errors, lost.trials) == (4, 14)


def test_intervals_are_clustered_by_person(small: tuple[LabelOutcomes, Grouping]) -> None:
    outcomes, grouping = small
    measured = measure(outcomes, grouping)
    errors, trials = np.array([[1], [2], [0], [0], [1]]), np.full((5, 1), 2)
    assert of(measured, "CER").variance == pytest.approx(float(subject_covariance(errors, trials)[0, 0]))


def test_confusion_by_hand(small: tuple[LabelOutcomes, Grouping]) -> None:
    outcomes, _ = small
    assert outcomes.confusion(np.ones(7, dtype=bool)).tolist() == [[3, 3, 1], [1, 3, 0], [1, 1, 1]]
    assert outcomes.vocabulary.unsayable == ("nonbinary",)


def test_balanced_accuracy_by_hand(small: tuple[LabelOutcomes, Grouping]) -> None:
    outcomes, grouping = small
    found = {str(one.group): one for one in attributes.balanced_accuracies(outcomes, grouping, **SHAPE)}
    assert found["everyone"].value == pytest.approx((3 / 6 + 3 / 4) / 2)
    interval = found["everyone"].interval
    assert interval is not None
    assert interval.low < 0.625 < interval.high
    assert found["gender=female"].reason == "nobody in it is male"
    assert found["skin=darker"].reason == "a true class has fewer than 2 people"
    # Over two classes that nobody is in twice, the variance is a quarter of the sum of both.
    e, c = np.zeros((7, 2)), np.zeros((7, 2))
    e[:3, 0], c[:3, 0], e[3:5, 1], c[3:5, 1] = [1, 2, 0], 2, [0, 1], 2
    sigma = subject_covariance(e, c)
    size = 0.625 * 0.375 / (float(np.diag(sigma).sum()) / 4)
    assert size == pytest.approx(0.625 * 0.375 / (float(sigma.sum()) / 4))


def test_contrasts_and_spreads_take_the_measured(small: tuple[LabelOutcomes, Grouping]) -> None:
    outcomes, grouping = small
    one = attributes.decided(outcomes, "gender")
    measured = measure(outcomes, grouping)["conditional"]
    margins = dict.fromkeys(("CER", "NPR"), 1.25)
    settings = disparities.Settings(0.95, 0.05, margins, 2, {}, 1, 200)
    found = list(disparities.contrasts(measured, grouping, settings))
    ratio = next(c for c in found if c.metric == "CER" and c.group == DemographicGroup.of(gender="male"))
    assert ratio.result is not None
    assert ratio.result.ratio == pytest.approx((1 / 4) / (3 / 6))
    assert {c.metric for c in found} == {"CER", "NPR"}
    half = halves(grouping.atom_of, 20, np.random.default_rng(1))
    spread = list(disparities.spreads(measured, PersonEvidence(one.counted(), half, 20), grouping, settings))
    assert {s.metric for s in spread} == {"CER", "NPR"}
    assert all(s.result.value is None and s.result.reason for s in spread)  # no group has 30 people


def test_halves_add_up(small: tuple[LabelOutcomes, Grouping]) -> None:
    outcomes, grouping = small
    one = attributes.decided(outcomes, "gender")
    chosen = [0, 1]
    half = halves(grouping.atom_of, 5, np.random.default_rng(2))
    made = PersonEvidence(one.counted(), half, 5).inside(AT, grouping, chosen)
    errors, trials = made["CER"]
    assert errors.shape == (5, 2, 2)
    assert (errors.sum(axis=1) == [4, 3]).all()
    assert (trials.sum(axis=1) == [10, 6]).all()


def test_several_labels_are_no_truth() -> None:
    people = [Subject("a", {"gender": ("female", "male")}), Subject("b", {"gender": ("unknown",)}), person("male")]
    values, truth, without = attributes.true_labels(people, GENDER)
    assert (values, truth.tolist(), without) == (("male",), [-1, -1, 0], {"no label": 1, "several labels": 1})


def test_words_that_nobody_has_are_errors_where_they_are_said() -> None:
    words = vocabulary(["a", "b"], ["b", "c"], {})
    assert (words.unsayable, words.foreign, words.word_of().tolist()) == (("a",), ("c",), [-1, 0])
    outcomes = LabelOutcomes(words, np.array([1, 0]), np.array([[1, 2], [3, 0]]), np.array([0, 0]))
    one = attributes.decided(outcomes, "x")
    assert (one.errors.tolist(), one.trials.tolist(), one.lost.tolist()) == ([2, 0], [3, 0], [0, 3])


def test_two_labels_with_one_word_are_refused() -> None:
    with pytest.raises(ValueError, match="two labels of the model are called female"):
        vocabulary(["female"], ["Woman", "Girl"], {"Woman": "female", "Girl": "female"})


SIZES = {"DF": 271, "DM": 318, "LF": 296, "LM": 385}
"""Of the 1,270 people of the Pilot Parliaments Benchmark: 21.3, 25.0, 23.3 and 30.3 %."""
PUBLISHED = {
    "Microsoft": ((56, 19, 5, 0), (20.8, 6.0, 1.7, 0.0)),
    "IBM": ((94, 38, 21, 1), (34.7, 12.0, 7.1, 0.3)),
}
"""Errors that lie nearest to what Buolamwini & Gebru (2018) print, and what they print, in per cent."""


@pytest.mark.parametrize("service", PUBLISHED)
def test_gender_shades_reads_error_as_one_less_recall(service: str) -> None:
    """Counts that their percentages allow give their "error rate" as 1 - recall of the true class, to a tenth.

    What they call PPV (89.3 % for Microsoft's women, 97.4 % for men) is that recall; the precision of the same counts
    is what their table calls TPR (96.5 and 91.7 %).
    """
    errors, printed = PUBLISHED[service]
    people, truth, said = [], [], []
    for (cell, size), wrong in zip(SIZES.items(), errors, strict=True):
        skin, gender = {"D": "darker", "L": "lighter"}[cell[0]], {"F": "female", "M": "male"}[cell[1]]
        own = ("female", "male").index(gender)
        people += [person(gender, skin)] * size
        truth += [own] * size
        said += [np.eye(2, dtype=int)[1 - own]] * wrong + [np.eye(2, dtype=int)[own]] * (size - wrong)
    outcomes = LabelOutcomes(
        Vocabulary(("female", "male"), ("female", "male")), np.array(truth), np.array(said), np.zeros(1270, dtype=int)
    )
    grouping = groups.make(Set(), ["skin", "gender"], people)
    measured = measure(outcomes, grouping)
    for (cell, _), per_cent in zip(SIZES.items(), printed, strict=True):
        skin, gender = {"D": "darker", "L": "lighter"}[cell[0]], {"F": "female", "M": "male"}[cell[1]]
        rate = of(measured, "CER", skin=skin, gender=gender)
        assert rate.value == pytest.approx(per_cent / 100, abs=0.0015)
    if service == "Microsoft":
        recall = [1 - (of(measured, "CER", gender=name).value or 0) for name in ("female", "male")]
        table = outcomes.confusion(np.ones(1270, dtype=bool))[:, :2]
        precision = np.diag(table) / table.sum(axis=0)
        assert recall == pytest.approx([0.893, 0.974], abs=0.0015)
        assert precision == pytest.approx([0.965, 0.917], abs=0.0025)

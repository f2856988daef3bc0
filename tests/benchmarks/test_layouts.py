"""Layouts of published sets on generated folders: loaded through the gate, checked, and with every part broken once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import published
import pytest
from london_run import faceaudit
from published import Fhibe, put, video

from audit.benchmarks import catalogue, checks, descriptor, intake, load, reader_of, take_out
from audit.benchmarks.catalogue import MARKS
from audit.benchmarks.obtain import cache_folder
from audit.errors import DataError, Refused

TODAY = dt.datetime.now(tz=dt.UTC).date()
NAMED = {"face_place": published.face_place, "cfd": published.cfd, "radiate": published.radiate}
DIGESTS = "Digests of images are self-declared: SHA256SUMS beside them lists them."


@pytest.fixture
def fhibe(tmp_path: Path) -> Fhibe:
    """Two people with two pictures each, not written yet."""
    made = Fhibe(tmp_path / "faces")
    for person in (20, 21):
        for view in (0, 1):
            made.add(person, view)
    return made


def fresh(made: Fhibe) -> str:
    return str(made.write(str(TODAY)))


def people(made: Any) -> dict[str, dict[str, tuple[str, ...]]]:
    return {subject.subject_id: dict(subject.attributes) for subject in made.subjects}


def test_face_place_is_known_by_its_folders(tmp_path: Path) -> None:
    made = load(str(published.face_place(tmp_path / "faces")))
    assert (made.name, made.version, made.consent.tier, made.default_by) == ("face_place", "3.0", "T2", ("race", "sex"))
    assert people(made) == {
        "AF0001": {"race": ("asian",), "sex": ("female",)},
        "CM0007": {"race": ("caucasian",), "sex": ("male",)},
        "HF0003": {"race": ("hispanic",), "sex": ("female",)},
    }
    first = made.samples[0]
    assert (first.sample_id, first.session, first.conditions) == ("AF0001_1000_00F", "1", {"pose": "00F"})
    assert [sample.session for sample in made.samples] == ["1", "2", "1", "1", "1"]
    assert made.attributes["race"].note.startswith("Perceived, not the person's own statement.")
    assert made.notes == (DIGESTS,)
    assert "The terms forbid commercial use." in made.consent.notices
    assert "NSF award 0339122" in made.citation


def test_the_chicago_face_database_is_read_without_its_minors(tmp_path: Path) -> None:
    root = published.cfd(tmp_path / "faces")
    made = load(str(root))
    assert (made.name, made.default_by) == ("cfd", ("race", "gender"))
    assert people(made) == {
        "AF-200": {"race": ("asian",), "gender": ("female",)},
        "WM-001": {"race": ("white",), "gender": ("male",)},
        "MF-300": {"race": ("multiracial",), "gender": ("female",)},
    }
    assert [sample.conditions["expression"] for sample in made.samples] == ["N", "HO", "N", "N"]
    assert any("states that people under 18 were removed" in notice for notice in made.consent.notices)
    (root / "copy.toml").unlink()
    with pytest.raises(Refused, match=r"people under 18 .* copy\.toml beside it: people_under_18 = \"removed\""):
        load(str(root))


def test_radiate_is_read_from_both_kinds_of_folder(tmp_path: Path) -> None:
    made = load(str(published.radiate(tmp_path / "faces")))
    assert people(made) == {
        "BF01": {"race": ("black",), "sex": ("female",)},
        "OM12": {"race": ("other",), "sex": ("male",)},
    }
    assert [sample.conditions["expression"] for sample in made.samples] == ["NC", "SUR", "HO", "NC"]


@pytest.mark.parametrize("name", NAMED)
def test_sets_of_named_files_pass_the_check(name: str, tmp_path: Path) -> None:
    outcome = checks.check(str(NAMED[name](tmp_path / "faces")))
    assert (outcome.name, outcome.defects) == (name, 0)


BAD_NAMES = [
    ("face_place", "asian/XF0002_1000_00F.jpg", "the letter 'X' of race is unknown. Letters are A (asian), B (black)"),
    ("face_place", "asian/AX0002_1000_00F.jpg", "the letter 'X' of sex is unknown"),
    ("face_place", "asian/CF0002_1000_00F.jpg", "the letter 'C' of its name is not that of the folder 'asian' ('A')"),
    ("face_place", "asian/deeper/AF0001_1000_00F.jpg", "another file is called so too: 'asian/AF0001_1000_00F.jpg'"),
    ("cfd", "Images/CFD/ZF-201/CFD-ZF-201-001-N.jpg", "the letter 'Z' of race is unknown"),
    ("cfd", "Images/CFD/AF-201/CFD-AF-202-001-N.jpg", "a picture of 'AF-202' lies in the folder of 'AF-201'"),
    ("radiate", "RADIATE_450_COLOR_BMP/CF/CF01/CF01_NC.bmp", "the letter 'C' of race is unknown"),
    ("radiate", "RADIATE_450_COLOR_BMP/BF/BF02/BF03_NC.bmp", "a picture of 'BF03' lies in the folder of 'BF02'"),
]


@pytest.mark.parametrize(("name", "path", "text"), BAD_NAMES)
def test_a_name_that_would_label_wrongly_is_an_error(name: str, path: str, text: str, tmp_path: Path) -> None:
    root = NAMED[name](tmp_path / "faces")
    put(root, path, b"x")
    with pytest.raises(DataError) as caught:
        load(str(root))
    assert text in str(caught.value)
    assert caught.value.place == str(root / path)
    found = [each for each in checks.check(str(root)).findings if each.check == "layout-error"]
    assert len(found) == 1
    assert text.split(".", maxsplit=1)[0] in found[0].text


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("face_place", "asian/AF0001_1000.jpg"),
        ("face_place", "readme/portrait.jpg"),
        ("cfd", "Images/CFD/AF-200/CFD-AF-200-230-X.jpg"),
        ("radiate", "RADIATE_450_COLOR_BMP/BF/BF01/BF01_XX.bmp"),
    ],
)
def test_names_of_another_form_are_counted_and_shown_by_the_check(name: str, path: str, tmp_path: Path) -> None:
    root = NAMED[name](tmp_path / "faces")
    before = len(load(str(root)).samples)
    put(root, path, b"x")
    made = load(str(root))
    assert len(made.samples) == before
    assert any(note.startswith("1 image file(s) are left out: their names are not") for note in made.notes)
    assert not any(Path(path).stem in note for note in made.notes)
    assert ("file-without-row", path) in {(each.check, each.file) for each in checks.check(str(root)).findings}


def test_a_folder_without_a_picture_of_the_layout_is_an_error(tmp_path: Path) -> None:
    root = published.radiate(tmp_path / "faces")
    for path in root.rglob("*.bmp"):
        path.unlink()
    with pytest.raises(DataError, match=r"no image file is called RADIATE_450_COLOR_BMP/\{RS or"):
        load(str(root))


def test_a_label_that_names_do_not_hold_is_an_error(tmp_path: Path) -> None:
    root = published.radiate(tmp_path / "faces")
    raw = json.loads(descriptor.shipped()["radiate"].path.read_text(encoding="utf-8"))
    raw["faceaudit:attribute"][0] |= {"faceaudit:name": "age"}
    raw["faceaudit:defaultBy"] = ["age"]
    (root / "croissant.json").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(DataError, match="file names of this layout hold no label 'age'"):
        load(str(root))


def test_digests_of_a_set_behind_a_form_come_from_its_owner(tmp_path: Path) -> None:
    root = published.radiate(tmp_path / "faces")
    sums = (root / "SHA256SUMS").read_text(encoding="utf-8")
    (root / "SHA256SUMS").unlink()
    with pytest.raises(DataError, match=r"4 of 4 images have no known SHA-256.*sha256sum \{\} \+ > SHA256SUMS"):
        load(str(root))
    (root / "SHA256SUMS").write_text("\n".join(sums.splitlines()[:-1]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="1 of 4 images have no known SHA-256"):
        load(str(root))
    for line, text in [
        ("zz  ./a.bmp", "is no line of sha256sum"),
        ("0" * 64 + "  ../a.bmp", "does not stay inside"),
        ("0" * 64 + sums.splitlines()[0][64:], "has another digest above"),
    ]:
        (root / "SHA256SUMS").write_text(sums + line + "\n", encoding="utf-8")
        with pytest.raises(DataError, match=text) as caught:
            load(str(root))
        assert caught.value.place == f"{root / 'SHA256SUMS'}:5"


# Casual Conversations v2


def test_one_frame_a_video_is_a_sample(tmp_path: Path) -> None:
    made = load(str(published.ccv2(tmp_path / "faces")))
    assert (made.name, made.default_by) == ("ccv2", ("gender", "monk_skin_tone"))
    assert len(made.samples) == 4
    assert {sample.path.name[-12:-4] for sample in made.samples} == {"00000425"}  # the middle of 381, 425, 1007
    assert [sample.session for sample in made.samples] == [
        f"{name}_portuguese_nonscripted_{number}.mp4" for name in ("0000", "0001") for number in (1, 2)
    ]
    assert made.samples[0].conditions == {
        "monk_skin_tone_confidence": "medium",
        "fitzpatrick_skin_tone_confidence": "high",
    }
    assert people(made)["0000"] == {
        "gender": ("cis woman",),
        "monk_skin_tone": ("scale 5",),
        "fitzpatrick_skin_tone": ("type iii",),
        "age": ("34",),
        "country": ("brazil",),
    }
    assert made.notes == (
        "8 frame(s) are left out: one a video is a sample, the middle one.",
        DIGESTS,
    )
    assert "The terms do not name biometric or commercial use." in made.consent.notices


def test_prefer_not_to_say_is_a_value_of_age_and_gender(tmp_path: Path) -> None:
    from audit import groups  # noqa: PLC0415 - what a run makes of it

    made = load(str(published.ccv2(tmp_path / "faces")))
    assert people(made)["0001"]["age"] == ("prefer not to say",)
    grouping = groups.make(made, ["age", "gender"], made.subjects)
    assert [str(group) for group in grouping.groups[:5]] == [
        "everyone",
        "age=30 to under 45",
        "age=prefer not to say",
        "gender=cis woman",
        "gender=prefer not to say",
    ]
    assert not any(finding.severity == "defect" for finding in checks.check(str(made.root)).findings)


def test_the_skin_tone_of_the_highest_confidence_counts(tmp_path: Path) -> None:
    tones = [{"scale": "scale 5", "confidence": "low"}, {"scale": "scale 6", "confidence": "high"}]
    videos = [video("0000", number, monk_skin_tone=tone) for number, tone in enumerate(tones, start=1)]
    made = load(str(published.ccv2(tmp_path / "faces", videos)))
    assert people(made)["0000"]["monk_skin_tone"] == ("scale 6",)
    assert "monk_skin_tone: the videos of 1 people differ; the value of the highest confidence is taken." in made.notes
    assert [sample.conditions["monk_skin_tone_confidence"] for sample in made.samples] == ["low", "high"]


def test_missing_labels_and_frames_are_counted(tmp_path: Path) -> None:
    videos = [
        video("0000", 1, gender=None, monk_skin_tone=None, geo_location={}),
        video("0001", 1, gender="alien"),
        video("0002", 1),
    ]
    root = published.ccv2(tmp_path / "faces", videos)
    put(root, "ccv2-frames-part-1/0000/elsewhere_frame1.jpg", b"x")
    put(root, "thumbnails/a.jpg", b"x")
    notes = load(str(root)).notes
    for text in [
        "gender: 1 of 3 people have no label; they form a group of their own.",
        "monk_skin_tone: 1 of 3 people have no label; they form a group of their own.",
        "gender: 'alien' is no documented value; 1 of 3 people have it. Kept.",
        "1 of 3 videos have no frame here.",
        "7 frame(s) are left out: their names begin with no video of the person in whose folder they lie.",
        "1 image file(s) are left out: they lie in no folder ccv2-frames-part-{n}/{subject_id}.",
    ]:
        assert text in notes


BAD_VIDEOS: list[tuple[Any, str, str]] = [
    ([video("0000", 1), video("0000", 2, age=35)], "#/1/age", "'0000' has '35' here and '34' at"),
    ([video("0000", 1), video("0000", 2, gender="cis man")], "#/1/gender", "'cis man' here and 'cis woman'"),
    ([video("0000", 1), video("0000", 2, monk_skin_tone={"scale": "scale 6", "confidence": "medium"})],
     "#/1/monk_skin_tone", "'scale 6' here and 'scale 5'"),
    ([video("0000", 1), video("0000", 1)], "#/1/video_name", "stands at"),
    ([video("0000", 1, video_name=None)], "#/0/video_name", "is missing"),
    ([video("0000", 1, subject_id="")], "#/0/subject_id", "is missing"),
    ([video("0000", 1, subject_id="../x")], "#/0/subject_id", "is no name of a folder"),
    ([video("0000", 1, age=3.5)], "#/0/age", "3.5 is no text and no whole number"),
    ([video("0000", 1, age=True)], "#/0/age", "True is no text and no whole number"),
    ([video("0000", 1, age="old")], "column 'age'", "'old' is no number"),
    ([video("0000", 1, gender=["x"])], "#/0/gender", "['x'] is no text"),
    ([video("0000", 1, gender="a\n")], "#/0/gender", "cannot be printed"),
    ([video("0000", 1, geo_location="brazil")], "#/0/geo_location", "is no object but 'brazil'"),
    ([video("0000", 1, monk_skin_tone={"scale": "scale 5"})], "#/0/monk_skin_tone/confidence", "is missing"),
    ([video("0000", 1, monk_skin_tone={"scale": "scale 5", "confidence": "sure"})],
     "#/0/monk_skin_tone/confidence", "'sure' is no confidence. Allowed: low, medium, high"),
    (["text"], "#/0", "is no object but str"),
    ({"a": 1}, "CasualConversationsV2.json", "is no list of videos"),
]  # fmt: skip


@pytest.mark.parametrize(("videos", "place", "text"), BAD_VIDEOS)
def test_a_wrong_entry_is_named(videos: Any, place: str, text: str, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    path = root / "annotations" / "CasualConversationsV2.json"
    put(root, "annotations/CasualConversationsV2.json", json.dumps(videos).encode())
    with pytest.raises(DataError) as caught:
        load(str(root))
    assert caught.value.place.startswith(str(path))
    assert caught.value.place.endswith(place)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"[{", r"CasualConversationsV2\.json:1: is not JSON"),
        (b"[\xff]", "is not UTF-8"),
        (b"[" * 100_000, "is nested too deeply|is not JSON"),
        (json.dumps([video("0000", 1)]).replace("34", "1" * 5000).encode(), "a number of thousands of digits"),
        (b'[{"subject_id": "0000", "subject_id": "0001"}]', "subject_id: this key stands twice"),
        (json.dumps([video("0000", 1)]).encode(), "no frame of a video is there"),
    ],
)
def test_annotations_that_cannot_be_read(content: bytes, text: str, tmp_path: Path) -> None:
    put(tmp_path, "annotations/CasualConversationsV2.json", content)
    with pytest.raises(DataError, match=text):
        load(str(tmp_path))


# FHIBE


def test_literal_cells_become_groups(fhibe: Fhibe) -> None:
    for row in fhibe.rows[:2]:
        row["pronoun"] = "['0. She/her/hers', '2. They/them/their']"
        row["ancestry"] = "['2. Eastern Africa', '18. Eastern Europe', '21. Western Europe']"
    for row in fhibe.rows[2:]:
        row["pronoun"], row["natural_skin_color"] = "['5. Prefer not to say']", "(1, 2, 3)"
    made = load(fresh(fhibe))
    assert (made.name, made.version, made.consent.tier) == ("fhibe", "20250708.x", "T1")
    assert made.delete_templates
    assert made.consent.live
    first, second = people(made).values()
    assert first["pronoun"] == ("She/her/hers", "They/them/their")
    assert first["ancestry_region"] == ("Africa", "Europe")
    assert first["ancestry"] == ("Eastern Africa", "Eastern Europe", "Western Europe")
    assert first["natural_skin_color"] == ("VI",)
    assert second["pronoun"] == ("Prefer not to say",)
    assert "natural_skin_color: '1,2,3' is no documented value; 1 of 2 people have it. Kept." in made.notes
    assert made.samples[0].conditions == {
        "lighting": "Lighting from in front of the head/face and Lighting from the left of the head/face",
        "apparent_skin_color": "V",
        "location_country": "Brasil",
        "is_primary": "True",
    }
    assert f"its copy was last checked on {TODAY}" in made.consent.notices[-1]
    outcome = checks.check(str(made.root))
    assert {each.check for each in outcome.findings if each.severity == "defect"} == {"undocumented-label"}


def test_the_release_itself_may_be_the_folder(fhibe: Fhibe) -> None:
    fhibe.write(str(TODAY))
    inner = fhibe.root / published.RELEASE
    shutil.copyfile(fhibe.root / "copy.toml", inner / "copy.toml")
    assert (load(str(inner)).version, len(load(str(inner)).samples)) == ("20250708.x", 4)
    renamed = inner.rename(fhibe.root / "faces")
    assert load(str(renamed)).version == "not told by the name of its folder"
    (renamed / "copy.toml").write_text(f'last_checked = {TODAY}\nversion = "mine"\n', encoding="utf-8")
    assert load(str(renamed)).version == "mine"


def test_people_who_revoked_are_left_out_and_counted(fhibe: Fhibe) -> None:
    fhibe.add(22, 0)
    gone = fhibe.rows.pop()
    made = load(fresh(fhibe))
    assert "s-0022" not in people(made)
    assert any(note.startswith("1 people have pictures but no row: they left the set") for note in made.notes)
    path = f"{published.RELEASE}/{gone['filepath']}"
    defects = {(each.check, each.file) for each in checks.check(str(made.root)).findings if each.severity == "defect"}
    assert defects == {("file-without-row", path)}


def test_pictures_of_two_people_and_other_crops_are_no_samples(fhibe: Fhibe) -> None:
    fhibe.rows[1]["multiple_subjects"] = "True"
    whole = fhibe.rows[0]["filepath"].replace("faces_crop_and_align", "main")
    put(fhibe.root / published.RELEASE, whole, published.picture(30, 0, "png"))
    made = load(fresh(fhibe))
    assert len(made.samples) == 3
    assert "1 of 4 faces are of pictures with two people; they are left out." in made.notes
    assert checks.check(str(made.root)).defects == 0


def test_ages_that_grew_are_the_lowest_and_others_are_an_error(fhibe: Fhibe) -> None:
    fhibe.rows[1]["age"] = "33"
    made = load(fresh(fhibe))
    assert people(made)["s-0020"]["age"] == ("31",)
    assert "age: 1 person(s) are of another age in another picture; the lowest is taken." in made.notes
    fhibe.rows[1]["age"] = "41"
    with pytest.raises(DataError, match=r"row 3, column 'age': 's-0020' has '41' here and '31' in row 2"):
        load(fresh(fhibe))


BAD_CELLS = [
    ("pronoun", "['0. She/her/hers'", "is no Python literal"),
    ("pronoun", "[" * 200 + "]" * 200, "neither a text nor a list of texts"),
    ("pronoun", "[" * 2000 + "]" * 2000, "is no Python literal"),
    ("pronoun", "['a', " + "'b', " * 2000 + "]", "a cell of 10007 characters"),
    ("ancestry", "{'a': 1}", "neither a text nor a list of texts"),
    ("ancestry", "[1.5, 'a']", "neither a text nor a list of texts"),
    ("ancestry", "[__import__('os').system('false')]", "is no Python literal"),
    ("nationality", "['\\ud800']", "cannot be printed"),
    ("nationality", "['a\\x00b']", "cannot be printed"),
    ("age", "old", "'old' is no number"),
    ("age", "[31, 32]", "neither a text nor a list of texts"),
    ("multiple_subjects", "perhaps", "'perhaps' is neither True nor False"),
    ("subject_id", "", "is empty"),
    ("filepath", "../../x.png", "does not stay inside"),
    ("filepath", "/etc/passwd", "does not stay inside"),
    ("pronoun", "['1. He/him/his']", "'s-0020' has 'She/her/hers' here and 'He/him/his' in row 2"),
]


@pytest.mark.parametrize(("column", "cell", "text"), BAD_CELLS)
def test_a_hostile_cell_is_one_line_with_row_and_column(column: str, cell: str, text: str, fhibe: Fhibe) -> None:
    fhibe.rows[0][column] = cell
    with pytest.raises(DataError) as caught:
        load(fresh(fhibe))
    row = 3 if "in row 2" in text else 2
    assert caught.value.place == f"{fhibe.root / published.TABLE}, row {row}, column {column!r}"
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_giant_cells_of_columns_that_are_not_read_do_no_harm(fhibe: Fhibe) -> None:
    fhibe.rows[0]["keypoints"] = "x" * 300_000
    assert len(load(fresh(fhibe)).samples) == 4


@pytest.mark.parametrize("column", ["filepath", "subject_id", "ancestry", "age"])
def test_a_missing_column_is_named(column: str, fhibe: Fhibe) -> None:
    fhibe.columns = tuple(name for name in fhibe.columns if name != column)
    with pytest.raises(DataError, match=rf"fhibe_face_crop_align\.csv: the column '{column}' is missing"):
        load(fresh(fhibe))


def test_other_troubles_of_a_release(fhibe: Fhibe) -> None:
    root = fhibe.write(str(TODAY))
    shutil.copytree(root / published.RELEASE, root / "fhibe.20250808.y_downsampled_public")
    with pytest.raises(DataError, match=r"holds 2 releases: .*Keep the latest"):
        load(str(root))
    shutil.rmtree(root / "fhibe.20250808.y_downsampled_public")
    for path in root.rglob("*.png"):
        path.unlink()
    with pytest.raises(DataError, match="none of the 4 pictures that it names is there"):
        load(str(root))
    (root / published.TABLE).write_bytes(b"a,b\n\xff,1\n")
    with pytest.raises(DataError, match=r"is not UTF-8 \(byte 4\)"):
        load(str(root))


# What the owner of a copy states


def test_a_live_set_is_refused_until_its_owner_says_when_it_was_checked(fhibe: Fhibe) -> None:
    root = fhibe.write(None)
    with pytest.raises(Refused, match=rf"nobody says when .* write last_checked = {TODAY} into copy\.toml") as caught:
        load(str(root))
    assert "https://fairnessbenchmark.ai.sony/download" in str(caught.value)
    assert "stale-live-set" in {finding.check for finding in checks.check(str(root)).findings}
    old = TODAY - dt.timedelta(days=32)
    for day in (old, TODAY + dt.timedelta(days=1)):
        (root / "copy.toml").write_text(f"last_checked = {day}\n", encoding="utf-8")
        with pytest.raises(Refused, match=f"last checked on {day}"):
            load(str(root))
    (root / "copy.toml").write_text(f"last_checked = {TODAY - dt.timedelta(days=31)}\n", encoding="utf-8")
    assert len(load(str(root)).samples) == 4


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("last_chekced = 2026-01-01", "key 'last_chekced': is unknown. Did you mean 'last_checked'?"),
        ("colour = 1", "key 'colour': is unknown. Keys are last_checked, version, people_under_18"),
        ('last_checked = "yesterday"', "key 'last_checked': 'yesterday'"),
        ('people_under_18 = "some"', "key 'people_under_18': 'some'"),
        ("last_checked = ", "is not TOML"),
        ("version = 3", "key 'version': 3"),
    ],
)
def test_a_wrong_statement_is_named(text: str, wrong: str, fhibe: Fhibe) -> None:
    root = fhibe.write(None)
    (root / "copy.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load(str(root))
    assert caught.value.place.startswith(str(root / "copy.toml"))
    assert wrong in str(caught.value)
    assert ("descriptor-invalid", "copy.toml") in {(e.check, e.file) for e in checks.check(str(root)).findings}


def test_the_later_day_counts(collection: Callable[..., Path]) -> None:
    folder = collection(
        isLiveDataset=True, faceaudit__lastChecked=str(TODAY), faceaudit__maximumAgeDays=31, faceaudit__minors="no"
    )
    (folder / "copy.toml").write_text(f"last_checked = {TODAY}\n", encoding="utf-8")
    assert load(str(folder)).consent.live
    (folder / "copy.toml").write_text("last_checked = 2026-01-01\n", encoding="utf-8")
    assert any(str(TODAY) in notice for notice in load(str(folder)).consent.notices)


@pytest.mark.parametrize("name", ["fhibe", "face_place", "ccv2", "cfd", "radiate", "Casual Conversations v2"])
def test_without_data_the_way_to_them_is_said(name: str) -> None:
    with pytest.raises(DataError, match=r"in no data entry, and it has no public source.*benchmarks obtain") as caught:
        load(name)
    assert "https://" in caught.value.way_out


# The CC0 fixture


def test_the_fixture_has_its_tables_beside_the_descriptor(shared: Path, tmp_path: Path) -> None:
    made = load("cc0_fixture", data=[shared / "benchmarks"])
    assert (made.name, len(made.subjects), len(made.samples)) == ("cc0_fixture", 1, 8)
    assert {sample.session for sample in made.samples} == {"lisa", "zoom"}
    assert made.notes == ()
    shutil.copytree(shared / "benchmarks" / "cc0_fixture", tmp_path / "some photographs")
    assert load(str(tmp_path / "some photographs")).name == "cc0_fixture"
    assert checks.check("cc0_fixture", data=[shared / "benchmarks"]).defects == 0


# What is said of sets that were not checked


@pytest.mark.parametrize("name", ["cc0_fixture", "ccv2", "cfd", "face_place", "fhibe", "radiate"])
def test_a_fact_from_memory_is_never_said_without_its_mark(name: str) -> None:
    """Where the catalogue marks licence, subjects or withdrawal, the descriptor marks what it says of them."""
    entry, dataset = catalogue.find(name), descriptor.shipped()[name].dataset
    assert entry is not None
    said = {
        "licence": dataset.licence,
        "withdrawal": dataset.withdrawal,
        "subjects": dataset.description,
        "consent": f"{dataset.statement} {dataset.statement_source}",
        "minors": dataset.minors_note or MARKS["V"],
    }
    for fact, text in said.items():
        mark = MARKS[entry.mark(fact)]
        if entry.mark(fact) != "V":
            assert mark in text, fact
        elif fact == "consent":
            assert f"({mark})" in text
    digests = [file.sha256 for file in descriptor.shipped()[name].files.values()]
    assert len(digests) == (8 if name == "cc0_fixture" else 0)  # of files that nobody here has seen there is none


def test_the_digests_of_the_fixture_are_those_of_its_files(shared: Path) -> None:
    read = descriptor.shipped()["cc0_fixture"]
    folder = shared / "benchmarks" / "cc0_fixture"
    assert set(read.files) == {path.name for path in folder.glob("*.jpg")}
    for path, file in read.files.items():
        content = (folder / path).read_bytes()
        assert (file.sha256, file.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
        kind, _, name = path.partition("_")
        assert file.url.endswith(f"/fa8b78fda2d659bb74ce62fcd99c4407551d2a77/inst/{kind}/{name}")


def test_a_copy_that_was_taken_in_is_found_by_name(tmp_path: Path) -> None:
    """What `obtain --from` leaves in the cache has a descriptor of its own, with digests."""
    kept = cache_folder("radiate")
    kept.parent.mkdir(parents=True)
    published.radiate(kept)
    (kept / "SHA256SUMS").unlink()
    known = descriptor.shipped()["radiate"]
    intake.take([kept], kept, name="radiate", described=known, reader=reader_of(known))
    made = load("radiate")
    assert (made.root, len(made.samples)) == (kept, 4)
    assert all(sample.sha256 for sample in made.samples)
    assert any("self-declared" in note for note in made.notes)


@pytest.mark.parametrize("name", ["ccv2", "fhibe", "face_place"])
def test_a_person_who_withdraws_is_gone_and_nothing_else_is_counted_anew(name: str, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    if name == "fhibe":
        made = Fhibe(root)
        for person in (20, 21):
            made.add(person, 0)
        made.write(str(TODAY))
    else:
        {"ccv2": published.ccv2, "face_place": published.face_place}[name](root)
    before = load(str(root))
    gone = before.subjects[0].subject_id
    take_out(str(root), gone, TODAY)
    after = load(str(root))
    assert gone not in people(after)
    assert {sample.subject_id for sample in after.samples} == {s.subject_id for s in before.subjects} - {gone}
    assert not any("have no row" in note for note in after.notes)
    assert set(before.notes) - set(after.notes) == set()


# The whole road: from a generated release to a report


def test_a_release_is_audited_by_overlapping_groups(tmp_path: Path) -> None:
    made = Fhibe(tmp_path / "fhibe")
    answers = ["['0. She/her/hers']", "['0. She/her/hers', '2. They/them/their']", "['1. He/him/his']"]
    for person in range(1, 7):
        for view in (0, 3):
            made.add(
                person, view, pronoun=answers[person % 3], ancestry=f"['{'11. Asia' if person < 5 else '0. Africa'}']"
            )
    made.write(str(TODAY))
    run = faceaudit(
        *("run", "--benchmark", "fhibe", "--data", tmp_path, "--model", "dlib", "--by", "pronoun", "--fmr", "0.1"),
        *("--out", tmp_path / "results", "--json"),
        env={"FACEAUDIT_CACHE": str(tmp_path / "cache"), "FACEAUDIT_DATA": ""},
        cwd=tmp_path,
    )
    assert run.code == 0, run.stderr
    (path,) = (tmp_path / "results").rglob("record.json")
    text = path.read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["benchmark"]["version"] == "20250708.x"
    assert record["benchmark"]["live"]
    assert "2 of 6 people carry several values of pronoun and count in each" in " ".join(record["warnings"])
    sizes = {row["group"].get("pronoun"): row["subjects"] for row in record["samples"]["by_group"]}
    assert sizes == {None: 6, "She/her/hers": 4, "They/them/their": 2, "He/him/his": 2}
    pairs = {
        rate["group"].get("pronoun"): rate["trials"]
        for rate in record["rates"]
        if rate["metric"] == "FMR" and rate["reference_group"] is None and rate["view"] == "conditional"
    }
    assert pairs == {None: 15 * 4, "She/her/hers": 6 * 4, "They/them/their": 4, "He/him/his": 4}
    assert "s-00" not in text
    assert "faces_crop" not in text

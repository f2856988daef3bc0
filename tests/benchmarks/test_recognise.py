"""Refused sets are known by how their files lie, whatever the folder and its descriptor say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import SAMPLES

from audit import forecast
from audit.benchmarks import catalogue, load, recognise
from audit.errors import Refused
from audit.plan import RunOptions
from audit.scoring import Given, evaluate

Make = Callable[..., Path]
LAYOUTS = {
    "lfw": ["Ann_Other/Ann_Other_0001.jpg", "Bo_Van_Dy/Bo_Van_Dy_0002.jpg"],
    "fairface": ["fairface_label_val.csv"],
    "utkface": ["26_0_2_20170104023102422.jpg.chip.jpg", "1_1_0_20170104023102423.jpg"],
    "celeba": ["Anno/list_attr_celeba.txt"],
    "rfw": ["test/txts/Asian/Asian_pairs.txt"],
    "bfw": ["bfw-v0.1.5-datatable.pkl"],
    "bupt": ["race_per_7000/African/x/1.jpg"],
    "vggface2": ["test/n000001/0001_01.jpg", "test/n000001/0002_01.jpg"],
    "msceleb": ["m.0107_f/1.jpg", "m.01b2c3/2.jpg"],
    "megaface": ["FlickrFinal2/1/a.jpg"],
    "dukemtmc": ["train/0001_c2_f0046182.jpg", "train/0001_c2_f0046302.jpg"],
    "cfpfp": ["Data/Images/001/frontal/01.jpg", "Data/Images/001/profile/01.jpg"],
    "agedb": ["0_MariaCallas_35_f.jpg", "10000_GlennClose_62_f.jpg"],
    "ijbc": ["meta/ijbc_template_pair_label.txt"],
    "meds": ["S001-01-t10_01.jpg", "S002-01-t10_01.jpg"],
    "morph": ["009055_1M54.JPG", "009055_2M55.JPG"],
    "ppb": ["PPB-2017/PPB-2017-metadata.csv"],
}
INNOCENT = {
    "london": ["london_info.csv", "neutral_front/001_03.jpg", "smiling_front/001_08.jpg"],
    "fhibe": ["data/raw/fhibe_downsampled/s1/i1/main_1.png", "data/raw/fhibe_downsampled/s1/i2/faces_crop_only_1.png"],
    "ccv2": [
        "annotations/CasualConversationsV2.json",
        "ccv2-frames-part-1/0001/1.jpg",
        "ccv2-frames-part-1/0001/2.jpg",
    ],
    "cfd": ["Images/CFD/AF-200/CFD-AF-200-228-N.jpg", "Images/CFD/AF-201/CFD-AF-201-060-N.jpg"],
    "face_place": ["asian/AF0301_1100_00F.jpg", "asian/AF0301_1100_30L.jpg"],
    "radiate": ["RADIATE_450_COLOR_BMP/AF/AF01/AF01_NC.bmp", "RADIATE_450_COLOR_BMP/AF/AF01/AF01_HO.bmp"],
    "own": [
        "subject_01/subject_01_0001.jpg",
        "subject_01/subject_01_0002.jpg",
        "Images/001/frontal/01.jpg",
        "pairs.txt",
    ],
    "kdef": ["KDEF/AF01/AF01ANS.JPG", "KDEF/AF01/AF01ANHL.JPG"],
}


def test_every_signature_is_of_a_refused_set_and_has_a_case() -> None:
    assert {signature.entry for signature in recognise.SIGNATURES} == set(LAYOUTS)
    assert set(LAYOUTS) <= set(catalogue.entries())


@pytest.mark.parametrize("entry", LAYOUTS)
def test_the_layout_of_a_refused_set_is_refused(tmp_path: Path, entry: str) -> None:
    folder = tmp_path / "holiday"
    for path in LAYOUTS[entry]:
        (folder / "deeper" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "deeper" / path).write_bytes(b"")
    with pytest.raises(Refused) as caught:
        load(str(folder))
    assert catalogue.entries()[entry].name in str(caught.value)


@pytest.mark.parametrize("entry", INNOCENT)
def test_consented_layouts_are_not_mistaken(entry: str) -> None:
    assert recognise.by_paths(INNOCENT[entry]) is None


def test_the_layout_counts_more_than_a_doctored_descriptor(collection: Make) -> None:
    folder = collection()
    (folder / "images" / "Ann_Other").mkdir()
    for k in (1, 2):
        (folder / "images" / "Ann_Other" / f"Ann_Other_000{k}.jpg").write_bytes(b"x")
    with pytest.raises(Refused, match="arranged as in LFW"):
        load(str(folder))


def test_a_link_into_a_refused_folder_is_refused(collection: Make, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "x"
    for path in LAYOUTS["vggface2"]:
        (real / path).parent.mkdir(parents=True, exist_ok=True)
        (real / path).write_bytes(b"")
    folder = collection()
    (folder / "more").symlink_to(real)
    with pytest.raises(Refused, match="VGGFace2"):
        load(str(folder))
    (tmp_path / "alias").symlink_to(real)
    with pytest.raises(Refused, match="VGGFace2"):
        load(str(tmp_path / "alias"))


@pytest.mark.parametrize("name", ["lfw", "LFW-deepfunneled", "MegaFace", "my_fairface_copy"])
def test_a_folder_that_is_called_like_a_refused_set_is_refused(collection: Make, tmp_path: Path, name: str) -> None:
    folder = collection(name=name)
    with pytest.raises(Refused):
        load(str(folder))
    (tmp_path / "alias").symlink_to(folder)
    with pytest.raises(Refused):
        load(str(tmp_path / "alias"))
    with pytest.raises(Refused):
        load(name.split("_")[-2] if "_" in name else name, data=[tmp_path])


def test_a_loop_of_links_ends(collection: Make) -> None:
    folder = collection()
    (folder / "images" / "again").symlink_to(folder)
    assert len(load(str(folder)).samples) == 5


def test_sample_paths_count_where_a_folder_is_too_large_to_list(
    collection: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection()
    (folder / "images" / "t").mkdir()
    rows = ["sample_id,path,subject_id"]
    described = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    for k, path in enumerate(("26_0_2_20170104023102422.jpg", "26_0_2_20170104023102423.jpg")):
        shutil.copy(folder / "images" / "a1.png", folder / "images" / "t" / path)
        rows.append(f"s{k},images/t/{path},001")
        described["distribution"].append(described["distribution"][0] | {"@id": f"images/t/{path}"})
    (folder / "samples.csv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "croissant.json").write_text(json.dumps(described), encoding="utf-8")
    monkeypatch.setattr(recognise, "_MOST", 1)
    with pytest.raises(Refused, match="UTKFace"):
        load(str(folder))


def test_a_picture_counts_as_lying_where_a_link_leads(collection: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the folder that it leads to is too full to be listed."""
    folder = collection()
    hidden = folder / "images" / "h"
    hidden.mkdir()
    for k, name in enumerate(("a1", "a2")):
        plain = folder / "images" / f"{name}.png"
        plain.rename(hidden / f"26_0_2_2017010402310242{k}.jpg")
        plain.symlink_to(hidden / f"26_0_2_2017010402310242{k}.jpg")
    monkeypatch.setattr(recognise, "_MOST", 1)
    with pytest.raises(Refused, match="UTKFace"):
        load(str(folder))


@pytest.mark.parametrize("name", ["CelebA", "fairface-padding125", "IJB-C_crops"])
def test_pictures_in_a_folder_that_is_called_like_a_refused_set(collection: Make, name: str) -> None:
    folder = collection(samples=SAMPLES.replace("images/", f"images/{name}/"))
    (folder / "images" / name).mkdir()
    for path in list((folder / "images").glob("*.png")):
        path.rename(folder / "images" / name / path.name)
    with pytest.raises(Refused):
        load(str(folder))


def test_folders_of_other_things_may_be_called_so(collection: Make) -> None:
    """Subjects and stages have short names too, and notes beside the pictures may compare with anything."""
    folder = collection(samples=SAMPLES.replace("images/a", "images/MF2/a"))
    for name in ("MF2", "morph"):
        (folder / "images" / name).mkdir()
    for name in ("a1", "a2"):
        (folder / "images" / f"{name}.png").rename(folder / "images" / "MF2" / f"{name}.png")
    described = (folder / "croissant.json").read_text(encoding="utf-8")
    (folder / "croissant.json").write_text(described.replace("images/a", "images/MF2/a"), encoding="utf-8")
    (folder / "compared_with_lfw").mkdir()
    (folder / "compared_with_lfw" / "notes.txt").write_text("x", encoding="utf-8")
    assert len(load(str(folder)).samples) == 5


@pytest.mark.parametrize(
    "name",
    ["\uff2c\uff26\uff37", "LFW\u0308", "my LF\u200dW copy", "\u0421eleb\u0410", "\u041cS-Celeb-1M", "fairf\u03b1ce"],
    ids=ascii,
)
def test_other_alphabets_accents_and_wide_letters_hide_no_name(collection: Make, name: str) -> None:
    with pytest.raises(Refused):
        load(str(collection(name=name)))
    with pytest.raises(Refused):
        load(str(collection(name="plain", faceaudit__name="plain", alternateName=name)))


@pytest.mark.parametrize("place", ["lfw.csv", "copies of CelebA/people.csv"])
def test_a_table_of_a_refused_set_is_refused(tmp_path: Path, place: str) -> None:
    table = tmp_path / place
    table.parent.mkdir(exist_ok=True)
    table.write_text("subject_id,gender\n1,a\n2,b\n", encoding="utf-8")
    with pytest.raises(Refused):
        forecast.of_table(table, 2)
    with pytest.raises(Refused):
        evaluate(Given(tmp_path / "scores.csv", table), {}, RunOptions(out=tmp_path / "results"))

"""What somebody downloaded is unpacked, compared with what is known, and what is not known is said."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import published
import pytest
from made_up import SAMPLES, SUBJECTS, describe
from typer.testing import CliRunner

from audit import cli
from audit.benchmarks import descriptor, intake, load, reader_of, receipt, sums
from audit.benchmarks.schema import Dataset
from audit.errors import DataError, Refused

FEW = ["london_info.csv", "neutral_front/001_03.jpg", "neutral_front/001_03.tem", "smiling_front/001_08.jpg"]
TODAY = dt.datetime.now(tz=dt.UTC).date()
run = partial(CliRunner().invoke, cli.app)


@pytest.fixture
def few() -> descriptor.Descriptor:
    """The London descriptor with few files."""
    known = descriptor.shipped()["london"]
    raw = json.loads(known.path.read_text(encoding="utf-8"))
    raw["distribution"] = [file for file in raw["distribution"] if file["@id"] in FEW]
    return dataclasses.replace(known, dataset=Dataset.model_validate(raw))


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def of(source: Path, wrapper: str = "") -> dict[str, bytes]:
    return {wrapper + name: (source / name).read_bytes() for name in FEW}


def take(path: Path, target: Path, described: descriptor.Descriptor | None, **more: Any) -> intake.Taken:
    reader = reader_of(described) if described is not None else None
    return intake.take([path], target, name="london", described=described, reader=reader, **more)


@pytest.mark.london
@pytest.mark.parametrize("wrapper", ["", "Face Research Lab London/"])
def test_an_archive_of_described_files(london: Path, few: descriptor.Descriptor, tmp_path: Path, wrapper: str) -> None:
    path = packed(tmp_path / "set.zip", of(london, wrapper))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    taken = take(path, tmp_path / "l", few, digests={"": digest})
    said = " ".join(taken.said)
    assert "4 files are those that were described (SHA-256)." in said
    assert "102 people with 204 samples, in the layout 'london'." in said
    assert "202 of 204 image files are missing" in said
    assert "has the SHA-256 that you gave (recorded as self-declared)" in said
    assert sorted(p.relative_to(tmp_path / "l").as_posix() for p in (tmp_path / "l").rglob("*.*")) == sorted(
        [*FEW, "obtained.json"]
    )
    assert json.loads((tmp_path / "l" / "obtained.json").read_text()) == {
        "benchmark": "london",
        "obtained": TODAY.isoformat(),
        "sources": [{"name": "set.zip", "size": path.stat().st_size, "sha256": digest, "basis": "self-declared"}],
        "pictures": "described",
    }
    assert "self-declared" in receipt.notes(tmp_path / "l")[0]


@pytest.mark.london
def test_what_is_not_the_described_set_is_not_kept(london: Path, few: descriptor.Descriptor, tmp_path: Path) -> None:
    whole = of(london)
    wrong = packed(tmp_path / "wrong.zip", whole | {FEW[1]: b"another"})
    with pytest.raises(DataError, match=r"'neutral_front/001_03.jpg' is another than was described"):
        take(wrong, tmp_path / "l", few)
    short = packed(tmp_path / "short.zip", {name: whole[name] for name in FEW[:2]})
    with pytest.raises(DataError, match="2 of 4 described files are missing"):
        take(short, tmp_path / "l", few)
    right = packed(tmp_path / "right.zip", whole)
    with pytest.raises(DataError, match="not the one that was given"):
        take(right, tmp_path / "l", few, digests={"right.zip": "0" * 64})
    with pytest.raises(DataError, match="is of no archive that was named"):
        take(right, tmp_path / "l", few, digests={"left.zip": "0" * 64})
    other = packed(tmp_path / "other.zip", whole | {"croissant.json": json.dumps(describe(tmp_path / "x")).encode()})
    with pytest.raises(DataError):
        take(other, tmp_path / "l", few)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.zip", "right.zip", "short.zip", "wrong.zip"]


@pytest.mark.london
def test_two_archives_make_one_set_and_a_folder_is_looked_at_where_it_lies(
    london: Path, few: descriptor.Descriptor, tmp_path: Path
) -> None:
    whole = of(london)
    one = packed(tmp_path / "1.zip", {name: whole[name] for name in FEW[:2]})
    two = packed(tmp_path / "2.zip", {name: whole[name] for name in FEW[2:]})
    taken = intake.take([one, two], tmp_path / "l", name="london", described=few, reader=reader_of(few))
    assert "compared with nothing" in taken.said[1]
    before = sorted(tmp_path.rglob("*"))
    again = take(tmp_path / "l", tmp_path / "elsewhere", few)
    assert again.folder == tmp_path / "l"
    assert "4 files are those that were described (SHA-256)." in again.said
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(DataError, match="a folder was given"):
        take(tmp_path / "l", tmp_path / "elsewhere", few, digests={"": "0" * 64})
    with pytest.raises(DataError, match="Give archives"):
        intake.take([one, tmp_path / "l"], tmp_path / "m", name="london", described=few, reader=reader_of(few))


def general(tmp_path: Path, **changes: Any) -> tuple[descriptor.Descriptor, dict[str, bytes]]:
    """A described set in the general layout whose files nobody has digested, and its files."""
    images = {f"images/{name}.png": f"bytes of {name}".encode() for name in ("a1", "a2", "b1", "b2", "c1")}
    patterns = {"@type": "cr:FileSet", "@id": "images-set", "name": "images", "encodingFormat": "image/png"}
    raw = describe(tmp_path / "nothing", distribution=[patterns | {"includes": "images/*.png"}], **changes)
    path = tmp_path / "shipped.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    tables = {"subjects.csv": SUBJECTS.encode(), "samples.csv": SAMPLES.encode()}
    return descriptor.read(path), {**tables, **images, "croissant.json": path.read_bytes()}


def test_digests_that_nobody_published_are_those_of_this_copy(tmp_path: Path) -> None:
    described, files = general(tmp_path)
    (tmp_path / "unpacked" / "images").mkdir(parents=True)
    for name, content in files.items():
        (tmp_path / "unpacked" / name).write_bytes(content)
    (tmp_path / "unpacked" / "croissant.json").write_text((tmp_path / "shipped.json").read_text())
    with pytest.raises(DataError, match="have no known SHA-256"):
        load(str(tmp_path / "unpacked"))
    taken = take(packed(tmp_path / "set.zip", files), tmp_path / "made", described)
    assert "Nobody published digests of its files" in taken.said[-1]
    made = load(str(tmp_path / "made"))
    assert len(made.samples) == 5
    assert sums.NOTE in made.notes
    assert {sample.sha256 for sample in made.samples} == {
        hashlib.sha256(content).hexdigest() for name, content in files.items() if name.startswith("images")
    }
    (tmp_path / "made" / "images" / "a1.png").write_bytes(b"changed")
    with pytest.raises(DataError, match="1 of 7 files are missing or others than it lists"):
        take(tmp_path / "made", tmp_path / "x", described)
    take(tmp_path / "unpacked", tmp_path / "x", described)
    assert len(load(str(tmp_path / "unpacked")).samples) == 5


def test_a_live_set_is_as_fresh_as_its_user_says(tmp_path: Path) -> None:
    live = {"isLiveDataset": True, "faceaudit__lastChecked": "2020-01-01", "faceaudit__maximumAgeDays": 31}
    described, files = general(tmp_path, **live)
    path = packed(tmp_path / "set.zip", files)
    assert "say on which day you saw that" in take(path, tmp_path / "old", described).said[-1]
    taken = take(path, tmp_path / "made", described, checked_on=TODAY)
    assert f"was checked on {TODAY}" in taken.said[-1]
    assert (tmp_path / "made" / "copy.toml").read_text() == f"last_checked = {TODAY}\n"
    assert len(load(str(tmp_path / "made")).samples) == 5


def test_a_set_without_a_descriptor_is_unpacked_and_that_is_all(tmp_path: Path) -> None:
    _, files = general(tmp_path)
    taken = take(packed(tmp_path / "set.zip", files), tmp_path / "made", None)
    assert "Nothing is known here of how its files lie" in taken.said[-1]


def test_a_refused_set_is_not_unpacked_under_any_name(tmp_path: Path) -> None:
    path = packed(tmp_path / "set.zip", {f"x/{who}/{who}_0001.jpg": b"" for who in ("Ann_Other", "Bo_Dy")})
    with pytest.raises(Refused, match="files are arranged as in LFW"):
        take(path, tmp_path / "made", None)
    with pytest.raises(Refused, match="VGGFace2"):
        take(packed(tmp_path / "vggface2.zip", {"a.jpg": b""}), tmp_path / "made", None)
    (tmp_path / "f" / "Ann_Other").mkdir(parents=True)
    (tmp_path / "f" / "Bo_Dy").mkdir()
    for who in ("Ann_Other", "Bo_Dy"):
        (tmp_path / "f" / who / f"{who}_0001.jpg").write_bytes(b"")
    with pytest.raises(Refused):
        take(tmp_path / "f", tmp_path / "made", None)
    assert not (tmp_path / "made").exists()


@pytest.mark.london
def test_the_command_says_what_was_found_and_prints_the_folder(london: Path, tmp_path: Path) -> None:
    result = run(["benchmarks", "obtain", "london", "--from", str(london)])
    assert result.exit_code == 0
    assert result.stdout.strip() == str(london)
    assert "307 files are those that were described" in result.stderr
    broken = tmp_path / "page.zip"
    broken.write_bytes(b"<html>")
    result = run(["benchmarks", "obtain", "london", "--from", str(broken), "--into", str(tmp_path / "in")])
    assert "is no archive that can be read" in str(result.exception)
    few = packed(tmp_path / "few.zip", of(london))
    result = run(["benchmarks", "obtain", "london", "--from", str(few), "--most-entries", "3"])
    assert "holds more than 3 entries" in str(result.exception)


def test_a_damaged_receipt_is_named_as_such(tmp_path: Path) -> None:
    assert receipt.notes(tmp_path) == ()
    for text in ("{", '{"benchmark": 1}', "[]"):
        (tmp_path / "obtained.json").write_text(text)
        assert "cannot be read" in receipt.notes(tmp_path)[0]


def test_a_published_layout_behind_a_form_can_be_loaded_after_it_was_taken_in(tmp_path: Path) -> None:
    """The archive wraps everything in a folder, nobody published digests, and people under 18 are out of this copy."""
    source = published.cfd(tmp_path / "source")
    (source / "SHA256SUMS").unlink()
    members = {f"CFD 3.0/{p.relative_to(source).as_posix()}": p.read_bytes() for p in source.rglob("*") if p.is_file()}
    path = packed(tmp_path / "cfd.zip", members)
    result = run(["benchmarks", "obtain", "cfd", "--from", str(path), "--into", str(tmp_path / "data")])
    assert result.exit_code == 0, result.output
    assert "3 people with" in result.stderr
    assert "written into SHA256SUMS (self-declared)" in " ".join(result.stderr.split())
    made = load("cfd", data=[tmp_path / "data"])
    assert len(made.subjects) == 3
    assert sums.NOTE in made.notes

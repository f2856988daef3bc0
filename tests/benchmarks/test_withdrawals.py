"""The list of withdrawals: who is on it leaves everything, nobody is named, and nothing about it is passed over."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_up import SAMPLES, SUBJECTS, describe

from audit.benchmarks import load, take_out
from audit.benchmarks.withdrawals import LIST, SALT, read
from audit.domain import Withdrawals
from audit.errors import DataError, Refused

Make = Callable[..., Path]
DAY = dt.date(2026, 3, 1)
SERIES = (
    "sample_id,path,subject_id,factor,level,position,own\n"
    "x0,images/x0.png,001,light,dim,0,yes\nx1,images/x1.png,001,light,bright,1,no\n"
    "y0,images/y0.png,002,light,dim,0,yes\ny1,images/y1.png,002,light,bright,1,no\n"
)


def withdrawn(folder: Path) -> Withdrawals:
    found = load(str(folder)).withdrawn
    assert found is not None
    return found


@pytest.fixture
def full(collection: Make) -> Path:
    """Three people with samples, a protocol and series."""
    folder = collection(pairs="probe,reference\na1,a2\na1,b1\nb1,b2\nb2,c1\n")
    for name in ("x0", "x1", "y0", "y1"):
        (folder / "images" / f"{name}.png").write_bytes(f"bytes of {name}".encode())
    (folder / "series.csv").write_text(SERIES, encoding="utf-8")
    (folder / "croissant.json").write_text(json.dumps(describe(folder)), encoding="utf-8")
    return folder


def test_a_person_on_the_list_leaves_everything(full: Path) -> None:
    before = load(str(full))
    assert before.withdrawn is None
    assert len(before.series) == 4
    assert take_out(str(full), "001", DAY).before is None
    after = load(str(full))
    assert [subject.subject_id for subject in after.subjects] == ["002", "003"]
    assert [sample.sample_id for sample in after.samples] == ["b1", "b2", "c1"]
    assert after.pairs == (("b1", "b2"), ("b2", "c1"))
    assert {row.sample.subject_id for row in after.series} == {"002"}
    assert after.withdrawn is not None
    assert (after.withdrawn.listed, after.withdrawn.date, after.withdrawn.subjects) == (1, "2026-03-01", ("001",))
    assert {sample.sample_id for sample in after.withdrawn.samples} == {"a1", "a2", "x0", "x1"}


def test_folds_of_pairs_that_went_go_with_them(collection: Make) -> None:
    pairs = "probe,reference,fold\na1,a2,1\na1,b1,1\nb1,b2,2\nb2,c1,2\n"
    folder = collection(pairs=pairs)
    take_out(str(folder), "001", DAY)
    assert load(str(folder)).folds == {("b1", "b2"): "2", ("b2", "c1"): "2"}


def test_what_is_noted_in_counts_is_counted_without_them(full: Path) -> None:
    assert "age: 1 of 3 people have no label; they form a group of their own." in load(str(full)).notes
    take_out(str(full), "002", DAY)
    for name in ("b1", "y0"):
        (full / "images" / f"{name}.png").unlink()
    assert load(str(full)).notes == ()
    take_out(str(full), "001", DAY)
    assert load(str(full)).notes == ()


def test_a_copy_of_a_withdrawn_picture_under_another_person_goes_too(collection: Make) -> None:
    folder = collection()
    (folder / "images" / "c1.png").write_bytes((folder / "images" / "a1.png").read_bytes())
    (folder / "croissant.json").write_text(json.dumps(describe(folder)), encoding="utf-8")
    take_out(str(folder), "001", DAY)
    after = load(str(folder))
    assert [sample.sample_id for sample in after.samples] == ["b1", "b2"]
    assert "1 of 2 people have no sample." in after.notes


def test_the_list_names_nobody_and_can_be_checked_by_whoever_has_the_salt(full: Path) -> None:
    take_out(str(full), "001", DAY)
    text = (full / LIST).read_text(encoding="utf-8")
    salt = bytes.fromhex((full / SALT).read_text(encoding="ascii").strip())
    assert len(salt) == 32
    expected = hmac.new(salt, b"001", hashlib.sha256).hexdigest()
    assert text == f"subject_hash,withdrawn_on,salt_mark\n{expected},2026-03-01,{_mark(salt)}\n"
    plain = {
        hashlib.sha256(f"{mark}{name:03}".encode()).hexdigest() for name in range(999) for mark in ("", salt.hex())
    }
    assert not plain & set(text.replace("\n", ",").split(","))
    assert salt.hex() not in text
    assert salt.hex() not in repr(read(full))


def _mark(salt: bytes) -> str:
    return hashlib.sha256(salt).hexdigest()[:16]


def test_salts_of_two_collections_differ(collection: Make) -> None:
    texts = []
    for name in ("one", "two"):
        folder = collection(name=name)
        take_out(str(folder), "001", DAY)
        texts.append((folder / LIST).read_text(encoding="utf-8").split("\n")[1])
    assert texts[0] != texts[1]


def test_doing_it_twice_changes_nothing(full: Path) -> None:
    take_out(str(full), "001", DAY)
    once = (full / LIST).read_bytes(), (full / SALT).read_bytes()
    assert take_out(str(full), "001", dt.date(2026, 4, 1)).before == DAY
    assert ((full / LIST).read_bytes(), (full / SALT).read_bytes()) == once
    take_out(str(full), "003", DAY)
    assert withdrawn(full).subjects == ("001", "003")


def test_an_unknown_person_is_an_error_unless_the_rows_are_gone(full: Path) -> None:
    with pytest.raises(DataError, match=r"subject '01': no such person .* Did you mean '001'\."):
        take_out(str(full), "01", DAY)
    with pytest.raises(DataError, match="--already-removed"):
        take_out(str(full), "zzz", DAY)
    assert not (full / LIST).exists()
    take_out(str(full), "009", DAY, unlisted=True)
    assert (withdrawn(full).listed, withdrawn(full).subjects) == (1, ())


def test_one_may_withdraw_from_a_set_that_is_too_old_to_be_measured_on(collection: Make) -> None:
    folder = collection(isLiveDataset=True, faceaudit__lastChecked="2020-01-01", faceaudit__maximumAgeDays=31)
    with pytest.raises(Refused, match="last checked"):
        load(str(folder))
    assert take_out(str(folder), "001", DAY).before is None


def test_days_lie_in_the_past(full: Path) -> None:
    with pytest.raises(DataError, match="lies in the future"):
        take_out(str(full), "001", dt.date(2999, 1, 1))
    assert not (full / LIST).exists()


def test_a_folder_that_cannot_be_written_is_named(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, dir: Path, **more: Any) -> Any:  # noqa: A002 - the name of the standard library
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(DataError, match=rf"{SALT}: cannot be written: Permission denied\. Nothing was recorded"):
        take_out(str(full), "001", DAY)


def test_the_shipped_folder_and_the_data_folder_both_count(full: Path, tmp_path: Path) -> None:
    from audit.benchmarks import withdrawals  # noqa: PLC0415 - the module beside the names above
    from audit.benchmarks.content import Content  # noqa: PLC0415

    take_out(str(full), "001", DAY)
    other = tmp_path / "descriptor"
    other.mkdir()
    withdrawals.add(other, "003", dt.date(2026, 5, 1))
    made = load(str(full))
    content, out = withdrawals.apply(Content(made.subjects, made.samples), (full, other, full), full, ())
    assert [subject.subject_id for subject in content.subjects] == ["002"]
    assert out is not None
    assert (out.listed, out.date, out.subjects) == (2, "2026-05-01", ("003",))


def test_the_digest_is_that_of_the_list_not_of_its_file(full: Path) -> None:
    for name in ("001", "003"):
        take_out(str(full), name, DAY)
    before = withdrawn(full).digest
    head, first, second, _ = (full / LIST).read_text(encoding="utf-8").split("\n")
    (full / LIST).write_text("\ufeff" + "\r\n".join([head, second, first, "", second]), encoding="utf-8")
    assert withdrawn(full).digest == before
    (full / LIST).write_text("\n".join([head, first]), encoding="utf-8")
    assert withdrawn(full).digest != before


def test_a_list_of_nobody_is_a_list(full: Path) -> None:
    (full / LIST).write_text("subject_hash,withdrawn_on,salt_mark\n", encoding="utf-8")
    assert (withdrawn(full).listed, withdrawn(full).date) == (0, "")
    assert len(load(str(full)).subjects) == 3


GOOD = "subject_hash,withdrawn_on,salt_mark\n{hash},2026-03-01,{mark}\n"
BROKEN: dict[str, tuple[str | bytes, str]] = {
    "empty file": ("", "row 1: the columns are not subject_hash, withdrawn_on, salt_mark"),
    "ids in clear": ("subject_id\n001\n", "row 1: the columns are not"),
    "semicolons": (GOOD.replace(",", ";"), "row 1: the columns are not"),
    "another column": (GOOD.replace("mark\n", "mark,name\n"), "row 1: the columns are not"),
    "an id for a hash": (GOOD.replace("{hash}", "001"), "row 2, column 'subject_hash': is no hash"),
    "capitals": (GOOD.replace("{hash}", "A" * 64), "row 2, column 'subject_hash': is no hash"),
    "cut off": (GOOD.replace(",2026-03-01,{mark}\n", ""), "row 2: has 1 cells instead of 3"),
    "a day that is none": (
        GOOD.replace("2026-03-01", "2026-02-30"),
        "column 'withdrawn_on': '2026-02-30' is no day",
    ),
    "another calendar": (GOOD.replace("2026-03-01", "1.3.2026"), "row 2, column 'withdrawn_on': '1.3.2026' is no day"),
    "a day to come": (GOOD.replace("2026", "2999"), "row 2, column 'withdrawn_on': 2999-03-01 lies in the future"),
    "another salt": (GOOD.replace("{mark}", "0" * 16), "row 2, column 'salt_mark': the row was made with another salt"),
    "the second row": (GOOD + "{hash},,{mark}\n", "row 3, column 'withdrawn_on': '' is no day"),
    "an open quote": (GOOD + '"', "is not CSV"),
    "not UTF-8": (b"\xff\xfe\x00", "is not UTF-8"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_list_that_cannot_be_read_stops_the_run(full: Path, name: str) -> None:
    take_out(str(full), "001", DAY)
    salt = bytes.fromhex((full / SALT).read_text(encoding="ascii").strip())
    text, said = BROKEN[name]
    if isinstance(text, str):
        text = text.format(hash=hmac.new(salt, b"001", hashlib.sha256).hexdigest(), mark=_mark(salt)).encode()
    (full / LIST).write_bytes(text)
    with pytest.raises(DataError) as caught:
        load(str(full))
    assert said in str(caught.value)
    assert LIST in str(caught.value)
    assert "not ignored" in str(caught.value) or "clock" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "is missing"), ("", "is no salt"), ("0" * 63, "is no salt"), ("é" * 64, "is no salt")],
)
def test_a_salt_that_is_not_there_stops_the_run(full: Path, content: str | None, said: str) -> None:
    take_out(str(full), "001", DAY)
    (full / SALT).unlink()
    if content is not None:
        (full / SALT).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=rf"{SALT}: {said}"):
        load(str(full))


@pytest.mark.parametrize("name", ["Withdrawn.csv", "WITHDRAWN.CSV", "withdrawn.csv.txt"])
def test_a_list_under_nearly_the_right_name_is_not_passed_over(full: Path, name: str) -> None:
    (full / name).write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match=rf"looks like a list of withdrawals, which is called {LIST}"):
        load(str(full))


def test_a_list_that_is_a_folder_or_a_dangling_link_stops_the_run(full: Path) -> None:
    (full / LIST).symlink_to(full / "nowhere")
    with pytest.raises(DataError, match="cannot be read"):
        load(str(full))
    (full / LIST).unlink()
    (full / LIST).mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        load(str(full))


def test_rows_of_a_person_may_stay_in_tables_that_are_digested(collection: Make) -> None:
    """The digest that a descriptor declares for a table is that of the whole table: taking out is done after it."""
    folder = collection(subjects=SUBJECTS, samples=SAMPLES)
    raw = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256((folder / "subjects.csv").read_bytes()).hexdigest()
    raw["distribution"].append(
        raw["distribution"][0] | {"@id": "subjects.csv", "name": "subjects.csv", "sha256": digest}
    )
    (folder / "croissant.json").write_text(json.dumps(raw), encoding="utf-8")
    take_out(str(folder), "001", DAY)
    assert len(load(str(folder)).subjects) == 2

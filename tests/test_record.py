"""The record: its schema, its place in the world, and hostile copies of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from audit import record as records
from audit.domain import DemographicGroup
from audit.errors import DataError


def test_the_shipped_schema_is_made_from_the_classes() -> None:
    assert records.schema() == records.make_schema()


def test_text_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "record.json"
    records.write_text(target, "one")
    records.write_text(target, "two")
    assert target.read_text() == "two"
    assert [path.name for path in target.parent.iterdir()] == ["record.json"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot be written.*--out"):
        records.write_text(tmp_path / "file" / "record.json", "x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fdopen

    def full(handle: int, *arguments: str, **more: str):
        os.close(handle)
        return real(os.open("/dev/full", os.O_WRONLY), *arguments, **more)

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(DataError, match="No space left"):
        records.write_text(tmp_path / "record.json", "x" * 100_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "record.json#/"),
        (b"not json", "record.json#/"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[]", "record.json#/"),
        (json.dumps({"schema": "faceaudit/record-9"}).encode(), "record.json#/schema"),
        (b'{"schema": "faceaudit/record-1", "seed": NaN}', "record.json#/"),
    ],
)
def test_a_file_that_is_no_record_says_where(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        records.read(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_record_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        records.read(tmp_path / "record.json")


def test_groups_print_as_everywhere() -> None:
    group = DemographicGroup.of(gender="female", ethnicity="black")
    assert records.group_text(group.as_dict()) == str(group)
    assert records.group_text({}) == str(DemographicGroup())
    assert records.group_text("rest") == "rest"
    assert records.group_text(None) is None

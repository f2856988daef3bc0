"""Weights are the bytes that were checked, whatever happens to the file in the meantime."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from audit import models
from audit.errors import ModelError
from audit.models import weights
from audit.plan import make

CONTENT = b"numbers of a network"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "network.bin"
    path.write_bytes(CONTENT)
    return path


def test_a_library_that_reads_by_name_gets_the_checked_bytes(file: Path) -> None:
    with weights.held(file, SHA256) as name:
        file.write_bytes(b"swapped while the library opens it")
        assert Path(name).read_bytes() == CONTENT
    assert name != str(file)


def test_without_files_in_memory_the_copy_is_a_temporary_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.memfd_create")
    with weights.held(file, SHA256) as name:
        assert Path(name).read_bytes() == CONTENT
    assert not Path(name).exists()


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"!", b"something else"])
def test_missing_truncated_and_changed_files_are_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ModelError, match="has changed since its digest was checked"):
        weights.read(file, SHA256)
    with pytest.raises(ModelError, match="has changed"), weights.held(file, SHA256):
        pass
    with pytest.raises(ModelError, match=f"and not {SHA256}"):
        weights.check(file, SHA256, "somebody")
    file.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        weights.read(file, SHA256)


def test_a_link_is_followed_to_what_it_leads_to_and_that_is_checked(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.bin"
    link.symlink_to(file)
    weights.check(link, SHA256, "somebody")
    (tmp_path / "other.bin").write_bytes(b"other")
    link.unlink()
    link.symlink_to(tmp_path / "other.bin")
    with pytest.raises(ModelError, match="has changed"):
        weights.read(link, SHA256)
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    assert weights.look("link.bin", [tmp_path]) is None


def test_a_file_that_is_too_large_is_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "LARGEST", 10)
    with pytest.raises(ModelError, match="at most"):
        weights.digest(file)
    with pytest.raises(ModelError):
        weights.read(file, SHA256)


def test_landmarks_of_dlib_that_are_swapped_after_the_card_was_made_never_load(tmp_path: Path) -> None:
    card = models.describe("dlib", plan=make({"benchmark": "b", "model": "dlib"}))
    (tmp_path / "landmarks.dat").write_bytes(b"another predictor")
    swapped = card.model_copy(update={"parts": {"landmarks": tmp_path / "landmarks.dat"}})
    with pytest.raises(ModelError, match="has changed since its digest was checked"):
        models.load(swapped)

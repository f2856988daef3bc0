"""The store: what goes in comes out, whole or not at all, for nobody else's eyes."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from audit.domain import FailureToAcquire, Template
from audit.errors import DataError
from audit.store import Key, TemplateStore, default_root


def key(name: str = "a", weights: str = "w", preprocessing: str = "0123456789abcdef") -> Key:
    return Key(hashlib.sha256(name.encode()).hexdigest(), hashlib.sha256(weights.encode()).hexdigest(), preprocessing)


@pytest.fixture
def store(tmp_path: Path) -> TemplateStore:
    return TemplateStore(tmp_path / "cache")


VECTOR = np.array([1.5, -2.25, np.float32(1e-30), 3e30], np.float32)


def files(store: TemplateStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def test_templates_and_failures_come_back_as_they_went_in(store: TemplateStore) -> None:
    failure = FailureToAcquire("detect", "no face “…”")
    store.put(key("a"), Template(VECTOR, 3))
    store.put(key("b"), failure)
    found = store.get(key("a"))
    assert isinstance(found, Template)
    assert (found.vector.tobytes(), found.vector.dtype, found.faces) == (VECTOR.tobytes(), np.float32, 3)
    assert TemplateStore(store.root.parent).get(key("b")) == failure


@pytest.mark.parametrize("other", [key("b"), key(weights="v"), key(preprocessing="fedcba9876543210")])
def test_each_part_of_the_key_counts(store: TemplateStore, other: Key) -> None:
    store.put(key(), Template(VECTOR))
    assert store.get(other) is None


def test_looking_creates_nothing(store: TemplateStore) -> None:
    assert store.get(key()) is None
    assert not store.root.parent.exists()


def test_only_the_owner_may_look(store: TemplateStore) -> None:
    umask = os.umask(0)
    try:
        store.put(key(), Template(VECTOR))
    finally:
        os.umask(umask)
    for path in [store.root.parent, store.root, *store.root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if path.is_file() else 0o700)


@pytest.mark.parametrize("position", [0, 25, 55, 60, -1])
def test_a_flipped_bit_is_noticed(store: TemplateStore, position: int) -> None:
    store.put(key(), Template(VECTOR))
    (path,) = files(store)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    assert store.get(key()) is None


@pytest.mark.parametrize("length", [0, 5, 30, 52, 60])
def test_a_truncated_entry_is_noticed_and_replaced(store: TemplateStore, length: int) -> None:
    store.put(key(), Template(VECTOR))
    (path,) = files(store)
    path.write_bytes(path.read_bytes()[:length])
    assert store.get(key()) is None
    store.put(key(), Template(VECTOR))
    assert isinstance(store.get(key()), Template)


def test_an_entry_under_another_name_is_noticed(store: TemplateStore) -> None:
    store.put(key("a"), Template(VECTOR))
    store.put(key("b"), Template(VECTOR * 2))
    store._path(key("a")).replace(store._path(key("b")))
    assert store.get(key("b")) is None


def test_a_write_that_fails_leaves_the_old_entry_and_no_litter(
    store: TemplateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(key(), Template(VECTOR))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DataError, match=r"cache cannot be written: No space left.*FACEAUDIT_CACHE"):
        store.put(key(), Template(VECTOR * 2))
    found = store.get(key())
    assert isinstance(found, Template)
    assert found.vector.tobytes() == VECTOR.tobytes()
    assert len(files(store)) == 1


def test_a_place_that_cannot_be_written_is_named_before_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        DataError, match=r"templates: cache cannot be written: (File exists|Not a directory).*FACEAUDIT_CACHE"
    ):
        TemplateStore(tmp_path / "file").prepare()


def test_prepare_leaves_nothing_behind(store: TemplateStore) -> None:
    store.prepare()
    assert files(store) == []


def test_forgetting_an_image_leaves_no_byte_of_it(store: TemplateStore) -> None:
    for weights in ("v", "w"):
        for setting in ("0123456789abcdef", "fedcba9876543210"):
            store.put(key("gone", weights, setting), Template(VECTOR, 1))
            store.put(key("kept", weights, setting), Template(VECTOR * 2, 1))
    shelf = next(path.parent for path in files(store) if path.stem == key("gone").image)
    (shelf / ".new-left").write_bytes(VECTOR.tobytes())
    os.utime(shelf / ".new-left", (0, 0))
    assert store.forget([key("gone").image, key("never seen").image]) == 4
    assert len(files(store)) == 4
    for path in files(store):
        assert VECTOR.tobytes() not in path.read_bytes()
        assert key("gone").image not in str(path)
    assert store.get(key("kept")) is not None
    assert store.forget([key("gone").image]) == 0


def test_a_template_that_cannot_be_deleted_stops_the_run(store: TemplateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(key("gone"), Template(VECTOR, 1))

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(DataError, match=r"outcome: the template of a withdrawn person cannot be deleted: Permission"):
        store.forget([key("gone").image])


def test_two_processes_may_write_the_same_entries(store: TemplateStore) -> None:
    program = (
        "import sys, hashlib, numpy as np\nfrom pathlib import Path\n"
        "from audit.store import *\nfrom audit.domain import *\n"
        "store = TemplateStore(Path(sys.argv[1]))\n"
        "for turn in range(20):\n"
        "  for i in range(20):\n"
        "    k = Key(hashlib.sha256(str(i).encode()).hexdigest(), 'ab' * 32, '0' * 16)\n"
        "    store.put(k, Template(np.full(128, i + 1, np.float32)))\n"
        "    assert store.get(k).vector[0] == i + 1\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(store.root.parent)]) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    assert len(files(store)) == 20


def test_looking_up_costs_little_beside_reading_the_files(store: TemplateStore) -> None:
    keys = [key(str(i)) for i in range(204)]
    for k in keys:
        store.put(k, Template(np.ones(512, np.float32)))
    paths = files(store)
    started = time.perf_counter()
    for path in paths:
        path.read_bytes()
    read = time.perf_counter() - started
    started = time.perf_counter()
    assert all(isinstance(store.get(k), Template) for k in keys)
    assert time.perf_counter() - started < 20 * read


def test_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FACEAUDIT_CACHE", str(tmp_path / "mine"))
    assert TemplateStore().root == tmp_path / "mine" / "templates"
    monkeypatch.delenv("FACEAUDIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root().name == "faceaudit"

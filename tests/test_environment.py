"""The environment beside a record: what decides numbers, in words that may be published."""

from __future__ import annotations

import getpass
import json
import re
import socket
from importlib import metadata
from pathlib import Path

import pytest

from audit import environment
from audit.errors import DataError
from audit.provenance import code_digest


def test_it_holds_what_is_installed_here() -> None:
    found = environment.now("cpu")
    for name in ("faceaudit", "numpy", "scipy", "torch", "pillow", "onnxruntime", "numba", "llvmlite"):
        assert found.packages[name] == metadata.version(name)
    assert list(found.packages) == sorted(found.packages)
    assert "pytest" not in found.packages
    assert found.code == code_digest()
    assert found.blas["numpy"].split()[0] != "unknown"
    assert found.vectors != "unknown"


def test_nothing_of_the_machine_stands_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("MKL_NUM_THREADS", "/home/somebody")
    environment.write("cpu", tmp_path)
    text = (tmp_path / environment.FILE).read_text()
    assert json.loads(text)["threads"] == {"OMP_NUM_THREADS": "2"}
    assert not re.search(r"[/\\]", text.replace("faceaudit/environment-1", ""))
    for name in (socket.gethostname(), getpass.getuser()):
        assert name in {"root", "localhost"} or not re.search(rf"\b{re.escape(name)}\b", text)
    assert len(text) < 8192


def test_it_reads_what_it_writes(tmp_path: Path) -> None:
    assert environment.read(tmp_path) is None
    environment.write("cpu", tmp_path)
    assert environment.read(tmp_path) == environment.now("cpu")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": "faceaudit/environment-9"}', b"\xff", b'{"python": 3}'])
def test_another_file_is_named_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / environment.FILE).write_bytes(content)
    with pytest.raises(DataError, match=r"environment\.json#/") as caught:
        environment.read(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_package_that_is_broken_costs_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.distribution

    class Broken:
        version = None
        requires = ("this is no requirement (((",)

    monkeypatch.setattr(metadata, "distribution", lambda name: Broken() if name == "pooch" else real(name))
    assert environment.now("cpu").packages["pooch"] == "unknown"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("--index-url", "x"),
        ("a b", "1"),
        ("numpy", "1 --hash=x"),
        ("numpy", "1\n-r http://x"),
        ("a@http://x", "1"),
        ("", "1"),
    ],
)
def test_a_lock_for_pip_holds_names_and_versions_alone(name: str, version: str) -> None:
    with pytest.raises(DataError, match=r"x\.json#/packages: .* is no package with its version"):
        environment.requirements({"scipy": "1.0", name: version}, "x.json")


def test_every_package_here_can_be_written_for_pip() -> None:
    found = environment.now("cpu").packages
    lines = environment.requirements(found, "x.json").splitlines()
    assert len(lines) == len(found)
    assert [line for line in lines if line.startswith("#")] == [f"# faceaudit {found['faceaudit']}"]

"""Wheel and sources: from a clean export, the same bytes again, and an audit from the wheel where no clone is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from releases import MOMENT, ROOT, build


def bytes_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def export(source: Path, folder: Path) -> Path:
    folder.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=source, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    return folder


def test_the_same_commit_gives_the_same_bytes(released: Path, source: Path, tmp_path: Path) -> None:
    """At another time and place, in another time zone, language and home, with other permissions of new files."""
    strange = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    strange |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    before = os.umask(0o077)
    try:
        again = build(tmp_path / "a" / "dist", source, **strange)
    finally:
        os.umask(before)
    assert bytes_of(again) == bytes_of(released)
    assert len(bytes_of(again)) == 5
    sums = dict(reversed(line.split()) for line in (released / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: digest for name, digest in bytes_of(released).items() if name != "SHA256SUMS"}


def test_a_wheel_of_the_tree_equals_the_one_of_the_sources(released: Path, source: Path, tmp_path: Path) -> None:
    tree = export(source, tmp_path / "tree")
    subprocess.run(
        [sys.executable, "-m", "build", "--quiet", "--wheel", "--no-isolation", "--outdir", tmp_path / "dist", tree],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(MOMENT)}, check=True, capture_output=True,
    )  # fmt: skip
    (made,), (kept,) = (tmp_path / "dist").glob("*.whl"), released.glob("*.whl")
    assert made.read_bytes() == kept.read_bytes()


def test_the_sources_are_the_committed_files_and_one_of_the_builder(
    released: Path, source: Path, tmp_path: Path
) -> None:
    tree = export(source, tmp_path / "tree")
    (place,) = released.glob("*.tar.gz")
    with tarfile.open(place) as archive:
        members = archive.getmembers()
        held = {m.name.partition("/")[2]: archive.extractfile(m).read() for m in members if m.isfile()}  # type: ignore[union-attr]
    assert all(m.isfile() for m in members)
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "", "")}
    assert {m.mode for m in members} <= {0o644, 0o755}
    assert held.pop("PKG-INFO").startswith(b"Metadata-Version")
    held.pop(".gitignore")
    rooms = ("audit", "benchmarks", "tests", "docs")
    files = [p for room in rooms for p in (tree / room).rglob("*") if p.is_file()]
    files += [tree / name for name in ("README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml")]
    assert held == {path.relative_to(tree).as_posix(): path.read_bytes() for path in files}


def test_the_wheel_holds_the_product_and_no_more(released: Path) -> None:
    (place,) = released.glob("*.whl")
    with zipfile.ZipFile(place) as archive:
        names = set(archive.namelist())
        (said,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(said).decode()
    info = said.partition("/")[0]
    assert {name.split("/")[0] for name in names} == {"audit", info}
    assert f"{info}/licenses/LICENSE" in names
    data = {"audit/_data/benchmarks/synthetic/croissant.json", "audit/_data/docs/statistics.md"}
    assert names >= {"audit/py.typed", *data}
    assert not [name for name in names if name.endswith((".pyc", ".nbc", ".nbi", ".so")) or "__pycache__" in name]
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata


@pytest.fixture(scope="module")
def elsewhere(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with this wheel, and with the packages of this one, among which no clone is."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (wheel,) = released.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--isolated"]
    install = ["install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run([*pip, *install], check=True, capture_output=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")  # its own .pth files are not followed
    return folder


def test_an_audit_runs_from_the_wheel_where_no_clone_is(elsewhere: Path, tmp_path: Path) -> None:
    """Without a network, if this machine can make such a place; then the results are published, and both are read."""
    offline = ["unshare", "--net", "--map-root-user"]
    tried = shutil.which("unshare") and subprocess.run([*offline, "true"], check=False, capture_output=True)
    can = tried and tried.returncode == 0
    command = [*(offline if can else []), elsewhere / "bin" / "faceaudit"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "FACEAUDIT"))}
    env["FACEAUDIT_CACHE"] = str(tmp_path / "cache")

    def faceaudit(*arguments: str) -> str:
        run = subprocess.run([*command, *arguments], cwd=tmp_path, env=env, check=False, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return run.stdout

    code = "import audit, importlib.metadata as m; print(audit.__file__); print(m.version('faceaudit'))"
    python = elsewhere / "bin" / "python"
    run = subprocess.run([python, "-c", code], cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert Path(run.stdout.split("\n")[0]).is_relative_to(elsewhere)
    said = json.loads(faceaudit("run", "--limit", "8", "--fmr", "0.1", "--json", "--out", "results"))
    record = json.loads(Path(tmp_path, said["evaluations"][0]["record"]).read_text(encoding="utf-8"))
    assert record["benchmark"]["name"] == "synthetic"
    assert record["samples"]["subjects"] == 8
    assert str(ROOT) not in json.dumps(record)
    faceaudit("publish", "results", "--out", "site", "--base-url", "https://example.org/audits/")
    assert (tmp_path / "site" / "index.html").is_file()
    assert (tmp_path / "site" / "method" / "statistics.html").is_file()

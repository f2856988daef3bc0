"""Weights from a server or from a copy: only under the digest of a card, and every failure is one clear line."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import Server, serving
from stand_in_weights import network

from audit import download, models
from audit.errors import AuditError, ModelError
from audit.models import card_file, obtain, weights
from audit.plan import make

FILE = "weights.onnx"
CONTENT = network(112, 112, 512)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "_PAUSES_S", (0.0, 0.0, 0.0))
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / FILE).write_bytes(CONTENT)
    with serving(folder) as running:
        port = running.url.rpartition(":")[2]
        for name, place in (("same", "127.0.0.1"), ("other", "localhost")):
            running.answers[f"to {name} host"] = (302, {"Location": f"http://{place}:{port}/{FILE}"}, b"")
        running.answers["to a file"] = (302, {"Location": "file:///etc/passwd"}, b"")
        running.answers["for ever"] = (302, {"Location": f"{running.url}/latest.onnx"}, b"")
        yield running


def written(folder: Path, url: str, *, more: str = "", sha256: str = "") -> Path:
    """A user's own card of what the server has."""
    path = folder / "mine.toml"
    path.write_text(
        f'name = "mine"\nlike = "arcface"\n[weights]\nfile = "{FILE}"\nurl = "{url}"\nhosts = ["127.0.0.1"]\n{more}\n'
        f'sha256 = "{sha256 or hashlib.sha256(CONTENT).hexdigest()}"\n'
    )
    return path


def command(*arguments: str | Path, data: str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "FACEAUDIT_DATA": data}
    line = [sys.executable, "-m", "audit", "models", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, env=env)


def test_the_command_fetches_weights_and_then_the_model_is_ready(server: Server, tmp_path: Path) -> None:
    card = written(tmp_path, f"{server.url}/{FILE}")
    with pytest.raises(ModelError, match=r"neither beside the card nor in a data folder.*models obtain card:"):
        models.describe(f"card:{card}", plan=make({"benchmark": "b", "model": "m"}))
    done = command("obtain", f"card:{card}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(weights.obtained() / FILE)
    assert "licence of the weights: non-commercial research only" in done.stderr
    assert (weights.obtained() / FILE).read_bytes() == CONTENT
    again = command("obtain", f"card:{card}")
    assert "here already" in again.stderr
    assert server.asked == [FILE]
    shown = json.loads(command("show", f"card:{card}", "--json").stdout)
    assert (shown["status"], shown["self_declared"], shown["name"]) == ("ready", True, "mine")


def fetched(card: Path, into: Path) -> Path:
    (file,) = obtain.wanted(models.described(f"card:{card}"))
    return obtain.fetch(file, into, received=lambda _: None, stop=threading.Event())


def test_what_was_obtained_is_found_whatever_path_the_card_has_for_it(server: Server, tmp_path: Path) -> None:
    card = written(tmp_path, f"{server.url}/{FILE}")
    card.write_text(card.read_text().replace(f'file = "{FILE}"', f'file = "weights/{FILE}"'))
    assert fetched(card, weights.obtained()) == weights.obtained() / FILE
    assert models.describe(f"card:{card}", plan=make({"benchmark": "b", "model": "m"})).weights.name == FILE


def test_http_is_for_this_machine_alone(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"weights\.url"):
        models.described(f"card:{written(tmp_path, 'http://127.0.0.1:x@elsewhere.example/w.onnx')}")


def test_a_broken_download_goes_on_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.faults[FILE] = "no ranges"
    card = written(tmp_path, f"{server.url}/{FILE}", more=f"bytes = {len(CONTENT)}")
    with pytest.raises(AuditError, match="broke off"):
        fetched(card, tmp_path / "in")
    server.faults.clear()
    server.ranges.clear()
    assert fetched(card, tmp_path / "in").read_bytes() == CONTENT
    assert len(server.ranges) == 1
    assert server.ranges[0].startswith("bytes=")


def test_a_redirect_is_followed_to_a_host_that_the_card_names(server: Server, tmp_path: Path) -> None:
    server.faults["latest.onnx"] = "to same host"
    assert fetched(written(tmp_path, f"{server.url}/latest.onnx"), tmp_path / "in").read_bytes() == CONTENT
    assert server.asked == ["latest.onnx", FILE]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("to other host", "302 redirects to the host localhost, which is not among those named for it (127.0.0.1)"),
        ("to a file", "302 redirects to file:///etc/passwd, which is no https address"),
        ("for ever", "sent on more than 5 times"),
        ("login", "401: the server wants a login"),
        ("forbidden", "403: the server wants a login"),
        ("", "404: there is no such file at this address"),
        ("web page", "sent a web page and not the file"),
        ("busy", "503"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(server: Server, tmp_path: Path, fault: str, said: str) -> None:
    if fault:
        server.faults["latest.onnx"] = fault
    with pytest.raises(AuditError) as caught:
        fetched(written(tmp_path, f"{server.url}/latest.onnx"), tmp_path / "in")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "in").iterdir())
    assert FILE not in server.asked


@pytest.mark.parametrize(("fault", "said"), [("corrupt", "SHA-256 differs"), ("longer", "is larger than the")])
def test_another_file_than_the_cards_never_gets_its_name(server: Server, tmp_path: Path, fault: str, said: str) -> None:
    server.faults[FILE] = fault
    with pytest.raises(AuditError, match=said):
        fetched(written(tmp_path, f"{server.url}/{FILE}", more=f"bytes = {len(CONTENT)}"), tmp_path / "in")
    assert not list((tmp_path / "in").iterdir())


def test_a_full_disk_is_said(server: Server, tmp_path: Path) -> None:
    card = written(tmp_path, f"{server.url}/{FILE}")
    limited = subprocess.run(
        [sys.executable, "-m", "audit", "models", "obtain", f"card:{card}", "--into", str(tmp_path / "in")],
        capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )  # fmt: skip
    assert limited.returncode == 2
    assert "the disk is full. Make room and try again" in limited.stderr
    assert not (tmp_path / "in" / FILE).exists()


def test_a_copy_is_taken_where_there_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "stick.bin").write_bytes(CONTENT)
    card = written(tmp_path, "https://example.org/weights.onnx")
    done = command("obtain", f"card:{card}", "--from", tmp_path / "stick.bin", "--into", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / FILE).read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "site").iterdir()] == [FILE]
    shown = json.loads(command("show", f"card:{card}", "--json", data=str(tmp_path / "site")).stdout)
    assert shown["status"] == "ready"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html>Sign in", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "it is a pointer of Git LFS"),
        (b"", "it is empty"),
        (CONTENT[:-5], "it has only "),
        (b"\x80\x04\x95", "it is a pickle"),
        (b"PK\x03\x04", "it is a ZIP archive"),
    ],
)
def test_a_copy_of_something_else_is_refused_by_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "stick.bin").write_bytes(content)
    card = written(tmp_path, "https://example.org/weights.onnx", more=f"bytes = {len(CONTENT)}")
    (file,) = obtain.wanted(models.described(f"card:{card}"))
    with pytest.raises(ModelError, match=said):
        obtain.take(file, tmp_path / "stick.bin", tmp_path / "in")
    assert not (tmp_path / "in").exists()


def test_what_cannot_be_obtained_says_why() -> None:
    with pytest.raises(ModelError, match="come with the package face_recognition_models"):
        obtain.wanted(models.described("dlib"))
    with pytest.raises(ModelError, match=r"no digest of its weights deepid_weights\.pth is published.*like = "):
        obtain.wanted(models.described("deepid"))


def test_every_published_address_is_of_https_and_has_a_file() -> None:
    for name in models.MODELS:
        file = card_file.published(models.MODELS[name]).weights
        assert not file.url or file.url.startswith("https://")
        if file.sha256 != card_file.UNKNOWN and not file.package:
            assert file.url or name in {"mobilefacenet", "faceplugin_feature"}, name

"""Downloads, against a server in this process: digests, resume, and every way that a server can fail."""

from __future__ import annotations

import dataclasses
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from audit.benchmarks import descriptor, load, obtain
from audit.benchmarks.schema import Dataset
from audit.errors import DataError

FEW = ["london_info.csv", "neutral_front/001_03.jpg", "neutral_front/001_03.tem", "smiling_front/001_08.jpg"]


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files; `faults` maps a path to how it goes wrong, `asked` records what was fetched."""

    def __init__(self, *args: Any, faults: dict[str, str], asked: list[str], **more: Any) -> None:
        self.faults, self.asked = faults, asked
        super().__init__(*args, **more)

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.asked.append(path)
        fault = self.faults.get(path)
        if fault is None:
            super().do_GET()
        elif fault == "redirect":
            self.send_response(302)
            self.send_header("Location", "/" + FEW[0])
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            body = (Path(self.directory) / path).read_bytes() * (3 if fault == "longer" else 1)
            self.send_response(503 if fault == "busy" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault == "truncated" else b"\0" * len(body))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        pass


@dataclasses.dataclass
class Server:
    url: str
    faults: dict[str, str]
    asked: list[str]
    close: Any


@pytest.fixture
def server(london: Path) -> Iterator[Server]:
    faults: dict[str, str] = {}
    asked: list[str] = []
    handler = partial(_Handler, directory=str(london), faults=faults, asked=asked)
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.05,))
    thread.start()

    def close() -> None:
        if thread.is_alive():
            running.shutdown()
            running.server_close()
            thread.join()

    yield Server(f"http://127.0.0.1:{running.server_port}", faults, asked, close)
    close()


def _changed(**changes: Any) -> descriptor.Descriptor:
    """The London descriptor with few files and other changes."""
    known = descriptor.shipped()["london"]
    raw = json.loads(known.path.read_text(encoding="utf-8"))
    raw["distribution"] = [file | changes for file in raw["distribution"] if file["@id"] in FEW]
    return dataclasses.replace(known, dataset=Dataset.model_validate(raw))


@pytest.mark.london
def test_every_file_arrives_whole_and_only_once(server: Server, london: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    folder = obtain.fetch(_changed(), tmp_path / "l", base_url=server.url, progress=lambda *step: seen.append(step))
    for path in FEW:
        assert (folder / path).read_bytes() == (london / path).read_bytes()
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == sorted(FEW)
    assert seen == [("obtain", k, 4) for k in (1, 2, 3, 4)]
    assert sorted(server.asked) == sorted(FEW)
    obtain.fetch(_changed(), folder, base_url=server.url)
    assert len(server.asked) == 4


@pytest.mark.london
def test_an_interrupted_or_damaged_download_is_completed(server: Server, london: Path, tmp_path: Path) -> None:
    folder = tmp_path / "l"
    (folder / "neutral_front").mkdir(parents=True)
    shutil.copyfile(london / FEW[0], folder / FEW[0])
    (folder / FEW[1]).write_bytes(b"half of an ima")
    obtain.fetch(_changed(), folder, base_url=server.url)
    assert sorted(server.asked) == sorted(FEW[1:])
    assert (folder / FEW[1]).read_bytes() == (london / FEW[1]).read_bytes()


@pytest.mark.london
@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("corrupt", "is not the described file: SHA-256 differs from"),
        ("truncated", "cannot be fetched"),
        ("busy", "cannot be fetched: 503"),
        ("redirect", "302 redirects to /london_info.csv, which is not followed"),
        ("longer", "is larger than the"),
    ],
)
def test_what_goes_wrong_is_named_and_leaves_no_file(server: Server, tmp_path: Path, fault: str, text: str) -> None:
    server.faults[FEW[1]] = fault
    folder = tmp_path / "l"
    with pytest.raises(DataError) as caught:
        obtain.fetch(_changed(), folder, base_url=server.url)
    assert text in str(caught.value)
    assert FEW[1] in str(caught.value)
    assert not (folder / FEW[1]).exists()
    assert not [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).as_posix() not in FEW]
    server.faults.clear()
    obtain.fetch(_changed(), folder, base_url=server.url)
    assert (folder / FEW[1]).is_file()


@pytest.mark.london
def test_a_file_that_the_server_does_not_have(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be fetched: 404"):
        obtain.fetch(_changed(), tmp_path, base_url=f"{server.url}/elsewhere")


@pytest.mark.london
def test_a_server_that_is_gone(server: Server, tmp_path: Path) -> None:
    server.close()
    with pytest.raises(DataError, match="cannot be fetched: the server cannot be reached"):
        obtain.fetch(_changed(), tmp_path, base_url=server.url)


def test_only_https_addresses_of_the_descriptor_are_used(tmp_path: Path) -> None:
    for url in ("http://example.org/a", "file:///etc/passwd", "a.png", "ftp://example.org/a"):
        with pytest.raises(DataError, match="is no https address"):
            obtain.fetch(_changed(contentUrl=url), tmp_path)


def test_nothing_is_fetched_without_a_digest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is unknown"):
        obtain.fetch(_changed(sha256="unknown"), tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        obtain.fetch(_changed(), tmp_path / "file" / "l")


@pytest.mark.london
def test_load_obtains_into_the_cache_only_when_asked(
    server: Server, london: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = obtain.cache_folder("london")
    for path in descriptor.shipped()["london"].files:
        if path not in FEW:
            (cached / path).parent.mkdir(parents=True, exist_ok=True)
            (cached / path).symlink_to(london / path)
    with pytest.raises(DataError, match="4 of 307 files of an earlier download are missing"):
        load("london")
    assert not server.asked
    monkeypatch.setattr("audit.benchmarks.fetch", partial(obtain.fetch, base_url=server.url))
    with pytest.raises(DataError, match="link to outside"):
        load("london", obtain=True)
    assert sorted(server.asked) == sorted(FEW)
    for path in descriptor.shipped()["london"].files:
        if path not in FEW:
            (cached / path).unlink()
            shutil.copyfile(london / path, cached / path)
    made = load("london")
    assert (made.root, len(made.samples)) == (cached, 204)
    assert len(server.asked) == 4

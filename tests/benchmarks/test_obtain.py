"""Downloads, against a server in this process: digests, resume, and every way that a server can fail."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from file_server import Answers, Server, serving

from audit import download
from audit.benchmarks import descriptor, load, obtain, receipt
from audit.benchmarks.schema import Dataset
from audit.errors import DataError

FEW = ["london_info.csv", "neutral_front/001_03.jpg", "neutral_front/001_03.tem", "smiling_front/001_08.jpg"]


BLOCK = 1 << 16
"""Bytes that are lost with a connection at most."""

REDIRECT: Answers = {"redirect": (302, {"Location": "/" + FEW[0]}, b"")}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSES_S", (0.0, 0.0, 0.0))


@pytest.fixture
def server(london: Path) -> Iterator[Server]:
    with serving(london, answers=REDIRECT) as running:
        yield running


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
        ("shorter", "were declared"),
        ("login", "401: the server wants a login; ask for access"),
        ("forbidden", "403: the server wants a login"),
        ("web page", "sent a web page and not the file"),
        ("no content", "the server answered 204"),
        ("wrong part", "another part of the file than was asked for"),
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
def test_a_broken_download_goes_on_where_it_broke(server: Server, london: Path, tmp_path: Path) -> None:
    server.faults[FEW[1]] = "breaks once"
    arrived: list[int] = []
    folder = obtain.fetch(_changed(), tmp_path / "l", base_url=server.url, received=arrived.append)
    size = (london / FEW[1]).stat().st_size
    assert (folder / FEW[1]).read_bytes() == (london / FEW[1]).read_bytes()
    assert server.asked.count(FEW[1]) == 2
    (begun,) = (int(asked[6:-1]) for asked in server.ranges if asked)
    assert size // 2 - BLOCK <= begun <= size // 2
    assert sum(arrived) == sum((london / path).stat().st_size for path in FEW)


@pytest.mark.london
def test_the_next_command_goes_on_where_the_last_one_gave_up(server: Server, london: Path, tmp_path: Path) -> None:
    whole = (london / FEW[1]).read_bytes()
    server.faults[FEW[1]] = "no ranges"
    with pytest.raises(DataError, match="broke off"):
        obtain.fetch(_changed(), tmp_path / "l", base_url=server.url)
    (kept,) = (path for path in (obtain.cache_root() / "partial").iterdir() if path.stat().st_size)
    have = kept.stat().st_size
    assert len(whole) // 2 - BLOCK <= have <= len(whole) // 2
    assert kept.read_bytes() == whole[:have]
    server.faults.clear()
    server.ranges.clear()
    folder = obtain.fetch(_changed(), tmp_path / "l", base_url=server.url)
    assert server.ranges == [f"bytes={have}-"]
    assert (folder / FEW[1]).read_bytes() == whole
    assert not kept.exists()


@pytest.mark.london
@pytest.mark.parametrize("extra", [b"", b"of another release, and longer"])
def test_a_kept_part_that_is_of_another_file_is_fetched_anew(
    server: Server, london: Path, tmp_path: Path, extra: bytes
) -> None:
    whole = (london / FEW[1]).read_bytes()
    sums = obtain.cache_root() / "partial"
    sums.mkdir(parents=True)
    digest = descriptor.shipped()["london"].declared(FEW[1])
    order = [path for path in descriptor.shipped()["london"].files if path in FEW]
    (sums / f"{digest}-{order.index(FEW[1])}").write_bytes(whole[::-1][: 900 if not extra else None] + extra)
    folder = obtain.fetch(_changed(), tmp_path / "l", base_url=server.url)
    assert (folder / FEW[1]).read_bytes() == whole
    assert server.asked.count(FEW[1]) == 2


@pytest.mark.london
def test_a_digest_that_nobody_knows_is_the_users_to_give(server: Server, london: Path, tmp_path: Path) -> None:
    known = descriptor.shipped()["london"].declared(FEW[0])
    assert known is not None
    unknown = _changed()
    files = [
        file.model_copy(update={"sha256": "unknown"}) if file.path == FEW[0] else file
        for file in unknown.files.values()
    ]
    unknown = dataclasses.replace(unknown, dataset=unknown.dataset.model_copy(update={"distribution": tuple(files)}))
    with pytest.raises(DataError, match=r"is unknown. Nothing is fetched without one: give it with --sha256"):
        obtain.fetch(unknown, tmp_path / "l", base_url=server.url)
    with pytest.raises(DataError, match="knows the SHA-256 of this file"):
        obtain.fetch(unknown, tmp_path / "l", base_url=server.url, digests={FEW[1]: known})
    with pytest.raises(DataError, match="is not the described file"):
        obtain.fetch(unknown, tmp_path / "l", base_url=server.url, digests={FEW[0]: "0" * 64})
    folder = obtain.fetch(unknown, tmp_path / "l", base_url=server.url, digests={FEW[0]: known})
    (note,) = receipt.notes(folder)
    assert "given by the user" in note
    assert "self-declared" in note
    assert json.loads((folder / "obtained.json").read_text())["sources"][0]["basis"] == "self-declared"


@pytest.mark.london
def test_whose_word_a_digest_is_stands_there_before_the_files_do(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the last file and the receipt, nothing said that a digest was given by the user."""
    known = _changed()
    files = [file.model_copy(update={"sha256": "unknown"}) for file in known.files.values()]
    unknown = dataclasses.replace(known, dataset=known.dataset.model_copy(update={"distribution": tuple(files)}))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(obtain, "_fetch_all", killed)
    with pytest.raises(KeyboardInterrupt):
        obtain.fetch(unknown, tmp_path / "l", base_url=server.url, digests=dict.fromkeys(known.files, "a" * 64))
    assert "self-declared" in receipt.notes(tmp_path / "l")[0]


@pytest.mark.london
def test_a_benchmark_in_an_archive_is_unpacked(server: Server, london: Path, tmp_path: Path) -> None:
    source = tmp_path / "published"
    source.mkdir()
    with zipfile.ZipFile(source / "set.zip", "w") as archive:
        for path in FEW:
            archive.write(london / path, path)
    digest = hashlib.sha256((source / "set.zip").read_bytes()).hexdigest()
    known = descriptor.shipped()["london"]
    raw = json.loads(known.path.read_text(encoding="utf-8"))
    raw["distribution"] = [
        {"@type": "cr:FileObject", "@id": "set.zip", "name": "set.zip", "contentUrl": "https://example.org/set.zip"}
        | {"encodingFormat": "application/zip", "sha256": digest}
    ]
    packed = dataclasses.replace(known, dataset=Dataset.model_validate(raw))
    assert obtain.has_source(packed)
    with serving(source) as running:
        folder = obtain.fetch(packed, tmp_path / "l", base_url=running.url)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == sorted(FEW)
    assert obtain.missing_files(packed, folder) == 0
    assert not (obtain.cache_root() / "downloads" / "london").exists()
    with pytest.raises(DataError, match="is there already"):
        obtain.fetch(packed, folder)


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

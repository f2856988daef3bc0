"""Hostile and honest archives: what is refused leaves no byte anywhere, what is unpacked is whole."""

from __future__ import annotations

import gzip
import io
import shutil
import stat
import struct
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.benchmarks import archives, staging
from audit.benchmarks.archives import Limits, unpack
from audit.errors import DataError

GOOD = {"set/a/1.jpg": b"one", "set/a/2.jpg": b"two" * 100_000, "set/table.csv": b"id\n1\n", "set/empty.txt": b""}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Path]:
    """A folder inside a folder: after every test, nothing lies beside them that the test did not put there."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    yield inner
    assert [path.name for path in tmp_path.iterdir()] == ["outer"]
    assert [path.name for path in inner.parent.iterdir()] == ["inner"]
    assert not [path for path in inner.rglob("*") if "unfinished" in path.name]


def zipped(path: Path, members: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if change is not None:
                change(info)
            archive.writestr(info, content)
    return path


def tarred(path: Path, members: dict[str, bytes], mode: str = "w:gz", **more: Any) -> Path:
    with tarfile.open(path, mode, **more) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def special(path: Path, mode: str = "w", **facts: Any) -> Path:
    """A tar with a plain file and a member of another kind."""
    with tarfile.open(path, mode) as archive:
        info = tarfile.TarInfo("first.txt")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
        odd = tarfile.TarInfo(facts.pop("name", "odd"))
        for fact, value in facts.items():
            setattr(odd, fact, value)
        archive.addfile(odd)
    return path


def refused(path: Path, box: Path, **more: Any) -> str:
    """The one line of a refusal; nothing was made."""
    before = sorted(box.rglob("*"))
    with pytest.raises(DataError) as caught:
        unpack([path], box / "out", **more)
    assert sorted(box.rglob("*")) == before
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_an_honest_archive_arrives_whole(box: Path, suffix: str) -> None:
    path = box / f"set.{suffix}"
    if suffix == "zip":
        zipped(path, GOOD)
    else:
        tarred(path, GOOD, "w:" + suffix.removeprefix("tar").removeprefix("."))
    seen: list[tuple[str, int, int]] = []
    done = unpack([path], box / "out", progress=lambda *step: seen.append(step))
    assert {file.relative_to(box / "out").as_posix(): file.read_bytes() for file in (box / "out").rglob("*.*")} == GOOD
    assert (done.files, done.size, done.left_out) == (4, sum(map(len, GOOD.values())), 0)
    assert seen == [("unpack", k, 4) for k in (1, 2, 3, 4)]
    assert stat.S_IMODE((box / "out").stat().st_mode) & 0o555 == 0o555


def test_a_file_managers_litter_and_folders_are_left_out(box: Path) -> None:
    members = {"./set/": b"", "./set/a.jpg": b"a", "__MACOSX/set/._a.jpg": b"x", "set/.DS_Store": b"x"}
    path = zipped(box / "set.zip", members)
    done = unpack([path], box / "out")
    assert (done.files, done.left_out) == (1, 2)
    assert [file.name for file in (box / "out").rglob("*")] == ["set", "a.jpg"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../escaped.txt", "does not stay inside"),
        ("a/../../escaped.txt", "does not stay inside"),
        ("/escaped/escaped.txt", "does not stay inside"),
        ("..\\escaped.txt", "does not stay inside"),
        ("C:/escaped.txt", "does not stay inside"),
        ("a\n.txt", "some systems cannot hold"),
        ("dir/a:stream.txt", "some systems cannot hold"),
        ("a. /b.txt", "some systems cannot hold"),
        ("x\u202egpj.exe", "some systems cannot hold"),
        ("set/CON.jpg", "reserved for a device"),
        ("lpt1", "reserved for a device"),
        ("a/" * 40 + "b", "folders deep"),
        ("n" * 256, "more than 255 bytes"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_must_not_be_written(box: Path, name: str, why: str, kind: str) -> None:
    members = {"first.txt": b"1", name: b"2", "last.txt": b"3"}
    path = zipped(box / "x.zip", members) if kind == "zip" else tarred(box / "x.tar", members, "w:")
    assert why in refused(path, box)


def test_names_that_are_one_file_elsewhere(box: Path) -> None:
    for number, (one, other, why) in enumerate(
        [
            ("a/B.jpg", "a/b.jpg", "takes the name of"),
            ("A/x.jpg", "a/y.jpg", "lies in a folder that takes the name of"),
            ("caf\u00e9.jpg", "cafe\u0301.jpg", "takes the name of"),
            ("stra\u00dfe.jpg", "STRASSE.jpg", "takes the name of"),
            ("a", "a/b.jpg", "is a file and a folder"),
        ]
    ):
        for path in (
            zipped(box / f"{number}.zip", {one: b"1", other: b"2"}),
            tarred(box / f"{number}.tar", {one: b"1", other: b"2"}),
        ):
            assert why in refused(path, box)
    twice = box / "twice.tar"
    with tarfile.open(twice, "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("same.txt"))
    assert "takes the name of" in refused(twice, box)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is a link"),
        ({"type": tarfile.SYMTYPE, "linkname": "first.txt"}, "is a link"),
        ({"type": tarfile.LNKTYPE, "linkname": "first.txt"}, "is a link"),
        ({"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}, "is no plain file"),
        ({"type": tarfile.BLKTYPE}, "is no plain file"),
        ({"type": tarfile.FIFOTYPE}, "is no plain file"),
        ({"type": tarfile.CONTTYPE, "name": "../contiguous"}, "does not stay inside"),
    ],
)
def test_a_tar_with_a_member_that_is_no_file(box: Path, facts: dict[str, Any], why: str) -> None:
    assert why in refused(special(box / "x.tar.gz", "w:gz", **facts), box)


def test_a_zip_with_a_link_a_device_or_a_password(box: Path) -> None:
    def mode(kind: int) -> Callable[[zipfile.ZipInfo], None]:
        def change(info: zipfile.ZipInfo) -> None:
            info.create_system = 3
            info.external_attr = kind << 16

        return change

    assert "is a link" in refused(zipped(box / "l.zip", {"a": b"/etc/passwd"}, mode(stat.S_IFLNK | 0o777)), box)
    assert "no plain file" in refused(zipped(box / "d.zip", {"a": b""}, mode(stat.S_IFCHR | 0o600)), box)
    locked = zipped(box / "p.zip", {"a": b"secret"})
    content = bytearray(locked.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    locked.write_bytes(content)
    assert "locked with a password" in refused(locked, box)


def test_too_many_entries(box: Path) -> None:
    path = box / "many.zip"
    record = struct.Struct("<4s4B4HL2L5H2L").pack(b"PK\x01\x02", *([20, 3, 20, 0] + [0] * 4), *[0] * 3, 9, *[0] * 6)
    listed = b"".join(record + b"%05d.txt" % number for number in range(100_000))
    path.write_bytes(
        b"PK\x03\x04" + listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, len(listed), 4, 0)
    )
    assert "holds more than 50,000 entries" in refused(path, box)
    path = box / "many.tar"
    header = tarfile.TarInfo("x" * 90).tobuf()
    with path.open("wb") as stream:
        stream.write(header * 100_000 + b"\0" * 1024)
    assert "holds more than 50,000 entries" in refused(path, box)
    few = zipped(box / "few.zip", {f"{k}.txt": b"" for k in range(6)})
    assert "holds more than 5 entries" in refused(few, box, limits=Limits(entries=5))
    assert unpack([few], box / "out", limits=Limits(entries=6)).files == 6


def test_a_list_of_members_that_is_itself_too_long_is_not_read(box: Path) -> None:
    path = zipped(box / "x.zip", {"a": b"1"})
    content = path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    path.write_bytes(content[: end + 12] + struct.pack("<L", 0x7FFFFFFF) + content[end + 16 :])
    assert "holds more than 50,000 entries" in refused(path, box)


def sparse_bomb(path: Path, size: int) -> Path:
    """A zip whose one member is `size` zero bytes: about a thousandth of them in the file."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("zeros.jpg", "w", force_zip64=True) as stream,
    ):
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
    return path


def claims(path: Path, size: int) -> Path:
    """Let the only member of a zip claim another size, in the list and before the data."""
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(mark) + at
        content[start : start + 4] = struct.pack("<L", size)
    path.write_bytes(content)
    return path


def test_bombs(box: Path) -> None:
    """Ten gibibytes are claimed in a few bytes: refused at once, and in little memory."""
    bomb = box / "bomb.tar.gz"
    header = tarfile.TarInfo("zeros.jpg")
    header.size = 10 << 30
    with gzip.open(bomb, "wb") as stream:
        stream.write(header.tobuf() + bytes(1 << 20))
    tracemalloc.start()
    began = time.perf_counter()
    assert "unpacks to more than 8 GiB" in refused(bomb, box)
    assert "unpacks to more than 100 times its size" in refused(bomb, box, limits=Limits(size=1 << 40))
    assert "unpacks to more than 100 times its size" in refused(sparse_bomb(box / "bomb.zip", 40 << 20), box)
    assert time.perf_counter() - began < 10
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()
    small = claims(zipped(box / "big.zip", {"a.jpg": b"abc"}), 0xF0000000)
    assert "times its size" in refused(small, box)


def test_a_member_that_is_not_as_long_as_it_claims(box: Path) -> None:
    for size in (2, 200_000):
        path = claims(zipped(box / f"{size}.zip", {"a.jpg": bytes(range(250)) * 400}), size)
        text = refused(path, box)
        assert any(word in text for word in ("longer than", "shorter than", "is damaged"))


def test_a_header_that_claims_to_be_huge_is_not_read_into_memory(box: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    path = box / "long.tar"
    with path.open("wb") as stream:
        stream.write(info.tobuf(tarfile.GNU_FORMAT))
        stream.truncate(1 << 31)
    tracemalloc.start()
    assert "more bytes than a header has" in refused(path, box)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz", "tar"])
def test_a_damaged_or_cut_archive_is_named_as_such(box: Path, kind: str) -> None:
    path = box / f"x.{kind}"
    noise = {f"{k}.jpg": bytes((k * j * j) % 251 for j in range(40_000)) for k in range(1, 5)}
    made = zipped(path, noise) if kind == "zip" else tarred(path, noise, "w:" + kind.removeprefix("tar").strip("."))
    whole = made.read_bytes()
    made.write_bytes(whole[: len(whole) // 2])
    assert "damaged or cut off" in refused(made, box)
    if kind == "tar":
        return  # it has no check sums of its contents
    for at in (len(whole) // 3, len(whole) // 2, len(whole) * 2 // 3):
        made.write_bytes(whole[:at] + bytes(byte ^ 0xFF for byte in whole[at : at + 40]) + whole[at + 40 :])
        assert refused(made, box)


def test_what_is_no_archive(box: Path) -> None:
    page = box / "set.zip"
    page.write_bytes(b"<!DOCTYPE html><title>Sign in</title>")
    assert "is no archive that can be read" in refused(page, box)
    assert not archives.is_archive(page)
    assert not archives.is_archive(box)
    assert "No such file" in refused(box / "nothing.zip", box)
    assert "holds no files" in refused(zipped(box / "empty.zip", {}), box)


def test_nothing_is_written_over_and_several_archives_make_one_folder(box: Path) -> None:
    one = zipped(box / "1.zip", {"a/1.jpg": b"1"})
    two = tarred(box / "2.tar.gz", {"a/2.jpg": b"2"})
    assert unpack([one, two], box / "out").files == 2
    assert sorted(path.name for path in (box / "out" / "a").iterdir()) == ["1.jpg", "2.jpg"]
    assert "is there already" in refused(one, box)
    shutil.rmtree(box / "out")
    (box / "out").symlink_to(box)
    assert "is there already" in refused(one, box)
    (box / "out").unlink()
    again = zipped(box / "3.zip", {"A/1.jpg": b"1"})
    with pytest.raises(DataError, match="takes the name of"):
        unpack([one, again], box / "out")
    (box / "out").mkdir()
    assert unpack([one], box / "out").files == 1


def test_a_full_disk_leaves_nothing(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(box / "set.zip", GOOD)
    usage = shutil.disk_usage(box)
    with monkeypatch.context() as patch:
        patch.setattr(staging.shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
        assert "MiB left" in refused(path, box)
    real, written = Path.open, []

    def full(self: Path, mode: str = "r", *more: Any, **named: Any) -> Any:
        if "x" in mode and written:
            raise OSError(28, "No space left on device")
        written.append(self)
        return real(self, mode, *more, **named)

    monkeypatch.setattr(Path, "open", full)
    assert "the disk is full; nothing was kept" in refused(path, box)
    assert written

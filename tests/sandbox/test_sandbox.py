"""What an exported network can reach from its sandbox: nothing. Every attack is first shown to work without one."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile_archives import Small, exported, pickled, script

from audit.errors import ModelError
from audit.sandbox import archive, child, pool, probe, seal
from audit.sandbox.lane import EndedError, Limits, NoAnswerError
from audit.sandbox.pool import Sandbox

pytestmark = pytest.mark.skipif(seal.missing() is not None, reason=f"no sandbox here: {seal.missing()}")

KNOWN = "a-secret-of-the-parent"
FINE, WRITES, READS, ALLOCATES, LOOPS, PRINTS, FLOODS, NO_NUMBER = range(8)


class Listener:
    """A server that counts who connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.seen = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.seen += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def everything(folder: Path, port: int) -> str:
    """Code that tries all of it; what it learns it writes down, sends, and says in its error."""
    return f"""
        import os, pathlib, socket
        learnt = []
        def attempt(what):
            try:
                learnt.append(str(what()))
            except Exception as error:
                learnt.append(type(error).__name__)
        attempt(lambda: os.environ["FACEAUDIT_TEST_SECRET"])
        attempt(lambda: pathlib.Path({str(folder / "secret.txt")!r}).read_text())
        attempt(lambda: pathlib.Path(f"/proc/{{os.getppid()}}/environ").read_text())
        attempt(lambda: socket.create_connection(("127.0.0.1", {port}), 2).close())
        attempt(lambda: pathlib.Path({str(folder / "written.txt")!r}).write_text("out"))
        attempt(lambda: os.truncate({str(folder / "secret2.txt")!r}, 0))
        attempt(lambda: os.unlink({str(folder / "secret3.txt")!r}))
        attempt(lambda: os.symlink("/", {str(folder / "link")!r}))
        attempt(lambda: os.kill(os.getppid(), 0))
        def start():
            if os.fork() == 0:
                pathlib.Path({str(folder / "forked.txt")!r}).write_text("out")
                os._exit(0)
            os.wait()
        attempt(start)
        attempt(lambda: os.system("touch " + {str(folder / "shell.txt")!r}))
        raise ValueError("learnt " + " ".join(learnt))
    """


def prepared(folder: Path) -> Path:
    folder.mkdir()
    for name in ("secret.txt", "secret2.txt", "secret3.txt"):
        (folder / name).write_text(KNOWN)
    return folder


def left(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() if path.is_file() else "a link" for path in sorted(folder.iterdir())}


def unsealed(content: bytes, folder: Path, code: str) -> str:
    """What an archive does in an ordinary process."""
    (folder.parent / "archive").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(folder.parent / "archive")],
        env={**os.environ, "FACEAUDIT_TEST_SECRET": KNOWN},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_pickled_code_reaches_nothing(tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEAUDIT_TEST_SECRET", KNOWN)
    free, held = prepared(tmp_path / "free"), prepared(tmp_path / "held")

    said = unsealed(pickled(everything(free, listener.port)), free, "import sys, torch; torch.export.load(sys.argv[1])")
    assert said.count(KNOWN) >= 2
    assert listener.seen == 1
    assert {"written.txt", "forked.txt", "shell.txt", "link"} <= set(left(free))
    assert (left(free)["secret2.txt"], "secret3.txt" in left(free)) == ("", False)

    before, began = left(held), time.monotonic()
    with pytest.raises(ModelError, match=r"cannot be loaded in the sandbox: .*learnt") as refused:
        Sandbox(pickled(everything(held, listener.port)), "export", "model.pt2")
    assert KNOWN not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert listener.seen == 1
    assert left(held) == before
    assert time.monotonic() - began < 60


@pytest.fixture(scope="module")
def attacks(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path]:
    """A TorchScript archive that does what the first number of its input says."""
    folder = prepared(tmp_path_factory.mktemp("script") / "reach")
    body = f"""
        mode = int(x.reshape(-1)[0])
        if mode == {WRITES}:
            made = torch.from_file({str(folder / "made.bin")!r}, True, 64, dtype=torch.uint8)
            return made.fill_(65).float().reshape(1, -1)
        if mode == {READS}:
            found = torch.from_file({str(folder / "secret.txt")!r}, False, {len(KNOWN)}, dtype=torch.uint8)
            return found.float().reshape(1, -1)
        if mode == {ALLOCATES}:
            return torch.ones([12500000000]).sum().reshape(1, 1)
        if mode == {LOOPS}:
            while bool((x > -1).all()):
                x = x + 1
        if mode == {PRINTS}:
            for i in range(20000000):
                print("a line of fifty letters and more, to fill what it can")
        if mode == {FLOODS}:
            return torch.ones([1, 8000000])
        if mode == {NO_NUMBER}:
            return torch.full([1, 4], float("nan"))
        return x.reshape(1, -1)[:, :4]
    """
    return script(body, folder.parent), folder


def of(mode: int) -> np.ndarray:
    return np.full((1, 3, 2, 2), mode, np.float32)


def test_operators_of_torchscript_reach_nothing(attacks: tuple[bytes, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_ENDINGS", 3)
    content, folder = attacks
    said = unsealed(
        content,
        folder,
        "import sys, torch; m = torch.jit.load(sys.argv[1]); f = lambda k: m(torch.full((1, 3, 2, 2), float(k)));"
        f"f({WRITES}); print(bytes(f({READS}).to(torch.uint8).flatten().tolist()).decode())",
    )
    assert KNOWN in said
    assert left(folder)["made.bin"] == "A" * 64
    (folder / "made.bin").unlink()

    before = left(folder)
    sandbox = Sandbox(content, "script", "model.pt", limits=Limits(answer_s=2.0))
    try:
        for mode, expected in (
            (WRITES, (NoAnswerError, "made.bin")),
            (READS, (NoAnswerError, "Permission denied")),
            (ALLOCATES, (NoAnswerError, "allocate")),
            (LOOPS, (EndedError, "did not answer in time")),
            (PRINTS, (EndedError, "did not answer in time")),
        ):
            began = time.monotonic()
            with pytest.raises(expected[0], match=expected[1]) as failed:
                sandbox.ask(of(mode))
            assert "\n" not in str(failed.value)
            assert time.monotonic() - began < 20
            np.testing.assert_array_equal(sandbox.ask(of(FINE))[0], np.zeros((1, 4), np.float32))
        assert np.isnan(sandbox.ask(of(NO_NUMBER))[0]).all()  # no business of the sandbox's: guard.py counts it
        with pytest.raises(ModelError, match=r"model.pt: stopped 3 times in its sandbox; the last time it answered"):
            sandbox.ask(of(FLOODS))
    finally:
        sandbox.close()
    assert left(folder) == before


GARBAGE = """
import contextlib, os
for number in range(3, 256):
    with contextlib.suppress(OSError):
        os.write(number, bytes(range(256)) * 4)
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import ctypes; ctypes.string_at(0)", "its process was ended by SIGSEGV"),
        (GARBAGE, "it answered with a message of"),
        ("bytes(50 << 30)", "MemoryError"),
    ],
)
def test_a_process_that_ends_or_lies_is_one_line(code: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(ModelError) as refused:
        Sandbox(pickled(code), "export", "model.pt2", limits=Limits(start_s=60.0))
    assert said in str(refused.value)
    assert str(refused.value).startswith("model.pt2: cannot be loaded in the sandbox: ")
    assert time.monotonic() - began < 60


def test_every_protection_is_tried_and_none_holds_outside(tmp_path: Path) -> None:
    forbidden = tmp_path / "outside"
    forbidden.write_text("x")
    code = (
        "import sys, os, json; from audit.sandbox import probe; os.open('/dev/null', 0); os.execv = lambda *_: None;"
        "print(json.dumps(probe.held(sys.argv[1], [99], ['PATH'])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(forbidden)], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(probe.__file__).parents[2])},
    )  # fmt: skip
    assert json.loads(done.stdout.strip().splitlines()[-1]) == dict.fromkeys(probe.PROTECTIONS, False)


@pytest.mark.parametrize("lacking", probe.PROTECTIONS)
def test_without_a_protection_nothing_runs(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proved = {name: name != lacking for name in probe.PROTECTIONS}
    monkeypatch.setattr(child.channel, "receive", lambda *_: ({"held": proved}, b""))
    with pytest.raises(ModelError, match=f"runs only in a sandbox: not in force: {lacking}. Run on Linux"):
        Sandbox(exported(Small()), "export", "model.pt2")


def test_a_machine_without_them_says_so() -> None:
    """Also one where the modules of Unix cannot be imported."""
    code = (
        "import audit.models, sys; sys.modules['resource'] = sys.modules['fcntl'] = None;"
        "import audit.models.exported; from audit.sandbox import seal; sys.platform = 'win32'; print(seal.missing())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(probe.__file__).parents[2])},
    )  # fmt: skip
    assert "has neither Landlock nor seccomp" in done.stdout


def zipped(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w", compression) as file:
        warnings.simplefilter("ignore")
        for name, content in entries:
            file.writestr(name, content)
    return made.getvalue()


def overstated(content: bytes) -> bytes:
    """The same archive, whose table says that its first entry is of 1 GB."""
    at = content.index(b"PK\x01\x02")
    return content[: at + 24] + struct.pack("<I", 1 << 30) + content[at + 28 :]


def saved(what: object) -> bytes:
    made = io.BytesIO()
    torch.save(what, made)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no archive of torch, but empty"),
        (b"<!DOCTYPE html><html>please log in</html>", "is no archive of torch, but a web page"),
        (b"\x80\x04\x95cposix\nsystem", "pickled objects, which run code when they are read; it is not opened"),
        (b"\x08\x07\x12\x07pytorch", "is no archive of torch, but something else"),
        (saved({"w": torch.zeros(2)}), r"holds pickled objects \(torch.save\), which run code when they are read"),
        (zipped(("model/data.txt", b"x")), "is a zip file, but no archive of torch"),
        (zipped(("m/../../etc/x", b"x")), "has an entry that leaves its folder: 'm/../../etc/x'"),
        (zipped(("/etc/passwd", b"x")), "has an entry that leaves its folder: '/etc/passwd'"),
        (zipped(("m/a", b"x"), ("m/a", b"y")), "names an entry twice"),
        (zipped(("m/zeros", bytes(10_000_000)), compression=zipfile.ZIP_DEFLATED), "would unpack to 10,000,000 bytes"),
        (overstated(zipped(("m/a", b"x"))), "would unpack to 1,073,741,824 bytes"),
        (exported(Small())[:-30], "is a damaged archive"),
        (exported(Small())[:300], "is a damaged archive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_exported_network_is_refused_unread(content: bytes, said: str) -> None:
    with pytest.raises(ModelError, match=said) as refused:
        archive.kind_of(content, "model.pt")
    assert "\n" not in str(refused.value)

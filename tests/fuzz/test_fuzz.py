"""Every parser is fed hostile files for a second or two: `python tests/fuzz/fuzz.py` does it for hours.

What it found is in test_mended.py, and as inputs in corpus/, which every run begins with.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import child
import fuzz as command
from targets import BY_NAME, OFFLINE, TARGETS, Target

LONG = os.environ.get("FACEAUDIT_LONG", "") == "1"
NEVER_TAKEN = {"attribute-card", "deepid", "dlib"}
"""A sound one needs files of many megabytes."""
NEVER_REFUSED = {"check", "image", "finished"}
"""What is wrong is a finding, or a failure that is counted, or measured again."""
SECONDS = 60.0 if LONG else 0.5
FED = [name for name in BY_NAME if LONG or name not in OFFLINE]


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> command.Result:
    seed = int(os.environ.get("FACEAUDIT_SEED", "20260101"))
    return command.fuzz(FED, SECONDS, seed, tmp_path_factory.mktemp("fuzz"))


def test_no_hostile_file_crashes_hangs_grows_or_writes_elsewhere(fed: command.Result) -> None:
    assert not fed.wrong, "\n\n".join(map(str, fed.wrong))


@pytest.mark.parametrize("name", FED)
def test_every_parser_takes_sound_files_and_refuses_others(name: str, fed: command.Result) -> None:
    """A target that takes everything, or nothing, would show nothing."""
    counts = fed.counts[name]
    assert counts["taken"] > 0 or name in NEVER_TAKEN
    assert counts["refused"] > 0 or name in NEVER_REFUSED


def _crashes(_: Path) -> None:
    raise KeyError("x")


def _writes(path: Path) -> None:
    path.parents[2].joinpath("elsewhere").write_text("x")


def _pickles(_: Path) -> None:
    import pickle

    pickle.loads(b"cos\ngetcwd\n.")  # noqa: S301 - as above


def _leaves(path: Path) -> None:
    path.with_name("left").write_text("x")


def _grows(_: Path) -> None:
    bytearray(child.MOST_MEMORY + (64 << 20))


@pytest.mark.parametrize(
    ("parse", "word"),
    [(_crashes, "crash"), (_writes, "outside"), (_pickles, "outside"), (_leaves, "outside"), (_grows, "memory")],
)
def test_what_is_wrong_is_seen(
    parse: child.targets.Parse, word: str, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    """The watch itself, in a process of its own, since an audit hook stays for good."""
    code = (
        f"import sys, random; sys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
        "import child, test_fuzz\nfrom pathlib import Path\nsys.addaudithook(child.WATCH)\n"
        f"t = child.Target('t', 'f', 'text', lambda: [b'x'], test_fuzz.{parse.__name__})\n"
        f"f = child.Feeding(t, Path({str(tmp_path / 'work')!r}), random.Random(1)); f.one(b'x'); print(dict(f.counts))"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert f"{{'{word}': 1}}" in shown


def test_targets_have_names_of_their_own() -> None:
    assert len(BY_NAME) == len(TARGETS)
    assert all(isinstance(target, Target) for target in TARGETS)

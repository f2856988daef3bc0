"""What goes wrong around a run: a full disk, a folder that vanishes, a cache nobody may write, two runs, kill -9.

`FACEAUDIT_LONG=1` takes 5,000 images and ten kills instead of a few; see docs/extraction.md for what it showed.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from london_run import faceaudit
from made_up import describe
from PIL import Image

pytestmark = pytest.mark.london

LONG = os.environ.get("FACEAUDIT_LONG", "") == "1"
IMAGES = 5000 if LONG else 80
"""More than a batch and what is decoded ahead of it: a folder can vanish before all is read."""
KILLS = 10 if LONG else 1


def halved(path: Path) -> bytes:
    made = io.BytesIO()
    Image.open(path).reduce(2).save(made, "JPEG", quality=90)
    return made.getvalue()


def collection(london: Path, root: Path, images: int) -> Path:
    """The London images at half their size under new names, each with bytes of its own behind its end, two a person."""
    (root / "images").mkdir(parents=True)
    sources = [halved(path) for path in sorted(london.rglob("*.jpg"))[:images]]
    rows, people = ["sample_id,path,subject_id"], ["subject_id,gender,origin,age"]
    for number in range(images):
        name, person = f"{number:05}.jpg", f"p{number // 2:05}"
        (root / "images" / name).write_bytes(sources[number % len(sources)] + number.to_bytes(4, "big"))
        rows.append(f"s{number:05},images/{name},{person}")
        if number % 2 == 0:
            people.append(f"{person},{'female' if number % 4 else 'male'},NA,30")
    (root / "samples.csv").write_text("\n".join(rows) + "\n")
    (root / "subjects.csv").write_text("\n".join(people) + "\n")
    (root / "croissant.json").write_text(json.dumps(describe(root)))
    return root


@pytest.fixture(scope="module")
def own(london: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collection(london, tmp_path_factory.mktemp("faults") / "own", IMAGES)


def arguments(own: Path, out: Path, *more: str) -> list[str]:
    return [
        "run", "--benchmark", str(own), "--model", "onnx:mobilefacenet.onnx", "--by", "gender", "--fmr", "0.05",
        "--json", "--out", str(out), *more,
    ]  # fmt: skip


def environment(shared: Path, cache: Path) -> dict[str, str]:
    return {"FACEAUDIT_DATA": str(shared / "models"), "FACEAUDIT_CACHE": str(cache)}


def start(own: Path, out: Path, env: dict[str, str]) -> psutil.Popen:
    with said(out).open("w") as stderr:
        return psutil.Popen(
            [sys.executable, "-m", "audit", *arguments(own, out)], env={**os.environ, **env}, cwd=out.parent,
            stdout=subprocess.DEVNULL, stderr=stderr,
        )  # fmt: skip


def said(out: Path) -> Path:
    """Where what a started run says is written."""
    return out.with_suffix(".stderr")


def without_times(out: Path) -> dict:
    (path,) = out.rglob("record.json")
    record = json.loads(path.read_text())
    for name in ("created", "timing"):
        del record[name]
    return record


def kept(cache: Path) -> int:
    return len(list(cache.rglob("*.outcome")))


def wait_for(reached: Callable[[], bool], process: psutil.Popen) -> None:
    deadline = time.monotonic() + 300
    while not reached() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.fixture(scope="module")
def uninterrupted(own: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The record of a run that nothing disturbs; its memory is flat after the first tenth."""
    place = tmp_path_factory.mktemp("calm")
    process = start(own, place / "out", environment(shared, place / "cache"))
    resident: dict[int, float] = {}
    while process.poll() is None:
        done = kept(place / "cache")
        if done:
            try:
                resident[done] = process.memory_info().rss / 2**20
            except psutil.Error:
                break
        time.sleep(0.5 if LONG else 0.05)
    assert process.wait() == 0, said(place / "out").read_text()
    if LONG:
        early = max(mib for done, mib in resident.items() if 400 <= done <= 600)
        late = max(mib for done, mib in resident.items() if 600 < done < IMAGES)
        print(f"resident memory: {early:.0f} MiB up to image 600, {late:.0f} MiB after")
        assert late <= 1.1 * early
    return without_times(place / "out")


def test_killed_at_random_moments_it_ends_in_the_same_record(
    own: Path, shared: Path, tmp_path: Path, uninterrupted: dict
) -> None:
    env, out, cache = environment(shared, tmp_path / "cache"), tmp_path / "out", tmp_path / "cache"
    moments = np.sort(np.random.default_rng(7).choice(np.arange(1, IMAGES - 16), KILLS, replace=False)).tolist()
    for moment in moments:
        process = start(own, out, env)
        wait_for(lambda moment=moment: kept(cache) >= moment, process)
        process.kill()
        process.wait()
        assert not list(out.rglob("record.json"))
    assert moments[-1] <= kept(cache)
    last = faceaudit(*arguments(own, out), env=env, cwd=tmp_path)
    assert last.code == 0, last.stderr
    assert without_times(out) == uninterrupted


def test_two_runs_on_one_cache_end_in_the_same_record(
    own: Path, shared: Path, tmp_path: Path, uninterrupted: dict
) -> None:
    env = environment(shared, tmp_path / "cache")
    runs = [start(own, tmp_path / name, env) for name in ("one", "two")]
    for run, name in zip(runs, ("one", "two"), strict=True):
        assert run.wait(timeout=3600) == 0, said(tmp_path / name).read_text()
        assert without_times(tmp_path / name) == uninterrupted
    assert kept(tmp_path / "cache") == IMAGES
    assert not list((tmp_path / "cache").rglob(".new-*"))


def test_a_folder_that_vanishes_ends_in_one_line_and_the_run_resumes(
    own: Path, shared: Path, tmp_path: Path, uninterrupted: dict
) -> None:
    moved = tmp_path / "own"
    shutil.copytree(own, moved)
    env, cache = environment(shared, tmp_path / "cache"), tmp_path / "cache"
    process = start(moved, tmp_path / "out", env)
    wait_for(lambda: kept(cache) >= 1, process)
    (moved / "images").rename(moved / "away")
    code, stderr = process.wait(timeout=300), said(tmp_path / "out").read_text()
    assert code == 2, stderr
    assert stderr.count("\n") == 1
    assert "images: has vanished during the run" in stderr
    (moved / "away").rename(moved / "images")
    again = faceaudit(*arguments(moved, tmp_path / "out"), env=env, cwd=tmp_path)
    assert again.code == 0, again.stderr
    assert without_times(tmp_path / "out") == uninterrupted


def mounted(script: str) -> tuple[str, ...]:
    """Prefix that runs a command in a mount namespace of its own, after `script`."""
    prefix = ("unshare", "--mount", "--map-root-user", "sh", "-c", f'{script} && exec "$@"', "sh")
    if (
        shutil.which("unshare") is None
        or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("mounting is not allowed here")
    return prefix


def test_a_cache_nobody_may_write_is_named_before_any_work(own: Path, shared: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    prefix = mounted(f"mount --bind {cache} {cache} && mount -o remount,ro,bind {cache}")
    run = faceaudit(
        *arguments(own, tmp_path / "out", "--limit", "4"), env=environment(shared, cache), cwd=tmp_path, prefix=prefix
    )
    assert run.code == 2
    assert run.stderr.count("\n") == 1
    assert "cache cannot be written: Read-only file system" in run.stderr


def test_a_disk_that_fills_up_costs_the_cache_and_nothing_else(own: Path, shared: Path, tmp_path: Path) -> None:
    """Room for a few templates: said once, counted in the record; the same numbers."""
    cache = tmp_path / "cache"
    cache.mkdir()
    prefix = mounted(f"mount -t tmpfs -o size=40k none {cache}")
    out = tmp_path / "out"
    full = faceaudit(*arguments(own, out, "--limit", "8"), env=environment(shared, cache), cwd=tmp_path, prefix=prefix)
    assert full.code == 0, full.stderr
    assert full.stderr.count("No space left on device") == 1
    calm = faceaudit(
        *arguments(own, tmp_path / "calm", "--limit", "8"), env=environment(shared, tmp_path / "c"), cwd=tmp_path
    )
    assert calm.code == 0, calm.stderr
    one, other = without_times(out), without_times(tmp_path / "calm")
    said = [text for text in one.pop("warnings") if "could not be kept in the cache" not in text]
    assert said == other.pop("warnings")
    assert one == other

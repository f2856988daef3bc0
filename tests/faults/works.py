"""What is disturbed: commands on small inputs, and what must be there when they are done."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(Path(__file__).parent)]

SHARED = ROOT.parent / "shared"
PEOPLE = 12
PASSING = ("could not be kept in the cache", "finished comparisons cannot be kept")
"""Remarks on the cache, which a record may make of a disk that was full."""

CLUSTER = "run on a Ray of this machine"
"""Its result is that of the work `run`."""

TWO_WORKERS = {
    "RAY_OVERRIDE_RESOURCES": '{"CPU": 2}',
    "RAY_raylet_start_wait_time_s": "200",
    "RAY_agent_register_timeout_ms": "200000",
    "LD_PRELOAD": "",
}
"""A busy machine may take its time to start Ray; the layer that fails as told stays out of Ray's own processes."""

Found = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """A command.

    Parameters
    ----------
    name : of the work
    stages : that it passes through, of `host.STAGES`
    prepare : puts its inputs into an empty folder
    argv : its arguments; it is run in that folder
    found : what is there when it is done, but for times
    more : variables of its environment
    """

    name: str
    stages: tuple[str, ...]
    prepare: Callable[[Path], None]
    argv: Callable[[Path], list[str]]
    found: Callable[[Path], Found]
    needs: str = ""
    more: dict[str, str] = field(default_factory=dict)


def environment(folder: Path) -> dict[str, str]:
    """Cache and data of a work's own."""
    return {"FACEAUDIT_CACHE": str(folder / "cache"), "FACEAUDIT_DATA": str(SHARED / "models"), "COLUMNS": "200"}


def digests(folder: Path, *, without: tuple[str, ...] = ()) -> Found:
    """Every file below a folder by its SHA-256."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in without and not path.name.startswith(".")
    }


def collection(folder: Path) -> None:
    """People of the bundled set, two pictures each, in a folder of their own."""
    from made_up import attribute, describe
    from PIL import Image

    home = folder / "own"
    (home / "images").mkdir(parents=True)
    rows, people = ["sample_id,path,subject_id"], ["subject_id,gender"]
    for person in range(1, PEOPLE + 1):
        for view in ("studio", "indoors"):
            source = ROOT / "benchmarks/synthetic/images" / f"p{person:03d}-{view}.webp"
            name = f"images/{person:03d}-{view}.jpg"
            Image.open(source).convert("RGB").save(home / name, quality=90)
            rows.append(f"{person:03d}-{view},{name},{person:03d}")
        people.append(f"{person:03d},{'female' if person % 2 else 'male'}")
    (home / "samples.csv").write_text("\n".join(rows) + "\n")
    (home / "subjects.csv").write_text("\n".join(people) + "\n")
    described = describe(home, faceaudit__attribute=[attribute("gender", values=["female", "male"])])
    (home / "croissant.json").write_text(json.dumps(described))


def _record(folder: Path) -> Found:
    """The one record below `out` without its times, and whether its page is whole."""
    found = list((folder / "out").rglob("record.json"))
    if len(found) != 1:
        return {"records": len(found)}
    record = json.loads(found[0].read_bytes())
    for name in ("created", "timing"):
        record.pop(name, None)
    record["digests"].pop("code")  # somebody may be writing code while commands are disturbed
    record["warnings"] = [text for text in record["warnings"] if not any(word in text for word in PASSING)]
    page = found[0].with_name("report.html")
    whole = page.exists() and page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    return {"record": record, "page": whole}


def _model() -> str:
    return "onnx:mobilefacenet.onnx" if (SHARED / "models/mobilefacenet.onnx").exists() else "dlib"


def _run(_: Path, workers: str = "2") -> list[str]:
    return [
        "run", "--benchmark", "own", "--model", _model(), "--by", "gender", "--fmr", "0.05", "--quiet", "--out", "out",
        "--workers", workers,
    ]  # fmt: skip


def _scores(folder: Path) -> None:
    from policy_records import write_scores

    write_scores(folder, people=6)


def _score(_: Path) -> list[str]:
    return [
        "score",
        "scores.csv",
        "--subjects",
        "subjects.csv",
        "--by",
        "grp",
        "--fmr",
        "0.05",
        "--out",
        "out",
        "--quiet",
    ]


def _a_record(folder: Path) -> None:
    shutil.copytree(calm("score") / "out", folder / "results")


def _report(folder: Path) -> list[str]:
    (record,) = (folder / "results").rglob("record.json")
    return ["report", str(record), "--format", "html,md,csv", "--out", "pages"]


def _zipped(folder: Path) -> None:
    import published

    source = published.cfd(folder / "source")
    (source / "SHA256SUMS").unlink()
    with zipfile.ZipFile(folder / "cfd.zip", "w") as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                archive.write(path, f"CFD/{path.relative_to(source).as_posix()}")
    shutil.rmtree(source)


def _weights(folder: Path) -> None:
    """A card whose weights lie on a server of this machine; the server is the campaign's."""
    content = (b"weights %d" % PEOPLE) * 40_000
    (folder / "served").mkdir()
    (folder / "served" / "w.onnx").write_bytes(content)


def _card(folder: Path) -> list[str]:
    content = (folder / "served" / "w.onnx").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    (folder / "mine.toml").write_text(
        'name = "mine"\nlicence = "MIT"\ntraining_sets = ["none"]\nsimilarity = "cosine"\ndimension = 4\n'
        "[input]\nsize = 112\nmean = [0, 0, 0]\ndeviation = [1, 1, 1]\n"
        f'[weights]\nfile = "w.onnx"\nsha256 = "{digest}"\nurl = "{server_url()}/w.onnx"\n'
    )
    return ["models", "obtain", "card:mine.toml", "--into", "weights"]


def _cache(folder: Path) -> None:
    shutil.copytree(calm("run") / "cache", folder / "cache")


def _cleared(folder: Path) -> Found:
    return {"outcomes": len(list((folder / "cache").rglob("*.outcome")))}


def _warm(folder: Path) -> None:
    collection(folder)
    _cache(folder)
    shutil.rmtree(folder / "cache" / "influence", ignore_errors=True)


def _listed(folder: Path) -> Found:
    """Who is on the list: one person, in one row that its salt explains."""
    from audit.benchmarks import withdrawals

    listed = withdrawals.read(folder / "own")
    if listed is None:
        return {"listed": 0}
    rows = list(csv.reader(io.StringIO((folder / "own" / withdrawals.LIST).read_text())))
    return {"listed": len(listed.days), "rows": len(rows), "who": listed.of(["001", "002"])}


WORKS = (
    Work("run", ("hashing", "extraction", "comparison", "metrics", "record", "report"), collection, _run, _record),
    Work("run, templates cached", ("comparison", "metrics", "record", "report"), _warm, _run, _record, needs="run"),
    Work(
        CLUSTER, ("extraction", "comparison"), collection, lambda folder: _run(folder, "ray"), _record, needs="run",
        more=TWO_WORKERS,
    ),
    Work("score", ("metrics", "record", "report"), _scores, _score, _record),
    Work("report", (), _a_record, _report, lambda folder: digests(folder / "pages"), needs="score"),
    Work(
        "publish", ("site",), _a_record, lambda _: ["publish", "results", "--out", "site"],
        lambda folder: digests(folder / "site"), needs="score",
    ),
    Work(
        "unpack an archive", ("unpacking",), _zipped,
        lambda _: ["benchmarks", "obtain", "cfd", "--from", "cfd.zip", "--into", "data"],
        lambda folder: digests(folder / "data", without=("obtained.json",)),
    ),
    Work("obtain weights", ("download",), _weights, _card, lambda folder: digests(folder / "weights")),
    Work("cache --clear", ("cache",), _cache, lambda _: ["cache", "--clear"], _cleared, needs="run"),
    Work(
        "withdraw a person", (), collection,
        lambda _: ["benchmarks", "withdraw", "own", "001", "--date", "2026-01-02"], _listed,
    ),
)  # fmt: skip
BY_NAME = {work.name: work for work in WORKS}

_CALM: dict[str, Path] = {}
_SERVER: list[str] = []


def calm(name: str) -> Path:
    """Folder of a work that nothing has disturbed."""
    return _CALM[name]


def keep_calm(name: str, folder: Path) -> None:
    """Remember it."""
    _CALM[name] = folder


def server_url() -> str:
    """Where the campaign's server listens."""
    return _SERVER[0]


def serve_at(url: str) -> None:
    """Say where."""
    _SERVER[:] = [url]

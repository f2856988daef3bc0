"""The process that commands are started from: it has loaded everything, and starts each in a fork of its own.

A job is a JSON object a line on stdin. The answers are `{"pid": ...}` as it begins and `{"status": ...}` as it ends. In
the fork, before the command line of the product is entered, the faults that the job asks for are armed.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOADED = (
    "torch", "onnxruntime", "pandas", "pyarrow.parquet", "pyarrow.csv", "numba", "scipy.stats", "jinja2", "pooch",
    "rich.console", "requests", "audit.recipe", "audit.scoring", "audit.cli", "audit.models.pipeline",
    "audit.models.detect", "audit.models.onnx_file", "audit.models.obtain", "audit.compare.all_pairs",
    "audit.compare.parts", "audit.report.html", "audit.report.site", "audit.report.markdown", "audit.report.tables",
    "audit.benchmarks.intake",
)  # fmt: skip
STAGES = (
    ("hashing", "audit.inputs", "hash_samples"),
    ("extraction", "audit.recipe.from_pictures", "_extract"),
    ("comparison", "audit.recipe.from_pictures", "of_templates"),
    ("metrics", "audit.recipe.from_scores", "record_of"),
    ("record", "audit.record", "write"),
    ("report", "audit.evaluation", "render"),
    ("unpacking", "audit.benchmarks.archives", "unpack"),
    ("download", "audit.models.obtain", "download"),
    ("site", "audit.report.site", "publish"),
    ("cache", "audit.upkeep", "clear"),
)
"""Name of a stage, and the function of the product with which it begins."""
_NEW_MOUNTS = 0x00020000
"""CLONE_NEWNS."""


def announce(place: Path) -> None:
    """Have every stage write its name into a file as it begins, and "-" as it ends."""
    for name, module, function in STAGES:
        home = importlib.import_module(module)
        setattr(home, function, _told(getattr(home, function), name, place))


def _told(real: Callable[..., Any], name: str, place: Path) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        _line(place, name)
        made = real(*args, **more)
        _line(place, "-")
        return made

    return call


def _line(place: Path, text: str) -> None:
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(handle, f"{text}\n".encode())
    os.close(handle)


def command(job: dict[str, Any]) -> None:
    """In the fork: become the command, with its faults."""
    os.setsid()
    for number, name in ((0, os.devnull), (1, job["stdout"]), (2, job["stderr"])):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644), number)
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    announce(Path(job["stages"]))
    library = ctypes.CDLL(None, use_errno=True)
    if job.get("mounts"):
        library.unshare(_NEW_MOUNTS)
        for line in ("mount --make-rprivate /", *job["mounts"]):
            subprocess.run(line.split(), check=True)
    if job.get("memory"):
        with open("/proc/self/statm", encoding="ascii") as statm:
            now = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + job["memory"], resource.RLIM_INFINITY))
    if job.get("fault"):
        library.fault_arm(job["fault"].encode())
    sys.argv = ["faceaudit", *job["argv"]]
    from audit.cli import main

    main(job["argv"])


def serve() -> None:
    """Start jobs until stdin ends."""
    for module in LOADED:
        importlib.import_module(module)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            answers.close()
            code = 70
            try:
                command(job)
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0
            except BaseException:  # noqa: BLE001 - as the interpreter would: a traceback, and 1
                import traceback

                traceback.print_exc()
                code = 1
            finally:
                _flush()
                os._exit(code)
        answers.write(json.dumps({"pid": pid}) + "\n")
        answers.flush()
        _, status = os.waitpid(pid, 0)
        answers.write(json.dumps({"status": os.waitstatus_to_exitcode(status)}) + "\n")
        answers.flush()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2])]
    serve()

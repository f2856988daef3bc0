"""A process that has loaded what commands load, and starts each of them in a fork of its own.

Half of what a short command takes is imports. A forked command has its own memory, environment, folder, output and exit
code, as one that the shell starts; what is about the start itself is tested with processes that are new.

A job is a JSON object a line on stdin; the answer is a line with the exit code.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
import traceback
import warnings
from functools import cache
from pathlib import Path
from typing import Any

LOADED = (
    "pandera.pandas", "torch", "onnxruntime", "pandas", "pyarrow.parquet", "pyarrow.csv", "numba.np.arrayobj",
    "scipy.stats", "jinja2", "requests", "audit.recipe", "audit.scoring", "audit.cli", "audit.models.pipeline",
    "audit.models.detect", "audit.models.onnx_file", "audit.compare.all_pairs", "audit.report.html",
    "audit.report.pdf", "audit.report.site", "audit.report.markdown",
)  # fmt: skip
FREE = ("FACEAUDIT_", "PYTEST_", "COLUMNS")
"""Beginnings of variables that are read when a command runs; any other may be read when a library is loaded."""


def _command(job: dict[str, Any]) -> int:
    """In the fork: become the command."""
    for number, name in ((0, os.devnull), (1, job["stdout"]), (2, job["stderr"])):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644), number)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    sys.argv = ["faceaudit", *job["argv"]]
    from audit.cli import main  # noqa: PLC0415 - loaded before

    try:
        main(job["argv"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001 - as the interpreter would: a traceback, and 1
        traceback.print_exc()
        return 1
    finally:
        threading._shutdown()  # type: ignore[attr-defined] # what the interpreter does at its end
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    return 0


def _serve() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in LOADED:
            importlib.import_module(module)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = _command(json.loads(line))
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


STARTED_WITH = dict(os.environ)
"""The variables of the process that commands start from: those of the tests before any of them changes one."""


@cache
def _host() -> subprocess.Popen[str]:
    """The one of this process, started when it is first needed."""
    line = [sys.executable, __file__]
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=STARTED_WITH)

    def close() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()

    atexit.register(close)
    return process


def _bound(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if not name.startswith(FREE)}


def run(arguments: list[str], env: dict[str, str], cwd: Path, stdout: Path, stderr: Path) -> int | None:
    """The exit code of a command; None if its environment asks for a process that is new."""
    if _bound(env) != _bound(STARTED_WITH):
        return None
    process = _host()
    assert process.stdin is not None
    assert process.stdout is not None
    job = {"argv": arguments, "env": env, "cwd": str(cwd), "stdout": str(stdout), "stderr": str(stderr)}
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError("the process that starts commands has died")
    return int(answer)


if __name__ == "__main__":
    _serve()

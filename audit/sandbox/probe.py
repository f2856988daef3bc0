"""Try, from inside, everything that a seal has to prevent."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Collection
from pathlib import Path

PROTECTIONS = (
    "no network",
    "no other program",
    "no writing",
    "no reading",
    "no signals",
    "no secrets",
    "no open files",
)
"""What is tried; a sandbox has them all."""


def held(forbidden: str, channels: Collection[int], environment: Collection[str]) -> dict[str, bool]:
    """Say of every protection whether it holds.

    Parameters
    ----------
    forbidden : a file that can be read and written by anybody, beside which files can be made
    channels : the descriptors, beside the standard three, that stay open
    environment : the variables that may be there
    """
    outside = Path(forbidden)

    def network() -> None:
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
            with contextlib.suppress(OSError):
                socket.socket(family, socket.SOCK_STREAM if family != socket.AF_NETLINK else socket.SOCK_RAW)
                return
        raise PermissionError

    def program() -> None:
        if os.fork() == 0:
            os._exit(0)

    def writing() -> None:
        attempts: tuple[Callable[[], object], ...] = (
            lambda: os.open(outside, os.O_WRONLY),
            lambda: os.open(outside, os.O_RDONLY | os.O_TRUNC),
            lambda: os.open(outside.with_name("made"), os.O_WRONLY | os.O_CREAT),
            lambda: os.open("made", os.O_WRONLY | os.O_CREAT),
            lambda: os.truncate(outside, 0),
            lambda: outside.chmod(0o600),
            outside.unlink,
            lambda: outside.rename(outside.with_name("moved")),
            lambda: outside.with_name("folder").mkdir(),
        )
        for attempt in attempts:
            with contextlib.suppress(OSError):
                attempt()
                return
        raise PermissionError

    return {
        "no network": _fails(network),
        "no other program": _fails(program) and _fails(lambda: os.execv("/bin/true", ["true"])),  # noqa: S606 - it has to fail
        "no writing": _fails(writing),
        "no reading": _fails(outside.read_bytes),
        "no signals": _fails(lambda: os.kill(os.getppid(), 0)),
        "no secrets": set(os.environ) <= set(environment),
        "no open files": _open_files() <= {0, 1, 2, *channels},
    }


def _fails(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _open_files() -> set[int]:
    import fcntl  # noqa: PLC0415 - of Unix alone, and read on every system
    import resource  # noqa: PLC0415 - as above

    found = set()
    for number in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        with contextlib.suppress(OSError):
            fcntl.fcntl(number, fcntl.F_GETFD)
            found.add(number)
    return found

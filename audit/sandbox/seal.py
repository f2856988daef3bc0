"""Take from this process, for ever, what a program of somebody else must not have. Linux alone; no rights are needed.

Three locks of the kernel, each for itself unprivileged and irrevocable: resource limits, Landlock (which files can be
read, none can be changed), and seccomp (which system calls there are, see `filter`). Namespaces of its own come on top
where the machine allows them; nothing rests on these.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Sequence

from audit.sandbox import filter as calls

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""landlock_create_ruleset and its companions; the same number on every architecture."""
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights over files there are, by the version of Landlock; the last holds for later ones."""
_TCP = 0b11
_SCOPES = 0b11
_NO_NEW_PRIVILEGES, _SECCOMP, _BY_FILTER = 38, 22, 2
_NAMESPACES = 0x10000000 | 0x40000000 | 0x08000000 | 0x04000000
"""CLONE_NEWUSER, NEWNET, NEWIPC, NEWUTS."""
_OPEN_PATH = 0o10000000
"""O_PATH."""


class UnsealedError(Exception):
    """A protection cannot be had on this machine."""


def missing() -> str | None:
    """Say which protection this machine lacks; None if none."""
    if sys.platform != "linux":
        return f"{platform.system()} has neither Landlock nor seccomp"
    if platform.machine() not in calls.machines():
        return f"no list of system calls for {platform.machine()} (there is one for {', '.join(calls.machines())})"
    if version() < 1:
        return "this kernel has no Landlock (Linux 5.13 or later, with landlock among its security modules)"
    return None


def version() -> int:
    """Version of Landlock here; below 1 there is none."""
    return int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, 0, 1))


def seal(readable: Sequence[str], *, memory: int, files: int = 256) -> None:
    """Seal this process, which must have one thread.

    Parameters
    ----------
    readable : paths of folders and files that can still be opened, for reading
    memory : bytes of address space
    files : descriptors

    Raises
    ------
    UnsealedError
        Naming what cannot be had; the process must then end.
    """
    lacking = missing()
    if lacking:
        raise UnsealedError(lacking)
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - no pathlib in here
    if threads != 1:
        raise UnsealedError(f"{threads} threads run already, and a seal binds one")
    library = ctypes.CDLL(None, use_errno=True)
    bound(memory=memory, files=files)
    library.unshare(_NAMESPACES)  # where it is not allowed, the locks below hold all the same
    _must(library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")
    _lock_files(library, readable)
    _lock_calls(library)


def bound(*, memory: int, files: int = 256) -> None:
    """Bound this process, for ever: bytes of address space, open files, and no file written.

    Where less is allowed already, that stays; a bound that this system does not have is left out.
    """
    import resource  # noqa: PLC0415 - of Unix alone

    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_AS, memory),
    ):
        allowed = resource.getrlimit(kind)[1]
        least = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        try:
            resource.setrlimit(kind, (least, least))
        except (ValueError, OSError):
            if sys.platform == "linux":
                raise


def _lock_files(library: ctypes.CDLL, readable: Sequence[str]) -> None:
    found = version()
    rights = (1 << _RIGHTS[min(found, max(_RIGHTS))]) - 1
    attributes = struct.pack("<Q", rights)
    if found >= 4:
        attributes += struct.pack("<Q", _TCP)
    if found >= 6:
        attributes += struct.pack("<Q", _SCOPES)
    rules = _must(library.syscall(_CREATE, attributes, len(attributes), 0), "Landlock")
    for path in readable:
        try:
            at = os.open(path, _OPEN_PATH | os.O_CLOEXEC)
        except OSError:  # not every machine has every folder of libraries
            continue
        allowed = _READ_FILE | _READ_FOLDER if os.path.isdir(path) else _READ_FILE  # noqa: PTH112 - no pathlib in here
        _must(library.syscall(_ADD, rules, 1, struct.pack("<Qi", allowed, at), 0), "Landlock")
        os.close(at)
    _must(library.syscall(_RESTRICT, rules, 0), "Landlock")
    os.close(rules)


def _lock_calls(library: ctypes.CDLL) -> None:
    code = calls.program(platform.machine(), os.getpid())
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(held))
    _must(library.prctl(_SECCOMP, _BY_FILTER, ctypes.c_char_p(program), 0, 0), "seccomp")


def _must(result: int, what: str) -> int:
    if result < 0:
        raise UnsealedError(f"{what} was refused by the kernel: {os.strerror(ctypes.get_errno())}")
    return result

"""Which system calls a sealed process may still make: a list of those it needs, as a seccomp program.

Reading, memory, threads and time are on it. What is not on it does not exist for the process: sockets, other programs,
signals to other processes, and every way to change a file, by path or by a descriptor opened for it.
"""

from __future__ import annotations

import os
import struct

_NUMBERS = {
    # Linux: arch/x86/entry/syscalls/syscall_64.tbl, and include/uapi/asm-generic/unistd.h.
    "x86_64": {
        "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7,
        "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
        "ioctl": 16, "pread64": 17, "readv": 19, "access": 21, "select": 23, "sched_yield": 24, "mremap": 25,
        "mincore": 27, "madvise": 28, "dup": 32, "dup2": 33, "nanosleep": 35, "alarm": 37, "setitimer": 38,
        "getpid": 39, "clone": 56,
        "exit": 60, "uname": 63, "fcntl": 72, "getcwd": 79, "readlink": 89, "gettimeofday": 96, "getrlimit": 97,
        "getrusage": 98, "sysinfo": 99, "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108,
        "getppid": 110, "getpgrp": 111, "sigaltstack": 131, "statfs": 137, "fstatfs": 138, "sched_getparam": 143,
        "sched_getscheduler": 145, "sched_get_priority_max": 146, "sched_get_priority_min": 147, "prctl": 157,
        "arch_prctl": 158, "gettid": 186, "time": 201, "futex": 202, "sched_getaffinity": 204, "getdents64": 217,
        "set_tid_address": 218, "restart_syscall": 219, "fadvise64": 221, "clock_gettime": 228, "clock_getres": 229,
        "clock_nanosleep": 230, "exit_group": 231, "tgkill": 234, "get_mempolicy": 239, "openat": 257,
        "newfstatat": 262, "readlinkat": 267, "faccessat": 269, "pselect6": 270, "ppoll": 271, "set_robust_list": 273,
        "get_robust_list": 274, "dup3": 292, "prlimit64": 302, "getcpu": 309, "getrandom": 318, "membarrier": 324,
        "statx": 332, "rseq": 334, "clone3": 435, "faccessat2": 439,
    },
    "aarch64": {
        "getcwd": 17, "dup": 23, "dup3": 24, "fcntl": 25, "ioctl": 29, "statfs": 43, "fstatfs": 44, "faccessat": 48,
        "openat": 56, "close": 57, "getdents64": 61, "lseek": 62, "read": 63, "write": 64, "readv": 65, "pread64": 67,
        "pselect6": 72, "ppoll": 73, "readlinkat": 78, "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94,
        "set_tid_address": 96, "futex": 98, "set_robust_list": 99, "get_robust_list": 100,
        "nanosleep": 101, "setitimer": 103,
        "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "sched_getscheduler": 120,
        "sched_getparam": 121, "sched_getaffinity": 123, "sched_yield": 124, "sched_get_priority_max": 125,
        "sched_get_priority_min": 126, "restart_syscall": 128, "tgkill": 131, "sigaltstack": 132, "rt_sigaction": 134,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "uname": 160, "getrlimit": 163, "getrusage": 165,
        "prctl": 167, "getcpu": 168, "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174,
        "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179, "brk": 214, "munmap": 215,
        "mremap": 216, "clone": 220, "mmap": 222, "fadvise64": 223, "mprotect": 226, "mincore": 232, "madvise": 233,
        "get_mempolicy": 236, "prlimit64": 261, "getrandom": 278, "membarrier": 283, "statx": 291, "rseq": 293,
        "clone3": 435, "faccessat2": 439,
    },
}  # fmt: skip
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_OTHER_ABI = 0x40000000
"""Numbers from here on are those of x32, another set of calls of the same machine."""

_KILL, _ALLOW, _ERROR = 0x80000000, 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16

_THREAD = 0x00010000
"""CLONE_THREAD: a thread of this process and no new one."""
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
"""Flags of open, any of which may change a file."""
_NAMES_A_THREAD, _NAMES_MEMORY = 15, 0x53564D41
"""PR_SET_NAME and PR_SET_VMA."""
_ASKS = (0x5401, 0x541B, 0x5450, 0x5451)
"""TCGETS, FIONREAD, FIONCLEX, FIOCLEX."""

_HANDLES = (0, 1, 2, 3, 4, 1030)
"""F_DUPFD, GETFD, SETFD, GETFL, SETFL and DUPFD_CLOEXEC; another one sends signals to a process of one's choice."""


def machines() -> tuple[str, ...]:
    """Architectures that there is a list for."""
    return tuple(_NUMBERS)


def program(machine: str, process: int) -> bytes:
    """The seccomp program of a machine, for the process with this id: an array of `struct sock_filter`."""
    numbers = _NUMBERS[machine]
    made = [
        _op(_LOAD, _ARCHITECTURE), *_if(_EQUAL, _ARCHITECTURES[machine], otherwise=[_op(_RETURN, _KILL)]),
        _op(_LOAD, _NUMBER), _op(_AT_LEAST, _OTHER_ABI, 0, 1), _op(_RETURN, _ERROR | _EPERM),
    ]  # fmt: skip
    special = {
        "open": _with_argument(1, _ANY_BIT, (_CHANGES,), allowed=False),
        "openat": _with_argument(2, _ANY_BIT, (_CHANGES,), allowed=False),
        "clone": _with_argument(0, _ANY_BIT, (_THREAD,), allowed=True),
        "tgkill": _with_argument(0, _EQUAL, (process,), allowed=True),
        "prlimit64": [_op(_LOAD, _place(2) + 4), *_if(_EQUAL, 0, otherwise=[_op(_RETURN, _ERROR | _EPERM)]),
                      *_with_argument(2, _EQUAL, (0,), allowed=True)],
        "prctl": _with_argument(0, _EQUAL, (_NAMES_A_THREAD, _NAMES_MEMORY), allowed=True),
        "ioctl": _with_argument(1, _EQUAL, _ASKS, allowed=True),
        "fcntl": _with_argument(1, _EQUAL, _HANDLES, allowed=True),
        "clone3": [_op(_RETURN, _ERROR | _ENOSYS)],
    }  # fmt: skip
    for name, number in numbers.items():
        body = special.get(name, [_op(_RETURN, _ALLOW)])
        made += [_op(_EQUAL, number, 0, len(body)), *body]
    return b"".join([*made, _op(_RETURN, _ERROR | _EPERM)])


def _op(code: int, value: int, hit: int = 0, miss: int = 0) -> bytes:
    return struct.pack("<HBBI", code, hit, miss, value)


def _if(code: int, value: int, *, otherwise: list[bytes]) -> list[bytes]:
    """Go on if the comparison holds; or else do something that returns."""
    return [_op(code, value, len(otherwise), 0), *otherwise]


def _place(argument: int) -> int:
    return _FIRST_ARGUMENT + 8 * argument


def _with_argument(argument: int, code: int, values: tuple[int, ...], *, allowed: bool) -> list[bytes]:
    """Decide by the lower half of an argument: all flags and ids that are asked about lie in it."""
    hit, miss = _op(_RETURN, _ALLOW), _op(_RETURN, _ERROR | _EPERM)
    if not allowed:
        hit, miss = miss, hit
    tests = [part for value in values for part in (_op(code, value, 0, 1), hit)]
    return [_op(_LOAD, _place(argument)), *tests, miss]

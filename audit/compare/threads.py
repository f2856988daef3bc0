"""Work for several threads: each takes the next item, and keeps a state of its own that nobody shares."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

S = TypeVar("S")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(items: Iterable[Any], workers: int, start: Callable[[], S], step: Callable[[S, Any], None]) -> list[S]:
    """Give every item to one of several threads, each with a state of its own; give the states.

    The first failure stops all, and is raised. Products run on as many cores as in the thread that asks.
    """
    source = iter(items)
    lock, stop = threading.Lock(), threading.Event()

    def work() -> S:
        state = start()
        while not stop.is_set():
            with lock:
                item = next(source, None)
            if item is None:
                break
            step(state, item)
        return state

    if workers == 1:
        return [work()]
    with ThreadPoolExecutor(workers, initializer=_of_products()) as pool:
        futures = [pool.submit(work) for _ in range(workers)]
        try:
            done, _ = wait(futures, return_when="FIRST_EXCEPTION")
            for future in done:
                future.result()
        except BaseException:
            stop.set()
            raise
        return [future.result() for future in futures]


def _of_products() -> Callable[[], None]:
    """What a new thread has to do first: it would spread a product over all cores, whatever other threads were told."""
    if "torch" not in sys.modules:
        return lambda: None
    import torch  # noqa: PLC0415

    return functools.partial(torch.set_num_threads, torch.get_num_threads())


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Within, every product runs on the thread that asks for it."""
    import torch  # noqa: PLC0415 - loads in seconds, and listed pairs never need it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def counted(total: int, progress: Callable[[int, int], None] | None, done: int = 0) -> Callable[[], None]:
    """Something to call once a tile: it reports how many are done, from one thread at a time."""
    lock = threading.Lock()

    def one_more() -> None:
        nonlocal done
        if progress is not None:
            with lock:
                done += 1
                progress(done, total)

    return one_more

"""Several tiles at a time, each product on the core of the thread that asks for it."""

from __future__ import annotations

import time

import torch

from audit.compare import threads


def test_a_product_in_a_thread_of_its_own_takes_one_core() -> None:
    """Were it spread, the process would spend more than the thread does: two threads on two cores then wait in turn."""
    x = torch.randn(1024, 256)

    def measure(shares: list[float], _: int) -> None:
        torch.mm(x, x.T)
        whole, own = time.process_time(), time.thread_time()
        for _ in range(40):
            torch.mm(x, x.T)
        shares.append((time.thread_time() - own) / (time.process_time() - whole))

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads.one_thread_each():
            # Two threads, of which one has nothing to do.
            (share,) = [one for shares in threads.each([0], 2, list, measure) for one in shares]
            assert share > 0.8
        assert torch.get_num_threads() == 2
        (share,) = [one for shares in threads.each([0], 2, list, measure) for one in shares]
        assert share < 0.8
    finally:
        torch.set_num_threads(before)

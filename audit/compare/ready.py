"""What was made of blocks of templates and is kept for the next tile."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Ready(Generic[Made]):
    """The ones used last.

    It knows nothing of how they are made: something that held it and was held by it would outlive its use.

    Parameters
    ----------
    room : how many are kept
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._made: OrderedDict[int, Made] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many are there."""
        return len(self._made)

    def get(self, number: int, make: Callable[[], Made]) -> Made:
        """What was made of a block, or is made now; by two threads at once it is made twice."""
        with self._lock:
            if number in self._made:
                self._made.move_to_end(number)
                return self._made[number]
        made = make()
        with self._lock:
            self._made[number] = made
            while len(self._made) > self._room:
                self._made.popitem(last=False)
        return made

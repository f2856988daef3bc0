"""Several sealed processes with one network: images are worked on side by side, and one that ends is replaced."""

from __future__ import annotations

from threading import Condition, Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError, StoppedError
from audit.sandbox.child import Child
from audit.sandbox.lane import EndedError, Lane, Limits, LostError, NoAnswerError
from audit.sandbox.runs import KINDS

_PROCESSES = 4
"""At most: every one loads its libraries and the network anew."""
_ENDINGS = 5
"""After so many ends in one run the network is given up."""


class Sandbox:
    """Sealed processes, started as they are needed.

    Parameters
    ----------
    content : bytes that were checked
    kind : of file, in `audit.sandbox.runs.KINDS`
    place : what an error names
    limits : of every process
    processes : at the same time
    lanes : of each process: how many may ask it at the same time; they share the network in its memory

    Attributes
    ----------
    about : what the first process says of the network, and is not believed

    Raises
    ------
    ModelError
        If the network does not run.
    """

    def __init__(
        self,
        content: bytes,
        kind: str,
        place: str,
        *,
        limits: Limits | None = None,
        processes: int = 1,
        lanes: int = 1,
    ) -> None:
        self._content, self._kind, self._place = content, kind, place
        self._limits = limits or Limits()
        self._most, self._lanes = max(1, min(processes, _PROCESSES)), max(1, lanes)
        self._changed, self._alone = Condition(), Lock()
        self._children: list[Child] = []
        self._idle: list[Lane] = []
        self._starting = self._ended = 0
        self._last = ""
        try:
            first = self._start(self._lanes)
        except NoAnswerError as error:
            found = f"cannot be loaded in the sandbox: {error}"
            raise ModelError(place, found, KINDS[kind].way_out) from None
        self.about = first.about
        self._children.append(first)
        self._idle += first.lanes()

    def _start(self, lanes: int) -> Child:
        return Child(self._content, self._kind, self._place, self._limits, lanes)

    def ask(self, values: NDArray[np.float32], wanted: tuple[int, ...] = (0,)) -> list[NDArray[Any]]:
        """Run the network on inputs, float32, n x ...; safe to call from several threads.

        Whoever is not answered because the process ended is asked once more, alone, in a new one: it may have been the
        doing of a neighbour, or of the machine.

        Parameters
        ----------
        values : float32, n x ...
        wanted : numbers of the outputs that are asked for, where a network has several

        Raises
        ------
        NoAnswerError
            These inputs have no answer.
        StoppedError
            The network cannot go on.
        """
        if self._ended >= _ENDINGS:
            raise self._given_up()
        lane = self._borrow()
        try:
            made = lane.ask(values, wanted)
        except LostError:
            self._drop(lane.child)
            return self._again(values, wanted)
        except EndedError as error:
            self._drop(lane.child)
            self._count(error)
            raise
        except NoAnswerError:
            self._give_back(lane)
            raise
        except BaseException:  # half an answer may still be on its way
            lane.child.stop()
            self._drop(lane.child)
            raise
        self._give_back(lane)
        return made

    def _start_again(self, lanes: int) -> Child:
        """What was loaded once and is not now counts as an end: the machine may be short of something."""
        try:
            return self._start(lanes)
        except NoAnswerError as error:
            ended = EndedError(f"it could not be started again: {error}")
            self._count(ended)
            raise ended from None

    def _again(self, values: NDArray[np.float32], wanted: tuple[int, ...]) -> list[NDArray[Any]]:
        with self._alone:
            child = self._start_again(1)
            try:
                return child.lanes()[0].ask(values, wanted)
            except EndedError as error:
                self._count(error)
                raise
            finally:
                child.close()

    def close(self) -> None:
        """End every process that nobody waits for; the others are ended when they have answered."""
        with self._changed:
            for child in self._children:
                if sum(lane.child is child for lane in self._idle) == self._lanes:
                    child.close()
            self._children.clear()
            self._idle.clear()

    def _borrow(self) -> Lane:
        with self._changed:
            while not self._idle:
                if len(self._children) + self._starting < self._most:
                    self._starting += 1
                    break
                self._changed.wait()
            else:
                return self._idle.pop()
        try:
            child = self._start_again(self._lanes)
        except BaseException:
            with self._changed:
                self._starting -= 1
                self._changed.notify()
            raise
        with self._changed:
            self._starting -= 1
            self._children.append(child)
            first, *others = child.lanes()
            self._idle += others
            self._changed.notify_all()
        return first

    def _give_back(self, lane: Lane) -> None:
        with self._changed:
            if lane.child in self._children:
                self._idle.append(lane)
                self._changed.notify()

    def _drop(self, child: Child) -> None:
        with self._changed:
            if child in self._children:
                self._children.remove(child)
            self._idle = [lane for lane in self._idle if lane.child is not child]
            self._changed.notify_all()

    def _count(self, error: EndedError) -> None:
        with self._changed:
            self._ended += 1
            self._last = str(error)
            if self._ended >= _ENDINGS:
                raise self._given_up() from None

    def _given_up(self) -> StoppedError:
        found = f"stopped {self._ended} times in its sandbox; the last time {self._last}"
        return StoppedError(self._place, found, KINDS[self._kind].way_out)

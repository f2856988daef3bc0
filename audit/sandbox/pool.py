"""Several sealed processes with one archive: images are worked on side by side, and one that ends is replaced."""

from __future__ import annotations

from threading import Condition

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.sandbox.child import Child, EndedError, Limits, NoAnswerError

_PROCESSES = 4
"""At most: every one loads torch and the model anew."""
_ENDINGS = 5
"""After so many ends in one run the model is given up."""


class Sandbox:
    """Sealed processes, started as they are needed.

    Parameters
    ----------
    archive : bytes that were checked
    kind : "export" or "script"
    place : what an error names
    limits : of every process
    processes : at the same time

    Raises
    ------
    ModelError
        If the archive does not run.
    """

    def __init__(
        self, archive: bytes, kind: str, place: str, *, limits: Limits | None = None, processes: int = 1
    ) -> None:
        self._archive, self._kind, self._place = archive, kind, place
        self._limits = limits or Limits()
        self._idle = [self._start()]
        self._running, self._most = 1, max(1, min(processes, _PROCESSES))
        self._ended = 0
        self._changed = Condition()

    def _start(self) -> Child:
        return Child(self._archive, self._kind, self._place, self._limits)

    def ask(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the model on inputs, float32, n x ...; safe to call from several threads.

        Raises
        ------
        NoAnswerError
            These inputs have no answer.
        ModelError
            The model cannot go on.
        """
        child = self._borrow()
        try:
            made = child.ask(values)
        except EndedError as error:
            self._lost(error)
            raise
        except NoAnswerError:
            self._return(child)
            raise
        self._return(child)
        return made

    def close(self) -> None:
        """End every idle process."""
        with self._changed:
            for child in self._idle:
                child.close()
            self._running -= len(self._idle)
            self._idle.clear()

    def _borrow(self) -> Child:
        with self._changed:
            while not self._idle and self._running >= self._most:
                self._changed.wait()
            if self._idle:
                return self._idle.pop()
            self._running += 1
        try:
            return self._start()
        except ModelError:
            self._free()
            raise

    def _return(self, child: Child) -> None:
        with self._changed:
            self._idle.append(child)
            self._changed.notify()

    def _lost(self, error: EndedError) -> None:
        self._free()
        with self._changed:
            self._ended += 1
            if self._ended >= _ENDINGS:
                raise ModelError(
                    self._place, f"stopped {self._ended} times in its sandbox; the last time {error}", "Export it again"
                ) from None

    def _free(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify()

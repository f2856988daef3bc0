"""One way to ask a sealed process: what is sent over it, how long an answer may take, and what may come instead."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.sandbox import channel

if TYPE_CHECKING:
    from audit.sandbox.child import Child


class NoAnswerError(Exception):
    """One input has no answer; the text says why. The next one may have an answer.

    Attributes
    ----------
    kind : class of the exception that was raised in there; "" for none
    """

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class EndedError(NoAnswerError):
    """The process is gone as well."""


class LostError(EndedError):
    """The process ended of itself while it was asked: by this input, by one of another lane, or from outside."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sealed process may take.

    Parameters
    ----------
    start_s : seconds to start and to load
    answer_s : seconds for one request
    memory : bytes of address space, beside four times the size of the file and some for each lane
    answer : bytes of an answer
    """

    start_s: float = 180.0
    answer_s: float = 60.0
    memory: int = 8 << 30
    answer: int = 16 << 20


class Lane:
    """One connection with a process."""

    def __init__(self, child: Child, connection: socket.socket, limits: Limits) -> None:
        self.child, self._socket, self._limits = child, connection, limits

    def ask(self, values: NDArray[np.float32], wanted: Sequence[int] = (0,)) -> list[NDArray[Any]]:
        """Run the network.

        Parameters
        ----------
        values : float32, n x ...
            Inputs; exported programs are given them one by one, an ONNX network all at once.
        wanted : sequence of int
            Numbers of the outputs that are asked for, where a network has several.

        Returns
        -------
        arrays of numbers, of any shape

        Raises
        ------
        NoAnswerError
            The network failed on them.
        LostError
            The process ended meanwhile.
        EndedError
            The process did not answer in time, or answered with something that is no array of numbers; it was ended.
        """
        until = time.monotonic() + self._limits.answer_s
        try:
            self.send(channel.pack_arrays({"wanted": list(wanted)}, [np.asarray(values, np.float32)]), until)
            header, content = self.receive(self._limits.answer, until)
            if "error" in header:
                raise self.failed(header)
            try:
                return channel.arrays(header, content)
            except channel.GarbageError as error:
                raise EndedError(f"it answered with {error}") from None
        except EndedError:
            self.child.stop()
            raise

    def send(self, content: bytes, until: float) -> None:
        """Send bytes, until some time of the monotonic clock."""
        try:
            self._socket.settimeout(max(0.01, until - time.monotonic()))
            self._socket.sendall(content)
        except TimeoutError:
            raise EndedError("it did not take what it was sent in time") from None
        except OSError:
            raise LostError(self.child.why()) from None

    def receive(self, largest: int, until: float) -> tuple[dict[str, Any], bytearray]:
        """Receive a message with a body of at most so many bytes."""

        def take(size: int) -> bytearray:
            taken, at = bytearray(size), 0
            with memoryview(taken) as view:
                while at < size:
                    self._socket.settimeout(max(0.01, until - time.monotonic()))
                    got = self._socket.recv_into(view[at:])
                    if not got:
                        raise LostError(self.child.why())
                    at += got
            return taken

        try:
            return channel.receive(take, largest)
        except TimeoutError:
            raise EndedError("it did not answer in time") from None
        except OSError:
            raise LostError(self.child.why()) from None
        except channel.GarbageError as error:
            raise EndedError(f"it answered with {error}") from None

    @staticmethod
    def failed(header: dict[str, Any]) -> NoAnswerError:
        """What a process says went wrong."""
        kind = str(header.get("kind", ""))
        text = plain(header.get("error", "an answer that makes no sense"))
        return NoAnswerError(text, kind if kind.isidentifier() and kind.isascii() and len(kind) < 60 else "")


def plain(text: object) -> str:
    """A line of text from a process that is not believed."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))[:400]

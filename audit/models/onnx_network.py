"""ONNX networks of strangers, run by onnxruntime in a process of their own, which has bounds and can end.

Such a file is data, and what it may ask for is looked at first (`onnx_read`). But nobody can see from it whether
onnxruntime, a large program in C++, will abort on it, work on it for ever, or ask for all memory. So a session lives in
a sandbox (`audit.sandbox`), one for each network, with a lane for every thread that asks. It computes there what it
would compute here, to the last bit.

On a GPU a session runs in this process, as a sandbox has no devices; and so it does on Windows.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.domain import FailureToAcquire
from audit.errors import ModelError
from audit.models import guard, onnx_read
from audit.models.guard import NoTemplateError
from audit.sandbox import onnx_session
from audit.sandbox.lane import EndedError, Limits, NoAnswerError
from audit.sandbox.pool import Sandbox
from audit.sandbox.runs import KINDS

LIMITS = Limits(answer_s=120.0, answer=256 << 20)
"""Of the process of one network."""
_WAY_OUT = KINDS["onnx"].way_out

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Network:
    """An ONNX network with one input, ready to be asked by several threads.

    Parameters
    ----------
    path : Path
        For messages.
    input : str
        Name of its input.
    outputs : tuple of str
        Names of its outputs.
    ask : callable
        From an input and the numbers of the outputs that are wanted to these outputs; raises what went wrong.
    """

    path: Path
    input: str
    outputs: tuple[str, ...]
    ask: Callable[[NDArray[np.float32], tuple[int, ...]], Sequence[NDArray[Any]]]

    def run(self, values: NDArray[np.float32], wanted: tuple[int, ...] = (0,)) -> Sequence[NDArray[Any]]:
        """Outputs for one input, float32.

        Raises
        ------
        NoTemplateError
            The network failed on this input; with the failure that it is.
        StoppedError
            It has stopped so often that it is asked nothing more.
        """
        try:
            return self.ask(values, wanted)
        except NoAnswerError as error:
            _log.info("%s: no answer from the sandbox: %s", self.path, error)
            raise NoTemplateError(_failure(error)) from error

    def tried(self, values: NDArray[np.float32], what: str, wanted: tuple[int, ...] = (0,)) -> Sequence[NDArray[Any]]:
        """Outputs for the first input, a black picture, with which a network is tried when it is loaded.

        Parameters
        ----------
        values, wanted : as of `run`
        what : str
            What the card says that it takes.

        Raises
        ------
        ModelError
            If it does not take it.
        """
        try:
            return self.ask(values, wanted)
        except ModelError:
            raise
        except EndedError as error:
            raise ModelError(str(self.path), f"cannot be run on a black picture: {error}", _WAY_OUT) from None
        except Exception as error:  # onnxruntime's own exceptions share no public base
            if guard.short_of_memory(error):
                found = f"asks for more memory than it may have, on a black picture ({error})"
                raise ModelError(str(self.path), found, _WAY_OUT) from error
            said = str(error) if isinstance(error, NoAnswerError) else type(error).__name__
            raise ModelError(str(self.path), f"does not take {what} ({said})", "Mend the card's [input]") from error


def _failure(error: NoAnswerError) -> FailureToAcquire:
    """Of an exception that onnxruntime raised, what it would be here; of an end, that it was one."""
    if error.kind:
        return guard.failure(error, error.kind)
    return FailureToAcquire("template", "the model failed in its sandbox")


def load(path: Path, content: bytes, *, device: str = "cpu", lanes: int = 0, as_it_stands: bool = False) -> Network:
    """Load a network from checked bytes.

    Parameters
    ----------
    path : Path
        For messages.
    content : bytes
        The checked bytes of the file.
    device : str
        "cpu" or "cuda".
    lanes : int
        How many threads may ask it at the same time; 0 is the number of processors.
    as_it_stands : bool
        The graph is not rewritten into a faster one.

    Raises
    ------
    ModelError
        If it is no model that onnxruntime can load within `LIMITS`, reaches beyond its file, or takes more than one
        input.
    """
    content = onnx_read.checked(content, path)
    if device != "cpu" or sys.platform == "win32":
        session = _session(path, content, device, as_it_stands=as_it_stands)
        inputs, outputs = [one.name for one in session.get_inputs()], [one.name for one in session.get_outputs()]

        def ask(values: NDArray[np.float32], wanted: tuple[int, ...]) -> Sequence[NDArray[Any]]:
            made: Sequence[NDArray[Any]] = session.run([outputs[number] for number in wanted], {inputs[0]: values})
            return made

    else:
        kind = "onnx, as it stands" if as_it_stands else "onnx"
        sandbox = Sandbox(content, kind, str(path), limits=LIMITS, lanes=lanes or os.cpu_count() or 1)
        inputs, outputs = (_names(path, sandbox.about.get(key)) for key in ("inputs", "outputs"))
        ask = sandbox.ask
    if len(inputs) != 1:
        raise ModelError(str(path), f"has {len(inputs)} inputs", "Only models with one input, the face, can be run")
    return Network(path, inputs[0], tuple(outputs), ask)


def _session(path: Path, content: bytes, device: str, *, as_it_stands: bool) -> Any:
    import onnxruntime  # noqa: PLC0415 - heavy

    provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        way_out = "Install onnxruntime-gpu in its place, or take --device cpu"
        raise ModelError(str(path), "this onnxruntime has no CUDA", way_out)
    try:
        return onnx_session.make(content, providers=[provider], as_it_stands=as_it_stands)
    except Exception as error:  # onnxruntime's own exceptions share no public base
        found = f"is no model that onnxruntime can load ({type(error).__name__})"
        raise ModelError(str(path), found, _WAY_OUT) from error


def _names(path: Path, said: object) -> list[str]:
    """Names that a process gives; it is not believed."""
    if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
        raise ModelError(str(path), "cannot be loaded in the sandbox: an answer that makes no sense", _WAY_OUT)
    return said

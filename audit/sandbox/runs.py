"""What a sealed process can run, by the kind of its file: a table one can read."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.sandbox import onnx_session

if TYPE_CHECKING:
    import torch

Run = Callable[[NDArray[np.float32], Sequence[int]], list[NDArray[Any]]]
"""From inputs, n x ..., and the numbers of the outputs that are wanted to these outputs."""
Loaded = tuple[Run, dict[str, Any]]
"""What runs, and what is said of it: `inputs` and `outputs` by their names, where they have names."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a kind of file.

    Parameters
    ----------
    packages : that read it
    before : modules to import before the seal
    program : whether it is one, which runs sealed or not at all
    load : given the file, in the sealed process
    way_out : what to do about one that cannot be loaded
    """

    packages: tuple[str, ...]
    before: tuple[str, ...]
    program: bool
    load: Callable[[bytearray], Loaded]
    way_out: str


def _script(archive: bytearray) -> Loaded:
    import torch  # noqa: PLC0415 - heavy

    return _torch(torch.jit.load(io.BytesIO(archive), map_location="cpu").eval())  # type: ignore[no-untyped-call]


def _export(archive: bytearray) -> Loaded:
    import torch  # noqa: PLC0415 - heavy

    return _torch(torch.export.load(io.BytesIO(archive)).module())


def _torch(network: Callable[[torch.Tensor], Any]) -> Loaded:
    import torch  # noqa: PLC0415 - loaded already

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")

    def run(values: NDArray[np.float32], _: Sequence[int]) -> list[NDArray[Any]]:
        """Inputs one by one."""
        inputs = torch.from_numpy(values)
        with torch.inference_mode():
            made = torch.stack([_vector(network(inputs[k : k + 1])) for k in range(len(inputs))])
        return [made.numpy()]

    return run, {}


def _vector(found: Any) -> torch.Tensor:
    """One template: the only output, or the first of several."""
    import torch  # noqa: PLC0415 - loaded already

    while isinstance(found, list | tuple) and found:
        found = found[0]
    if not isinstance(found, torch.Tensor):
        raise TypeError(f"the model answers {type(found).__name__}, not a tensor")
    return found.detach().to("cpu", torch.float32).reshape(-1)


def _onnx(model: bytearray, *, as_it_stands: bool = False) -> Loaded:
    session = onnx_session.make(model, as_it_stands=as_it_stands)
    inputs, outputs = [one.name for one in session.get_inputs()], [one.name for one in session.get_outputs()]

    def run(values: NDArray[np.float32], wanted: Sequence[int]) -> list[NDArray[Any]]:
        """All inputs in one run."""
        found = session.run([outputs[number] for number in wanted], {inputs[0]: values})
        return [np.asarray(one) for one in found]

    return run, {"inputs": inputs, "outputs": outputs}


def _onnx_as_it_stands(model: bytearray) -> Loaded:
    return _onnx(model, as_it_stands=True)


_AGAIN = "Export it again"
_WHOLE = "Put the published file in its place, whole, or export it again"

KINDS: dict[str, Kind] = {
    "export": Kind(("torch", "numpy"), ("torch", "torch.export"), program=True, load=_export, way_out=_AGAIN),
    "script": Kind(("torch", "numpy"), ("torch",), program=True, load=_script, way_out=_AGAIN),
    "onnx": Kind(("onnxruntime", "numpy"), (), program=False, load=_onnx, way_out=_WHOLE),
    "onnx, as it stands": Kind(("onnxruntime", "numpy"), (), program=False, load=_onnx_as_it_stands, way_out=_WHOLE),
}
"""Name to what runs it. Torch's import makes a folder, which the seal forbids; onnxruntime's starts a thread, which a
seal would not bind."""

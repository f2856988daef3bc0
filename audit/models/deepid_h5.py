"""DeepID's published Keras file, read as plain data into the names that deepface's network for torch has.

An HDF5 file of weights is arrays and names: nothing in it runs. Keras convolves (height, width, in, out) and flattens
channels last; torch (out, in, height, width) and channels first, so the two dense layers are put in the other order.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError

if TYPE_CHECKING:
    import torch

_KERNELS = {
    "Conv1": (4, 4, 3, 20),
    "Conv2": (3, 3, 20, 40),
    "Conv3": (3, 3, 40, 60),
    "Conv4": (2, 2, 60, 80),
    "fc11": (1200, 160),
    "fc12": (960, 160),
}
"""Layer to the shape of its weights; the last number is that of its biases."""
_FED = {"fc11": (5, 4, 60), "fc12": (4, 3, 80)}
"""Dense layer to height, width and channels of what it is fed with."""


def read_state(path: Path, content: bytes) -> dict[str, torch.Tensor]:
    """Read the arrays of `deepid_keras_weights.h5`.

    Parameters
    ----------
    path : Path
        For messages.
    content : bytes
        The checked bytes of the file.

    Returns
    -------
    dict, name in deepface's network for torch to its float32 tensor

    Raises
    ------
    ModelError
        If the file is damaged or is not DeepID's.
    """
    import torch  # noqa: PLC0415 - heavy

    state = {}
    for (layer, kind), values in _arrays(path, content).items():
        if kind == "bias":
            state[f"{layer}.bias"] = torch.from_numpy(values)
            continue
        if layer in _FED:
            turned = values.reshape(*_FED[layer], -1).transpose(3, 2, 0, 1).reshape(values.shape[::-1])
        else:
            turned = values.transpose(3, 2, 0, 1)
        state[f"{layer}.weight"] = torch.from_numpy(np.ascontiguousarray(turned))
    return state


def _arrays(path: Path, content: bytes) -> dict[tuple[str, str], NDArray[np.float32]]:
    """Weights and biases of every layer, by layer and "kernel" or "bias"."""
    import h5py  # noqa: PLC0415 - an extra

    wanted = {(layer, "kernel"): shape for layer, shape in _KERNELS.items()}
    wanted |= {(layer, "bias"): shape[-1:] for layer, shape in _KERNELS.items()}
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = {key: _array(file, *key, shape) for key, shape in wanted.items()}
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise _refused(path, f"is damaged, or no HDF5 file ({type(error).__name__})") from error
    for (layer, kind), values in found.items():
        if values is None:
            raise _refused(path, f"has no {kind} of the layer {layer} in the shape that DeepID has")
    return {key: values for key, values in found.items() if values is not None}


def _array(file: Any, layer: str, kind: str, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    """One array, of this shape and inside this very file; None: it is not there."""
    import h5py  # noqa: PLC0415 - an extra

    root = file["model_weights"] if _inside(file, "model_weights") else file
    group = root[layer] if _inside(root, layer) else None
    found: list[NDArray[np.float32]] = []

    def take(name: str, item: object) -> None:  # called for what lies in this file alone: no link is followed
        last = name.rpartition("/")[2].partition(":")[0]
        if last != kind or not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
            return
        if item.shape == shape and item.dtype == np.float32:
            found.append(item[()])

    if isinstance(group, h5py.Group):
        group.visititems(take)
    return found[0] if len(found) == 1 else None


def _inside(group: Any, name: str) -> bool:
    """Whether a name stands for something in the same file, and for no link to another one."""
    import h5py  # noqa: PLC0415 - an extra

    return name in group and isinstance(group.get(name, getlink=True), h5py.HardLink)


def _refused(path: Path, what: str) -> ModelError:
    return ModelError(str(path), what, "Put the published deepid_keras_weights.h5 in its place")

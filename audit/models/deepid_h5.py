"""DeepID's published Keras file, read as plain data into the names that deepface's network for torch has.

An HDF5 file of weights is arrays and names: nothing in it runs. Keras convolves (height, width, in, out) and flattens
channels last; torch (out, in, height, width) and channels first, so the two dense layers are put in the other order.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError

if TYPE_CHECKING:
    import torch

_CONVOLUTIONS = ("Conv1", "Conv2", "Conv3", "Conv4")
_DENSE = {"fc11": (5, 4, 60), "fc12": (4, 3, 80)}
"""Name to height, width and channels of what it is fed with."""


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

    arrays = _arrays(path, content)
    state = {}
    for layer in (*_CONVOLUTIONS, *_DENSE):
        kernel, bias = (arrays.get((layer, kind)) for kind in ("kernel", "bias"))
        if kernel is None or bias is None or kernel.ndim != (4 if layer in _CONVOLUTIONS else 2):
            raise _refused(path, f"has no kernel and bias of the layer {layer}")
        if layer in _DENSE:
            if kernel.shape[0] != np.prod(_DENSE[layer]):
                raise _refused(path, f"has a layer {layer} of another size")
            kernel = kernel.reshape(*_DENSE[layer], -1).transpose(2, 0, 1, 3).reshape(kernel.shape).T
        else:
            kernel = kernel.transpose(3, 2, 0, 1)
        state[f"{layer}.weight"] = torch.from_numpy(np.array(kernel, np.float32, order="C"))
        state[f"{layer}.bias"] = torch.from_numpy(np.array(bias, np.float32))
    return state


def _arrays(path: Path, content: bytes) -> dict[tuple[str, str], NDArray[np.float32]]:
    """Every array under a layer's group, by layer and by the last part of its name without `:0`."""
    import h5py  # noqa: PLC0415 - an extra

    found: dict[tuple[str, str], NDArray[np.float32]] = {}
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            root = file.get("model_weights", file)
            for layer in (*_CONVOLUTIONS, *_DENSE):
                group = root.get(layer)
                if not isinstance(group, h5py.Group):
                    continue

                def take(name: str, item: object, layer: str = layer) -> None:
                    if isinstance(item, h5py.Dataset) and item.dtype == np.float32 and not item.is_virtual:
                        found[layer, name.rpartition("/")[2].partition(":")[0]] = item[()]

                group.visititems(take)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise _refused(path, f"is damaged, or no HDF5 file ({type(error).__name__})") from error
    return found


def _refused(path: Path, what: str) -> ModelError:
    return ModelError(str(path), what, "Put the published deepid_keras_weights.h5 in its place")

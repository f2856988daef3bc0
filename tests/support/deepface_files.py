"""Files in the formats in which deepface publishes its weights, with fixed random numbers that say nothing.

Large layers are views with overlapping strides of a small buffer: the file has their full shapes and is small.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np
import torch

from audit.models.deepface_networks import ANALYSERS, NETWORKS

_LARGE = 300_000
_STEPS = (1, 7, 31, 127)


def state(name: str, seed: int = 1) -> dict[str, torch.Tensor]:
    """Tensors of one of deepface's networks for torch, in the names and shapes that its builder asks for."""
    network = {**NETWORKS, **ANALYSERS}[name]
    module: Any = importlib.import_module(network.module)
    made: list[Any] = []

    def keep(model: Any, weight_file: str) -> Any:
        made.append(model.to_empty(device="cpu"))  # without numbers until it has some
        return made[-1]

    with (
        mock.patch.object(module.weight_utils, "download_weights_if_necessary", return_value=""),
        mock.patch.object(module, "load_model_weights", keep),
        torch.device("meta"),
    ):
        getattr(module, network.client)()
    rng = torch.Generator().manual_seed(seed)
    return {key: _drawn(key, value, rng) for key, value in made[0].state_dict().items()}


def _drawn(key: str, shape: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Weights so large that pictures still differ behind many layers (He et al. 2015); batches are not normalised."""
    if shape.ndim >= 2:
        bound = (6 / float(np.prod(shape.shape[2 if shape.ndim == 3 else 1 :]))) ** 0.5
        steps = _STEPS[: shape.ndim] if shape.numel() > _LARGE else shape.contiguous().stride()
        last = sum((length - 1) * step for length, step in zip(shape.shape, steps, strict=True))
        return torch.as_strided((torch.rand(last + 1, generator=rng) * 2 - 1) * bound, shape.shape, steps)
    if key.endswith(("bias", "running_mean", "num_batches_tracked")):
        return torch.zeros(shape.shape, dtype=shape.dtype)
    return torch.full(shape.shape, 0.25 if "prelu" in key else 1.0)


def write(name: str, path: Path, seed: int = 1) -> Path:
    """Write the file of a network: `.pth`, or Keras' `.h5` for DeepID."""
    made = state(name, seed)
    if path.suffix == ".h5":
        _write_keras(made, path)
    else:
        torch.save(made, path)
    return path


def _write_keras(made: dict[str, torch.Tensor], path: Path) -> None:
    """DeepID's weights as Keras 2 saves them: groups by layer, names in attributes, channels last."""
    put: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        **{f"Conv{number}": lambda kernel: kernel.transpose(2, 3, 1, 0) for number in (1, 2, 3, 4)},
        "fc11": lambda kernel: kernel.reshape(160, 60, 5, 4).transpose(2, 3, 1, 0).reshape(1200, 160),
        "fc12": lambda kernel: kernel.reshape(160, 80, 4, 3).transpose(2, 3, 1, 0).reshape(960, 160),
    }
    order = "input_1 Conv1 Pool1 D1 Conv2 Pool2 D2 Conv3 Pool3 D3 Conv4 flatten_1 flatten_2 fc11 fc12 add_1 deepid"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in order.split()]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.3.1"
        for layer in order.split():
            group = file.create_group(layer)
            arrays = {}
            if layer in put:
                arrays[f"{layer}/kernel:0"] = np.ascontiguousarray(put[layer](made[f"{layer}.weight"].numpy()))
                arrays[f"{layer}/bias:0"] = made[f"{layer}.bias"].numpy()
            group.attrs["weight_names"] = np.array([key.encode() for key in arrays], "S32")
            for key, values in arrays.items():
                group.create_dataset(key, data=values)

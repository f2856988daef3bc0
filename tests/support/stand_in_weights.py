"""Weights that stand in for published ones, which no test can fetch: fixed random numbers in the same file format.

One function for each adapter: it writes a file and a user's own card beside it, and gives the card's path. What such a
model scores says nothing.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path

import deepface_files
import numpy as np
import onnx
import torch
from facenet_pytorch import InceptionResnetV1
from onnx import TensorProto, helper, numpy_helper


def card(folder: Path, name: str, file: str, like: str) -> Path:
    """Write the card of a file in `folder` that is run like a published model."""
    sha256 = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    path = folder / f"{name}.toml"
    path.write_text(f'name = "{name}"\nlike = "{like}"\n[weights]\nfile = "{file}"\nsha256 = "{sha256}"\n')
    return path


@cache
def inception(seed: int = 1) -> InceptionResnetV1:
    """The network of facenet-pytorch with fixed random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return InceptionResnetV1(pretrained=None, classify=False).eval()


@cache
def _saved(seed: int) -> bytes:
    """As `torch.save` writes it, with the head for classes that the published files have."""
    head = {"logits.weight": torch.zeros(3, 512), "logits.bias": torch.zeros(3)}
    stream = io.BytesIO()
    torch.save({**inception(seed).state_dict(), **head}, stream)
    return stream.getvalue()


def facenet(folder: Path, like: str = "facenet-vggface2", seed: int = 1) -> Path:
    """A file of InceptionResnetV1."""
    (folder / f"own-{like}.pt").write_bytes(_saved(seed))
    return card(folder, f"own-{like}", f"own-{like}.pt", like)


def deepface(folder: Path, like: str = "deepid", seed: int = 1) -> Path:
    """A file of one of deepface's networks for torch."""
    from audit import models  # noqa: PLC0415 - beside the tests, not in them
    from audit.models import card_file  # noqa: PLC0415

    network = card_file.published(models.MODELS[like]).options["model"]
    deepface_files.write(network, folder / f"own-{like}.pth", seed)
    return card(folder, f"own-{like}", f"own-{like}.pth", like)


def onnx_file(folder: Path, like: str = "arcface", seed: int = 1) -> Path:
    """A small ONNX network with the input and output of a published model."""
    from audit import models  # noqa: PLC0415 - beside the tests, not in them

    known = models.described(like)
    (folder / f"own-{like}.onnx").write_bytes(network(*known.input.shape, known.dimension, seed=seed))
    return card(folder, f"own-{like}", f"own-{like}.onnx", like)


@cache
def network(width: int, height: int, dimension: int, *, seed: int = 1) -> bytes:
    """Averages over tiles of the picture, then a layer of fixed random weights; NCHW, one picture at a time."""
    rng = np.random.default_rng(seed)
    tiles = 3 * (height // 8) * (width // 8)
    weights = rng.normal(size=(tiles, dimension)).astype(np.float32) / np.float32(tiles**0.5)
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["face"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
            helper.make_node("Flatten", ["small"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["template"]),
        ],
        "stand-in",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, height, width])],
        [helper.make_tensor_value_info("template", TensorProto.FLOAT, [1, dimension])],
        [numpy_helper.from_array(weights, "weights")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())

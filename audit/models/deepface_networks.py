"""Networks of the deepface library, made by its own builders from tensors that were checked here.

deepface's builders fetch what is missing, from addresses in their source and without a digest. So they are given the
checked tensors in place of a file: its downloader cannot be reached, no home folder is read or made, and what importing
it does to the process (environment, warnings, log lines) is undone. Only its networks for torch are used, and SFace's
ONNX file: no TensorFlow.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audit.errors import ModelError
from audit.models import deepid_h5, onnx_network
from audit.models.card import InputSpec
from audit.models.tensors import read_state

if TYPE_CHECKING:
    import torch

INSTALL = "Install the extra: pip install 'faceaudit[deepface]'"
_BUILDING = Lock()


@dataclass(frozen=True, slots=True)
class Network:
    """Where deepface builds a network, the files that it is published in, and what it takes and gives."""

    module: str
    client: str
    files: tuple[str, ...]
    shape: tuple[int, int]
    """Width and height of its input in pixels."""
    outputs: int


class Described(Protocol):
    """What a card of a face model or of an attribute model says of its network."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def options(self) -> dict[str, str]:
        """`model` is deepface's name of it."""
        ...

    @property
    def input(self) -> InputSpec:
        """What it is fed with."""
        ...

    @property
    def weights(self) -> Path:
        """Its file."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers that it gives."""
        ...


_FACES = "deepface.models.facial_recognition"
NETWORKS: dict[str, Network] = {
    "VGG-Face": Network(f"{_FACES}.pytorch.VGGFace", "VggFaceClient", ("vgg_face_weights.pth",), (224, 224), 4096),
    "Facenet512": Network(
        f"{_FACES}.pytorch.Facenet", "FaceNet512dClient", ("facenet512_weights.pth",), (160, 160), 512
    ),
    "OpenFace": Network(f"{_FACES}.pytorch.OpenFace", "OpenFaceClient", ("openface_weights.pth",), (96, 96), 128),
    "DeepFace": Network(
        f"{_FACES}.pytorch.FbDeepFace",
        "DeepFaceClient",
        ("VGGFace2_DeepFace_weights_val-0.9034.pth",),
        (152, 152),
        4096,
    ),
    "DeepID": Network(
        f"{_FACES}.pytorch.DeepID", "DeepIdClient", ("deepid_weights.pth", "deepid_keras_weights.h5"), (47, 55), 160
    ),
    "ArcFace": Network(f"{_FACES}.pytorch.ArcFace", "ArcFaceClient", ("arcface_weights.pth",), (112, 112), 512),
    "GhostFaceNet": Network(
        f"{_FACES}.pytorch.GhostFaceNet", "GhostFaceNetClient", ("ghostfacenet_v1.pth",), (112, 112), 512
    ),
    "SFace": Network(f"{_FACES}.onnx.SFace", "SFaceClient", ("face_recognition_sface_2021dec.onnx",), (112, 112), 128),
}
"""deepface's name of a face model to its network."""

_ABOUT_FACES = "deepface.models.demography.pytorch"
ANALYSERS: dict[str, Network] = {
    "Age": Network(f"{_ABOUT_FACES}.Age", "ApparentAgeClient", ("age_model_weights.pth",), (224, 224), 1),
    "Gender": Network(f"{_ABOUT_FACES}.Gender", "GenderClient", ("gender_model_weights.pth",), (224, 224), 2),
    "Race": Network(f"{_ABOUT_FACES}.Race", "RaceClient", ("race_model_single_batch.pth",), (224, 224), 6),
}
"""deepface's name of an analyser to its network; `outputs` are what its client gives, and for age that is years."""


def named(of: Mapping[str, Network], card: Described) -> Network:
    """The network that a card names, whose input, output and file must be as the card says.

    Raises
    ------
    ModelError
        Naming the key of the card that does not fit, and what would.
    """
    place = f"card {card.name}"
    name = card.options.get("model", "")
    if name not in of:
        raise ModelError(f"{place}: options.model", f"{name!r} is not known to deepface", f"Write {', '.join(of)}")
    network = of[name]
    stated = {
        "input.size": (card.input.shape, network.shape),
        "input.colour": (card.input.colour, "BGR"),
        "input.layout": (card.input.layout, "NHWC"),
        "dimension": (card.dimension, network.outputs),
    }
    for key, (found, right) in stated.items():
        if found != right:
            raise ModelError(f"{place}: {key}", f"{found} is not what deepface's {name} takes", f"Write {right}")
    suffixes = {file.rpartition(".")[2] for file in network.files}
    formats = suffixes | ({"safetensors"} if "pth" in suffixes else set())
    if card.weights.suffix.removeprefix(".") not in formats:
        raise ModelError(
            str(card.weights), f"is no file of deepface's {name}", f"Its formats are {', '.join(sorted(formats))}"
        )
    return network


def require(place: str) -> None:
    """Refuse where deepface is not installed.

    Raises
    ------
    ModelError
        With the command that installs the extra.
    """
    for module, distribution in (("deepface", "deepface"), ("werkzeug", "werkzeug")):
        if find_spec(module) is None:
            raise ModelError(place, f"{distribution} is not installed", INSTALL)


def build(network: Network, path: Path, content: bytes, device: str = "cpu") -> Any:
    """Let deepface build a network around checked weights.

    Parameters
    ----------
    network : Network
    path : Path
        For the format (`.pth` and `.safetensors` hold tensors, `.h5` Keras' weights, `.onnx` a graph) and messages.
    content : bytes
        The checked bytes of the file.
    device : str
        "cpu" or "cuda".

    Returns
    -------
    deepface's client of the network; it takes images as `fed` makes them.

    Raises
    ------
    ModelError
        If the file is damaged, carries more than tensors, or does not hold this network's weights.
    """
    import torch  # noqa: PLC0415 - heavy

    given = _session(path, content, device) if path.suffix == ".onnx" else _filler(network, path, content)
    with _BUILDING, _unchanged():
        module = import_module(network.module)
        with _instead(module, given), torch.device("meta"):
            client = getattr(module, network.client)()
    if isinstance(client.model, torch.nn.Module):
        client.device = torch.device(device)
        client.model.to(device).eval()
    return client


def library(module: str) -> ModuleType:
    """Import a module of deepface, and leave the process as it was."""
    with _BUILDING, _unchanged():
        return import_module(module)


def _filler(network: Network, path: Path, content: bytes) -> dict[str, Callable[..., Any]]:
    """What stands in for deepface's loader: it fills the network that deepface made."""
    state = deepid_h5.read_state(path, content) if path.suffix in {".h5", ".hdf5"} else read_state(path, content)

    def fill(model: Any, weight_file: str) -> Any:
        del weight_file
        try:
            # Made without numbers (on "meta"), it takes over those of the file: nothing is drawn at random first.
            model.load_state_dict({key: _own(value) for key, value in state.items()}, assign=True)
        except (RuntimeError, TypeError, AttributeError) as error:
            raise ModelError(
                str(path),
                f"does not hold the weights of deepface's {network.client.removesuffix('Client')}",
                f"Put the published file in its place: {' or '.join(network.files)}",
            ) from error
        return model.eval()

    return {"load_model_weights": fill}


def _session(path: Path, content: bytes, device: str) -> dict[str, Callable[..., Any]]:
    """What stands in for deepface's maker of ONNX sessions: ours, from the checked bytes alone."""
    session = _Session(onnx_network.load(path, content, device=device))
    return {"build_session": lambda **_: session}


class _Session:
    """As much of a session of onnxruntime as deepface asks for."""

    def __init__(self, network: onnx_network.Network) -> None:
        self._network = network

    def get_inputs(self) -> list[SimpleNamespace]:
        """Its one input."""
        return [SimpleNamespace(name=self._network.input)]

    def run(self, _: None, fed: Mapping[str, NDArray[np.float32]]) -> Sequence[NDArray[Any]]:
        """The output that deepface takes, the first."""
        return self._network.run(fed[self._network.input])


def _own(values: torch.Tensor) -> torch.Tensor:
    """In one piece, and float32 if these are fractions."""
    import torch  # noqa: PLC0415 - heavy

    return values.to(torch.float32 if values.is_floating_point() else values.dtype).contiguous()


@contextmanager
def _instead(module: ModuleType, given: dict[str, Callable[..., Any]]) -> Iterator[None]:
    """Give a module of deepface our loader, and its downloader nothing to do."""
    downloader: Any = import_module("deepface.commons.weight_utils")
    before = {name: getattr(module, name) for name in given}, downloader.download_weights_if_necessary
    downloader.download_weights_if_necessary = lambda **_: ""
    for name, function in given.items():
        setattr(module, name, function)
    try:
        yield
    finally:
        downloader.download_weights_if_necessary = before[1]
        for name, function in before[0].items():
            setattr(module, name, function)


@contextmanager
def _unchanged() -> Iterator[None]:
    """Keep environment and warning filters as they are, and deepface's and TensorFlow's log lines off the terminal."""
    before = dict(os.environ)
    os.environ.update({"DEEPFACE_LOG_LEVEL": "100", "TF_CPP_MIN_LOG_LEVEL": "3"})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)

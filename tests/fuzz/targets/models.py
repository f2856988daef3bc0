"""Cards and weights."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from .base import ROOT, Target
from .scores import safetensors

CARD = b"""name = "mine"
licence = "Apache-2.0"
training_sets = ["MS-Celeb-1M"]
similarity = "cosine"
dimension = 64
source = "where"
[input]
size = [112, 112]
colour = "RGB"
mean = [127.5, 127.5, 127.5]
deviation = [128, 128, 128]
[weights]
file = "w.onnx"
sha256 = "%s"
[vendor_threshold]
value = 0.363
unit = "cosine"
meaning = "m"
source = "s"
""" % (b"ab" * 32)
SERVICE = b"""name = "vendor"
revision = "2026-03"
licence = "as agreed"
training_data = "not stated"
training_consent = "not stated"
similarity = "cosine"
dimension = 512
[input]
size = 112
[service]
url = "https://api.vendor.example/v1/embed"
send = "multipart"
field = "image"
format = "png"
picture = "crop"
template = "faces[0].embedding"
failure = "error.code"
no_face = ["NO_FACE"]
"""


def _card(path: Path) -> object:
    from audit.models import MODELS, card_file

    return card_file.own(path, MODELS)


def _service_card(path: Path) -> object:
    from audit.models import MODELS, service_card
    from audit.plan import make

    return service_card.own(path, MODELS, make({"benchmark": "b", "model": "m"}))


def _attribute_card(path: Path) -> object:
    from audit.models import attributes
    from audit.plan import make

    return attributes.describe(f"card:{path}", plan=make({"benchmark": "b", "model": "m"}))


def _attribute_cards() -> list[bytes]:
    return [path.read_bytes() for path in sorted((ROOT / "audit/models/attributes/cards").glob("*.toml"))]


def _onnx() -> list[bytes]:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((48, 4), np.float32), "w")
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
        [weights],
    )
    made: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return [made]


def _onnx_checked(path: Path) -> object:
    from audit.models import onnx_read

    return onnx_read.checked(path.read_bytes(), path)


def _exported() -> list[bytes]:
    made = []
    for names in (("a/constants.pkl", "a/code/x.py", "a/data/0"), ("a/archive_format", "a/data/w")):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name in names:
                archive.writestr(name, b"x" * 40)
        made.append(stream.getvalue())
    return made


def _exported_kind(path: Path) -> object:
    from audit.sandbox import archive

    return archive.kind_of(path.read_bytes(), str(path))


def _state() -> list[bytes]:
    import torch

    stream = io.BytesIO()
    torch.save({"a": torch.ones(2, 3), "b": torch.zeros(4)}, stream)
    return [stream.getvalue()]


def _tensors(path: Path) -> object:
    from audit.models import tensors

    return tensors.read_state(path, path.read_bytes())


def _h5() -> list[bytes]:
    import h5py
    import numpy as np

    from audit.models import deepid_h5

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for layer, shape in deepid_h5._KERNELS.items():
            group = file.create_group(f"{layer}/{layer}")
            group["kernel:0"], group["bias:0"] = np.zeros(shape, np.float32), np.zeros(shape[-1], np.float32)
    return [stream.getvalue()[: 1 << 20], b"\x89HDF\r\n\x1a\n" + bytes(200)]


def _deepid(path: Path) -> object:
    from audit.models import deepid_h5

    return deepid_h5.read_state(path, path.read_bytes())


def _dlib() -> list[bytes]:
    return [
        b"\x05con_4" + b"\x01\x02" * 40 + b"\x07affine_" + b"\x01\x02" * 40 + b"\x04fc_2\x01\x02\x01\x02" + bytes(400)
    ]


def _dlib_net(path: Path) -> object:
    from audit.models import dlib_net

    return dlib_net.read(path.read_bytes(), path)


TARGETS = (
    Target("card", "card.toml", "toml", lambda: [CARD], _card),
    Target("service-card", "card.toml", "toml", lambda: [SERVICE], _service_card),
    Target("attribute-card", "card.toml", "toml", _attribute_cards, _attribute_card),
    Target("onnx", "m.onnx", "binary", _onnx, _onnx_checked),
    Target("exported", "m.pt2", "zip", _exported, _exported_kind),
    Target("tensors", "w.pt", "zip", _state, _tensors),
    Target("weights-safetensors", "w.safetensors", "binary", safetensors, _tensors),
    Target("deepid", "w.h5", "binary", _h5, _deepid),
    Target("dlib", "w.dat", "binary", _dlib, _dlib_net),
)

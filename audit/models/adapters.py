"""Adapters: how a family of models is run. A card names one; a new family is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from audit.errors import ModelError
from audit.models.card import Alignment


@dataclass(frozen=True, slots=True)
class Adapter:
    """What the table knows without loading anything.

    Parameters
    ----------
    loader : "module:function"; the function takes (card, *, workers, device) and gives a `FaceModel`
    packages : distributions whose version decides a number
    extra : of this package, which installs them; "" where they are always there
    alignments : the ways of cutting out a face that it knows
    precisions : the arithmetic in which it can compute
    check : "module:function" that is given the card before any image is read, and refuses what cannot run
    ran : where the network runs, as the record says it; "" in this process
    """

    loader: str
    packages: tuple[str, ...]
    extra: str = ""
    alignments: tuple[Alignment, ...] = ("arcface", "box")
    precisions: tuple[str, ...] = ("float32",)
    check: str = ""
    ran: str = ""


ALWAYS = ("facenet-pytorch", "torch", "pillow")
"""Detector, alignment and their arithmetic."""
DEEPFACE = (*ALWAYS, "deepface", "opencv-contrib-python-headless")
"""deepface's networks, and what resizes a crop for them."""

ADAPTERS: dict[str, Adapter] = {
    "dlib": Adapter(
        "audit.models.dlib_resnet:load", (*ALWAYS, "dlib-bin"), extra="dlib", alignments=("dlib", "arcface", "box")
    ),
    "facenet": Adapter("audit.models.facenet:load", (*ALWAYS, "onnxruntime"), precisions=("float32", "bfloat16")),
    "onnx": Adapter("audit.models.onnx_file:load", (*ALWAYS, "onnxruntime")),
    "deepface": Adapter(
        "audit.models.deepface_family:load", DEEPFACE, extra="deepface", alignments=("arcface", "box", "deepface")
    ),
    "exported": Adapter(
        "audit.models.exported:load",
        ALWAYS,
        check="audit.models.exported:check",
        ran="The network is a program and ran in a sandbox: a process without network, without writing, and without "
        "reading of anything but its libraries.",
    ),
    "http": Adapter("audit.models.http:load", ALWAYS),
}
"""Name to what runs it."""


def of(name: str, place: str, table: Mapping[str, Adapter] = ADAPTERS) -> Adapter:
    """Find an adapter whose packages are installed.

    Raises
    ------
    ModelError
        If there is none of that name, or a package is missing: with the command that installs it.
    """
    if name not in table:
        raise ModelError(f"{place}: adapter", f"{name!r} is no adapter", f"Adapters are {', '.join(table)}")
    adapter = table[name]
    for package in adapter.packages:
        try:
            version(package)
        except PackageNotFoundError:
            wanted = f"faceaudit[{adapter.extra}]" if adapter.extra else "faceaudit"
            raise ModelError(
                place, f"{package} is not installed", f"Install the extra: pip install '{wanted}'", missing="extra"
            ) from None
    return adapter

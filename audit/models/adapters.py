"""Adapters: how a family of models is run. A card names one; a new family is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from audit.errors import ModelError
from audit.models.card import Alignment, InputSpec


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
    parts : files beside the weights that it reads, by the names in a card's [parts]
    check : "module:function" that is given the card before any image is read, and refuses what cannot run
    ran : where the network runs, as the record says it; "" in this process
    """

    loader: str
    packages: tuple[str, ...]
    extra: str = ""
    alignments: tuple[Alignment, ...] = ("arcface", "box")
    precisions: tuple[str, ...] = ("float32",)
    parts: tuple[str, ...] = ()
    check: str = ""
    ran: str = ""


ALWAYS = ("facenet-pytorch", "torch", "pillow")
"""Detector, alignment and their arithmetic."""
DEEPFACE = (*ALWAYS, "deepface", "opencv-contrib-python-headless")
"""deepface's networks, and what resizes a crop for them."""

ADAPTERS: dict[str, Adapter] = {
    "dlib": Adapter(
        "audit.models.dlib_resnet:load",
        (*ALWAYS, "dlib-bin"),
        extra="dlib",
        alignments=("dlib", "arcface", "box"),
        parts=("landmarks",),
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
    "http": Adapter("audit.models.http:load", ALWAYS, check="audit.models.http:check"),
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


class Fed(Protocol):
    """A card, of whatever kind of model, as far as its adapter has to know it."""

    @property
    def name(self) -> str:
        """What the model is called."""
        ...

    @property
    def adapter(self) -> str:
        """What is to run it."""
        ...

    @property
    def input(self) -> InputSpec:
        """What the network is fed with."""
        ...

    @property
    def parts(self) -> Mapping[str, object]:
        """What else belongs to it."""
        ...


def hold(adapter: Adapter, card: Fed) -> None:
    """Refuse a card that asks for what its adapter does not know, or lacks a file that it reads.

    Raises
    ------
    ModelError
        Naming the key.
    """
    if card.input.alignment not in adapter.alignments:
        raise ModelError(
            f"card {card.name}: input.alignment",
            f"{card.input.alignment!r} is not known to the adapter {card.adapter}",
            f"It knows {', '.join(adapter.alignments)}",
        )
    for part in adapter.parts:
        if part not in card.parts:
            raise ModelError(
                f"card {card.name}: parts.{part}",
                f"is missing, and the adapter {card.adapter} reads it",
                f"Name its file and sha256 in a table [parts.{part}]",
            )

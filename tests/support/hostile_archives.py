"""Exported networks that try what a sandbox has to prevent; built here, so that no such file lies in the repository."""

from __future__ import annotations

import importlib.util
import io
import itertools
import json
import sys
import textwrap
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

_NUMBERS = itertools.count()


class Small(torch.nn.Module):
    """A network with 16 numbers out, for crops of 32 x 32."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.first = torch.nn.Conv2d(3, 8, 3, stride=2)
        self.last = torch.nn.Linear(8, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.last(torch.tanh(self.first(x)).mean((2, 3)))
        return made


def exported(network: torch.nn.Module, side: int = 32) -> bytes:
    """A .pt2 archive."""
    made = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(network.eval(), (torch.zeros(1, 3, side, side),)), made)
    return made.getvalue()


def scripted(network: torch.nn.Module) -> bytes:
    """A TorchScript archive."""
    made = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(network.eval()), made)
    return made.getvalue()


def script(body: str, folder: Path) -> bytes:
    """A TorchScript archive whose network does what `body` says with its input `x`."""
    name = f"hostile_{next(_NUMBERS)}"
    file = folder / f"{name}.py"
    head = (
        "import torch\n\n\nclass Network(torch.nn.Module):\n    def forward(self, x: torch.Tensor) -> torch.Tensor:\n"
    )
    file.write_text(head + textwrap.indent(textwrap.dedent(body), " " * 8), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return scripted(module.Network())


class Code:
    """Unpickling it runs its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __reduce__(self) -> tuple[Any, tuple[str, dict[str, Any]]]:
        return exec, (self.text, {})


def pickled(text: str) -> bytes:
    """A .pt2 archive in which one weight is a pickle that runs `text`; torch unpickles it as it is loaded."""
    made, weight = io.BytesIO(), io.BytesIO()
    torch.save(Code(textwrap.dedent(text)), weight)
    with zipfile.ZipFile(io.BytesIO(exported(Small()))) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("model_weights_config.json"):
                config = json.loads(content)
                config["config"]["last.bias"] |= {"use_pickle": True, "path_name": "weight_of_code"}
                content = json.dumps(config).encode()
            new.writestr(entry.filename, content)
        new.writestr("archive/data/weights/weight_of_code", weight.getvalue())
    return made.getvalue()

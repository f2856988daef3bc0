"""A torch network as an ONNX graph, for networks of convolutions on the CPU: onnxruntime runs them up to twice as fast.

torch's own exporter asks for packages of its own. A plain network needs little: the operators bear the names and
settings of torch's modules. A network that needs more is refused, never translated in part.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import fx, nn

INPUT, OUTPUT = "pixels", "vectors"
_FORMAT, _OPERATORS = 8, 17
"""Versions of the file format and of the operators: old ones, which every onnxruntime knows."""


def write(network: nn.Module, size: int) -> bytes:
    """Translate a network.

    Parameters
    ----------
    network : Module, in evaluation mode
        float32; takes n x 3 x size x size.

    Returns
    -------
    an ONNX file, with the input `INPUT` and the output `OUTPUT`

    Raises
    ------
    NotImplementedError
        If it has a part that is not known here.
    """
    graph = _Graph(dict(network.named_modules()))
    for node in fx.symbolic_trace(network).graph.nodes:
        graph.add(node)
    taken = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ("n", 3, size, size))
    given = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ("n", "d"))
    made = helper.make_model(
        helper.make_graph(graph.nodes, "network", [taken], [given], graph.tensors),
        opset_imports=[helper.make_opsetid("", _OPERATORS)],
        ir_version=_FORMAT,
    )
    content: bytes = made.SerializeToString()
    return content


class _Graph:
    """Nodes and tensors so far."""

    def __init__(self, modules: dict[str, nn.Module]) -> None:
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []
        self._modules = modules
        self._names: dict[fx.Node, str] = {}

    def add(self, node: fx.Node) -> None:
        """Translate one node of the traced network."""
        if node.op == "placeholder":
            self._names[node] = INPUT
        elif node.op == "output":
            self._make("Identity", [self._names[node.args[0]]], OUTPUT)  # type: ignore[index]
        elif node.op == "call_module":
            self._module(node, self._modules[str(node.target)])
        elif node.target is getattr or node.target is operator.getitem:
            return  # the number of pictures, which only a change of shape asks for
        else:
            self._function(node)

    def _module(self, node: fx.Node, module: nn.Module) -> None:
        if isinstance(module, nn.Dropout):
            self._names[node] = self._names[node.args[0]]  # type: ignore[index]
        elif type(module) in _MODULES:
            kind, settings, tensors = _MODULES[type(module)](module)
            names = [self._tensor(f"{node.name}.{k}", values) for k, values in enumerate(tensors)]
            self._call(kind, node, *names, **settings)
        else:
            raise NotImplementedError(f"no operator for {type(module).__name__}")

    def _function(self, node: fx.Node) -> None:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        if name == "cat" and node.args[1:] == (1,):
            made = [self._names[each] for each in node.args[0]]  # type: ignore[union-attr, index]
            self._names[node] = self._make("Concat", made, node.name, axis=1)
        elif name in ("mul", "add"):
            both = [
                self._names[each] if isinstance(each, fx.Node) else self._tensor(f"{node.name}.0", np.float32(each))  # type: ignore[arg-type]
                for each in node.args
            ]
            self._names[node] = self._make(name.capitalize(), both, node.name)
        elif name == "view" and node.args[2:] == (-1,):
            self._call("Flatten", node, axis=1)
        elif name == "normalize" and (node.kwargs.get("p"), node.kwargs.get("dim")) == (2, 1):
            self._call("LpNormalization", node, axis=1, p=2)
        else:
            raise NotImplementedError(f"no operator for {name or node.target}")

    def _call(self, kind: str, node: fx.Node, *tensors: str, **settings: Any) -> None:
        self._names[node] = self._make(kind, [self._names[node.args[0]], *tensors], node.name, **settings)  # type: ignore[index]

    def _make(self, kind: str, inputs: Iterable[str], output: str, **settings: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **settings))
        return output

    def _tensor(self, name: str, values: NDArray[np.float32] | np.float32) -> str:
        self.tensors.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name


_Made = tuple[str, dict[str, Any], list[NDArray[np.float32]]]


def _values(*tensors: torch.Tensor | None) -> list[NDArray[np.float32]]:
    return [tensor.detach().numpy() for tensor in tensors if tensor is not None]


def _convolution(module: nn.Conv2d) -> _Made:
    padding = module.padding
    if isinstance(padding, str) or module.dilation != (1, 1) or module.groups != 1:
        raise NotImplementedError("no operator for this convolution")
    settings = {"kernel_shape": module.kernel_size, "strides": module.stride, "pads": padding * 2}
    return "Conv", settings, _values(module.weight, module.bias)


def _batch(module: nn.BatchNorm1d | nn.BatchNorm2d) -> _Made:
    return (
        "BatchNormalization",
        {"epsilon": float(module.eps)},
        _values(module.weight, module.bias, module.running_mean, module.running_var),
    )


def _largest(module: nn.MaxPool2d) -> _Made:
    if module.padding != 0 or module.dilation != 1 or module.ceil_mode:
        raise NotImplementedError("no operator for this pooling")
    return "MaxPool", {"kernel_shape": (module.kernel_size,) * 2, "strides": (module.stride,) * 2}, []


def _mean(module: nn.AdaptiveAvgPool2d) -> _Made:
    if module.output_size != 1:
        raise NotImplementedError("no operator for this pooling")
    return "GlobalAveragePool", {}, []


def _product(module: nn.Linear) -> _Made:
    return "Gemm", {"transB": 1}, _values(module.weight, module.bias)


_MODULES: dict[type[nn.Module], Callable[[Any], _Made]] = {
    nn.Conv2d: _convolution,
    nn.BatchNorm1d: _batch,
    nn.BatchNorm2d: _batch,
    nn.ReLU: lambda _: ("Relu", {}, []),
    nn.MaxPool2d: _largest,
    nn.AdaptiveAvgPool2d: _mean,
    nn.Linear: _product,
}
"""Kind of module to operator, settings and tensors."""

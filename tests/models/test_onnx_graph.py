"""Networks as ONNX graphs: torch's numbers, any number of pictures, and nothing translated in part."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional as f

from audit.models import onnx_graph


class Small(nn.Module):
    """One of everything that is known, with statistics that are not those of a fresh module."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, (3, 1), stride=2, padding=(1, 0), bias=False)
        self.norm = nn.BatchNorm2d(6, eps=0.001)
        self.second = nn.Conv2d(6, 6, 1)
        self.pool, self.mean, self.drop = nn.MaxPool2d(3, stride=2), nn.AdaptiveAvgPool2d(1), nn.Dropout(0.6)
        self.relu, self.last, self.last_norm = nn.ReLU(), nn.Linear(12, 200, bias=False), nn.BatchNorm1d(200)
        for norm in (self.norm, self.last_norm):
            for tensor in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
                nn.init.uniform_(tensor, 0.5, 1.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.relu(self.norm(self.first(x))))
        x = self.drop(self.mean(torch.cat((x, self.second(x) * 0.17 + x), 1)))
        return f.normalize(self.last_norm(self.last(x.view(x.shape[0], -1))), p=2, dim=1)


def ran(content: bytes, pixels: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run([onnx_graph.OUTPUT], {onnx_graph.INPUT: pixels.numpy()})[0]


def test_it_gives_what_torch_gives() -> None:
    torch.manual_seed(4)
    network = Small().eval()
    content = onnx_graph.write(network, 30)
    pixels = torch.randn(5, 3, 30, 30)
    with torch.no_grad():
        wanted = network(pixels).numpy()
    for count in (1, 5):
        assert np.abs(ran(content, pixels[:count]) - wanted[:count]).max() < 1e-6


class Odd(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.part(x)


class Sine(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x)


@pytest.mark.parametrize(
    "part",
    [nn.Conv2d(3, 3, 3, groups=3), nn.MaxPool2d(3, ceil_mode=True), nn.AdaptiveAvgPool2d(2), nn.PReLU(), Sine()],
)
def test_what_it_does_not_know_is_refused(part: nn.Module) -> None:
    with pytest.raises(NotImplementedError, match="no operator for"):
        onnx_graph.write(Odd(part).eval(), 30)

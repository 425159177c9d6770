"""The three small networks of MTCNN in PyTorch, with the weights that come inside of the ``mtcnn`` package.

Zhang, Zhang, Li & Qiao, Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks, IEEE
Signal Processing Letters 23 (2016), Figure 2. The weights lie in the package as compressed Python objects, so each file
is held against the SHA-256 of version 1.0.0 before it is opened.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from fbench.benchmark.data.preparation.faces import missing_extra
from fbench.core.errors import UserError

_SHA256: Final = {
    "pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}


class FlattenColumnsFirst(nn.Module):
    """(N, C, H, W) to (N, W H C): the order in which the published dense layers count."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Flatten."""
        return x.permute(0, 3, 2, 1).flatten(1)


class ProposalNet(nn.Module):
    """P-Net: 12x12 windows at a stride of 2, as a fully convolutional network."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(3, 10, 3),
            nn.MaxPool2d(2, 2, ceil_mode=True),
            *_convolution(10, 16, 3),
            *_convolution(16, 32, 3),
        )
        self.offsets = nn.Conv2d(32, 4, 1)
        self.scores = nn.Conv2d(32, 2, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (N, 3, H, W) in [-1, 1] to box offsets (N, 4, h, w) and probabilities of a face (N, h, w)."""
        features = self.body(x)
        return self.offsets(features), self.scores(features).softmax(1)[:, 1]


class RefinementNet(nn.Module):
    """R-Net: 24x24 windows."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(3, 28, 3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            *_convolution(28, 48, 3),
            nn.MaxPool2d(3, 2),
            *_convolution(48, 64, 2),
            FlattenColumnsFirst(),
            nn.Linear(576, 128),
            nn.PReLU(128),
        )
        self.offsets = nn.Linear(128, 4)
        self.scores = nn.Linear(128, 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Windows (N, 3, 24, 24) to box offsets (N, 4) and probabilities of a face (N,)."""
        features = self.body(x)
        return self.offsets(features), self.scores(features).softmax(1)[:, 1]


class OutputNet(nn.Module):
    """O-Net: 48x48 windows, with five landmarks."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(3, 32, 3),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            *_convolution(32, 64, 3),
            nn.MaxPool2d(3, 2),
            *_convolution(64, 64, 3),
            nn.MaxPool2d(2, 2, ceil_mode=True),
            *_convolution(64, 128, 2),
            FlattenColumnsFirst(),
            nn.Linear(1152, 256),
            nn.PReLU(256),
        )
        self.offsets = nn.Linear(256, 4)
        self.landmarks = nn.Linear(256, 10)
        self.scores = nn.Linear(256, 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Windows (N, 3, 48, 48) to box offsets (N, 4), landmarks (N, 10: five x, five y) and probabilities (N,)."""
        features = self.body(x)
        return self.offsets(features), self.landmarks(features), self.scores(features).softmax(1)[:, 1]


def load_networks() -> tuple[ProposalNet, RefinementNet, OutputNet, str]:
    """The three networks with the package's weights, in evaluation mode, and the package's version.

    Raises:
        UserError: the package is missing, or its weights are not those of version 1.0.0.
    """
    proposal, refinement, output = ProposalNet(), RefinementNet(), OutputNet()
    for network, name in ((proposal, "pnet.lz4"), (refinement, "rnet.lz4"), (output, "onet.lz4")):
        _fill(network, _read_weights(name))
    return proposal.eval(), refinement.eval(), output.eval(), f"mtcnn {version('mtcnn')}"


def _convolution(inputs: int, outputs: int, kernel: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, kernel), nn.PReLU(outputs)


def _read_weights(name: str) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    try:
        import joblib  # reads the package's files, which are compressed by lz4
        import lz4.frame  # noqa: F401 - joblib needs it and says so late

        version("mtcnn")
    except (ImportError, PackageNotFoundError) as error:
        raise missing_extra("mtcnn") from error
    found = find_spec("mtcnn")  # not imported: it would import TensorFlow
    if found is None or found.origin is None:
        raise missing_extra("mtcnn")
    file = Path(found.origin).parent / "assets" / "weights" / name
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != _SHA256[name]:
        raise UserError(f"{file} is not the file of mtcnn 1.0.0; install that version with pip install mtcnn==1.0.0.")
    weights: list[np.ndarray[Any, np.dtype[np.float32]]] = joblib.load(file)
    return weights


def _fill(network: nn.Module, weights: list[np.ndarray[Any, np.dtype[np.float32]]]) -> None:
    """Copy arrays into the parameters in order: kernels come height, width, in, out; dense ones in, out."""
    parameters = list(network.parameters())
    with torch.no_grad():
        for parameter, array in zip(parameters, weights, strict=True):
            order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim)
            turned = array.transpose(order) if order else array.reshape(-1)
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(turned)))

"""Tests that need a CUDA device."""

from __future__ import annotations

from typing import Any, Final

import pytest
import torch

DEVICE: Final = torch.device("cuda", 0)


def on_cuda(test: Any) -> Any:
    """Mark a test that needs a CUDA device. PyTorch warns there of operations without a deterministic algorithm, which
    trials record: such a warning is no error."""
    kept = pytest.mark.filterwarnings("default:.*(deterministic|determinism)")(test)
    return pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")(kept)

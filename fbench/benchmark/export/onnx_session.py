"""A network in ONNX Runtime, and whether it computes what the original computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.export.errors import ExportError, ExportMismatch, first_cause, require_packages
from fbench.benchmark.export.onnx_file import INPUT, OUTPUT
from fbench.core.capacity import library_threads
from fbench.core.errors import UserError, readable

if TYPE_CHECKING:
    from torch import nn

TOLERANCE: Final = 1e-4
"""The largest deviation of a logit, as a share of the largest logit, that still counts as equal.

Sums in another order moved the 34 registered networks by 2e-6 at most. Weights rounded to fp16 moved ARCH-1, IRes,
mini_Xception and ResNet50 by 4e-4 and more, and batch normalisation with an epsilon of 1e-3 for 1e-5 by 8e-3 and more.
"""
_ERRORS_ONLY: Final = 3
_OPTIONS: Final[dict[str, dict[str, str]]] = {
    "CPUExecutionProvider": {},
    "CUDAExecutionProvider": {"use_tf32": "0"},  # its default is TF32, which is beyond the tolerance
}


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A model that ONNX Runtime has loaded; ``provider`` says what computes it, ``threads`` how many of the CPU."""

    provider: str
    threads: int | None
    metadata: Mapping[str, str]
    _session: Any = field(repr=False)

    def logits(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits float32 (N, classes) of images float32 (N, C, H, W)."""
        result: npt.NDArray[np.float32] = self._session.run([OUTPUT], {INPUT: images})[0]
        return result


def open_session(model: bytes | Path, threads: int | None, device_kind: str = "cpu") -> OnnxModel:
    """Load a model, as bytes or from a file; none for ``threads`` leaves their number to ONNX Runtime, which
    knows a process's affinity and not its quota of CPU time.

    Operations run one after another, each on ``threads`` threads.

    Raises:
        ExportError: it is no ONNX model that this version reads.
        UserError: ONNX Runtime is not installed, or has no provider for this kind of device.
    """
    require_packages("onnxruntime")
    import onnxruntime

    provider = _provider(device_kind, onnxruntime.get_available_providers())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or library_threads() or 0
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ERRORS_ONLY
    try:
        # ONNX Runtime takes names of files that are UTF-8 and no others.
        named = isinstance(model, Path) and readable(str(model)) == str(model)
        source = model if isinstance(model, bytes) else str(model) if named else model.read_bytes()
        session = onnxruntime.InferenceSession(source, options, providers=[(provider, _OPTIONS[provider])])
    except Exception as error:  # ONNX Runtime raises a dozen classes of its own, and plain RuntimeError
        what = "The model" if isinstance(model, bytes) else str(model)
        raise ExportError(
            f"{what} cannot be opened by ONNX Runtime ({first_cause(error)}); export it again."
        ) from error
    used = session.get_providers()[0]
    if used != provider:
        raise UserError(f"ONNX Runtime could not start its {provider} and fell back to {used}; see its CUDA libraries.")
    metadata = dict(session.get_modelmeta().custom_metadata_map)
    return OnnxModel(provider=used, threads=threads, metadata=metadata, _session=session)


def _provider(device_kind: str, available: list[str]) -> str:
    wanted = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(device_kind)
    if wanted is None:
        raise UserError(f"ONNX Runtime was asked to run on {device_kind}, and fbench runs it on cpu or cuda only.")
    if wanted not in available:
        raise UserError(
            f"ONNX Runtime was asked to run on {device_kind}, and the one installed has {', '.join(available)} only; "
            "install onnxruntime-gpu in its place, or use the CPU."
        )
    return wanted


def deviation(logits: npt.NDArray[np.floating], reference: npt.NDArray[np.floating]) -> float:
    """The largest difference between two (N, classes) arrays, as a share of the largest entry of ``reference``.

    Not a number where either holds one.
    """
    size = max(float(np.abs(reference).max()), float(np.finfo(np.float32).tiny))
    return float(np.abs(logits.astype(np.float64) - reference).max()) / size


def largest_deviation(
    module: nn.Module,
    model: OnnxModel,
    input_shape: tuple[int, int, int],
    batch_size: int = 8,
    images: npt.NDArray[np.float32] | None = None,
) -> float:
    """How far ``model`` is from ``module`` in evaluation mode on the CPU, as :func:`deviation` counts it.

    Both see ``images`` float32 (N, C, H, W); by default standard normal ones (seed 0), as normalised images are, in a
    batch of ``batch_size`` and in a batch of 1.
    """
    import torch

    from fbench.benchmark.training.prepare import as_built

    if images is None:
        images = np.random.default_rng(0).standard_normal((batch_size, *input_shape), dtype=np.float32)
    with torch.no_grad():
        reference = as_built(module)(torch.from_numpy(images.copy())).float().numpy()
    logits = [model.logits(images), model.logits(images[:1])]
    return deviation(np.concatenate(logits), np.concatenate([reference, reference[:1]]))


def require_equal(
    module: nn.Module,
    model: OnnxModel,
    input_shape: tuple[int, int, int],
    batch_size: int = 8,
    images: npt.NDArray[np.float32] | None = None,
) -> float:
    """The deviation of :func:`largest_deviation`, where it is within :data:`TOLERANCE`.

    Raises:
        ExportMismatch: it is not, or not a number.
    """
    found = largest_deviation(module, model, input_shape, batch_size, images)
    refuse_mismatch(found)
    return found


def refuse_mismatch(found: float) -> None:
    """Hold that a deviation is within :data:`TOLERANCE`.

    Raises:
        ExportMismatch: it is not, or not a number.
    """
    if not found <= TOLERANCE:
        raise ExportMismatch(
            f"The exported network's logits deviate by {found:.2g} of the largest one, and {TOLERANCE:g} is allowed; "
            "it is not used."
        )

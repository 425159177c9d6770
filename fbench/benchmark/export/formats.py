"""A trained network as a file: written, read back, and held against the original before it takes its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from fbench.architectures.registry import build
from fbench.benchmark.export.errors import ExportError, ExportMismatch, first_cause
from fbench.benchmark.export.from_pixels import FromPixels
from fbench.benchmark.export.int8 import quantise
from fbench.benchmark.export.metadata import SUFFIXES, ExportFormat, ExportMetadata, metadata_for
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.onnx_session import deviation, open_session, refuse_mismatch
from fbench.benchmark.export.torch_export_file import load_torch_export, read_torch_metadata, torch_export_bytes
from fbench.benchmark.export.trained import TrainedNetwork
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.records.trial_records import PixelNormalisation
from fbench.benchmark.store.weights import WeightsError, encode_state, read_state
from fbench.benchmark.training.network_state import put_state
from fbench.core.files import replacing

FloatImages = npt.NDArray[np.float32]
Logits = Callable[[FloatImages], npt.NDArray[np.float32]]
"""From pixels 0 to 255, float32 (N, C, H, W), to logits float32 (N, classes)."""
_CHECKED_IMAGES: Final = 8
_BATCH: Final = 64


@dataclass(frozen=True)
class ExportReport:
    """What was written, and how it compares with the trained network in fp32.

    ``deviation`` is the largest one of a logit, as a share of the largest logit. ``agreement`` is the share of the
    ``calibration_images`` that int8 gives the class that fp32 gives; none for the other formats, which are equal.
    """

    path: Path
    metadata: ExportMetadata
    size_bytes: int
    deviation: float
    agreement: float | None = None
    calibration_images: int = 0


def write_export(
    trained: TrainedNetwork, export_format: ExportFormat, path: Path, calibration: FloatImages | None = None
) -> ExportReport:
    """Write a trained network to ``path``, read it back from there, and compare; a file that fails is removed.

    ``calibration`` are pixels 0 to 255, float32 (N, C, H, W), which int8 needs and the others do not look at.

    Raises:
        ExportMismatch: what was written does not compute what the network computes.
        ExportError: the network cannot be written in this format.
        UserError: the packages of the format are not installed.
    """
    metadata = metadata_for(trained.record, trained.fitted, export_format)
    content = _encode(trained, metadata, calibration)
    with replacing(path) as stream:
        stream.write(content)
        stream.flush()
        logits = open_logits(Path(stream.name), metadata, trained.record.spec.network)
        if export_format is ExportFormat.ONNX_INT8 and calibration is not None:
            found, agreement = _compared(trained.logits, logits, calibration)
            return ExportReport(path, metadata, len(content), found, agreement, len(calibration))
        found = deviation_from(trained, logits)
        refuse_mismatch(found)
    return ExportReport(path, metadata, len(content), found)


def open_exported(file: Path, network: NetworkSpec, trial_id: str) -> tuple[ExportMetadata, Logits]:
    """What an exported file of a trial says of itself, and its logits from pixels.

    Raises:
        ExportError: it is no file that `fbench export` wrote, or one of another trial.
    """
    metadata = read_metadata(file)
    if metadata.trial_id != trial_id:
        raise ExportError(
            f"{file} is of trial '{metadata.trial_id}' ({metadata.network}, seed {metadata.seed}), and '{trial_id}' "
            "was asked for; name that trial, or export this one."
        )
    return metadata, open_logits(file, metadata, network)


def needs_code(file: Path) -> bool:
    """Whether an exported file holds weights alone, so that the network's own code builds the network."""
    return file.suffix.lower() == SUFFIXES[ExportFormat.SAFETENSORS]


def read_metadata(file: Path) -> ExportMetadata:
    """What an exported file says of itself; its kind is told by its suffix.

    Raises:
        ExportError: it is no file that `fbench export` wrote.
    """
    if not file.is_file():  # opening a pipe would wait for one who writes to it
        raise ExportError(f"There is no file {file}; give one that `fbench export` wrote.")
    suffix = file.suffix.lower()
    if suffix == SUFFIXES[ExportFormat.ONNX]:
        strings = dict(open_session(file, 1).metadata)
    elif suffix == SUFFIXES[ExportFormat.TORCH_EXPORT]:
        strings = read_torch_metadata(file)
    elif suffix == SUFFIXES[ExportFormat.SAFETENSORS]:
        try:
            with safe_open(file, "numpy") as archive:
                strings = archive.metadata() or {}
        except (SafetensorError, OSError) as error:
            raise ExportError(f"{file} cannot be read ({first_cause(error)}); export it again.") from error
    else:
        allowed = ", ".join(dict.fromkeys(SUFFIXES.values()))
        raise ExportError(f"{file} is no exported network by its suffix; give a file that ends in {allowed}.")
    return ExportMetadata.from_strings(strings, str(file))


def open_logits(file: Path, metadata: ExportMetadata, network: NetworkSpec) -> Logits:
    """The network in a file, from pixels to logits; weights alone are put into ``network``, built anew.

    Raises:
        ExportError: it cannot be opened.
    """
    if metadata.format in (ExportFormat.ONNX, ExportFormat.ONNX_INT8):
        return open_session(file, None).logits
    if metadata.format is ExportFormat.TORCH_EXPORT:
        return _logits_of(load_torch_export(file))
    module = build(network.resolved)
    try:
        put_state(module, read_state(file))
    except (WeightsError, RuntimeError) as error:
        raise ExportError(f"{file} does not fit the network '{network.name}' ({first_cause(error)}).") from error
    fitted = PixelNormalisation(mean=metadata.mean, inverse_deviation=metadata.inverse_deviation)
    return _logits_of(FromPixels(module, None if metadata.normalisation == "per_image" else fitted).eval())


def deviation_from(trained: TrainedNetwork, logits: Logits) -> float:
    """How far ``logits`` are from the trained network's on random pixels (seed 0), in a batch and one by one."""
    shape = trained.record.spec.network.input_shape
    pixels = np.random.default_rng(0).integers(0, 256, (_CHECKED_IMAGES, *shape)).astype(np.float32)
    reference = trained.logits(pixels)
    alone = np.concatenate([logits(pixels[row : row + 1]) for row in range(len(pixels))])
    return max(deviation(logits(pixels), reference), deviation(alone, reference))


def _encode(trained: TrainedNetwork, metadata: ExportMetadata, calibration: FloatImages | None) -> bytes:
    strings, shape = metadata.to_strings(), metadata.input_shape
    if metadata.format is ExportFormat.TORCH_EXPORT:
        return torch_export_bytes(trained.from_pixels, shape, strings)
    if metadata.format is ExportFormat.SAFETENSORS:
        try:
            return encode_state(trained.network.state_dict(), strings)
        except WeightsError as error:
            raise ExportError(
                f"The weights of '{trained.record.spec.network.name}' cannot be written: {error}."
            ) from error
    content = onnx_bytes(trained.from_pixels, shape, strings)
    if metadata.format is ExportFormat.ONNX:
        return content
    refuse_mismatch(deviation_from(trained, open_session(content, None).logits))
    batches = [] if calibration is None else [*_batches(calibration)]
    return quantise(content, batches)


def _compared(reference: Logits, other: Logits, pixels: FloatImages) -> tuple[float, float]:
    """The deviation of the second's logits, and the share of images to which both give one class.

    Raises:
        ExportMismatch: a logit is not a number.
    """
    expected = np.concatenate([reference(batch) for batch in _batches(pixels)])
    found = np.concatenate([other(batch) for batch in _batches(pixels)])
    if not np.isfinite(found).all():
        raise ExportMismatch("The quantised network gives logits that are no numbers; it is not used.")
    return deviation(found, expected), float((found.argmax(1) == expected.argmax(1)).mean())


def _batches(images: FloatImages) -> list[FloatImages]:
    return [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]


def _logits_of(module: nn.Module) -> Logits:
    def logits(pixels: FloatImages) -> npt.NDArray[np.float32]:
        with torch.no_grad():
            result: npt.NDArray[np.float32] = module(torch.from_numpy(pixels)).numpy()
        return result

    return logits

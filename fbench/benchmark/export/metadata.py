"""What an exported file says of itself, so that it can be used without the run it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import ValidationError

from fbench.benchmark.export.errors import ExportError
from fbench.benchmark.records.trial_records import PixelNormalisation, TrialRecord
from fbench.core.bounded import parse_json, plain_texts
from fbench.core.machine import package_version
from fbench.core.schema import FrozenModel


class ExportFormat(StrEnum):
    """What a trained network can be written as."""

    ONNX = "onnx"
    ONNX_INT8 = "onnx-int8"
    SAFETENSORS = "safetensors"
    TORCH_EXPORT = "torch-export"


SUFFIXES: Final = {
    ExportFormat.ONNX: ".onnx",
    ExportFormat.ONNX_INT8: ".onnx",
    ExportFormat.SAFETENSORS: ".safetensors",
    ExportFormat.TORCH_EXPORT: ".pt2",
}
PIXELS: Final = "pixels 0 to 255 as float32 (N, C, H, W); the normalisation is inside"
NORMALISED: Final = "normalised pixels as float32 (N, C, H, W); the normalisation is left to the reader"


class ExportMetadata(FrozenModel):
    """The trial behind a file, and how to feed it.

    Pixels p of 0 to 255 are normalised as ``(p - mean) * inverse_deviation`` by channel where ``normalisation`` is
    ``training_split``, and as ``(p - m) / sqrt(v + 1)`` with mean and variance over the whole image where it is
    ``per_image``; ``input`` says whether the file does this itself. With ``test_time_flip`` the prediction is the mean
    of the log-probabilities of an image and its mirror image.
    """

    format: ExportFormat
    fbench_version: str
    trial_id: str
    network: str
    builder: str
    options: dict[str, Any]
    network_digest: str
    seed: int
    data: str
    data_fingerprint: str
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    """Channels, height, width."""
    input: str
    output: str = "logits float32 (N, classes)"
    normalisation: Literal["training_split", "per_image"]
    mean: tuple[float, ...] = ()
    inverse_deviation: tuple[float, ...] = ()
    test_time_flip: bool

    def to_strings(self) -> dict[str, str]:
        """Names and values as text: words as they are, all else as JSON."""
        values = self.model_dump(mode="json")
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}

    @classmethod
    def from_strings(cls, strings: Mapping[str, str], where: str) -> ExportMetadata:
        """Read what :meth:`to_strings` gave; other names are passed over. ``where`` names the file in the error.

        Raises:
            ExportError: something is missing or cannot be read.
        """
        words = {
            "format",
            *(key for key, field in cls.model_fields.items() if field.annotation is str),
            "normalisation",
        }
        known = {key: value for key, value in strings.items() if key in cls.model_fields}
        try:
            return cls.model_validate({k: plain_texts(v if k in words else parse_json(v)) for k, v in known.items()})
        except (ValueError, ValidationError) as error:
            raise ExportError(
                f"{where} does not say which trial it is of (its metadata is missing or damaged); give a file that "
                "`fbench export` wrote."
            ) from error


def metadata_for(record: TrialRecord, fitted: PixelNormalisation | None, export_format: ExportFormat) -> ExportMetadata:
    """The metadata of a trial's network in a format; ``fitted`` is none where images are normalised one by one."""
    spec = record.spec
    return ExportMetadata(
        format=export_format,
        fbench_version=package_version("fbench"),
        trial_id=record.trial_id,
        network=spec.network.name,
        builder=spec.network.builder,
        options=spec.network.options,
        network_digest=spec.network.digest,
        seed=spec.seed,
        data=spec.data.name,
        data_fingerprint=spec.data.fingerprint,
        class_names=spec.data.class_names,
        input_shape=spec.network.input_shape,
        input=NORMALISED if export_format is ExportFormat.SAFETENSORS else PIXELS,
        normalisation=spec.protocol.normalisation,
        mean=fitted.mean if fitted else (),
        inverse_deviation=fitted.inverse_deviation if fitted else (),
        test_time_flip=spec.protocol.test_time_flip,
    )

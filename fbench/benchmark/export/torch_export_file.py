"""A network in PyTorch's own exported form (a ``.pt2`` archive), without any pickle in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import torch
from torch import nn

from fbench.benchmark.export.blame import failing_layer, network_name
from fbench.benchmark.export.capture import capture, quiet_exporter
from fbench.benchmark.export.errors import ExportError, first_cause
from fbench.core.bounded import MOST_JSON_BYTES

_METADATA: Final = "fbench.json"
_DAMAGED: Final = (OSError, ValueError, RuntimeError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What zipfile and json raise of archives that nobody of us wrote; RecursionError is a RuntimeError."""
_PLAIN: Final = re.compile(
    r"data/weights/weight_\d+|data/constants/tensor_\d+|archive_format|archive_version|byteorder|\.data/\w+"
)


def torch_export_bytes(module: nn.Module, input_shape: tuple[int, int, int], metadata: Mapping[str, str]) -> bytes:
    """The archive of a network in evaluation mode for (N, C, H, W) float32, any N; ``module`` itself does not change.

    ``metadata`` lies in it as the extra file ``fbench.json``. Traces, which name files of this machine, and the example
    input, which PyTorch would pickle, are left out.

    Raises:
        ExportError: the network cannot be exported.
    """
    program = capture(module, input_shape)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    program.example_inputs = None
    stream = io.BytesIO()
    try:
        with quiet_exporter():
            torch.export.save(program, stream, extra_files={_METADATA: json.dumps(dict(metadata))})
    except Exception as error:  # an operation or a constant that PyTorch's writer does not know, of any kind
        layer = failing_layer(error, module)
        raise ExportError(
            f"The network {network_name(module)} cannot be written as torch-export{f' at {layer}' if layer else ''} "
            f"({first_cause(error)}); keep to operations that PyTorch's exporter knows."
        ) from error
    return stream.getvalue()


def read_torch_metadata(file: Path) -> dict[str, str]:
    """The names and values beside the network, without loading it; empty where the archive has none.

    Raises:
        ExportError: it is no archive.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = [name for name in archive.namelist() if PurePosixPath(name).parts[1:] == ("extra", _METADATA)]
            values = _json(archive, members[0]) if members else {}
    except _DAMAGED as error:
        raise ExportError(f"{file} cannot be read ({first_cause(error)}); export it again.") from error
    return values if isinstance(values, dict) else {}


def load_torch_export(file: Path) -> nn.Module:
    """The network in an archive. PyTorch evaluates the archive's symbolic shapes as Python: open files you trust.

    Raises:
        ExportError: it cannot be loaded, or it has a part that PyTorch would unpickle.
    """
    _refuse_pickles(file)
    try:
        with quiet_exporter(), file.open("rb") as stream:
            return torch.export.load(stream).module()
    except Exception as error:  # PyTorch's reader raises whatever its parts raise
        raise ExportError(f"{file} cannot be loaded ({first_cause(error)}); export it again.") from error


def _refuse_pickles(file: Path) -> None:
    """Let through what :func:`torch_export_bytes` writes: raw tensors, JSON, and a few words about the archive."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            twice = Counter(names)
            odd = next((name for name in names if twice[name] > 1 or not _is_plain(archive, name)), None)
    except _DAMAGED as error:
        raise ExportError(f"{file} cannot be read ({first_cause(error)}); export it again.") from error
    if odd is not None:
        raise ExportError(f"{file} has the part {odd}, which may be a pickle and run any code; export the trial again.")


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    if archive.getinfo(name).file_size > MOST_JSON_BYTES:
        raise ValueError(f"{name} is too large")
    return json.loads(archive.read(name))


def _is_plain(archive: zipfile.ZipFile, name: str) -> bool:
    member = name.partition("/")[2]
    if member.endswith(".json"):
        return not _asks_for_pickle(_json(archive, name))
    if member.startswith("data/sample_inputs/"):
        return archive.getinfo(name).file_size == 0
    return _PLAIN.fullmatch(member) is not None


def _asks_for_pickle(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value.get("use_pickle")) or any(_asks_for_pickle(part) for part in value.values())
    return isinstance(value, list) and any(_asks_for_pickle(part) for part in value)

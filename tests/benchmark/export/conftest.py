"""One small run for all tests of exports, and each file of it once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from once import made_once
from trained_run import FILE_NAMES, TrainedRun, striped_run

from fbench.benchmark.export.formats import ExportReport, write_export
from fbench.benchmark.export.metadata import ExportFormat
from fbench.benchmark.export.trained import load_trained
from fbench.benchmark.store.run_folder import RunFolder


@pytest.fixture(autouse=True, scope="session")
def operations_of_onnx_listed_once() -> Iterator[None]:
    """PyTorch's exporter lists the operations that ONNX has anew for each file, in 0.3 s; the list is the same."""
    registry = pytest.importorskip("torch.onnx._internal.exporter._registration").ONNXRegistry
    listed = functools.cache(registry.from_torchlib.__func__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "from_torchlib", classmethod(listed))
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Read it only: every test of the session has the same."""
    return made_once(tmp_path_factory, "trained-run", lambda folder: striped_run(RunFolder(folder / "run")))


@pytest.fixture(scope="session")
def exported(
    trained: TrainedRun, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, ExportFormat], ExportReport]:
    """The file of a trial (``plain``, ``other``, ``flipped``) in a format, made when first asked for; read it only."""

    @functools.cache
    def file_of(kind: str, export_format: ExportFormat) -> ExportReport:
        def export(folder: Path) -> ExportReport:
            network = load_trained(trained.folder, getattr(trained, kind))
            return write_export(network, export_format, folder / FILE_NAMES[export_format])

        return made_once(tmp_path_factory, f"exported-{kind}-{export_format.value}", export)

    return file_of

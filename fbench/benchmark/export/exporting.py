"""From a trial to an exported file: where the network is a user's, a worker process writes and checks it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fbench.benchmark.data.source import DataReference
from fbench.benchmark.export.calibration import IMAGES, calibration_pixels
from fbench.benchmark.export.formats import ExportReport, write_export
from fbench.benchmark.export.metadata import ExportFormat
from fbench.benchmark.export.trained import data_of, load_trained
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.workers.asking import users_networks_at_work
from fbench.benchmark.workers.questions import Tell, question
from fbench.core.files import replacing


def export_trial(
    folder: RunFolder,
    trial_id: str,
    export_format: ExportFormat,
    path: Path,
    *,
    data: DataReference | None = None,
    trust: str | None = None,
    plugins: Sequence[Path] = (),
    calibration_images: int = IMAGES,
) -> ExportReport:
    """Write the trained network of a trial to ``path``, read it back, and compare; a file that fails is not left there.

    Args:
        folder: the run.
        trial_id: the trial.
        export_format: what it is written as.
        path: the file.
        data: the trial's images, for int8, and for records without their normalisation.
        trust: as of :func:`fbench.benchmark.training.networks.load_model`.
        plugins: files that register networks.
        calibration_images: training images that int8 learns its ranges from.

    Raises:
        UserError: as of :func:`fbench.benchmark.export.trained.load_trained`, and of
            :func:`fbench.benchmark.export.formats.write_export`.
    """
    with users_networks_at_work(plugins) as users:
        file = users.scratch / f"exported{path.suffix}"
        asked = question(export_into, folder.path, trial_id, export_format, file, data, trust, calibration_images)
        report = users.ask_trained(folder.trial(trial_id).spec.network, asked)
        with file.open("rb") as written, replacing(path) as stream:
            shutil.copyfileobj(written, stream)
    return replace(report, path=path)


def export_into(
    _: Tell,
    run: Path,
    trial_id: str,
    export_format: ExportFormat,
    file: Path,
    data: DataReference | None,
    trust: str | None,
    calibration_images: int,
) -> ExportReport:
    """What :func:`export_trial` asks of the network."""
    trained = load_trained(RunFolder(run), trial_id, data, trust)
    pixels = None
    if export_format is ExportFormat.ONNX_INT8:
        pixels = calibration_pixels(data_of(trained.record.spec, data), calibration_images)
    return write_export(trained, export_format, file, pixels)

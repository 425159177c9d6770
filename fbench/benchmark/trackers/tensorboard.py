"""TensorBoard: a folder a trial, with scalars by image passes, hyperparameters and the settings as a text.

Event files are written with TensorBoard's own record writer and messages. ``torch.utils.tensorboard`` would write the
same, and imports TensorFlow where that is installed, which takes seconds and talks.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord
from fbench.benchmark.trackers.tracker import Setting, TrackedTrial, measures_of, results_of
from fbench.core.files import replacing, require_writable_folder
from fbench.core.paths import expanded

TAGS: Final = {
    "train_loss": "loss/train",
    "validation_loss": "loss/validation",
    "train_top1": "top1/train",
    "validation_top1": "top1/validation",
    "test_loss": "loss/test",
    "test_top1": "top1/test",
}
"""Scalars that TensorBoard shows beside each other; others keep their names."""
KEPT: Final = "fbench.json"
"""What of a trial is in its event files: how many evaluations, and which end."""


def check_place(place: str) -> None:
    """Hold that the folder can be written.

    Raises:
        UserError: it cannot.
    """
    require_writable_folder(expanded(place), "What TensorBoard shows", "--track tensorboard=FOLDER")


def open_tracker(place: str) -> TensorBoardTracker:
    """Make the folder."""
    import tensorboard.summary.writer.record_writer  # noqa: F401 - what is broken is said before the run

    folder = expanded(place)
    folder.mkdir(parents=True, exist_ok=True)
    return TensorBoardTracker(folder)


class TensorBoardTracker:
    """Keeps trials in folders; each call of fbench adds an event file to those of the trials that it runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, _EventFile] = {}

    def has_end(self, trial: TrackedTrial, record: TrialRecord) -> bool:
        """Whether its folder says when it finished, and the same."""
        return _kept(self._place(trial)).get("finished_at") == record.finished_at

    def begin(self, trial: TrackedTrial, at_s: float) -> int:
        """Open another event file in its folder."""
        place = self._place(trial)
        kept = _kept(place)
        known = self._files.pop(trial.trial_id, None)
        if known is not None:
            known.close()
        place.mkdir(parents=True, exist_ok=True)
        file = self._files[trial.trial_id] = _EventFile(place, at_s)
        if not kept:
            file.settings(trial, at_s)
            _keep(place, evaluations=0)
        return int(kept.get("evaluations", 0))

    def evaluated(self, trial: TrackedTrial, row: HistoryRow, at_s: float) -> None:
        """Scalars with the image passes as their step."""
        self._files[trial.trial_id].scalars(measures_of(row), row.images_seen, at_s)
        _keep(self._place(trial), evaluations=row.evaluation)

    def ended(self, trial: TrackedTrial, record: TrialRecord, at_s: float) -> None:
        """Scalars of the trial as a whole, its status, and why it failed."""
        file, place = self._files.pop(trial.trial_id), self._place(trial)
        file.scalars(results_of(record), record.images_seen, at_s)
        reason = f": {record.failure_reason}" if record.failure_reason else ""
        file.text("status", f"{record.status}{reason}", record.images_seen, at_s)
        file.end(record, at_s)
        file.close()
        evaluations = int(_kept(place).get("evaluations", 0))
        _keep(place, evaluations=evaluations, finished_at=record.finished_at)

    def close(self) -> None:
        """Close the files of trials that did not end."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _place(self, trial: TrackedTrial) -> Path:
        spec = trial.spec
        name = f"{trial.network}-{spec.data.name}-seed{spec.seed}-{trial.trial_id[:8]}"
        return self._folder / _file_name(trial.run) / _file_name(name)


def _file_name(text: str) -> str:
    return re.sub(r"[^\w\-.+]", "_", text)[:200]


def _kept(place: Path) -> dict[str, Any]:
    try:
        found = json.loads((place / KEPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(place: Path, **values: object) -> None:
    with replacing(place / KEPT) as stream:
        stream.write(json.dumps(values).encode())


class _EventFile:
    """One file of events; every call is on the disk when it returns."""

    _count = 0

    def __init__(self, folder: Path, at_s: float) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        type(self)._count += 1
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{self._count}"
        self._writer = RecordWriter((folder / name).open("xb"))
        self._write(at_s, 0, file_version="brain.Event:2")

    def scalars(self, values: Mapping[str, float], step: int, at_s: float) -> None:
        """Add scalars."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        found = [Summary.Value(tag=TAGS.get(name, name), simple_value=value) for name, value in values.items()]
        self._write(at_s, step, summary=Summary(value=found))

    def text(self, tag: str, text: str, step: int, at_s: float) -> None:
        """Add a text, which is Markdown."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.plugins.text.metadata import create_summary_metadata

        tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode()])
        value = Summary.Value(tag=tag, metadata=create_summary_metadata(tag, ""), tensor=tensor)
        self._write(at_s, step, summary=Summary(value=[value]))

    def settings(self, trial: TrackedTrial, at_s: float) -> None:
        """Add the settings: those that people sort by as hyperparameters, all of them as a text."""
        from tensorboard.plugins.hparams.api_pb2 import DataType, Experiment, HParamInfo, MetricInfo, MetricName
        from tensorboard.plugins.hparams.metadata import EXPERIMENT_TAG, SESSION_START_INFO_TAG
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo

        main = trial.main_settings()
        infos = [HParamInfo(name=name, type=DataType.Value(_kind(value))) for name, value in main.items()]
        metrics = [MetricInfo(name=MetricName(tag=TAGS[name])) for name in ("validation_top1", "test_top1")]
        start = SessionStartInfo(start_time_secs=at_s)
        for name, value in main.items():
            if isinstance(value, str):
                start.hparams[name].string_value = value
            else:
                start.hparams[name].number_value = value
        experiment = HParamsPluginData(experiment=Experiment(hparam_infos=infos, metric_infos=metrics))
        self._hparams(EXPERIMENT_TAG, experiment, at_s)
        self._hparams(SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=start), at_s)
        lines = [f"| {name} | {_cell(value)} |" for name, value in trial.every_setting().items()]
        self.text("settings", "\n".join(["| setting | value |", "|---|---|", *lines]), 0, at_s)

    def end(self, record: TrialRecord, at_s: float) -> None:
        """Add that the trial is over."""
        from tensorboard.plugins.hparams.api_pb2 import Status
        from tensorboard.plugins.hparams.metadata import SESSION_END_INFO_TAG
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo

        status = Status.Value("STATUS_SUCCESS" if record.status == "finished" else "STATUS_FAILURE")
        end = SessionEndInfo(status=status, end_time_secs=at_s)
        self._hparams(SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=end), at_s)

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    def _hparams(self, tag: str, content: Any, at_s: float) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.metadata import create_summary_metadata

        value = Summary.Value(tag=tag, metadata=create_summary_metadata(content))
        self._write(at_s, 0, summary=Summary(value=[value]))

    def _write(self, at_s: float, step: int, **what: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.write(Event(wall_time=at_s, step=step, **what).SerializeToString())
        self._writer.flush()


def _kind(value: Setting) -> str:
    return "DATA_TYPE_STRING" if isinstance(value, str) else "DATA_TYPE_FLOAT64"


def _cell(value: Setting) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")

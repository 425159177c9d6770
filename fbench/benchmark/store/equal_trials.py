"""Whether a trial that two runs hold came out the same in both."""

from __future__ import annotations

from typing import Any

import numpy as np

from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.run_folder import RunFolder


def is_same_trial(ours: TrialRecord, our_folder: RunFolder, theirs: TrialRecord, their_folder: RunFolder) -> bool:
    """Whether two records of one trial, and the predictions beside them, are those of one result.

    Raises:
        OSError, ValueError: predictions cannot be read.
    """
    return _result(ours) == _result(theirs) and _predicted_alike(ours.trial_id, our_folder, their_folder)


def _result(record: TrialRecord) -> dict[str, Any]:
    """What a repetition of a trial must repeat."""
    fields = {"validation", "test", "steps_done", "images_seen", "chosen_step", "trainable_params", "macs"}
    return record.model_dump(include=fields)


def _predicted_alike(trial_id: str, one: RunFolder, two: RunFolder) -> bool:
    ours, theirs = one.predictions(trial_id), two.predictions(trial_id)
    return ours.keys() == theirs.keys() and all(
        np.array_equal(ours[split].predicted, theirs[split].predicted)
        and np.array_equal(ours[split].labels, theirs[split].labels)
        for split in ours
    )

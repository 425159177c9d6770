"""Which trials of a run a report can use: those that have their predictions, of the same images, and were made alike.

All of it is known of a trial once its files were read, so that nothing need be read again to say it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.predictions import SMALL_FILE
from fbench.benchmark.records.specs import DataSpec
from fbench.benchmark.store.index.answers import AnswerFacts
from fbench.benchmark.store.index.records import RECORD_FILE
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.comparisons.alike import require_one_making
from fbench.reports.left_out import Omissions, attempt

_ROUNDING: Final = 1e-6

SPLIT_WORDS: Final[dict[SplitName, str]] = {
    "train": "training split",
    "validation": "validation split",
    "test": "test split",
}


def usable_trials(run: RunTable, data: DataSpec, omissions: Omissions | None = None) -> dict[str, tuple[str, ...]]:
    """The ids of the trials of each network with one, by seed.

    Args:
        run: the run.
        data: one of its data sets.
        omissions: takes a note of each trial whose predictions are not there, which is then left out, and of each whose
            history is not; none: the first is raised.

    Raises:
        UserError: a trial's predictions are damaged, of another size than the other trials', or of one image; or
            trials that were not made alike.
    """
    finished = {network: run.finished(network, data.name) for network in run.networks}
    everything = [one for ids in finished.values() for one in ids]
    first_of_settings = {run.facts(one).settings: one for one in reversed(everything)}
    require_one_making(
        run.each(one for one in everything if first_of_settings[run.facts(one).settings] == one),
        f"{run.folder.path}, {data.name}",
    )
    run.answers.prepare(everything)
    run.histories.prepare(everything)
    kept: dict[str, tuple[str, ...]] = {}
    for network, ids in finished.items():
        having = tuple(one for one in ids if _is_kept(run, network, data, one, omissions))
        if having:
            kept[network] = having
        for trial_id in having:
            _require_classes(run, trial_id, len(data.class_names))
    sizes = {network: _images(run, network, data, ids) for network, ids in kept.items()}
    for network, usable in kept.items():
        for one in usable:
            _require_agreement(run, one, len(data.class_names))
            what = f"the learning curve of {network}, seed {run.facts(one).seed}"
            attempt(omissions, what, lambda one=one: run.histories.facts(one))  # type: ignore[misc] # bound at once
    _require_same_images(run, data, sorted(set(sizes.values())))
    return kept


def _is_kept(run: RunTable, network: str, data: DataSpec, trial_id: str, omissions: Omissions | None) -> bool:
    """Whether a trial's predictions are there, as far as one that lacks them may be left out."""
    if omissions is None or _has_predictions(run, trial_id):
        return True
    file = run.folder.trial_files(trial_id) / SMALL_FILE
    what = f"seed {run.facts(trial_id).seed} of {network} on {data.name}"
    omissions.note(what, f"there is no {file}; restore it, or delete its folder and run again")
    return False


def _has_predictions(run: RunTable, trial_id: str) -> bool:
    try:
        run.answers.facts(trial_id)
    except FileNotFoundError:
        return False
    except (OSError, KeyError, ValueError):  # it is there, and its error is told
        return True
    return True


def _answers(run: RunTable, trial_id: str) -> AnswerFacts:
    return run.answers.facts(trial_id)[run.headline_split]


def _require_classes(run: RunTable, trial_id: str, classes: int) -> None:
    try:
        found = _answers(run, trial_id)
    except (OSError, KeyError, ValueError) as error:
        raise _unreadable(run, trial_id, str(error)) from error
    if found.images == 0:
        raise _unreadable(run, trial_id, "they are of no image")
    if not 0 <= found.lowest <= found.highest < classes:
        raise _unreadable(
            run, trial_id, f"they hold classes from {found.lowest} to {found.highest}, and the data set has {classes}"
        )


def _unreadable(run: RunTable, trial_id: str, reason: str) -> UserError:
    return UserError(
        f"The predictions in {run.folder.trial_folder(trial_id)} cannot be read ({reason}); restore the folder, or "
        "delete it and run again."
    )


def _images(run: RunTable, network: str, data: DataSpec, trial_ids: Sequence[str]) -> int:
    sizes = {_answers(run, one).images for one in trial_ids}
    if len(sizes) > 1:
        raise UserError(
            f"{run.folder.path}: the trials of {network} on {data.name} hold predictions of different sizes; "
            "run again the ones that were read on other data."
        )
    return sizes.pop()


def _require_agreement(run: RunTable, trial_id: str, classes: int) -> None:
    """Hold that the recorded accuracy is that of the predictions beside it, and that every class has its recall."""
    facts, answers = run.facts(trial_id), _answers(run, trial_id)
    measures = facts.test if run.headline_split == "test" else facts.validation
    if measures is None:
        raise UserError(
            f"{_record_file(run, trial_id)} has no measures of the {SPLIT_WORDS[run.headline_split]}; restore the "
            "file, or delete its folder and run again."
        )
    if measures.classes != classes:
        raise UserError(
            f"{_record_file(run, trial_id)} has the recall of {measures.classes} classes, and the data set has "
            f"{classes}; restore the folder, or delete it and run again."
        )
    recorded, found = measures.top1, answers.right / answers.images
    if not abs(recorded - found) <= _ROUNDING:  # NaN is no accuracy either
        raise UserError(
            f"{_record_file(run, trial_id)} records top-1 {100 * recorded:.2f} %, and the predictions beside it have "
            f"{100 * found:.2f} %; restore the folder, or delete it and run again."
        )


def _record_file(run: RunTable, trial_id: str) -> Path:
    return run.folder.trial_folder(trial_id) / RECORD_FILE


def _require_same_images(run: RunTable, data: DataSpec, sizes: Sequence[int]) -> None:
    if len(sizes) > 1:
        words = " and ".join(f"{size:,}" for size in sizes)
        raise UserError(
            f"{run.folder.path}: the predictions on {data.name} are of {words} images, which cannot be "
            "compared; run again the trials that were read on other data."
        )
    if sizes and sizes[0] < 2:
        raise UserError(
            f"{run.folder.path}: the {SPLIT_WORDS[run.headline_split]} of {data.name} has one image, which gives no "
            "interval; use a data set with at least two."
        )
    audit = run.audits.get(data.name)
    if run.headline_split != "test" or audit is None or not audit.test_rows_with_copies or not sizes:
        return
    if sizes[0] - len(audit.test_rows_with_copies) >= 2 and max(audit.test_rows_with_copies) >= sizes[0]:
        raise UserError(
            f"{run.folder.path}: the audit of {data.name} is of a larger test split than the predictions; delete the "
            "run's data folder and run the same command again."
        )

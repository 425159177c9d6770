"""The repetitions that lie in a bundle: each of one of its trials, and of the very answers that it has."""

from __future__ import annotations

from hashlib import sha256

from pydantic import ValidationError

from fbench.benchmark.bundles.contents import BundleContents
from fbench.benchmark.bundles.findings import BundleFinding, said
from fbench.benchmark.bundles.submission import REPETITIONS, SUBMISSION_SCHEMA_VERSION, Repetition
from fbench.benchmark.records.predictions import answers_sha256
from fbench.benchmark.store.run_table import RunTable
from fbench.core.bounded import json_in
from fbench.core.errors import UserError


def repetition_name(trial_id: str, content: bytes) -> str:
    """The name of a repetition's file, which says what is in it, so that those of several people never meet."""
    return f"{REPETITIONS}/{trial_id}-{sha256(content).hexdigest()[:16]}.json"


def read_repetitions(
    run: RunTable, contents: BundleContents
) -> tuple[tuple[Repetition, ...], tuple[BundleFinding, ...]]:
    """The repetitions that are what they say, and what is wrong with the others."""
    good: list[Repetition] = []
    found: list[BundleFinding] = []
    for name, content in contents.repetitions.items():
        try:
            repetition = Repetition.model_validate(json_in(content))
            reason = _wrong(run, repetition, name, content)
        except ValidationError as error:
            reason = f"is not valid ({'.'.join(map(str, error.errors()[0]['loc']))})"
        except (UserError, OSError, ValueError) as error:
            reason = f"cannot be checked ({said(error)})"
        if reason:
            found.append(BundleFinding(name, reason))
        else:
            good.append(repetition)
    return tuple(good), tuple(found)


def _wrong(run: RunTable, repetition: Repetition, name: str, content: bytes) -> str:
    """What is wrong with a repetition; empty where nothing is."""
    if repetition.schema_version != SUBMISSION_SCHEMA_VERSION:
        return f"has schema version {repetition.schema_version}, and this fbench reads {SUBMISSION_SCHEMA_VERSION}"
    if name != repetition_name(repetition.trial_id, content):
        return "was changed after it was written, or is of another trial than its name says"
    if repetition.trial_id not in run.trials:
        return "is of a trial that the bundle has not"
    ours = answers_sha256(run.folder.predictions(repetition.trial_id))
    if (ours == repetition.answers_sha256) != repetition.same_answers:
        return "says of its answers what their hashes do not"
    record = run.trials[repetition.trial_id]
    accuracies = {"validation": record.validation, "test": record.test}
    for split, top1 in repetition.top1.items():
        measures = accuracies.get(split)
        if repetition.same_answers and (measures is None or measures.top1 != top1):
            return f"has the same answers and another accuracy on the {split} split"
    return ""

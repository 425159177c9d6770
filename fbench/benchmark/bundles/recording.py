"""A repetition kept in the bundle whose trial was repeated, so that whether one was is a fact that can be read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fbench.benchmark.bundles.checking import open_bundle
from fbench.benchmark.bundles.making import file_in
from fbench.benchmark.bundles.repetition_checks import repetition_name
from fbench.benchmark.bundles.submission import Repetition
from fbench.benchmark.runs.repeated_trial import RepeatedTrial
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError


def record_repetition(bundle: Path, found: RepeatedTrial, by: str = "") -> str:
    """Write what came of a repetition into a bundle; the name of its file.

    Args:
        bundle: the bundle whose trial was repeated.
        found: what came of it.
        by: who repeated it, where somebody wants to be named.

    Raises:
        UserError: there is no bundle, or the trial failed here, which says nothing of it.
    """
    open_bundle(bundle)
    ours = found.ours
    if ours.status == "failed":
        raise UserError(
            f"{ours.spec.label} failed here, which says nothing of the trial that finished there; nothing was recorded."
        )
    measures = {"validation": ours.validation, "test": ours.test}
    repetition = Repetition(
        trial_id=ours.trial_id,
        repeated_on=datetime.now(UTC).date().isoformat(),
        by=" ".join(by.split()),
        machine=ours.machine,
        top1={split: one.top1 for split, one in measures.items() if one is not None},  # type: ignore[misc]
        answers_sha256=dict(found.answers_sha256),
        same_answers=found.same_answers,
        same_logits=found.same_logits,
        same_weights=found.same_weights,
    )
    content = f"{repetition.model_dump_json(indent=1)}\n".encode()
    name = repetition_name(repetition.trial_id, content)
    with file_in(ContainedPath(bundle), name).replacing() as stream:
        stream.write(content)
    return name

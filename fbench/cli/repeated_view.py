"""What came of repeating a trial of somebody's run, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fbench.core.errors import readable
from fbench.reports.formatting import listing

if TYPE_CHECKING:
    from fbench.benchmark.records.trial_records import TrialRecord
    from fbench.benchmark.runs.repeated_trial import RepeatedTrial


def repeated_line(found: RepeatedTrial) -> str:
    """One line: whether it is the same again, and what is not."""
    label = found.theirs.spec.label
    if found.ours.status == "failed":
        return f"{label}: failed here, and finished there: {readable(str(found.ours.failure_reason))}"
    kinds = {"answers": found.same_answers, "logits": found.same_logits, "weights": found.same_weights}
    same = [kind for kind, is_same in kinds.items() if is_same]
    other = [kind for kind, is_same in kinds.items() if is_same is False]
    if not other:
        return f"{label}: repeated, with the same {listing(same)} ({_top1(found.ours)})"
    agreeing = f"; the same {listing(same)}" if same else ""
    return (
        f"{label}: not repeated, with other {listing(other)}{agreeing} ({_top1(found.ours)} here on "
        f"{found.ours.machine.processor}, {_top1(found.theirs)} there on {readable(found.theirs.machine.processor)})"
    )


def repeated_values(found: RepeatedTrial) -> dict[str, Any]:
    """All of it as JSON values."""
    return {
        "trial": found.theirs.trial_id,
        "network": found.theirs.spec.network.name,
        "data": found.theirs.spec.data.name,
        "seed": found.theirs.spec.seed,
        "repeated": found.is_repeated,
        "same_answers": found.same_answers,
        "same_logits": found.same_logits,
        "same_weights": found.same_weights,
        "failure_reason": found.ours.failure_reason,
    }


def _top1(record: TrialRecord) -> str:
    measures = record.test or record.validation
    return "no accuracy" if measures is None else f"top-1 {100 * measures.top1:.2f} %"

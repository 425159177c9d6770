"""How long trainings were beside the protocol's own budget, and what that means for verdicts on accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fbench.benchmark.records.budget import Budget, plan_steps
from fbench.benchmark.records.specs import DataSpec
from fbench.benchmark.records.trial_records import RunConfig
from fbench.reports.formatting import count

AT_THIS_BUDGET: Final = "at this budget"

_AS_LONG: Final = 0.98
"""A budget may be rounded to whole batches."""


@dataclass(frozen=True)
class ShortBudget:
    """A budget below the protocol's own: how many images a training may see, and how many it would."""

    image_passes: int
    own: int

    @property
    def sentence(self) -> str:
        """For a reader of verdicts."""
        return (
            f"At this budget: a training sees {count(self.image_passes)} images where the protocol's own budget has "
            f"{count(self.own)}; longer trainings may come out otherwise."
        )


def image_passes(config: RunConfig, data: DataSpec, budget: Budget | None = None) -> int:
    """How many images a trial of a run may see, by its own budget or another one."""
    protocol = config.protocol.for_data(data.source or data.name)
    plan = plan_steps(protocol, budget or config.budget, max(1, data.images_by_split.get("train", 0)))
    return plan.steps * plan.batch_size


def short_budget(config: RunConfig, data: DataSpec) -> ShortBudget | None:
    """The budget where it is below the protocol's own, else none."""
    seen, own = image_passes(config, data), image_passes(config, data, Budget())
    return ShortBudget(seen, own) if seen < _AS_LONG * own else None


def with_budget(text: str, budget: ShortBudget | None) -> str:
    """A heading or caption with the words that the budget asks for, if any."""
    return f"{text}, {AT_THIS_BUDGET}" if budget else text

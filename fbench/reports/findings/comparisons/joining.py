"""The trainings of one network from several runs that were made alike, as those of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fbench.reports.findings.comparisons.evidence import NetworkEvidence


def joined(ours: NetworkEvidence, more: NetworkEvidence) -> NetworkEvidence:
    """All seeds of both, each once, ascending; of a seed that both have, ours."""
    fresh = [index for index, seed in enumerate(more.seeds) if seed not in ours.seeds]
    seeds = (*ours.seeds, *(more.seeds[index] for index in fresh))
    order = sorted(range(len(seeds)), key=lambda index: seeds[index])

    def tuples(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
        both = (*first, *(second[index] for index in fresh))
        return tuple(both[index] for index in order)

    return replace(
        ours,
        seeds=tuple(sorted(seeds)),
        records=tuples(ours.records, more.records),
        measures=tuples(ours.measures, more.measures),
        correct=np.concatenate([ours.correct, more.correct[fresh]])[order],
        confusion=np.concatenate([ours.confusion, more.confusion[fresh]])[order],
        histories=tuples(ours.histories, more.histories),
        folds=tuple(joined(one, other) for one, other in zip(ours.folds, more.folds, strict=False)),
    )

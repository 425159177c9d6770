"""What a planned run could decide: the differences that it can find, and the margins that it can certify."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fbench.ablations.family import Family, families, family_of
from fbench.ablations.study import Study, comparisons
from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.specs import DataSpec, DataUnit
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.store.run_table import RunTable, first_names, load_run
from fbench.core.errors import UserError
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.seeds.power import (
    VarianceComponents,
    certifiable_margin_of,
    detectable_difference_of,
    expected_estimate,
    seeds_for_margin,
    variance_components,
)
from fbench.statistics.sign_flip import smallest_reachable

TYPICAL: Final = VarianceComponents(seed=0.0078**2, image=0.117**2, residual=0.42**2)
"""Medians over the 45 pairs of networks in ``results/fer2013-standard``, rounded; 49 to 56 % top-1, 10 seeds."""

TYPICAL_WORDS: Final = "typical spreads, of results/fer2013-standard"


@dataclass(frozen=True)
class PowerAnalysis:
    """What one study on one data set could decide; differences are fractions of 1, for new images.

    Attributes:
        study: its name.
        data: the data set's name.
        comparisons: of the study.
        family: how many comparisons on the data set they are corrected with, themselves included.
        seeds: each network's, at most.
        images: of the test split.
        units: of the test split: its images, or the subjects or groups of copies that they belong to. Typical and
            stated spreads are then taken for those of units, as if these were images.
        unit: what these are.
        smallest_p: the least that the sign-flip test can reach after Holm's correction.
        margin: the difference that the study calls relevant.
        detectable_difference: found in 80 of 100 studies; none with one seed.
        certifiable_margin: within which equal networks are certified in 80 of 100 studies; none with one seed.
        seeds_for_margin: seeds with which the study's margin could be certified; none where no number can.
        spreads: where the assumed spreads come from, in words.
    """

    study: str
    data: str
    comparisons: int
    family: int
    seeds: int
    images: int
    units: int
    unit: DataUnit
    smallest_p: float
    margin: float
    detectable_difference: float | None
    certifiable_margin: float | None
    seeds_for_margin: int | None
    spreads: str

    @property
    def margin_in_reach(self) -> bool:
        """Whether equal networks could be certified as equivalent."""
        return self.certifiable_margin is not None and self.certifiable_margin <= self.margin


def analyse_power(plan: RunPlan, max_seeds: int | None, stated: VarianceComponents | None) -> list[PowerAnalysis]:
    """Every study that compares anything, on every data set of the plan.

    Spreads are those stated, or else of earlier records of the same networks and data: in the plan's folder and in the
    runs that it takes trials from; the largest of a study's comparisons counts. Else they are typical ones.
    """
    earlier = [] if stated else _earlier_runs(plan)
    seeds = max_seeds or plan.seeds
    return [
        _foresee(
            study,
            data,
            seeds,
            (_test_images(plan, data), _test_units(plan, data)),
            stated,
            earlier,
            _family(plan, study, data.name),
        )
        for data in plan.config.data
        for study in plan.suite.studies
        if comparisons(study)
    ]


def stated_components(text: str) -> VarianceComponents:
    """Read ``SEED,IMAGE,REST``, standard deviations of a difference in percentage points.

    Raises:
        UserError: anything else than three numbers of at least 0.
    """
    try:
        seed, image, rest = (float(part) / 100 for part in text.split(","))
    except ValueError:
        seed = image = rest = math.nan
    if not all(0 <= value <= 1 for value in (seed, image, rest)):
        raise UserError(
            f"--assume-sd {text} was given; give three standard deviations of 0 to 100 points, such as 0.7,6.3,40."
        )
    return VarianceComponents(seed=seed**2, image=image**2, residual=rest**2)


def _family(plan: RunPlan, study: Study, data: str) -> Family:
    """What a study is corrected with: also what was planned in this folder before."""
    rows = [row for row in (*plan.folder.plan(), *plan.planned) if row.data == data]
    groups = families(plan.config.suite, {row.network for row in rows}, first_names(rows, data))
    return family_of(study.name, groups)


def _foresee(
    study: Study,
    data: DataSpec,
    seeds: int,
    sizes: tuple[int, int],
    stated: VarianceComponents | None,
    earlier: Sequence[RunTable],
    family: Family,
) -> PowerAnalysis:
    margin = study.margin_points / 100
    components, spreads = (stated, "spreads as stated") if stated else _known_components(study, data.name, earlier)
    images, units = sizes
    expected = expected_estimate(components, seeds, units, size=images / units) if seeds > 1 else None
    level = LEVEL / family.size
    return PowerAnalysis(
        study=study.name,
        data=data.name,
        comparisons=len(comparisons(study)),
        family=family.size,
        seeds=seeds,
        images=images,
        units=units,
        unit=data.unit,
        smallest_p=smallest_reachable(seeds, family.size),
        margin=margin,
        detectable_difference=detectable_difference_of(expected, level) if expected else None,
        certifiable_margin=certifiable_margin_of(expected, level) if expected else None,
        seeds_for_margin=seeds_for_margin(components, units, margin, level),
        spreads=spreads,
    )


def _known_components(study: Study, data: str, earlier: Sequence[RunTable]) -> tuple[VarianceComponents, str]:
    """The largest components of the study's comparisons in earlier records, or typical ones."""
    found = []
    for run in earlier:
        for network, baseline in comparisons(study):
            if {network, baseline} <= set(run.networks) and data in run.data_names:
                pairs, differences = run.paired_differences(network, baseline, data)
                if len(pairs) > 1:
                    found.append(variance_components(differences, run.clusters(data)))
    if not found:
        return TYPICAL, TYPICAL_WORDS
    largest = VarianceComponents(
        seed=max(one.seed for one in found),
        image=max(one.image for one in found),
        residual=max(one.residual for one in found),
    )
    return largest, "spreads of earlier records"


def _earlier_runs(plan: RunPlan) -> list[RunTable]:
    folders = [plan.folder.path, *plan.take_from]
    return [load_run(folder) for folder in dict.fromkeys(folders) if Path(folder, "run.json").exists()]


def _test_images(plan: RunPlan, data: DataSpec) -> int:
    """Images of the split that headlines rest on."""
    return _on_headline_split(plan, data.images_by_split)


def _test_units(plan: RunPlan, data: DataSpec) -> int:
    """Its images, or the subjects or groups of copies that they belong to."""
    return _on_headline_split(plan, data.images_by_split | data.units_by_split)


def _on_headline_split(plan: RunPlan, by_split: dict[SplitName, int]) -> int:
    protocol = plan.config.protocol
    if protocol.test == "none":
        return by_split["validation"]
    return by_split["test"] + (0 if protocol.test_split == "own" else by_split["validation"])

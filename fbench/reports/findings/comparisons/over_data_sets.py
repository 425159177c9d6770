"""The comparisons of a run over its data sets: on each, on all of them, and what the next may show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fbench.benchmark.data.catalogue import DATA_SETS, OWN_DATA, known_data
from fbench.benchmark.records.specs import DataSpec
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.formatting import listing, number, points_range
from fbench.statistics.comparison.multiplicity import Correction
from fbench.statistics.comparison.verdict import Decision, FamilyMember, Verdict, decide
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.many.data_sets import OverDataSets, over_data_sets

FEWEST: Final = 2

Pair = tuple[str, str]
"""A network and its baseline."""


@dataclass(frozen=True)
class PooledComparison:
    """A network minus its baseline over several data sets, as fractions of 1.

    Attributes:
        network: what is compared.
        baseline: with what.
        margin: the difference that matters.
        by_data: the comparison on each data set, by its name.
        pooled: what they say together.
        on_these: the decision for these data sets, corrected over all pooled comparisons of the run.
        on_new: that for data sets in general.
        collapsed_on: the data sets on which trainings collapsed, where the difference is of those that learned.
    """

    network: str
    baseline: str
    margin: float
    by_data: Mapping[str, Comparison]
    pooled: OverDataSets
    on_these: Decision
    on_new: Decision
    collapsed_on: tuple[str, ...]

    @property
    def these_interval(self) -> tuple[float, float]:
        """For these data sets, at the level at which no difference was tested in the family."""
        return self.pooled.these.interval(1 - self.on_these.level)

    @property
    def new_interval(self) -> tuple[float, float]:
        """For data sets in general, likewise."""
        return self.pooled.new.interval(1 - self.on_new.level)


@dataclass(frozen=True)
class DataSetsFindings:
    """All comparisons of a run over its data sets; ``data`` are their names in order, ``left_out`` says which other
    data sets of the run have the images of one of them, or too little to be pooled."""

    run_name: str
    data: tuple[str, ...]
    rows: tuple[PooledComparison, ...]
    left_out: tuple[str, ...]
    synthetic: bool

    @property
    def statement(self) -> str:
        """What is pooled, and what may be concluded."""
        count = len(self.data)
        few = (
            " Two data sets say next to nothing of others: intervals for data sets in general rest on one degree of "
            "freedom."
            if count == FEWEST
            else ""
        )
        return (
            f"The mean difference over {listing(self.data)}, each counting the same. “On these” holds for these data "
            "sets, with other seeds and images; “in general” for data sets as different from each other as these are; "
            f"the last column is where the difference on one more data set is to be expected.{few}"
        )


def pooled_findings(
    run_name: str, parts: Sequence[tuple[Evidence, Sequence[StudyResult]]], correction: Correction
) -> DataSetsFindings | None:
    """Pool what is compared on several data sets of one run, each pair once.

    Args:
        run_name: of the run.
        parts: each whole data set with the results of its studies.
        correction: over all pooled comparisons.

    Returns:
        None where no comparison is tested on two data sets with images of their own.
    """
    apart, left_out = _with_images_of_their_own(parts)
    tested = {evidence.data.name: _tested(results) for evidence, results in apart}
    common = _pairs_of_several(tested)
    if not common:
        return None
    found = [{name: of_data[pair] for name, of_data in tested.items() if pair in of_data} for pair in common]
    rows = [[row for row, _ in one.values()] for one in found]
    pooled = [over_data_sets([row.difference.new_images for row in of_pair]) for of_pair in rows]
    of_all = [over_data_sets([_of_all_trainings(row) for row in of_pair]) for of_pair in rows]
    collapsed = [tuple(name for name, (row, _) in one.items() if row.learned is not None) for one in found]
    margins = [min(size for _, size in one.values()) for one in found]

    def decided(estimate: Callable[[OverDataSets], MeanEstimate]) -> list[Decision]:
        members = [
            FamilyMember(estimate(one), size, with_collapsed=estimate(every) if names else None)
            for one, every, size, names in zip(pooled, of_all, margins, collapsed, strict=True)
        ]
        return decide(members, correction)

    on_these, on_new = decided(lambda one: one.these), decided(lambda one: one.new)
    return DataSetsFindings(
        run_name=run_name,
        data=tuple(name for name, of_data in tested.items() if any(pair in of_data for pair in common)),
        rows=tuple(
            PooledComparison(
                network=pair[0],
                baseline=pair[1],
                margin=margins[place],
                by_data={name: row for name, (row, _) in found[place].items()},
                pooled=pooled[place],
                on_these=on_these[place],
                on_new=on_new[place],
                collapsed_on=collapsed[place],
            )
            for place, pair in enumerate(common)
        ),
        left_out=tuple(left_out),
        synthetic=any(evidence.data.synthetic for evidence, _ in apart),
    )


def _tested(results: Sequence[StudyResult]) -> dict[Pair, tuple[Comparison, float]]:
    """The comparisons of one data set that say anything, each with the difference that matters."""
    return {
        (row.network, row.baseline): (row, result.margin)
        for result in results
        for row in result.comparisons
        if row.is_tested and not row.neither_learned
    }


def _pairs_of_several(tested: Mapping[str, Mapping[Pair, object]]) -> list[Pair]:
    """The pairs that two data sets or more have, those of one baseline together."""
    pairs = list(dict.fromkeys(pair for of_data in tested.values() for pair in of_data))
    common = [pair for pair in pairs if sum(pair in of_data for of_data in tested.values()) >= FEWEST]
    baselines = list(dict.fromkeys(baseline for _, baseline in common))
    return sorted(common, key=lambda pair: baselines.index(pair[1]))


def pooled_sentence(row: PooledComparison) -> str:
    """One pooled comparison in a sentence without its full stop; the network comes first."""
    these, new = row.on_these.verdict, row.on_new.verdict
    words = {
        "better": f"{row.network} is {_points(row)} points better than {row.baseline}",
        "worse": f"{row.network} is {_points(row)} points worse than {row.baseline}",
        "equivalent": f"{row.network} and {row.baseline} are equivalent",
        "undecided": f"{row.network} against {row.baseline} is undecided",
    }
    here = f"on these {row.pooled.data_sets} data sets ({points_range(*row.these_interval)} points)"
    general = "and so in general" if these == new else f"in general {_general(new)}"
    learned = f"; on {listing(row.collapsed_on)} of trainings that learned alone" if row.collapsed_on else ""
    return f"{words[these]} {here}, {general} ({points_range(*row.new_interval)}){learned}"


def _of_all_trainings(row: Comparison) -> MeanEstimate:
    return row.difference.new_images if row.learned is None else row.learned.every.new_images


def _general(verdict: Verdict) -> str:
    return {"better": "it is better", "worse": "it is worse", "equivalent": "they are equivalent"}.get(
        verdict, "that is undecided"
    )


def _points(row: PooledComparison) -> str:
    return number(100 * abs(row.pooled.these.estimate), 1)


def _with_images_of_their_own(
    parts: Sequence[tuple[Evidence, Sequence[StudyResult]]],
) -> tuple[list[tuple[Evidence, Sequence[StudyResult]]], list[str]]:
    """The first data set of each set of images, and why others are left out."""
    kept: dict[str, tuple[Evidence, Sequence[StudyResult]]] = {}
    left_out = []
    for evidence, results in parts:
        images = images_of(evidence.data)
        if images in kept:
            left_out.append(f"{evidence.data.name} is left out, as its images are those of {kept[images][0].data.name}")
        else:
            kept[images] = evidence, results
    return list(kept.values()), left_out


def images_of(data: DataSpec) -> str:
    """What the images of a data set are called: the same for two views of one, such as FER2013 and FERPlus."""
    source = data.source or data.name
    if source in OWN_DATA or source not in DATA_SETS:
        return data.label or data.name
    return known_data(source).images_of or source

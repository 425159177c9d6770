"""All networks of a run beside each other: ranks over data sets and seeds, and performance profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.formatting import listing, number, p_equals, plural
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.many.cliques import cliques
from fbench.statistics.many.performance_profile import PerformanceProfile, band_half_width, performance_profile
from fbench.statistics.many.post_hoc import conover, critical_difference, nemenyi
from fbench.statistics.many.ranks import FriedmanTest, average_ranks, friedman
from fbench.statistics.ties import ties_made_equal

FEWEST_NETWORKS: Final = 3
FEWEST_BLOCKS: Final = 2

WIDEST_BAND: Final = 0.5
"""A profile whose band is half the axis to each side excludes nothing in the middle: eight runs of one data set are
the fewest with a narrower one."""

Block = tuple[str, int]
"""A data set and a seed."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Blocks:
    """Accuracy of networks by block, complete: ``scores`` is (blocks, networks), fractions of 1.

    ``left_out`` are networks that would have taken more than half of the blocks away, ``incomplete`` the blocks that
    some remaining network did not finish.
    """

    networks: tuple[str, ...]
    blocks: tuple[Block, ...]
    scores: FloatArray
    left_out: tuple[str, ...]
    incomplete: tuple[Block, ...]


@dataclass(frozen=True)
class RankRow:
    """One network: its average rank, in how many blocks it is first (alone or with others), and its mean accuracy.

    ``ahead_of`` and ``behind`` count networks that it differs from by Nemenyi's test, ``ahead_of_conover`` and
    ``behind_conover`` by Conover's.
    """

    network: str
    average_rank: float
    first_in: int
    accuracy: float
    ahead_of: int
    behind: int
    ahead_of_conover: int
    behind_conover: int


@dataclass(frozen=True)
class ManyResult:
    """All networks over the blocks of one or more data sets; ``rows`` are by average rank, best first.

    ``groups`` are positions in ``blocks.networks`` of networks that Nemenyi's test does not tell apart.
    ``over_data_sets`` is Friedman's test with the data sets as blocks; none with fewer than two of them.
    ``profiles`` are empty where their band would exclude nothing; ``band`` is its half width either way.
    """

    blocks: Blocks
    friedman: FriedmanTest
    over_data_sets: FriedmanTest | None
    average_ranks: tuple[float, ...]
    critical_difference: float
    groups: tuple[tuple[int, ...], ...]
    rows: tuple[RankRow, ...]
    profiles: Mapping[str, PerformanceProfile]
    band: float
    statements: tuple[str, ...]


def many_result(evidences: Sequence[Evidence]) -> ManyResult | None:
    """All networks over the data sets of one run.

    None with fewer than three networks or two complete blocks, nor of the preset smoke.
    """
    if any(evidence.is_smoke for evidence in evidences):
        return None
    blocks = complete_blocks(evidences)
    if len(blocks.networks) < FEWEST_NETWORKS or len(blocks.blocks) < FEWEST_BLOCKS:
        return None
    pairs = nemenyi(blocks.scores)
    means = average_ranks(blocks.scores)
    test = friedman(blocks.scores)
    by_data = _by_data(blocks)
    over_data_sets = friedman([scores.mean(axis=0) for scores in by_data.values()]) if len(by_data) > 1 else None
    band = band_half_width([len(scores) for scores in by_data.values()])
    return ManyResult(
        blocks=blocks,
        friedman=test,
        over_data_sets=over_data_sets,
        average_ranks=tuple(means.tolist()),
        critical_difference=critical_difference(len(blocks.blocks), len(blocks.networks), LEVEL),
        groups=cliques(means, pairs, LEVEL),
        rows=_rows(blocks, means, pairs),
        profiles=_profiles(blocks, by_data) if band < WIDEST_BAND else {},
        band=band,
        statements=tuple(_statements(blocks, evidences)),
    )


def complete_blocks(evidences: Sequence[Evidence]) -> Blocks:
    """The blocks that all networks finished; networks that would take away more than half are left out, worst first."""
    networks = list(dict.fromkeys(network for evidence in evidences for network in evidence.networks))
    found = {
        (evidence.data.name, seed, network): float(one.correct[index].mean())
        for evidence in evidences
        for network, one in evidence.networks.items()
        for index, seed in enumerate(one.seeds)
    }
    order = {evidence.data.name: index for index, evidence in enumerate(evidences)}
    asked = sorted({(data, seed) for data, seed, _ in found}, key=lambda block: (order[block[0]], block[1]))
    left_out: list[str] = []
    while True:
        complete = [block for block in asked if all((*block, network) in found for network in networks)]
        if len(complete) * 2 >= len(asked) or len(networks) <= 1:
            break
        missing = {network: sum((*block, network) not in found for block in asked) for network in networks}
        worst = max(networks, key=lambda network: (missing[network], networks.index(network)))
        networks.remove(worst)
        left_out.append(worst)
    return Blocks(
        networks=tuple(networks),
        blocks=tuple(complete),
        scores=np.array([[found[(*block, network)] for network in networks] for block in complete]),
        left_out=tuple(left_out),
        incomplete=tuple(block for block in asked if block not in complete),
    )


def _rows(blocks: Blocks, means: FloatArray, pairs: FloatArray) -> tuple[RankRow, ...]:
    others = conover(blocks.scores)
    better = means[:, None] < means[None, :]
    scores = np.array([ties_made_equal(row) for row in blocks.scores])
    first = (scores == scores.max(axis=1, keepdims=True)).sum(axis=0)
    rows = [
        RankRow(
            network=network,
            average_rank=float(means[index]),
            first_in=int(first[index]),
            accuracy=float(blocks.scores[:, index].mean()),
            ahead_of=int((better[index] & (pairs[index] < LEVEL)).sum()),
            behind=int((better[:, index] & (pairs[index] < LEVEL)).sum()),
            ahead_of_conover=int((better[index] & (others[index] < LEVEL)).sum()),
            behind_conover=int((better[:, index] & (others[index] < LEVEL)).sum()),
        )
        for index, network in enumerate(blocks.networks)
    ]
    return tuple(sorted(rows, key=lambda row: row.average_rank))


def _by_data(blocks: Blocks) -> dict[str, FloatArray]:
    """Scores of each data set, shape (its blocks, networks)."""
    names = dict.fromkeys(data for data, _ in blocks.blocks)
    return {name: blocks.scores[[data == name for data, _ in blocks.blocks]] for name in names}


def _profiles(blocks: Blocks, by_data: Mapping[str, FloatArray]) -> dict[str, PerformanceProfile]:
    scores = np.unique(ties_made_equal(blocks.scores.ravel()))
    edge = max(0.02 * float(scores[-1] - scores[0]), 1e-3)
    thresholds = np.concatenate(([scores[0] - edge], scores, [scores[-1] + edge]))
    return {
        network: performance_profile([part[:, index] for part in by_data.values()], thresholds)
        for index, network in enumerate(blocks.networks)
    }


def _statements(blocks: Blocks, evidences: Sequence[Evidence]) -> list[str]:
    """What the blocks are, what may be concluded from them, and what was left out."""
    data = list(dict.fromkeys(name for name, _ in blocks.blocks))
    split = evidences[0].split_words
    ranked = f"{plural(len(blocks.networks), 'network')} are ranked by top-1 on the {split}"
    if len(data) == 1:
        found = [
            f"{ranked} within each of {plural(len(blocks.blocks), 'seed')} on {data[0]}. The blocks being seeds, what "
            "is said holds for these images and this data set, with other seeds; it says nothing of other images."
        ]
    else:
        found = [
            f"{ranked} within each of {plural(len(blocks.blocks), 'block')}, a data set and a seed: {listing(data)}. "
            "Seeds of one data set are no data sets of their own: what is said holds for these data sets and images, "
            "with other seeds, and says little of other data sets."
        ]
    if blocks.left_out:
        found.append(f"Left out, as they have too few of the seeds that the others have: {listing(blocks.left_out)}.")
    if blocks.incomplete:
        words = [f"seed {seed}" + (f" on {name}" if len(evidences) > 1 else "") for name, seed in blocks.incomplete]
        shown = words if len(words) <= 10 else [*words[:10], f"{len(words) - 10} more"]
        found.append(f"Not every network finished these, which are left out: {listing(shown)}.")
    return found


def friedman_sentence(result: ManyResult) -> str:
    """What Friedman's test says, for all blocks and for data sets as blocks."""
    return " ".join([_test_words(result), _data_set_words(result)]).strip()


def _test_words(result: ManyResult) -> str:
    from_words = _p_words(result.friedman)
    if result.friedman.rule == "all_equal":
        return "In every block all networks are equally accurate."
    shown = "the order is more than chance" if result.friedman.p_value < LEVEL else "the order may be chance"
    differ = sum(row.ahead_of for row in result.rows)
    count = len(result.rows) * (len(result.rows) - 1) // 2
    pairs = (
        f"{differ} of the {count} pairs differ" if differ > 1 else f"{differ or 'none'} of the {count} pairs differs"
    )
    return f"Friedman’s test: {shown} ({from_words}). By Nemenyi’s test {pairs}."


def _data_set_words(result: ManyResult) -> str:
    test = result.over_data_sets
    if test is None:
        return ""
    return f"With the {test.blocks} data sets as blocks, by their means over seeds: {_p_words(test)}."


def _p_words(test: FriedmanTest) -> str:
    if test.rule == "perfect_agreement":
        return f"all blocks rank alike, exact {p_equals(test.p_value)}"
    first, second = test.degrees_of_freedom
    exact = "exact " if test.rule == "exact" else ""
    return f"F({first}, {second}) = {number(test.f_statistic, 2)}, {exact}{p_equals(test.p_value)}"

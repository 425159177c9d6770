"""How long all of it takes: ``python -m tests.calibration.inference.speed``; a fresh process for each size.

Everything that a report computes from answers: accuracies, comparisons with a baseline as one family and as interim
analyses, ranks and tests after them, profiles, four fronts with probabilities, prices, and a factorial of eight
networks.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fbench.statistics.comparison.networks import compare_networks
from fbench.statistics.comparison.verdict import LEVEL, FamilyMember, decide
from fbench.statistics.factors.anova import analysis_of_variance
from fbench.statistics.factors.design import cross, crossed_design
from fbench.statistics.factors.effects import estimate_effects
from fbench.statistics.factors.residuals import check_residuals
from fbench.statistics.intervals import Interval
from fbench.statistics.many.cliques import cliques
from fbench.statistics.many.front import front_probability
from fbench.statistics.many.mean_accuracies import with_common_seeds
from fbench.statistics.many.performance_profile import performance_profile
from fbench.statistics.many.post_hoc import conover, nemenyi
from fbench.statistics.many.price import exact, price_of_a_point
from fbench.statistics.many.ranks import average_ranks, friedman
from fbench.statistics.seeds.power import seeds_needed, variance_components
from fbench.statistics.seeds.sequential import analysis_levels, judge_analysis
from fbench.statistics.single import summarise
from tests.calibration.inference.regimes import IMAGES, BoolArray
from tests.csv_tables import write_rows

SIZES = ((16, 10), (100, 20))
WANTED = {16: "at most 5 s", 100: "at most 60 s, 1,000 MB"}
MARGIN = 0.01


def main() -> None:
    """Measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/inference/speed.csv"))
    parser.add_argument("--one", type=int, nargs=2, help="Measure one size, networks and seeds, in this process.")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(*arguments.one)))  # noqa: T201 - read by the process that started this one
        return
    command = [sys.executable, "-m", "tests.calibration.inference.speed", "--one"]
    rows = []
    for networks, seeds in SIZES:
        done = subprocess.run([*command, str(networks), str(seeds)], check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
    write_rows(arguments.out, rows)


def measured(networks: int, seeds: int) -> dict[str, object]:
    """Seconds of each part, without imports, and the process' peak memory with them."""
    answers = drawn_answers(networks, seeds)
    parts = {"comparisons": comparisons, "many": many, "factors": factors}
    times = {}
    for name, part in parts.items():
        started = time.perf_counter()
        part(answers)
        times[f"{name}_s"] = round(time.perf_counter() - started, 2)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "networks": networks,
        "seeds": seeds,
        "images": IMAGES,
        **times,
        "total_s": round(sum(times.values()), 2),
        "peak_memory_mb": round(peak_kib * 1024 / 1e6),
        "wanted": WANTED[networks],
    }


def drawn_answers(networks: int, seeds: int) -> BoolArray:
    """Answers of networks of 50 to 70 % on images of different difficulty, shape (networks, seeds, images)."""
    generator = np.random.default_rng(0)
    chance = np.linspace(0.5, 0.7, networks)[:, None, None] + generator.normal(0, 0.2, IMAGES)
    return generator.random((networks, seeds, IMAGES)) < chance


def comparisons(answers: BoolArray) -> None:
    """All networks by themselves, and against the first: at once, with interim analyses, and what undecided ones
    lack."""
    seeds = tuple(range(answers.shape[1]))
    for network in answers:
        summarise(network)
    found = [compare_networks(network, answers[0], seeds, seeds) for network in answers[1:]]
    decisions = decide([FamilyMember(one.new_images, MARGIN) for one in found])
    analyses = analysis_levels(len(seeds), LEVEL / len(found))
    for network, one, decision in zip(answers[1:], found, decisions, strict=True):
        components = variance_components(network.astype(np.float64) - answers[0])
        judge_analysis(one.new_images, components, IMAGES, MARGIN, analyses, len(analyses) - 1)
        if decision.verdict == "undecided":
            seeds_needed(components, IMAGES, one.new_images.estimate, MARGIN, LEVEL / len(found))


def many(answers: BoolArray) -> None:
    """Ranks over seeds with both tests after Friedman's, profiles, four fronts, and the price of every step."""
    scores = answers.mean(axis=2).T
    friedman(scores)
    conover(scores)
    cliques(average_ranks(scores), nemenyi(scores))
    for network in scores.T:
        performance_profile([network], np.unique(scores))
    accuracies = with_common_seeds(answers)
    costs = np.random.default_rng(1).lognormal(0, 1, (4, len(answers)))
    for place, cost in enumerate(costs):
        front_probability(accuracies, cost, np.full(len(cost), 0.02 * place))
        for first, second in itertools.pairwise(np.argsort(cost)):
            gain = accuracies.means[second] - accuracies.means[first]
            price_of_a_point(Interval(gain, gain - 0.01, gain + 0.01, 0.95), exact(float(cost[second] - cost[first])))


def factors(answers: BoolArray) -> None:
    """A factorial of the first eight networks."""
    levels = itertools.product("01", repeat=3)
    design = crossed_design({"".join(cell): dict(zip("abc", cell, strict=True)) for cell in levels})
    seeds = tuple(range(answers.shape[1]))
    rows: dict[str, npt.NDArray[np.bool_]] = dict(zip(design.cells, answers, strict=False))
    data = cross(design, rows, dict.fromkeys(design.cells, seeds))
    analysis_of_variance(data.accuracy, design.factors)
    estimate_effects(data)
    check_residuals(data.accuracy, design, data.seeds)


if __name__ == "__main__":
    main()

"""Do intervals and tests keep what they promise? ``python -m tests.calibration.inference``; about half an hour.

Simulates four regimes of chance and resamples the answers of trained networks, 2,000 times each, and writes the tables
of ``results/inference``. With ``--population RUN...`` it first keeps the answers of these runs' trainings for it::

    fbench run --arch lenet5 --data fer2013=PATH --preset standard --seeds 40 --out runs/lenet5
    fbench run --arch ires --arch ires_no_se --arch lenet5 --arch mini_xception --data fer2013=PATH --preset quick \
        --seeds 40 --out runs/quick
    python -m tests.calibration.inference --population runs/lenet5 runs/quick

``--only clusters`` makes the table of clusters alone, in two minutes, ``--only answers`` those of trained networks,
``--only tuning`` that of searches for settings, ``--only best`` that of the comparison with the best, ``--only
data_sets`` that of differences over data sets, and ``--only pages`` those of whole pages, of stopping for futility and
of what interim analyses spend, in a quarter of an hour.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fbench.benchmark.store.run_table import load_run
from tests.calibration.inference import collapses, data_sets, edge, few_seeds, interim, tuning
from tests.calibration.inference.answers import answers_rows, null_rows
from tests.calibration.inference.best import CASES as CASES_OF_BEST
from tests.calibration.inference.best import best_of
from tests.calibration.inference.clusters import LEVELS, STRENGTHS, clusters_of_ckplus
from tests.calibration.inference.coverage import coverage_of
from tests.calibration.inference.effects import effects_of
from tests.calibration.inference.excess import CASES as CASES_OF_EXCESS
from tests.calibration.inference.excess import excess_of
from tests.calibration.inference.families import family_of
from tests.calibration.inference.pages import CASES as CASES_OF_PAGES
from tests.calibration.inference.pages import page_of
from tests.calibration.inference.rank_tests import CASES, rank_tests_of
from tests.calibration.inference.regimes import REGIMES, Population, read_population, write_population
from tests.csv_tables import rounded, save_rows

SEEDS = (5, 10, 20)


def main() -> None:
    """Make every table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/inference"))
    parser.add_argument("--repetitions", type=int, default=2_000)
    parser.add_argument("--random-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--population", type=Path, nargs="*", default=(), help="Runs whose answers are kept first.")
    parser.add_argument(
        "--only",
        choices=("answers", "best", "clusters", "data_sets", "pages", "tuning"),
        help="Make these tables alone.",
    )
    arguments = parser.parse_args()
    answers = arguments.out / "answers.npz"
    if arguments.population:
        write_population(answers, answers_of(arguments.population))
    common = (arguments.repetitions, arguments.random_seed)
    with ProcessPoolExecutor(arguments.jobs) as pool:

        def start(function: Callable[..., Any], keys: Sequence[Any]) -> list[Future[Any]]:
            return [pool.submit(function, *key, *common) for key in keys]

        if arguments.only == "tuning":
            write(arguments.out / "tuning.csv", [one.result() for one in start(tuning.tuning_of, tuning.CASES)])
            return
        if arguments.only == "answers":
            write_answers(arguments.out, start)
            return
        best = start(best_of, CASES_OF_BEST) if arguments.only in (None, "best") else []
        if arguments.only == "best":
            write(arguments.out / "best.csv", [one.result() for one in best])
            return
        over = start(data_sets.data_sets_of, data_sets.CASES) if arguments.only in (None, "data_sets") else []
        if arguments.only == "data_sets":
            write(arguments.out / "data_sets.csv", [one.result() for one in over], digits=4)
            return
        clusters = start(
            clusters_of_ckplus,
            [(levels, strength, seeds) for levels in LEVELS for strength in STRENGTHS for seeds in (10, 20)],
        )
        if arguments.only == "clusters":
            write(arguments.out / "clusters.csv", [one.result() for one in clusters])
            return
        pages = start(page_of, CASES_OF_PAGES)
        excess = start(excess_of, CASES_OF_EXCESS)
        futility = start(interim.futility_of, [(regime, truth) for regime in REGIMES for truth in interim.TRUTHS])
        if arguments.only == "pages":
            write(arguments.out / "pages.csv", [one.result() for one in pages])
            write(arguments.out / "futility.csv", [one.result() for one in futility])
            write(arguments.out / "excess.csv", [one.result() for one in excess], digits=4)
            return
        families = start(family_of, [(regime,) for regime in REGIMES])
        effects = start(
            effects_of,
            [
                (regime, cells, seeds)
                for regime in REGIMES
                for cells in ("equal", "unequal")
                for seeds in SEEDS
                if cells == "equal" or regime.seed or regime.residual
            ],
        )
        coverages = start(coverage_of, [(regime, seeds) for regime in REGIMES for seeds in SEEDS])
        ranks = start(rank_tests_of, CASES)
        few = start(few_seeds.few_seeds_of, few_seeds.CASES)
        at_the_edge = start(edge.edge_of, edge.CASES)
        collapsed = start(collapses.collapses_of, collapses.CASES)
        searched = start(tuning.tuning_of, tuning.CASES)
        write(arguments.out / "best.csv", [one.result() for one in best])
        write(arguments.out / "data_sets.csv", [one.result() for one in over], digits=4)
        write(arguments.out / "clusters.csv", [one.result() for one in clusters])
        write(arguments.out / "pages.csv", [one.result() for one in pages])
        write(arguments.out / "futility.csv", [one.result() for one in futility])
        write(arguments.out / "excess.csv", [one.result() for one in excess], digits=4)
        write(arguments.out / "coverage.csv", [one.result()[0] for one in coverages])
        write(arguments.out / "power.csv", [row for one in coverages for row in one.result()[1]])
        write(arguments.out / "families.csv", [one.result() for one in families])
        write(arguments.out / "effects.csv", [one.result() for one in effects])
        write(arguments.out / "rank_tests.csv", [one.result() for one in ranks])
        write(arguments.out / "few_seeds.csv", [one.result() for one in few])
        write(arguments.out / "edge.csv", [one.result() for one in at_the_edge])
        write(arguments.out / "collapses.csv", [one.result() for one in collapsed])
        write(arguments.out / "tuning.csv", [one.result() for one in searched])
        write_answers(arguments.out, start)


def write_answers(out: Path, start: Callable[..., list[Future[Any]]]) -> None:
    """Make the tables of the answers of trained networks."""
    population = read_population(out / "answers.npz")
    tables = {
        "answers.csv": start(answers_rows, [(population, seeds) for seeds in SEEDS]),
        "answers_null.csv": start(null_rows, [(population, seeds) for seeds in SEEDS]),
    }
    for name, found in tables.items():
        write(out / name, [row for one in found for row in one.result()])


def write(file: Path, rows: Sequence[Any], digits: int = 2) -> None:
    """Write frozen rows, numbers to so many digits after the point."""
    save_rows(file, [rounded(asdict(row), digits) for row in rows])


def answers_of(runs: Sequence[Path]) -> Population:
    """The answers of every finished training in these runs, by run and network."""
    return Population({name: rows for run in runs for name, rows in _answers_of_run(run)})


def _answers_of_run(path: Path) -> Iterator[tuple[str, Any]]:
    run = load_run(path)
    for data in run.data_names:
        for network in run.networks:
            yield f"{network} {run.config.preset}", run.correctness(network, data).correct


if __name__ == "__main__":
    main()

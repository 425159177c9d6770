"""How many seeds and image passes should a first run have? ``python -m tests.calibration.first_run``; about an hour.

Trains the networks of ``ablations`` on ``synthetic`` with pilot seeds, which no run uses, and counts how many of the
suite's comparisons so many of these seeds decide, as a report would: on average over draws of them. Trials that
``--records`` holds are not run again. The table is ``results/synthetic/first_run.csv``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.ablations.family import families
from fbench.ablations.library import load_suite
from fbench.ablations.study import comparisons
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.files import unfinished_beside
from fbench.statistics.classification import confusion_matrix
from fbench.statistics.collapse import is_collapsed
from fbench.statistics.comparison.networks import new_images_difference
from fbench.statistics.comparison.verdict import FamilyMember, decide
from fbench.statistics.estimands import MeanEstimate
from tests.csv_tables import save_rows

TABLE: Final = Path("results/synthetic/first_run.csv")
FIRST_PILOT_SEED: Final = 1_000
PILOT_SEEDS: Final = 12
IMAGE_PASSES: Final = (1_536, 2_560)
SEEDS: Final = (6, 8, 10, 11)
DRAWS: Final = 60
WANTED: Final = 6


@dataclass(frozen=True)
class Pilot:
    """The trainings of one network: ``correct`` bool (pilot seeds, images of the test split), and ``learned`` bool
    (pilot seeds), whether the training did not collapse."""

    correct: npt.NDArray[np.bool_]
    learned: npt.NDArray[np.bool_]


Answers = Mapping[str, Pilot]


def pilot_specs(image_passes: int) -> dict[tuple[str, int], TrialSpec]:
    """Every network of the suite with every pilot seed, by its name in the suite and the seed."""
    plan = plan_run(RunRequest(suite="ablations", preset="quick", seeds=1, data=("synthetic",)))
    specs = {spec.trial_id: spec for spec in plan.specs}
    budget = Budget(image_passes=image_passes, evaluation_points=1, batch_size=32)
    seeds = range(FIRST_PILOT_SEED, FIRST_PILOT_SEED + PILOT_SEEDS)
    return {
        (row.network, seed): specs[row.trial_id].model_copy(update={"seed": seed, "budget": budget})
        for row in plan.planned
        for seed in seeds
    }


def answers_of(folder: RunFolder, specs: Mapping[tuple[str, int], TrialSpec]) -> Answers:
    """What each training has right on the test split, by network."""
    found: dict[str, list[tuple[npt.NDArray[np.bool_], bool]]] = {}
    for (network, _), spec in specs.items():
        kept = folder.predictions(spec.trial_id)["test"]
        confusion = confusion_matrix(kept.labels, kept.predicted, len(spec.data.class_names))
        loss = folder.history(spec.trial_id)[-1].train_loss
        found.setdefault(network, []).append((kept.correct, not is_collapsed(confusion, loss)))
    return {
        network: Pilot(np.array([correct for correct, _ in rows]), np.array([learned for _, learned in rows]))
        for network, rows in found.items()
    }


def decided_of(answers: Answers, chosen: Sequence[int]) -> int:
    """How many comparisons of the suite these trainings decide."""
    suite, seeds = load_suite("ablations"), list(chosen)
    (family,) = families(suite, list(answers))
    pairs = dict.fromkeys((pair, study.margin_points / 100) for study in suite.studies for pair in comparisons(study))
    members = [_member(answers[ours], answers[theirs], seeds, margin) for (ours, theirs), margin in pairs]
    return sum(one.verdict != "undecided" for one in decide(members, planned=family.size))


def _member(ours: Pilot, theirs: Pilot, seeds: Sequence[int], margin: float) -> FamilyMember:
    """A comparison as a report makes it: of the trainings that learned, and held against all of them."""

    def difference(*sides: Sequence[int]) -> MeanEstimate:
        return new_images_difference(ours.correct[sides[0]], theirs.correct[sides[1]], *map(tuple, sides))

    learned = [[seed for seed in seeds if side.learned[seed]] for side in (ours, theirs)]
    neither = all(2 * len(side) < len(seeds) for side in learned)
    every = difference(seeds, seeds)
    if min(map(len, learned)) in (len(seeds), 0, 1):
        return FamilyMember(every, margin, neither_learned=neither)
    return FamilyMember(difference(*learned), margin, neither_learned=neither, with_collapsed=every)


def rows_of(image_passes: int, answers: Answers, random_seed: int = 0) -> list[dict[str, object]]:
    """A line for each number of seeds."""
    generator = np.random.default_rng([random_seed, image_passes])
    rows: list[dict[str, object]] = []
    for seeds in SEEDS:
        draws = [generator.choice(PILOT_SEEDS, seeds, replace=False).tolist() for _ in range(DRAWS)]
        decided = np.array([decided_of(answers, chosen) for chosen in draws])
        rows.append(
            {
                "image_passes": image_passes,
                "seeds": seeds,
                "comparisons": 14,
                "decided": round(float(decided.mean()), 2),
                f"at_least_{WANTED}_percent": round(100 * float((decided >= WANTED).mean()), 1),
            }
        )
    return rows


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=Path, required=True, help="A folder for the trials of the pilot.")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    folder, rows = RunFolder(arguments.records), []
    for image_passes in IMAGE_PASSES:
        specs = pilot_specs(image_passes)
        missing = [spec for spec in specs.values() if not folder.has_record(spec.trial_id)]
        context = WorkerContext(unfinished_beside(arguments.records / "scratch"), "cpu", arguments.jobs)
        data = next(iter(specs.values())).data
        with LocalExecutor(context, data if missing else None) as executor:
            run_trials(executor, missing, folder, lambda event: None)
        rows += rows_of(image_passes, answers_of(folder, specs))
        save_rows(TABLE, rows)


if __name__ == "__main__":
    main()

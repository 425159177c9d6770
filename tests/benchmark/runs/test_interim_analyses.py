from __future__ import annotations

from pathlib import Path

import pytest

from fbench.ablations.suite import Suite
from fbench.benchmark.records.interim_analyses import ComparisonKey, Looks
from fbench.benchmark.runs.interim_analyses import next_look, open_keys, planned_looks, take_look, wanted_seeds
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.statistics.estimands import new_images
from fbench.statistics.seeds.sequential import look_levels
from tests.reports.fabricated_run import Recipe, fabricate_run

DATA = ("fer2013",)
FAR = ComparisonKey("squeeze_excite", "ires_no_se", "ires", "fer2013")
NEAR = ComparisonKey("activation", "ires_relu", "ires", "fer2013")


def suite_of(run: RunTable) -> Suite:
    return run.config.suite


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    """Ten seeds; ires_no_se is far worse than ires, ires_relu about as good."""
    recipe = Recipe(accuracy={"ires": 0.62, "ires_no_se": 0.35, "ires_relu": 0.61}, seeds=range(10), with_cost=False)
    return fabricate_run(tmp_path_factory.mktemp("ten") / "run", recipe)


def test_every_network_of_a_comparison_starts_with_five_seeds(ten: RunTable) -> None:
    wanted = wanted_seeds(suite_of(ten), DATA, Looks(max_seeds=20))
    assert wanted == {("ires", "fer2013"): 5, ("ires_no_se", "fer2013"): 5, ("ires_relu", "fer2013"): 5}


def test_seeds_are_added_only_to_networks_of_open_comparisons(ten: RunTable) -> None:
    suite = suite_of(ten)
    looks = take_look(suite, ten, DATA, Looks(max_seeds=20))
    closed = Looks(
        max_seeds=20,
        looks=tuple(
            look.model_copy(update={"state": "decided" if look.key == FAR else "open"}) for look in looks.looks[:2]
        ),
    )
    assert open_keys(suite, DATA, closed) == [NEAR]
    assert next_look(NEAR, closed) == 10
    assert wanted_seeds(suite, DATA, closed) == {
        ("ires", "fer2013"): 10,
        ("ires_no_se", "fer2013"): 5,
        ("ires_relu", "fer2013"): 10,
    }


def test_a_look_uses_the_seeds_of_that_look_alone_and_reports_the_repeated_interval(ten: RunTable) -> None:
    looks = take_look(suite_of(ten), ten, DATA, Looks(max_seeds=20))
    first = next(look for look in looks.looks if look.key == FAR)
    _, differences = ten.paired_differences("ires_no_se", "ires", "fer2013")
    estimate, level = new_images(differences[:5]), look_levels(20, 0.05)[0].different
    half = estimate.distribution.quantile(1 - level) * estimate.standard_error
    assert (first.seeds, first.pairs, first.different_level) == (5, 5, level)
    assert (first.estimate, first.p_value) == (estimate.estimate, estimate.p_value)
    assert first.low == pytest.approx(estimate.estimate - half)


def test_a_far_worse_network_is_decided_before_the_last_look(ten: RunTable) -> None:
    looks = Looks(max_seeds=20)
    for _ in range(2):
        looks = take_look(suite_of(ten), ten, DATA, looks)
    latest = looks.latest(FAR)
    assert latest is not None
    assert (latest.verdict, latest.state) == ("worse", "decided")
    assert latest.seeds <= 10


def test_a_look_waits_until_all_its_trials_have_ended(ten: RunTable, tmp_path: Path) -> None:
    four = fabricate_run(tmp_path / "four", Recipe(seeds=range(4), images=50, with_cost=False))
    assert take_look(suite_of(four), four, DATA, Looks(max_seeds=20)).looks == ()


def test_failed_trials_leave_fewer_pairs_and_too_few_say_nothing(tmp_path: Path) -> None:
    failed = tuple(("ires_relu", seed) for seed in range(4))
    run = fabricate_run(tmp_path / "run", Recipe(seeds=range(5), images=50, failed=failed, with_cost=False))
    looks = take_look(suite_of(run), run, DATA, Looks(max_seeds=20))
    near = looks.latest(NEAR)
    assert near is not None
    assert (near.pairs, near.estimate, near.state) == (1, None, "open")


def test_looks_are_kept_in_the_run_and_their_number_of_seeds_is_settled(ten: RunTable) -> None:
    assert ten.looks is None
    looks = take_look(suite_of(ten), ten, DATA, planned_looks(ten.folder, 20))
    ten.folder.write_looks(looks)
    assert planned_looks(ten.folder, 20) == looks
    with pytest.raises(UserError, match=r"planned for at most 20 seeds.*give --max-seeds 20"):
        planned_looks(ten.folder, 30)
    (ten.folder.path / "looks.json").unlink()


def test_networks_that_did_not_learn_stay_undecided_at_every_look(tmp_path: Path) -> None:
    recipe = Recipe(seeds=range(10), images=3_589, with_cost=False, collapsed=("ires", "ires_relu", "ires_no_se"))
    run = fabricate_run(tmp_path / "run", recipe)
    looks = Looks(max_seeds=20)
    for _ in range(2):
        looks = take_look(suite_of(run), run, DATA, looks)
    assert {look.verdict for look in looks.looks} == {"undecided"}

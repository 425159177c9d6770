from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fbench.architectures.contract import built_in_contract
from fbench.architectures.registry import resolve
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, data_spec
from fbench.benchmark.store.run_folder import RunFolder
from tests.calibration.recipe import ladder
from tests.calibration.recipe.__main__ import write_table
from tests.calibration.recipe.ladder import read_ladder, stage_trials
from tests.calibration.recipe.page import PAGE, TABLE, Trial, read_trials, sensitivity_table, stage_table, with_tables
from tests.csv_tables import write_rows

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def data(rendered_faces: Path) -> Iterator[DataSpec]:
    """What is known of the synthetic faces. Networks are resolved for them, not built: a digest stands for each."""
    reference = DataReference(name="synthetic")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FBENCH_CACHE_DIR", str(rendered_faces))
        found = data_spec(reference, load_dataset(reference))

        def resolved_only(name: str, architecture: str, options: object, data: DataSpec) -> NetworkSpec:
            assert (architecture, options, data) == (name, {}, found)
            network, digest = resolve(name), hashlib.sha256(name.encode()).hexdigest()
            return NetworkSpec(name=name, builder=network.builder, options=network.options, digest=digest)

        patch.setattr(ladder, "network_spec", resolved_only)
        yield found


def trial(stage: str, candidate: str, network: str, top1: float) -> Trial:
    return {
        "stage": stage,
        "candidate": candidate,
        "network": network,
        "last_validation_top1": str(top1),
        "last_validation_loss": "1.25",
    }


def test_every_candidate_is_a_valid_protocol_and_no_trial_reads_the_test_split(data: DataSpec) -> None:
    candidates = read_ladder()
    for stage in candidates.stages:
        trials = stage_trials(candidates, stage, data)
        assert len({spec.trial_id for _, spec in trials}) == len(trials)
        assert {spec.protocol.test for _, spec in trials} == {"none"}


def test_the_sensitivity_check_has_every_network_of_the_contract_at_three_rates() -> None:
    candidates = read_ladder()
    stage = next(stage for stage in candidates.stages if stage.name == "sensitivity")
    assert sorted(name for rung in stage.trials for name in rung.networks) == sorted(built_in_contract())
    for rung in stage.trials:
        rates = [candidates.protocol(candidate).optimizer.learning_rate for candidate in rung.candidates]
        assert len(rates) == 3
        assert rates[0] < rates[1] < rates[2]


def test_a_stage_s_table_compares_with_its_first_candidate() -> None:
    table = stage_table(
        [trial("a", "start", "ires", 0.5), trial("a", "start", "arch1", 0.6), trial("a", "mixup", "ires", 0.512)]
    )
    assert table.splitlines()[2:] == [
        "| start | 50.0 | +0.0 | 1.250 | 60.0 | +0.0 | 1.250 |",
        "| mixup | 51.2 | +1.2 | 1.250 |  |  |  |",
    ]


def test_a_network_that_learns_better_at_another_rate_is_marked() -> None:
    rates = ("low", "middle", "high")
    table = sensitivity_table(
        [trial("sensitivity", rate, "ires", value) for rate, value in zip(rates, (0.3, 0.4, 0.35), strict=True)]
        + [trial("sensitivity", rate, "lenet5", value) for rate, value in zip(rates, (0.3, 0.4, 0.42), strict=True)]
    )
    assert table.splitlines()[2:] == [
        "| ires | 30.0 | 40.0 | 35.0 | best |",
        "| lenet5 | 30.0 | 40.0 | 42.0 | **2.0 points behind** |",
    ]


def test_lines_without_a_record_stay_in_the_table_and_those_of_no_candidate_leave_it(
    tmp_path: Path, data: DataSpec
) -> None:
    candidates, table = read_ladder(), tmp_path / "trials.csv"
    kept = [trial("longer", "start", "ires", 0.5), trial("screening", "mixup", "ires", 0.4)]
    write_rows(table, [*kept, trial("screening", "a forgotten one", "ires", 0.3)])
    write_table(candidates, data, RunFolder(tmp_path / "records"), table)
    assert read_trials(table) == kept[::-1]  # in the order of the stages


def test_the_page_s_tables_are_those_of_the_committed_trials() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert with_tables(page, read_trials(ROOT / TABLE)) == page

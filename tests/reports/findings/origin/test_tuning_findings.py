"""What a report says of searches for settings, and which trials may be compared after them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.figures.tuning_curve import HEIGHT, WIDTH, tuning_curve
from fbench.reports.findings.comparisons.alike import require_one_making, training_settings
from fbench.reports.findings.comparisons.headline import cautions
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.origin.tuning import TuningFindings, tuning_findings
from fbench.reports.render.html.build import build_report
from fbench.reports.render.plain.contents import plain_report
from tests.reports.fabricated_run import Recipe, fabricate_run

ONCE = Recipe(tuning="once", kept_default=("ires_no_se",), with_cost=False)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return fabricate_run(tmp_path_factory.mktemp("once"), ONCE)


@pytest.fixture(scope="module")
def per_seed(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return fabricate_run(tmp_path_factory.mktemp("per_seed"), replace(ONCE, tuning="per_seed"))


@pytest.fixture
def found(once: RunTable) -> TuningFindings:
    findings = tuning_findings(once, "fer2013")
    assert findings is not None
    return findings


def test_each_network_has_its_choice_its_lead_and_its_cost(found: TuningFindings) -> None:
    ires, no_se, _ = found.networks
    assert [(one.rate, one.strength, one.searches) for one in ires.choices] == [(0.5, "default", 1)]
    assert ires.choices[0].learning_rate == 0.004
    assert ires.lead == "+3.0 ± 0.8 for 0.5 × the rate, default"
    assert (ires.kept_default, no_se.kept_default) == (0, 1)
    assert ires.image_passes == 12 * 960 + 2 * 7680
    assert ires.trials_worth == pytest.approx(ires.image_passes / 7680)
    assert ires.time_s == 14 * 20


def test_the_curve_has_every_candidate_of_every_round(found: TuningFindings) -> None:
    tried = found.networks[0].tried
    assert len(tried) == 12 + 2
    assert {one.round for one in tried} == {1, 2}
    curve = tuning_curve(found.networks[0])
    assert curve is not None
    assert [line.strength for line in curve.lines] == ["default", "weak", "strong"]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for line in curve.lines for x, y in line.dots)
    assert min(y for line in curve.lines for _, y in line.dots) == curve.lines[0].dots[1][1]  # half the rate is highest


def test_the_summary_counts_searches_that_kept_the_default(found: TuningFindings) -> None:
    assert "1 of 3 searches kept the default" in found.summary
    assert "Intervals hold given these settings." in found.summary


@pytest.mark.usefixtures("unpainted")
def test_intervals_of_one_search_hold_given_its_settings(once: RunTable) -> None:
    findings = gather_findings([once])
    (section,) = findings.data_sections
    assert section.given == ", given these settings"
    assert any("intervals and verdicts hold given these settings" in one for one in section.cautions)
    assert any("given these settings" in one.text for one in section.answer)
    parts = plain_report(findings).sections
    captions = [table.caption for part in parts for table in (*part.tables, *part.folded)]
    assert sum("given these settings" in caption for caption in captions) == 2  # the ablations and the summary
    page = build_report([once])
    assert "Every candidate" in page
    assert "with 95\N{NO-BREAK SPACE}% intervals, given these settings" in page


@pytest.mark.usefixtures("unpainted")
def test_intervals_of_a_search_for_each_seed_carry_its_variance(per_seed: RunTable) -> None:
    found = tuning_findings(per_seed, "fer2013")
    assert found is not None
    assert found.per_seed
    assert [row.searches for row in found.networks] == [3, 3, 3]
    assert found.networks[0].choices[0].searches == 3
    assert found.networks[0].lead == ""
    (section,) = gather_findings([per_seed]).data_sections
    assert section.given == ""
    assert not any("given these settings" in one for one in cautions(per_seed))
    assert "variance of tuning is part of every interval" in found.summary
    assert "given these settings" not in build_report([per_seed])


@pytest.mark.usefixtures("unpainted")
def test_a_run_without_a_search_says_nothing_of_settings(run: RunTable) -> None:
    assert tuning_findings(run, "fer2013") is None
    assert "given these settings" not in build_report([run])


def test_a_search_whose_record_is_gone_is_left_out(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", ONCE)
    for file in (run.folder.path / "tuning" / "searches").glob("*.json"):
        file.unlink()
    assert tuning_findings(run, "fer2013") is None


def records(run: RunTable) -> list[TrialRecord]:
    return list(run.trials.values())


def test_trials_of_one_search_are_alike_whatever_it_chose(once: RunTable) -> None:
    require_one_making(records(once), "here")
    chosen = {record.spec.protocol.optimizer.learning_rate for record in records(once)}
    assert chosen == {0.004, 0.008}


@pytest.mark.parametrize("changes", [{"rates": (0.5, 1.0)}, {"first_seed": 7}, {"mode": "per_seed"}])
def test_trials_of_different_searches_are_not_alike(once: RunTable, changes: dict[str, object]) -> None:
    first, second, *_ = records(once)
    protocol = second.spec.default_protocol
    assert protocol is not None
    assert protocol.tuning is not None
    other = protocol.model_copy(update={"tuning": protocol.tuning.model_copy(update=changes)})
    spec = second.spec.model_copy(update={"default_protocol": other})
    with pytest.raises(UserError, match=r"protocol\.tuning"):
        require_one_making([first, second.model_copy(update={"spec": spec})], "here")


def test_a_trial_that_was_tuned_is_not_alike_one_that_was_not(once: RunTable, run: RunTable) -> None:
    tuned, plain = training_settings(records(once)[0]), training_settings(records(run)[0])
    assert tuned["protocol.tuning.mode"] == "once"
    assert plain["protocol.tuning.mode"] == "none"
    assert tuned["protocol.optimizer"] == plain["protocol.optimizer"]  # that of the default

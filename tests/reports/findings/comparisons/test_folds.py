"""All folds of a data set as one: each subject is tested once, and a seed is its set of trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.findings.claims.pool import gather_claim_inputs
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.comparisons.folds import whole_data_sets, with_all_folds
from fbench.reports.findings.comparisons.studies import study_results
from fbench.reports.findings.gate.subjects import load_side
from fbench.reports.findings.gather import gather_findings
from fbench.reports.render.html.build import build_report
from fbench.statistics.classification import confusion_matrix, measure
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")

NAMES = tuple(f"ck48-fold{fold}of3" for fold in (1, 2, 3))
ACCURACY = {"ires": 0.62, "ires_no_se": 0.48, "ires_relu": 0.61}


def folded(folder: Path, names: tuple[str, ...] = NAMES, **changes: Any) -> RunTable:
    """A run on folds of 60 images, each of subjects of six images."""
    usual = {"accuracy": ACCURACY, "images": 60, "images_of_subject": 6, "seeds": range(4), "with_cost": False}
    run = fabricate_run(folder, Recipe(data=names, **{**usual, **changes}))
    data = tuple(
        one.model_copy(update={"source": "ck48", "options": {"fold": f"{fold}/3"}, "unit": "subjects"})
        for fold, one in enumerate(run.config.data, start=1)
    )
    run.folder.create(run.config.model_copy(update={"data": data}))
    return load_run(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return folded(tmp_path_factory.mktemp("folds") / "run")


def test_answers_of_a_seed_are_those_of_its_trainings_one_after_another(run: RunTable) -> None:
    single = [gather(run, data) for data in run.config.data]
    *folds, whole = with_all_folds(single)
    assert folds == single
    assert (whole.data.name, whole.folds, whole.unit) == ("ck48-3folds", NAMES, "subjects")
    assert whole.data.images_by_split["test"] == 180
    found = whole.networks["ires"]
    assert found.seeds == (0, 1, 2, 3)
    np.testing.assert_array_equal(found.correct, np.hstack([one.networks["ires"].correct for one in single]))
    assert found.clusters is not None
    assert (found.clusters.count, set(found.clusters.sizes)) == (30, {6.0})
    parts = [run.classes(run.records("ires", name)[2])["test"] for name in NAMES]
    labels, predicted = (np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "predicted"))
    expected = measure(labels, predicted, np.eye(7)[predicted])
    np.testing.assert_array_equal(found.confusion[2], confusion_matrix(labels, predicted, 7))
    assert found.measures[2].balanced_accuracy == pytest.approx(expected.balanced_accuracy)
    assert found.measures[2].macro_f1 == pytest.approx(expected.macro_f1)


def test_comparisons_are_for_new_subjects_of_all_folds(run: RunTable) -> None:
    whole = with_all_folds([gather(run, data) for data in run.config.data])[-1]
    (row,) = study_results(whole)[0].comparisons
    assert (row.unit, row.difference.images, row.difference.seeds) == ("subjects", 180, 4)
    assert row.difference.new_images.discordance is not None
    assert row.difference.new_images.discordance.images == 30


def test_a_seed_counts_where_every_fold_has_finished_it_and_collapsed_where_one_did(tmp_path: Path) -> None:
    run = folded(tmp_path / "run", collapsed_trials=(("ires", 1),))
    (record,) = [one for one in run.records("ires", NAMES[1]) if one.spec.seed == 3]
    run = load_run_without(run, record.trial_id)
    whole = with_all_folds([gather(run, data) for data in run.config.data])[-1]
    assert whole.networks["ires"].seeds == (0, 1, 2)
    assert whole.networks["ires_relu"].seeds == (0, 1, 2, 3)
    assert whole.networks["ires"].collapsed_trainings == (False, True, False)
    assert whole.networks["ires"].of_seeds({1}).collapsed_trainings == (True,)


def load_run_without(run: RunTable, trial_id: str) -> RunTable:
    (run.folder.trial_folder(trial_id) / "record.json").unlink()
    return load_run(run.folder.path)


def test_two_of_three_folds_stay_what_they_are(tmp_path: Path) -> None:
    run = folded(tmp_path / "run", NAMES[:2])
    single = [gather(run, data) for data in run.config.data]
    assert with_all_folds(single) == whole_data_sets(single) == tuple(single)


def test_claims_and_gates_take_all_folds_in_place_of_each(run: RunTable) -> None:
    inputs = gather_claim_inputs([run])
    assert [holding.name for holding in inputs.holdings] == ["ck_plus"]
    assert [one.data.name for one in load_side(str(run.folder.path)).evidence] == ["ck48-3folds"]


def test_a_report_shows_each_fold_and_all_together(run: RunTable) -> None:
    sections = gather_findings([run]).data_sections
    assert [section.data.name for section in sections] == [*NAMES, "ck48-3folds"]
    first = "All 3 folds together: each image is tested once, by a training that had no image of the same subject."
    assert sections[-1].cautions[0].startswith(f"{first} A seed stands for its 3 trainings")
    page = Page(build_report([run]))
    assert "Classes of ck48-3folds" in page.text
    assert "All 3 folds together" in page.text
    assert "Loss and calibration error are means over the folds" in page.text

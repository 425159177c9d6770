"""What a search chooses from the records of its trials, made up here, and whose trials it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import make_stripes, trial_spec_of

from fbench.benchmark.records.predictions import Predictions, SplitClusters, SplitPredictions
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import SplitMeasures, TrialRecord
from fbench.benchmark.records.tuning import Candidate
from fbench.benchmark.runs.executors import failed_record
from fbench.benchmark.runs.searches import Search, conclude, resolved, settled, waiting
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError
from tests.benchmark.records.test_tuning import tuned

IMAGES = 100


class Answers(RunFolder):
    """A folder that has, for each trial, how many of the images are right, the first ones."""

    def __init__(self, right: Mapping[str, int], subjects: int = 0) -> None:
        super().__init__(Path())
        self.right, self.subjects = right, subjects

    def predictions(self, trial_id: str) -> Predictions:
        labels = np.zeros(IMAGES, np.int64)
        predicted = (np.arange(IMAGES) >= self.right[trial_id]).astype(np.int64)
        clusters = SplitClusters("subjects", np.arange(IMAGES) * self.subjects // IMAGES) if self.subjects else None
        return {"validation": SplitPredictions(predicted=predicted, labels=labels, clusters=clusters)}


def waiting_trial(architecture: str = "lenet5", seed: int = 0, protocol: Protocol | None = None) -> TrialSpec:
    spec = trial_spec_of(make_stripes(), architecture, seed)
    return spec.model_copy(update={"protocol": protocol or tuned()})


def ended(spec: TrialSpec, right: int | None, loss: float = 1.0) -> TrialRecord:
    failed = failed_record(spec, "diverged")
    if right is None:
        return failed
    measures = SplitMeasures(
        images=IMAGES,
        top1=right / IMAGES,
        balanced_accuracy=0,
        macro_f1=0,
        recall_by_class=(),
        loss=loss,
        expected_calibration_error=0,
    )
    return failed.model_copy(
        update={"status": "finished", "failure_reason": None, "validation": measures, "images_seen": 24}
    )


def made(search: Search, rounds: list[dict[int, int | None]]) -> dict[str, TrialRecord]:
    """Records of rounds, in each the right images by a candidate's place; the second seed has two more."""
    found = {}
    for rung, by_place in enumerate(rounds):
        for place, right in by_place.items():
            for more, spec in enumerate(search.rung_trials(rung, [place])):
                found[spec.trial_id] = ended(spec, None if right is None else right + 2 * more)
    return found


def answers_of(records: Mapping[str, TrialRecord], **options: Any) -> Answers:
    found = {key: round(one.validation.top1 * IMAGES) for key, one in records.items() if one.validation}
    return Answers(found, **options)


@pytest.fixture
def search() -> Search:
    return Search.of(waiting_trial())


def test_the_first_round_trains_every_candidate_with_every_seed(search: Search) -> None:
    specs = search.missing({})
    assert [spec.seed for spec in specs] == [1_000_000, 1_000_001] * 4
    assert {spec.budget.image_passes for spec in specs} == {24}  # a quarter of 96, in batches of 24
    assert {spec.protocol.test for spec in specs} == {"none"}


def test_only_the_best_and_the_default_are_trained_further(search: Search) -> None:
    records = made(search, [{0: 30, 1: 50, 2: 60, 3: 40}])
    assert search.course(records)[-1] == (0, 2)
    rates = [spec.protocol.optimizer.learning_rate for spec in search.missing(records)]
    assert rates == [0.008, 0.004]
    assert {spec.budget.image_passes for spec in search.missing(records)} == {96}


def test_of_equal_accuracies_the_lower_loss_goes_on(search: Search) -> None:
    records = made(search, [{0: 30, 1: 50, 2: 50, 3: 50}])
    for spec in search.rung_trials(0, [3]):
        records[spec.trial_id] = ended(spec, round(IMAGES * records[spec.trial_id].validation.top1), loss=0.9)  # type: ignore[union-attr] # made with one
    assert search.course(records)[-1] == (0, 3)


def test_a_search_goes_on_with_what_it_lacks(search: Search) -> None:
    records = made(search, [{0: 30, 1: 50, 2: 60, 3: 40}])
    lost = search.rung_trials(0, [2])[0].trial_id
    del records[lost]
    assert [spec.trial_id for spec in search.missing(records)] == [lost]
    with pytest.raises(ValueError, match="not finished"):
        conclude(search, answers_of(records), records)


def test_a_challenger_that_leads_by_more_than_a_standard_error_is_chosen(search: Search) -> None:
    records = made(search, [{0: 30, 1: 50, 2: 60, 3: 40}, {0: 40, 2: 60}])
    found = conclude(search, answers_of(records), records)
    # 20 of 100 images are gained: mean 0.2, variance 0.16 * 100 / 99, standard error its root over 10
    assert found.difference == pytest.approx(0.2)
    assert found.standard_error == pytest.approx(np.sqrt(0.16 / 99))
    assert found.chosen == Candidate(rate=0.5, strength="strong")
    assert found.image_passes == 24 * 10


def test_the_default_stays_where_the_lead_is_within_a_standard_error(search: Search) -> None:
    records = made(search, [{0: 30, 1: 50, 2: 60, 3: 40}, {0: 59, 2: 60}])
    found = conclude(search, answers_of(records), records)
    assert found.difference == pytest.approx(0.01)
    assert found.standard_error == pytest.approx(np.sqrt(0.0099 / 99))  # just as much
    assert found.chosen == search.tuning.default


def test_images_of_one_subject_are_one_unit_of_chance(search: Search) -> None:
    records = made(search, [{0: 30, 1: 50, 2: 60, 3: 40}, {0: 40, 2: 60}])
    found = conclude(search, answers_of(records, subjects=5), records)
    # per subject +0, +0, +20, +0, +0 of 20 images: mean 0.2, variance 0.2, over 5 subjects
    assert found.standard_error == pytest.approx(np.sqrt(0.2 / 5))
    assert found.chosen == search.tuning.default


def test_a_candidate_that_failed_goes_no_further(search: Search) -> None:
    records = made(search, [{0: 30, 1: 50, 2: None, 3: 40}])
    assert search.course(records)[-1] == (0, 1)


@pytest.mark.parametrize(
    ("last", "chosen"),
    [({0: None, 2: 10}, (0.5, "strong")), ({0: 10, 2: None}, (1.0, "default")), ({0: None, 2: None}, (1.0, "default"))],
)
def test_what_fails_at_the_end_is_not_chosen_if_anything_else_is_there(
    search: Search, last: dict[int, int | None], chosen: tuple[float, str]
) -> None:
    records = made(search, [{0: 30, 1: 50, 2: 60, 3: 40}, last])
    found = conclude(search, answers_of(records), records)
    assert (found.chosen.rate, found.chosen.strength) == chosen
    assert found.difference is None


def test_equal_networks_share_one_search_and_others_do_not() -> None:
    twice = waiting_trial("lenet5")
    renamed = twice.model_copy(update={"network": twice.network.model_copy(update={"name": "other"}), "seed": 1})
    assert len(waiting([twice, renamed])) == 1
    assert len(waiting([twice, waiting_trial("ires")])) == 2


def test_per_seed_each_seed_waits_for_a_search_of_its_own() -> None:
    protocol = tuned(mode="per_seed")
    searches = waiting([waiting_trial(seed=seed, protocol=protocol) for seed in range(3)])
    assert [one.number for one in searches] == [0, 1, 2]
    assert len({one.search_id for one in searches}) == 3
    assert searches[0].search_id == Search.of(waiting_trial()).search_id  # number 0 is that of mode "once"


def test_a_search_is_known_by_what_it_tries_and_not_by_names() -> None:
    renamed = tuned().model_copy(update={"name": "mine", "version": 7, "test": "none"})
    assert Search.of(waiting_trial(protocol=renamed)).search_id == Search.of(waiting_trial()).search_id
    for other in (tuned(rates=[0.25, 1.0]), tuned(first_seed=5), tuned().model_copy(update={"label_smoothing": 0.0})):
        assert Search.of(waiting_trial(protocol=other)).search_id != Search.of(waiting_trial()).search_id


def test_a_trial_gets_what_its_search_chose_and_remembers_where_it_comes_from(search: Search) -> None:
    spec = waiting_trial()
    records = made(search, [{0: 30, 1: 50, 2: 60, 3: 40}, {0: 40, 2: 60}])
    record = conclude(search, answers_of(records), records)
    found = settled({record.search_id: record}, spec)
    assert found == resolved(spec, record.chosen)
    assert found.protocol.optimizer.learning_rate == 0.004
    assert found.default_protocol is not None
    assert found.default_protocol.tuning == spec.protocol.tuning
    assert Search.of(found).search_id == search.search_id
    assert settled({}, spec) is spec


def test_a_choice_that_was_never_tried_is_refused(search: Search) -> None:
    records = made(search, [{0: 30, 1: 50, 2: 60, 3: 40}, {0: 40, 2: 60}])
    record = conclude(search, answers_of(records), records)
    edited = record.model_copy(update={"chosen": Candidate(rate=3.0, strength="default")})
    with pytest.raises(UserError, match="chose 3 x the rate with 'default' regularisation, which it did not try"):
        settled({record.search_id: edited}, waiting_trial())


def test_a_trial_without_a_search_stays_as_it_is() -> None:
    spec = waiting_trial(protocol=load_protocol("fbench"))
    assert settled({}, spec) is spec
    assert waiting([spec]) == []
    with pytest.raises(ValueError, match="has no search"):
        Search.of(spec)

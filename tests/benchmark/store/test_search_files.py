"""Searches in files: read as they were written, and the tables that come with fbench."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import make_stripes, trial_spec_of

from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.search_records import SEARCH_SCHEMA_VERSION, SearchRecord, SearchTable, SearchTrial
from fbench.benchmark.records.tuning import Candidate
from fbench.benchmark.runs.searches import Search
from fbench.benchmark.store.files import read_model
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.search_files import TABLES, kept_searches, read_searches, write_search, write_table
from fbench.core.errors import UserError
from tests.benchmark.records.test_tuning import tuned

DIGESTS = Path(__file__).parents[2] / "architectures" / "digests.json"
COMMITTED = sorted(TABLES.glob("*.json"))


@pytest.fixture(scope="module")
def search() -> Search:
    return Search.of(trial_spec_of(make_stripes(), "lenet5").model_copy(update={"protocol": tuned()}))


@pytest.fixture
def record(search: Search) -> SearchRecord:
    trial = SearchTrial(
        rung=0,
        rate=0.5,
        strength="strong",
        seed=1_000_000,
        top1=0.25,
        loss=1.5,
        image_passes=24,
        time_s=1.5,
        trial_id="0123456789abcdef",
    )
    failed = trial.model_copy(update={"rate": 1.0, "top1": None, "loss": None})
    return SearchRecord(
        search_id=search.search_id,
        network="lenet5",
        network_digest=search.network.digest,
        data="stripes",
        search=0,
        chosen=Candidate(rate=0.5, strength="strong"),
        numerics=choose_numerics("cpu"),
        fbench_version="0.1.0",
        finished_at="2026-01-02T03:04:05+00:00",
        trials=(trial, failed),
    )


def test_a_search_is_read_as_it_was_written(tmp_path: Path, record: SearchRecord) -> None:
    write_search(RunFolder(tmp_path), record)
    assert read_searches(RunFolder(tmp_path)) == {record.search_id: record}
    assert (record.image_passes, record.time_s) == (48, 3.0)


def test_a_table_has_a_line_for_each_search_and_its_csv_one_for_each_training(
    tmp_path: Path, search: Search, record: SearchRecord
) -> None:
    table = SearchTable(
        data="stripes",
        data_fingerprint=search.data.fingerprint,
        protocol=search.protocol,
        budget=search.budget,
        searches=(record,),
    )
    file = tmp_path / "stripes-mine-96passes.json"
    write_table(file, table)
    assert read_model(file, SearchTable, SEARCH_SCHEMA_VERSION) == table
    assert sum(record.search_id in line for line in file.read_text().splitlines()) == 1
    lines = file.with_suffix(".csv").read_text().splitlines()
    assert lines[1:] == ["lenet5,0,0,0.5,strong,1000000,0.25,1.5,24", "lenet5,0,0,1,strong,1000000,,,24"]
    assert kept_searches(tmp_path) == {record.search_id: record}


def test_a_damaged_file_is_named(tmp_path: Path, record: SearchRecord) -> None:
    write_search(RunFolder(tmp_path), record)
    (file,) = (file for file in tmp_path.rglob("*.json") if file.name != "sha256.json")
    file.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=f"{file.name} does not hold a valid record"):
        read_searches(RunFolder(tmp_path))


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.stem)
def test_every_committed_search_is_found_by_the_networks_of_today(file: Path, search: Search) -> None:
    table = read_model(file, SearchTable, SEARCH_SCHEMA_VERSION)
    digests = json.loads(DIGESTS.read_text(encoding="utf-8"))
    for found in table.searches:
        assert found.network_digest == digests[found.network]
        same = Search(
            network=search.network.model_copy(update={"digest": found.network_digest}),
            data=search.data.model_copy(update={"fingerprint": table.data_fingerprint}),
            protocol=table.protocol,
            budget=table.budget,
            numerics=found.numerics,
            number=found.search,
        )
        assert same.search_id == found.search_id
        assert len(found.trials) <= same.tuning.trials_at_most
        assert found.chosen in same.tuning.candidates

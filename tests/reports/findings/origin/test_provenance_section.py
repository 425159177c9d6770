"""Everything needed to repeat a run, and nothing of the folders of the person who made it."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fbench.architectures.plugin_sources import PluginSources
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.store.inputs import keep_inputs
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.findings.origin.provenance import provenance, repeat_command
from fbench.reports.findings.origin.readings import count_readings
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")


def test_what_is_cited_is_the_version_that_trained(run: RunTable) -> None:
    (first, *lines, last) = provenance(run).bibtex.splitlines()
    assert (first, last) == ("@software{fbench,", "}")
    assert [line.strip() for line in lines] == [
        "author = {{The fbench developers}},",
        "title = {fbench: benchmarks and ablations of compact vision networks},",
        "version = {0.1.0},",
        f"year = {{{run.config.created_at[:4]}}},",
    ]


def test_command_names_suite_protocol_preset_data_and_seeds(run: RunTable) -> None:
    assert repeat_command(run) == (
        "fbench run --suite example.toml --protocol fbench --preset standard --data fer2013=PATH --seeds 3"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 10}, "--protocol fbench@1+epochs=10 --preset quick --epochs 10 "),
        ({"learning_rate": 0.001}, "--protocol fbench@1+learning_rate=0.001 --preset quick --data"),
        ({"batch_size": 16}, "--protocol fbench@1+batch_size=16 --preset quick --batch-size 16 "),
        ({"epochs": 60}, "--protocol fbench --preset quick --epochs 60 "),
    ],
)
def test_command_of_a_changed_protocol_asks_for_the_same_again(
    run: RunTable, options: dict[str, Any], words: str
) -> None:
    protocol, preset = RunRequest(**options).protocol_and_preset()
    config = run.config.model_copy(update={"protocol": protocol, "preset": "quick", "budget": preset.budget})
    command = repeat_command(replace(run, config=config))
    assert words in command
    given = shlex.split(command)
    again = RunRequest(protocol=given[given.index("--protocol") + 1], **options).protocol_and_preset()
    assert again == (protocol, preset)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"precision": "bf16"}, "--device cuda --precision bf16"),
        ({"compile": True}, "--device cuda --compile"),
        ({"fused_batch_norm": "triton", "trials_together": 4}, "--fused-batch-norm triton --trials-together 4"),
    ],
)
def test_command_asks_for_the_same_numerics_again(run: RunTable, asked: dict[str, Any], words: str) -> None:
    config = run.config.model_copy(update={"numerics": choose_numerics("cuda", **asked)})
    assert repeat_command(replace(run, config=config)).endswith(words)


def test_command_selects_the_studies_that_were_run(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy={"ires": 0.6, "ires_relu": 0.5}, seeds=(0,), images=40))
    assert "--only activation" in repeat_command(run)


def test_page_has_versions_machine_fingerprint_and_no_private_path(run: RunTable, page: Page, html: str) -> None:
    for fact in ("Example CPU @ 2.00GHz", "torch 2.13.0", "0123456789abcdef0123456789abcdef01234567"):
        assert fact in page.text
    assert run.config.data[0].fingerprint in page.text
    assert "/home/someone" not in html


def test_readings_are_counted_by_data_set(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(seeds=(0,), images=40, data=("fer2013", "ck48")))
    fer, ck = (data.fingerprint for data in run.config.data)
    own = next(row.trial_id for row in run.plan if row.data == "ck48")
    lines = [
        {"trial_id": "elsewhere", "data_fingerprint": fer, "selected_on": "test", "time": "2026-01-01"},
        {"trial_id": "elsewhere", "data_fingerprint": fer, "selected_on": "validation", "time": "2026-01-03"},
        {"trial_id": own, "selected_on": "validation", "time": "2026-01-02T03:14:06+00:00"},  # as it ended
        {"trial_id": own, "selected_on": "validation", "time": "2026-01-02T05:14:06+00:00"},  # the same trial elsewhere
    ]
    run.folder.write_test_readings([json.dumps(line) for line in lines])
    first, second = count_readings(load_run(folder))
    assert (first.fingerprint, first.total, first.of_this_run, first.selecting) == (fer, 2, 0, 1)
    assert (first.first, first.last) == ("2026-01-01", "2026-01-03")
    assert (second.fingerprint, second.total, second.of_this_run, second.selecting) == (ck, 2, 1, 0)


def test_page_shows_the_ledger(page: Page) -> None:
    assert page.table("From the ledger").row("fer2013")[1:4] == ["1", "0", "0"]


def test_page_without_readings_has_no_ledger(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=40))
    (folder / "test_readings.jsonl").unlink()
    assert "Readings of the test split" not in Page(build_report([run])).text


def test_command_names_the_files_that_the_run_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40))
    monkeypatch.setenv("HOME", str(tmp_path))
    plugin = PluginSources(tmp_path, "mine.py", {"mine.py": b""})
    (data,) = run.config.data
    config = run.config.model_copy(
        update={
            "protocol": run.config.protocol.model_copy(update={"name": "mine", "label_smoothing": 0.25}),
            "data": (data.model_copy(update={"path": str(tmp_path / "faces.csv")}),),
        }
    )
    keep_inputs(run.folder.files, config, {plugin.digest: plugin})
    words = repeat_command(replace(run, config=config))
    place = run.folder.path
    assert f"--suite {place / 'inputs' / 'suite.toml'} --protocol {place / 'inputs' / 'protocol.toml'} " in words
    assert "--data 'fer2013=~/faces.csv'" in words
    assert f"--plugin {place / 'plugins' / plugin.digest / 'mine.py'}" in words


def test_of_several_machines_each_says_how_many_trials_it_trained(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy={"ires": 0.6}, seeds=(0, 1, 2), images=40, with_cost=False))
    file = folder / "trials" / run.plan[0].trial_id / "record.json"
    record = json.loads(file.read_text())
    record["machine"]["processor"] = "Another CPU"
    record["machine"]["git_revision"] = "f" * 40
    file.write_text(json.dumps(record))
    facts = [fact for fact in provenance(load_run(folder)).facts if fact.name == "Trained on"]
    assert [fact.value.partition(",")[0] for fact in facts] in (
        ["Another CPU", "Example CPU @ 2.00GHz"],
        ["Example CPU @ 2.00GHz", "Another CPU"],
    )
    assert sorted(fact.value.rpartition(" (")[2] for fact in facts) == ["1 trial)", "2 trials)"]
    (revisions,) = (fact for fact in provenance(load_run(folder)).facts if fact.name.endswith("revisions of fbench"))
    assert revisions.name == "2 revisions of fbench"

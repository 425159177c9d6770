"""The committed results are a run: a report is made from them, their trials are taken as done, and they add up."""

from __future__ import annotations

import csv
import html
import shutil
from pathlib import Path

import numpy as np
import pytest
from coarse_fbench import leave_cost_out

import fbench
from fbench.ablations.library import load_suite
from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.benchmark.records.specs import DataSpec
from fbench.benchmark.runs import local_executor
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import carry_out
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.gather import gather_findings
from fbench.reports.render.csv.runs import write_tables
from fbench.reports.render.html.build import gather_report, write_report

REFERENCE = Path(__file__).parent.parent / "results" / "fer2013-standard"
STUDIES = ("squeeze_excite", "activation", "head", "convolution", "shortcut")
NETWORKS = tuple(
    dict.fromkeys(level for study in load_suite("ablations").studies if study.name in STUDIES for level in study.levels)
)
SEEDS = 10


@pytest.fixture(scope="module")
def reference() -> RunTable:
    return fbench.load_run(REFERENCE)


def test_it_holds_ten_networks_with_ten_seeds_on_all_of_fer2013(reference: RunTable) -> None:
    assert len(NETWORKS) == 10
    assert set(reference.networks) == set(NETWORKS)
    assert reference.config.data[0].images_by_split == {"train": 28709, "validation": 3589, "test": 3589}
    assert {name: len(reference.records(name, "fer2013")) for name in NETWORKS} == dict.fromkeys(NETWORKS, SEEDS)
    assert len(reference.costs) == 1


def test_its_accuracies_are_those_of_its_committed_predictions(reference: RunTable) -> None:
    for record in reference.trials.values():
        for split, measures in (("validation", record.validation), ("test", record.test)):
            assert measures is not None
            assert reference.predictions(record)[split].correct.mean() == measures.top1


def test_its_committed_tables_are_the_ones_that_its_records_give(reference: RunTable, tmp_path: Path) -> None:
    for table in write_tables(gather_findings([reference]), tmp_path):
        assert table.read_text(encoding="utf-8") == (REFERENCE / table.name).read_text(encoding="utf-8")
    with (REFERENCE / "trials.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(NETWORKS) * SEEDS


@pytest.mark.usefixtures("unpainted")
def test_a_report_is_made_from_it_without_weights_or_data(tmp_path: Path) -> None:
    text = write_report([REFERENCE], tmp_path / "report.html").read_text(encoding="utf-8")
    for name in NETWORKS:
        assert name in text
    assert "synthetic" not in text.partition("<body")[2].partition("Statistics in words")[0].lower()


def test_no_face_no_weights_and_no_place_of_a_machine_is_committed() -> None:
    files = [path for path in REFERENCE.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".jsonl", ".csv", ".npz", ".safetensors", ".html"}
    for path in files:
        if path.suffix in {".json", ".jsonl", ".csv"}:
            assert "fer2013.csv" not in path.read_text(encoding="utf-8")


def stand_in(data: DataSpec) -> ImageDataset:
    """A data set of the recorded shape, splits and fingerprint; no trial is run on it, so it has no pixels."""
    sizes = [data.images_by_split[split] for split in SPLITS]
    dataset = ImageDataset(
        name=data.name,
        images=np.zeros((sum(sizes), *data.image_shape), np.uint8),
        labels=np.zeros(sum(sizes), np.uint8),
        split=np.repeat(np.arange(3), sizes).astype(np.uint8),
        sample_ids=np.arange(sum(sizes)).astype(str),
        class_names=data.class_names,
        may_show_images=data.may_show_images,
        synthetic=data.synthetic,
        description=data.description,
    )
    dataset.__dict__["fingerprint"] = data.fingerprint
    return dataset


@pytest.mark.slow
def test_its_trials_are_taken_as_done_by_the_same_request(
    reference: RunTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal ids show that neither the networks nor the protocol have moved since the results were committed, under the
    numerics of then."""
    (data,) = reference.config.data
    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stand_in(data))
    monkeypatch.setattr(
        "fbench.benchmark.runs.configuration.choose_numerics", lambda *_, **__: reference.config.numerics
    )
    monkeypatch.setattr(local_executor, "attempt", None)  # any call would raise
    leave_cost_out(monkeypatch)  # of this machine, a minute
    shutil.copy(Path(__file__), tmp_path / "fer2013.csv")  # the reference needs a file to exist; nothing reads it
    request = RunRequest(
        only=STUDIES,
        data=(f"fer2013={tmp_path / 'fer2013.csv'}",),
        preset="standard",
        seeds=SEEDS,
        out=tmp_path / "again",
        take_from=(REFERENCE,),
        jobs=1,
        device="cpu",
    )
    plan = plan_run(request)
    assert len(plan.reusable) == len(NETWORKS) * SEEDS
    table = carry_out(plan, None, RunListener())
    assert table.trials == reference.trials
    assert table.audits == reference.audits


def test_the_committed_report_is_of_these_records_and_shows_no_photograph(reference: RunTable) -> None:
    text = (REFERENCE.parent / "reference" / "report.html").read_text(encoding="utf-8")
    (section,) = gather_report([reference]).data_sections
    assert section.left_out == ()
    assert "Left out" not in text
    plain = html.unescape(text).replace("\N{NO-BREAK SPACE}", " ")
    assert all(sentence.text.replace("\N{NO-BREAK SPACE}", " ") in plain for sentence in section.answer)
    assert section.faces is not None
    assert not section.faces.real
    assert section.faces.sources == ("rendered faces, as images of fer2013 may not be shown, networks of seed 0",)
    assert len(section.faces.grad_cam) == len(NETWORKS)
    assert len(text.encode()) < 5_000_000

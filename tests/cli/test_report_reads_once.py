"""A report reads each file of its runs once, whatever is made of it."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fbench.benchmark.store.run_table import load_run
from fbench.cli.report import report_command
from fbench.cli.run_end import give_results
from fbench.cli.run_output import FullOutput
from fbench.core.bounded import MOST_JSON_BYTES
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.core.siblings import Sibling
from fbench.reports.render.html import build, html

REFERENCE = Path(__file__).parents[2] / "results" / "fer2013-standard"
TABLES = {"summary.csv", "trials.csv", "comparisons.csv", "claims.csv"}
app = typer.Typer()
app.command()(report_command)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REFERENCE, tmp_path / "run"))


@pytest.fixture
def readings(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file of the run was opened for reading so far."""
    found: Counter[str] = Counter()

    opened = ContainedPath.descriptor

    def opens(file: ContainedPath, flags: int) -> int:
        found[str(file.path.relative_to(copied))] += 1
        return opened(file, flags)

    read = Sibling.content

    def reads(sibling: Sibling, file: str, most_bytes: int = MOST_JSON_BYTES) -> bytes:
        found[str((sibling.place / file).path.relative_to(copied))] += 1
        return read(sibling, file, most_bytes)

    monkeypatch.setattr(ContainedPath, "descriptor", opens)
    monkeypatch.setattr(Sibling, "content", reads)
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(copied.parent / "cache"))  # no index of the run is kept there
    for module in (build, html):
        monkeypatch.setattr(module, "render", lambda report: report.title)  # what is drawn reads nothing
    return found


def files_of(folder: Path) -> set[str]:
    """What a run keeps, without the tables and pages that are made of it."""
    files = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return {str(file) for file in files if file.name not in TABLES and file.suffix != ".html"}


@pytest.mark.parametrize("options", [(), ("--format", "md"), ("--format", "csv", "-o", "tables")])
def test_a_report_reads_each_file_once(
    options: tuple[str, ...], copied: Path, readings: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied.parent)
    assert CliRunner().invoke(app, [str(copied), *options], catch_exceptions=False).exit_code == 0
    assert {file: times for file, times in readings.items() if times != 1} == {}
    assert files_of(copied) == set(readings)


def test_the_end_of_a_run_reads_each_file_once_for_the_summary_and_the_report(
    copied: Path, readings: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    give_results(load_run(copied), FullOutput())
    printed = capsys.readouterr().out
    assert "top-1 and 95 % intervals in %" in printed
    assert printed.endswith(f"Report: {copied / 'report.html'}\n")
    assert {file: times for file, times in readings.items() if times != 1} == {}
    assert files_of(copied) == set(readings)


def test_networks_that_are_compared_often_are_described_once(copied: Path, readings: Counter[str]) -> None:
    run = load_run(copied)
    digests = {record.spec.network.digest for record in run.trials.values()}
    for _ in range(3):
        assert all(run.description(digest) for digest in digests)
        assert run.network_description("ires", "fer2013") is not None
    described = {file: times for file, times in readings.items() if file.endswith("network.json")}
    assert set(described.values()) == {1}
    assert len(described) == len(digests) == 10


def test_a_damaged_description_costs_lines_and_no_report(copied: Path) -> None:
    run = load_run(copied)
    digest = run.records("ires_relu", "fer2013")[0].spec.network.digest
    run.folder.network_file(digest).write_text('{"modules": []}', encoding="utf-8")
    result = CliRunner().invoke(app, [str(copied), "--format", "md"], catch_exceptions=False)
    assert result.exit_code == 0
    lines = [line.replace("\\", "") for line in result.stdout.splitlines() if "Left out" in line]
    assert any(f"the drawing of ires_relu: networks/{digest[:16]}/network.json" in line for line in lines)
    with pytest.raises(UserError, match=r"network\.json does not hold a valid record"):
        load_run(copied).description(digest)

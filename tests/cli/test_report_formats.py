"""``fbench report --format`` and ``--figures``: what is printed, what is written, and what is refused in a sentence."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from fbench.benchmark.store.imported_files import write_imported
from fbench.benchmark.store.run_table import load_run
from fbench.cli.report import report_command
from fbench.core.errors import UserError
from tests.reports.fabricated_import import imported_results
from tests.reports.fabricated_run import Recipe, fabricate_run

app = typer.Typer()
app.command()(report_command)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("formats") / "run"
    fabricate_run(folder, Recipe(images=60, seeds=(0, 1)))
    return str(folder)


def call(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result


@pytest.mark.parametrize(
    ("form", "start", "suffix"),
    [("md", "## ", "md"), ("latex", "% ", "tex"), ("csv", "run,data,split,unit,network", "csv")],
)
def test_tables_are_printed_or_written_alike(
    run_folder: str, tmp_path: Path, form: str, start: str, suffix: str
) -> None:
    before = sorted(Path(run_folder).iterdir())
    printed = call(run_folder, "--format", form).stdout
    assert printed.startswith(start)
    target = tmp_path / "new" / f"tables.{suffix}"
    assert call(run_folder, "--format", form, "-o", target).stdout == f"{target}\n"
    assert target.read_text(encoding="utf-8") == printed
    assert [file.name for file in target.parent.iterdir()] == [target.name]
    assert sorted(Path(run_folder).iterdir()) == before


@pytest.mark.slow
def test_text_formats_draw_nothing(run_folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do claims and status: matplotlib and scipy.stats, much of the start of a report, are not imported."""
    commands = [["report", run_folder, "--format", form] for form in ("md", "csv", "latex")]
    commands += [["claims", run_folder], ["status", run_folder]]
    code = (
        "import sys; from typer.testing import CliRunner; from fbench.cli.app import app\n"
        f"for command in {commands!r}:\n"
        "    result = CliRunner().invoke(app, command, catch_exceptions=False)\n"
        "    print(result.exit_code, *(name in sys.modules for name in ('matplotlib', 'scipy.stats', 'torch')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["0", "False", "False", "False"] * len(commands), done.stderr


def test_title_and_correction_reach_the_tables(run_folder: str) -> None:
    recipe_title = call(run_folder, "--format", "md", "--title", "Mine", "--correction", "fdr").stdout
    assert recipe_title.startswith("## Mine\n")


def test_markdown_names_the_page_that_lies_beside_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fabricate_run(tmp_path / "results" / "run", Recipe(images=60, seeds=(0, 1)))
    monkeypatch.chdir(tmp_path)
    assert "The full report" not in call("results/run", "--format", "md").stdout
    (tmp_path / "results" / "run" / "report.html").write_text("a page", encoding="utf-8")
    words = "\nThe full report: report.html in the run’s folder\n"  # no link: it would lead nowhere from a comment
    assert words in call("results/run", "--format", "md").stdout
    call("results/run", "--format", "md", "-o", "comment.md")
    assert words in (tmp_path / "comment.md").read_text(encoding="utf-8")


def test_a_folder_gets_all_tables_for_programs(run_folder: str, tmp_path: Path) -> None:
    lines = call(run_folder, "--format", "csv", "-o", tmp_path / "tables").stdout.splitlines()
    names = ["summary.csv", "comparisons.csv", "trials.csv", "claims.csv"]
    assert lines == [str(tmp_path / "tables" / name) for name in names]
    tables = [list(csv.DictReader(io.StringIO(Path(line).read_text(encoding="utf-8")))) for line in lines]
    assert [len(rows) for rows in tables] == [3, 2, 6, 8]
    assert {row["verdict"] for row in tables[-1]} <= {"supported", "contradicted", "undecided", "not yet"}


def test_imported_results_are_given_beside_a_run(run_folder: str, tmp_path: Path) -> None:
    file = tmp_path / "theirs.json"
    write_imported(file, imported_results(load_run(Path(run_folder))))
    assert "| their\\_net | fer2013, test split |" in call(run_folder, file, "--format", "md").stdout
    lines = call(file, run_folder, "--format", "csv", "-o", tmp_path / "tables").stdout.splitlines()
    assert lines[-1] == str(tmp_path / "tables" / "imported.csv")
    with pytest.raises(UserError, match="Only imported results were given; name a run's folder"):
        CliRunner().invoke(app, [str(file)], catch_exceptions=False)


@pytest.mark.usefixtures("unpainted")
@pytest.mark.slow
def test_figures_come_beside_a_page_or_a_printed_table(run_folder: str, tmp_path: Path) -> None:
    page = call(run_folder, "-o", tmp_path / "page.html", "--figures", tmp_path / "a", "--figure-format", "svg")
    assert page.stdout.splitlines() == [str(tmp_path / "a" / "index.csv"), str(tmp_path / "page.html")]
    assert {file.suffix for file in (tmp_path / "a").iterdir()} == {".svg", ".csv"}
    formats = ("--figure-format", "svg", "--figure-format", "pdf")
    printed = call(run_folder, "--format", "csv", "--figures", tmp_path / "b", *formats)
    assert printed.stdout == call(run_folder, "--format", "csv").stdout
    assert printed.stderr == f"{tmp_path / 'b' / 'index.csv'}\n"
    assert {file.suffix for file in (tmp_path / "b").iterdir()} == {".svg", ".pdf", ".csv"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--format", "md", "-o", "x.html"), r"no Markdown file; give a name that ends in \.md, or --format html\."),
        (("-o", "x.tex"), r"no HTML file; give a name that ends in \.html, or --format latex\."),
        (("--format", "csv", "-o", "x.py"), r"no CSV file; give a name that ends in \.csv, or a folder\."),
        (("--format", "latex", "-o", "folder"), r"no LaTeX file; give a name that ends in \.tex\."),
        (("--figure-format", "pdf"), r"without a folder for the figures; name one with --figures\."),
        (("--format", "csv", "--title", "x"), r"--title has no place in a table"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_read(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        CliRunner().invoke(app, ["nowhere", *arguments], catch_exceptions=False)


def test_a_file_that_cannot_be_written_is_told(run_folder: str, tmp_path: Path) -> None:
    (tmp_path / "x.md").mkdir()
    with pytest.raises(UserError, match=r"cannot be written to .*x\.md .*name another file with --output\."):
        CliRunner().invoke(app, [run_folder, "--format", "md", "-o", str(tmp_path / "x.md")], catch_exceptions=False)


@pytest.mark.parametrize(("option", "allowed"), [("--format", "'latex'"), ("--figure-format", "'pdf'")])
def test_other_formats_are_refused_with_those_that_are(option: str, allowed: str, run_folder: str) -> None:
    code = "from fbench.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "report", run_folder, option, "docx"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert allowed in done.stderr
    assert len(done.stderr.splitlines()) == 1

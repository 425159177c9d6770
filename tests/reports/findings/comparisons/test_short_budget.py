"""Verdicts on accuracy say that they are of this budget, where the protocol's own is longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.records.budget import Budget
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.findings.comparisons.budget import image_passes, short_budget, with_budget
from fbench.reports.findings.gather import gather_findings
from fbench.reports.render.html.build import build_report
from fbench.reports.render.latex.document import to_latex
from fbench.reports.render.markdown.document import to_markdown
from fbench.reports.render.plain.contents import plain_report
from fbench.reports.render.terminal.summary import print_summary
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")


def of_budget(folder: Path, budget: Budget) -> RunTable:
    run = fabricate_run(folder, Recipe(images=60, with_cost=False))
    run.folder.create(run.config.model_copy(update={"budget": budget}))
    return load_run(folder)


def texts(run: RunTable, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What each form of a report says."""
    findings = gather_findings([run])
    print_summary(findings)
    plain = plain_report(findings)
    return {
        "page": Page(build_report([run])).text,
        "terminal": capsys.readouterr().out,
        "markdown": to_markdown(plain),
        "latex": to_latex(plain),
    }


def test_passes_are_whole_batches_of_all_epochs(tmp_path: Path) -> None:
    """2,000 images are 15 batches of 128; the protocol's own budget has 60 epochs of them."""
    run = of_budget(tmp_path / "run", Budget(epochs=6))
    (data,) = run.config.data
    assert image_passes(run.config, data) == 6 * 15 * 128
    found = short_budget(run.config, data)
    assert found is not None
    assert (found.image_passes, found.own) == (11_520, 115_200)
    assert found.sentence == (
        "At this budget: a training sees 11,520 images where the protocol's own budget has 115,200; longer trainings "
        "may come out otherwise."
    )
    assert with_budget("Studies", found) == "Studies, at this budget"


@pytest.mark.parametrize("budget", [Budget(), Budget(epochs=70), Budget(image_passes=115_000, batch_size=64)])
def test_the_protocols_own_budget_and_longer_ones_are_not_short(tmp_path: Path, budget: Budget) -> None:
    run = of_budget(tmp_path / "run", budget)
    assert short_budget(run.config, run.config.data[0]) is None


def test_every_form_of_a_report_says_so_where_its_verdicts_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = texts(of_budget(tmp_path / "run", Budget(epochs=6)), capsys)
    for form, text in found.items():
        assert "at this budget" in text.lower(), form
    assert "Squeeze and excitation, at this budget\n" in found["terminal"]
    assert "At this budget: a training sees" in found["markdown"].partition("<details>")[0]
    assert "At this budget: a training sees" in found["latex"]


def test_nothing_is_said_of_the_protocols_own_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, text in texts(of_budget(tmp_path / "run", Budget()), capsys).items():
        outside_of_claims = text.split("Claims")[0]
        assert "at this budget" not in outside_of_claims.lower(), form

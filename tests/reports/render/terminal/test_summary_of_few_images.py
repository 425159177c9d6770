"""What a run prints at its end where neither network learned, or too few images say anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.reports.findings.gather import gather_findings
from fbench.reports.render.terminal.summary import print_summary
from tests.reports.fabricated_run import Recipe, fabricate_run


@pytest.mark.parametrize("seeds", [1, 3])
def test_two_collapsed_networks_on_seven_images_are_told_as_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seeds: int
) -> None:
    study = {"name": "one", "title": "One", "question": "?", "baseline": "ires", "levels": ("ires", "ires_relu")}
    recipe = Recipe(
        accuracy={"ires": 0.6, "ires_relu": 0.6},
        collapsed=("ires", "ires_relu"),
        equal_classes=True,
        images=7,
        seeds=range(seeds),
        studies=(study,),
        with_cost=False,
    )
    print_summary(gather_findings([fabricate_run(tmp_path / "run", recipe)]))
    printed = " ".join(capsys.readouterr().out.split())
    assert "ires_relu against ires is undecided: neither of the two learned" in printed
    assert "0 of 7 images differ, up to 35 % may; 1 point needs 299 images." in printed
    assert "equivalent" not in printed

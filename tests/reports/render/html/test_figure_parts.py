"""Parts of figures alone: one entry is all that a further figure needs beside its drawing."""

from __future__ import annotations

from html import unescape

import pytest

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.figures.drawing import illustrate
from fbench.reports.figures.single_seeds import single_seeds
from fbench.reports.render.html import figure_parts
from fbench.reports.render.html.build import build_report, gather_report
from fbench.reports.render.html.document import FigureGroup
from fbench.reports.render.html.figure_files import find_figures
from fbench.reports.render.html.figure_parts import PARTS, FigureInputs, Groups, PartEntry, Place
from tests.reports.fabricated_run import Recipe, fabricate_run

pytestmark = pytest.mark.usefixtures("unpainted")


def further(inputs: FigureInputs) -> Groups:
    networks = [row.trials for row in inputs.found.summary]
    figure = illustrate(f"{inputs.found.key}-further", "One more", single_seeds, networks, inputs.styles)
    return (FigureGroup("Of all networks", (figure,)),)


@pytest.mark.parametrize(("place", "before", "after"), [("accuracy", "seeds", "best"), ("learning", "learning", "")])
def test_a_further_entry_is_a_part_in_its_place_with_heading_reading_and_file(
    run: RunTable, monkeypatch: pytest.MonkeyPatch, place: Place, before: str, after: str
) -> None:
    entry = PartEntry(place, "further", "Further", "How to read: for {found.new_units}.", further)
    monkeypatch.setattr(figure_parts, "PARTS", (*PARTS, entry))
    html = build_report([run])
    (section,) = gather_report([run]).data_sections
    start = html.index(f'id="{section.key}-further"')
    assert html.index(f'id="{section.key}-{before}"') < start
    assert not after or start < html.index(f'id="{section.key}-{after}"')
    part = unescape(html[start:])
    assert part.index("Further") < part.index("for new images.") < part.index("Of all networks")
    assert part.index("Of all networks") < part.index("<figcaption>One more")
    assert f"{section.key}-further" in [found.illustration.key for found in find_figures(gather_report([run]))]


def test_a_part_without_figures_is_left_out(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = fabricate_run(tmp_path_factory.mktemp("one") / "run", Recipe(seeds=(0,), images=40))
    assert "Every seed" not in build_report([run])


def test_anchors_are_unique() -> None:
    assert len({entry.anchor for entry in PARTS}) == len(PARTS)

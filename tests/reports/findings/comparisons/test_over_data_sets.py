"""The comparisons of a run over several data sets, held against the statistics of what is said of each."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from fbench.reports.findings.comparisons.over_data_sets import DataSetsFindings, images_of, pooled_sentence
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.model import Findings
from fbench.reports.render.csv.tables import tidy_tables
from fbench.reports.render.html.build import build_report
from fbench.reports.render.markdown.document import to_markdown
from fbench.reports.render.plain.contents import plain_report
from fbench.reports.render.terminal.summary import print_summary
from fbench.statistics.many.data_sets import over_data_sets
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")

TWO = {"ires": 0.62, "ires_no_se": 0.40}
DATA = ("fer2013", "ck48", "imed")


def findings(folder: Path, **recipe: object) -> Findings:
    whole: dict[str, object] = {"accuracy": TWO, "seeds": range(5), "images": 200, "data": DATA}
    return gather_findings([fabricate_run(folder, Recipe(**(whole | recipe)))])  # type: ignore[arg-type] # of its fields


def pooled(found: Findings) -> DataSetsFindings:
    (one,) = found.over_data_sets.values()
    return one


def test_a_pair_is_pooled_over_what_is_said_of_it_on_each_data_set(folder: Path) -> None:
    found = findings(folder)
    (row,) = [one for one in pooled(found).rows if (one.network, one.baseline) == ("ires_no_se", "ires")]
    assert list(row.by_data) == list(DATA)
    of_each = [
        next(
            one
            for study in section.studies
            for one in study.result.comparisons
            if (one.network, one.baseline) == ("ires_no_se", "ires")
        )
        for section in found.data_sections
    ]
    assert list(row.by_data.values()) == of_each
    assert row.pooled == over_data_sets([one.difference.new_images for one in of_each])
    assert row.pooled.these.estimate == pytest.approx(sum(one.estimate for one in of_each) / 3)


def test_a_large_difference_is_real_on_these_and_the_sentence_says_both(folder: Path) -> None:
    (row,) = [one for one in pooled(findings(folder)).rows if (one.network, one.baseline) == ("ires_no_se", "ires")]
    assert row.on_these.verdict == "worse"
    assert row.these_interval[1] < 0
    assert row.new_interval[0] < row.these_interval[0]
    said = pooled_sentence(row)
    assert said.startswith(f"ires_no_se is {-100 * row.pooled.these.estimate:.1f} points worse than ires on these 3")
    assert ("and so in general" in said) == (row.on_new.verdict == "worse")


def test_other_labels_of_the_same_images_are_no_further_data_set(folder: Path) -> None:
    found = pooled(findings(folder, data=("fer2013", "ferplus", "ck48")))
    assert found.data == ("fer2013", "ck48")
    assert found.left_out == ("ferplus is left out, as its images are those of fer2013",)
    assert "one degree of freedom" in found.statement


@pytest.mark.parametrize("recipe", [{"data": ("fer2013",)}, {"data": ("fer2013", "ferplus")}, {"seeds": (0,)}])
def test_where_nothing_can_be_pooled_nothing_is_said(folder: Path, recipe: dict[str, object]) -> None:
    assert findings(folder, **recipe).over_data_sets == {}


def test_own_data_are_told_apart_by_their_names(folder: Path) -> None:
    data = findings(folder).data_sections[0].data
    own = [data.model_copy(update={"source": "arrays", "name": name, "label": name}) for name in ("a", "b")]
    assert [images_of(one) for one in own] == ["a", "b"]
    assert images_of(data.model_copy(update={"name": "ferplus"})) == "fer2013"
    assert images_of(data.model_copy(update={"name": "fer2013-removed", "source": "fer2013"})) == "fer2013"


def test_page_and_markdown_have_the_table(folder: Path, tmp_path: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=TWO, seeds=range(5), images=200, data=DATA))
    page = Page(build_report([run]))
    assert "Over all data sets" in page.text
    said = [f"{pooled_sentence(row)}." for row in pooled(gather_findings([run])).rows]
    assert all(sentence in page.text for sentence in said)
    assert "### Over all data sets" in to_markdown(plain_report(gather_findings([run])))


def test_the_terminal_says_it_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = findings(folder)
    print_summary(found)
    printed = capsys.readouterr().out
    assert "Over all data sets (fer2013, ck48 and imed):" in printed
    assert all(f"- {pooled_sentence(row)}." in printed for row in pooled(found).rows)


def test_the_table_for_programs_has_the_numbers(folder: Path) -> None:
    found = findings(folder)
    rows = list(csv.DictReader(io.StringIO(tidy_tables(found)["data_sets.csv"])))
    for cells, row in zip(rows, pooled(found).rows, strict=True):
        assert (cells["network"], cells["data"], cells["data_sets"]) == (row.network, " ".join(DATA), "3")
        ends = [float(cells[name]) for name in ("on_these_low", "on_these_high", "in_general_low", "in_general_high")]
        assert ends == pytest.approx([*row.these_interval, *row.new_interval], rel=1e-5)
        assert (cells["on_these_verdict"], cells["in_general_verdict"]) == (row.on_these.verdict, row.on_new.verdict)


def test_of_one_data_set_no_table_is_made(folder: Path) -> None:
    assert "data_sets.csv" not in tidy_tables(findings(folder, data=("fer2013",)))

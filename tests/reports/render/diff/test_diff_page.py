"""The page of two sides as a file: offline, deterministic, well formed, escaped, and true to the model."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fbench.benchmark.store.files import write_cost_file
from fbench.core.errors import UserError
from fbench.reports.findings.diff.choice import RULE
from fbench.reports.findings.diff.gather import gather_difference
from fbench.reports.findings.diff.model import Difference
from fbench.reports.findings.gate.conditions import parse_condition
from fbench.reports.findings.gate.judge import judge_gate
from fbench.reports.findings.gate.subjects import load_side, pairs
from fbench.reports.formatting import points
from fbench.reports.render.diff.page import check_page_name, render_difference, write_difference
from tests.reports.fabricated_cost import cost, series
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

SMALL = Recipe(images=120)


def gathered(base: Path | str, new: Path | str) -> Difference:
    return gather_difference(load_side(str(base)), load_side(str(new)))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Other seeds, budget and accuracy, a network more, and trials that failed or are missing."""
    place = tmp_path_factory.mktemp("diff")
    accuracy = {"ires": 0.97, "ires_no_se": 0.20, "ires_relu": 0.61, "arch1": 0.5}
    new = replace(
        SMALL, accuracy=accuracy, epochs=9, failed=(("ires_relu", 1),), missing=(("ires_relu", 2),), seeds=range(5)
    )
    fabricate_run(place / "base", SMALL)
    fabricate_run(place / "new", new)
    return place / "base", place / "new"


@pytest.fixture(scope="module")
def difference(folders: tuple[Path, Path]) -> Difference:
    return gathered(*folders)


@pytest.fixture(scope="module")
def diff_html(difference: Difference) -> str:
    return render_difference(difference)


@pytest.fixture(scope="module")
def diff_page(diff_html: str) -> Page:
    return Page(diff_html)


def test_nothing_is_requested_of_anyone(diff_html: str, diff_page: Page) -> None:
    (policy,) = [a["content"] for tag, a in diff_page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert not [tag for tag, _ in diff_page.elements if tag in ("link", "img", "iframe", "object", "embed")]
    assert [tag for tag, _ in diff_page.elements].count("script") == 1
    targets = [a[name] or "" for _, a in diff_page.elements for name in ("src", "href", "xlink:href") if name in a]
    assert all(target.startswith("#") for target in [*targets, *re.findall(r"url\((.*?)\)", diff_html)])
    ids = [a["id"] for _, a in diff_page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_the_page_is_the_same_twice_and_holds_no_path(diff_html: str, folders: tuple[Path, Path]) -> None:
    assert render_difference(gathered(*folders)) == diff_html
    assert str(folders[0].parent) not in diff_html


def test_headings_are_in_order_and_tables_have_captions_and_scopes(diff_page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in diff_page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(following <= level + 1 for level, following in itertools.pairwise(levels))
    assert all(table.caption for table in diff_page.tables)
    assert all("scope" in a for tag, a in diff_page.elements if tag == "th")
    figures = [a for tag, a in diff_page.elements if tag == "svg"]
    assert len(figures) == 1
    assert figures[0]["aria-label"]


def test_the_numbers_are_those_of_the_comparison(difference: Difference, diff_page: Page) -> None:
    table = diff_page.table("Top-1 on the test split of fer2013")
    for row in difference.accuracy[0].rows:
        cells = table.row(row.label)
        assert cells[4] == points(row.comparison.difference.new_images.estimate)
        assert row.comparison.verdict in cells[10]
    settings = diff_page.table("What differs")
    assert settings.row("epochs")[1:] == ["4", "9"]


def test_what_stands_on_one_side_alone_is_told(diff_page: Page) -> None:
    assert "Only in B: arch1." in diff_page.text
    assert "of 20 trials, 1 failed and 1 has not been run." in diff_page.text
    assert "Failed: ires_relu on fer2013, seed 1: the loss became NaN at step 17" in diff_page.text
    assert "Missing: ires_relu on fer2013, seed 2" in diff_page.text


def test_the_first_sentence_says_which_to_take_and_the_rule_stands_below(
    difference: Difference, diff_html: str, diff_page: Page
) -> None:
    first = re.search(r'<div class="answer">\s*<p class="take">(.*?)</p>', diff_html)
    assert first is not None
    assert Page(first[1]).text.strip() == difference.choice.sentence
    assert difference.choice.sentence.startswith("Neither A nor B is shown to be better in all: B is more accurate ")
    assert RULE in " ".join(diff_page.text.split())


def test_the_answer_says_what_changed_and_what_it_mixes(difference: Difference) -> None:
    sentences = [answer.sentence for answer in difference.answers]
    assert "differences mix the networks with the settings of training" in sentences[0]
    assert any(
        "ires in B is " in item and "points better than ires in A" in item for item in difference.answers[0].items
    )
    assert sentences[-1].startswith("The settings differ in preset and budget and seeds; ")


def test_accuracy_comes_first_after_the_side_to_take_and_settings_last(diff_page: Page) -> None:
    headings = [a["id"] for tag, a in diff_page.elements if tag == "h2"]
    assert headings == ["accuracy", "cost", "settings", "networks", "trials"]
    answer = diff_page.text.index("Accuracy on fer2013, B against A")
    assert diff_page.text.index("Neither A nor B") < answer < diff_page.text.index("The settings differ in")


def test_equal_runs_say_that_nothing_changed(tmp_path: Path) -> None:
    for name in ("base", "new"):
        fabricate_run(tmp_path / name, SMALL)
    found = gathered(tmp_path / "base", tmp_path / "new")
    assert [answer.sentence for answer in found.answers] == [
        "Accuracy on fer2013, B against A, at this budget, of 3 pairs of networks: 3 with the same answers.",
        "No cost changed by more than chance.",
        "Nothing in the settings differs.",
    ]
    Page(render_difference(found))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"quoted" \\name', "{{ 7 * 7 }}"])
def test_any_name_of_a_network_is_text(name: str, tmp_path: Path) -> None:
    study = {"name": "s", "title": name, "question": name, "baseline": "ires", "levels": ("ires", name)}
    recipe = replace(SMALL, accuracy={"ires": 0.6, name: 0.5}, studies=(study,), failed=((name, 1),))
    fabricate_run(tmp_path / "base", recipe)
    fabricate_run(tmp_path / "new", replace(recipe, seeds=range(4), epochs=9, failed=()))
    html = render_difference(gathered(tmp_path / "base", tmp_path / "new"))
    assert html.count("<script") == 1  # the page's own
    assert Page(html).table("Top-1 on").row(name)


def test_the_same_answers_leave_no_difference_to_draw(tmp_path: Path) -> None:
    for name in ("base", "new"):
        fabricate_run(tmp_path / name, SMALL)
    page = Page(render_difference(gathered(tmp_path / "base", tmp_path / "new")))
    assert [tag for tag, _ in page.elements if tag == "svg"] == []


def test_many_pairs_fold_their_costs(tmp_path: Path) -> None:
    networks = {f"ires_{k}": 0.6 for k in range(7)}
    study = {"name": "s", "title": "s", "question": "?", "baseline": "ires_0", "levels": tuple(networks)}
    for name, seeds in (("base", 3), ("new", 4)):
        fabricate_run(tmp_path / name, replace(SMALL, accuracy=networks, studies=(study,), seeds=range(seeds)))
    page = Page(render_difference(gathered(tmp_path / "base", tmp_path / "new")))
    assert len([tag for tag, _ in page.elements if tag == "details"]) == 1 + 7  # the contents, and the costs
    assert page.table("Cost of B beside A: ires_3").row("trainable parameters")[1:3] == ["0.0 %", "exact"]


def test_conditions_stand_with_their_verdicts(tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    write_cost_file(file, cost(series("ires", 1.0), series("arch1", 1.10, seed=1)))
    sides = load_side(f"{file}:ires"), load_side(f"{file}:arch1")
    gate = judge_gate(pairs(*sides), [parse_condition("latency_p50:+5%"), parse_condition("latency_p50:+10%")])
    found = gather_difference(*sides, gate=gate)
    page = Page(render_difference(found))
    rows = page.table("How much worse B (NEW) may be").rows[1:]
    assert [(cells[1], cells[4].split()[-1]) for cells in rows] == [
        ("latency_p50:+5%", "failed"),
        ("latency_p50:+10%", "undecided"),
    ]
    assert "A and B are measurements of speed, which says nothing of accuracy." in page.text


def test_sides_of_one_name_are_called_by_their_whole_paths(tmp_path: Path) -> None:
    for place in ("a", "b"):
        fabricate_run(tmp_path / place / "run", SMALL)
    found = gathered(tmp_path / "a" / "run", tmp_path / "b" / "run")
    assert found.title == f"{tmp_path / 'a' / 'run'} against {tmp_path / 'b' / 'run'}"
    assert gathered(f"{tmp_path / 'a' / 'run'}:ires", f"{tmp_path / 'a' / 'run'}:ires_relu").title == (
        "ires against ires_relu"
    )


def test_sides_that_share_nothing_measured_are_refused(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "base", replace(SMALL, data=("fer2013",), with_cost=False, missing=_all(SMALL)))
    fabricate_run(tmp_path / "new", replace(SMALL, data=("ck48",), with_cost=False, missing=_all(SMALL)))
    with pytest.raises(UserError, match="have nothing in common that can be compared"):
        gathered(tmp_path / "base", tmp_path / "new")


def _all(recipe: Recipe) -> list[tuple[str, int]]:
    return [(network, seed) for network in recipe.accuracy for seed in recipe.seeds]


def test_the_name_of_the_file_and_a_place_that_cannot_be_written_are_told(
    difference: Difference, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"is no HTML file; give a name that ends in \.html"):
        check_page_name(Path("diff.pdf"))
    with pytest.raises(UserError, match="cannot be written"):
        write_difference(difference, tmp_path)
    assert write_difference(difference, tmp_path / "new" / "page.html").is_file()

"""The page as a file: offline, deterministic, well formed, escaped, and readable by machines that read aloud."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.errors import UserError
from fbench.reports.findings.origin.run_names import run_names
from fbench.reports.render.html.build import build_report, write_report
from fbench.reports.render.html.document import Theme
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page


def test_nothing_is_requested(html: str, page: Page) -> None:
    policy = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert policy[0] is not None
    assert policy[0].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-")
    assert not [tag for tag, _ in page.elements if tag in ("link", "img", "iframe", "object", "embed")]
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.S)
    assert len(scripts) == len([tag for tag, _ in page.elements if tag == "script"]) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy[0]
    targets = [a[name] or "" for _, a in page.elements for name in ("src", "href", "xlink:href") if name in a]
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert all(target.startswith("#") for target in re.findall(r"url\((.*?)\)", html))
    assert "@import" not in html


@pytest.mark.slow
def test_same_run_gives_same_bytes_in_another_process_without_torch(run: RunTable, html: str) -> None:
    code = (
        "import hashlib, sys; from fbench.benchmark.store.run_table import load_run;"
        "from fbench.reports.render.html.build import *;"
        "from fbench.reports.render.csv import runs;"
        f"text = build_report([load_run({str(run.folder.path)!r})]);"
        "print(hashlib.sha256(text.encode()).hexdigest(), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [hashlib.sha256(html.encode()).hexdigest(), "False"]


def test_ids_are_unique_and_every_reference_has_its_target(html: str, page: Page) -> None:
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = re.findall(r'(?:href="#|url\(#)([^")]+)', html)
    assert set(targets) <= set(ids)


def test_headings_are_in_order(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(following <= level + 1 for level, following in itertools.pairwise(levels))


def test_figures_say_what_they_show_and_tables_have_captions_and_scopes(page: Page) -> None:
    figures = [a for tag, a in page.elements if tag == "svg" and a.get("class") != "spark"]
    by_network = 3 + 2  # accuracy against each cost, and every seed, once more for a telephone
    pointed = by_network + 2  # the ablations too, of which there are two, once more for a telephone
    others = 4 + 2 + 3 + 2 + 1 + 1  # learning, recalls, confusion and changes, training time, batches
    assert [a["role"] for a in figures].count("group") == pointed
    assert [a["role"] for a in figures].count("img") == others
    assert len([a for tag, a in page.elements if a.get("class") == "spark"]) == 3
    assert all(a["aria-label"] for tag, a in page.elements if tag == "svg")
    spots = [a for _, a in page.elements if a.get("class") == "spot"]
    assert len(spots) == by_network * 3 + 2 * 2
    assert all(a["tabindex"] == "0" and re.search("top-1|points", a["aria-label"] or "") for a in spots)
    assert all(table.caption for table in page.tables)
    assert all("scope" in a for tag, a in page.elements if tag == "th")


ODD_NAMES = (
    "<script>alert(1)</script>",
    "شبكة التعرف على المشاعر",
    "long_" * 40,
    "$x_1$ & {{ 7 * 7 }}",
    '"quoted" \\name',
)


def test_any_name_is_text(folder: Path) -> None:
    """Of networks, studies, classes and the page, all on one page."""
    studies = tuple(
        {
            "name": f"s{number}",
            "title": name,
            "question": name,
            "note": name,
            "baseline": "ires",
            "levels": ("ires", name),
        }
        for number, name in enumerate(ODD_NAMES)
    )
    recipe = Recipe(
        accuracy={"ires": 0.6, **dict.fromkeys(ODD_NAMES, 0.5)},
        seeds=(0, 1),
        images=60,
        classes=("<b>happy</b>", "$sad_1$", *ODD_NAMES),
        studies=studies,
        failed=[(name, 1) for name in ODD_NAMES],
    )
    html = build_report([fabricate_run(folder, recipe)], title=" ".join(ODD_NAMES))
    assert html.count("<script") == 1  # the page's own
    assert "<b>happy" not in html
    page = Page(html)
    for name in ODD_NAMES:
        assert page.table("Quality").row(name)
        assert f"{name}: " in page.text
        assert page.table("5 of 12 trials failed").row(name)[2] == "1"


@pytest.mark.usefixtures("unpainted")
def test_reason_of_a_failure_is_text(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(seeds=(0,), images=40, failed=(("ires_relu", 0),)))
    ((planned, record),) = run.failed()
    file = run.folder.trial_folder(planned.trial_id) / "record.json"
    changed = record.model_copy(update={"failure_reason": "<img src=x onerror=alert(1)>"})
    file.write_text(changed.model_dump_json(), encoding="utf-8")
    html = build_report([load_run(folder)])
    assert "<img" not in html
    assert "<img src=x onerror=alert(1)>" in Page(html).text


@pytest.mark.slow
def test_two_runs_and_two_data_sets_share_a_page(tmp_path: Path) -> None:
    small = Recipe(seeds=(0, 1), images=40)
    first = fabricate_run(tmp_path / "a", small)
    second = fabricate_run(
        tmp_path / "b", Recipe(accuracy={"ires": 0.5, "arch1": 0.6}, seeds=(0,), images=50, data=("fer2013", "ck48"))
    )
    html = build_report([first, second])
    page = Page(html)
    assert len([t for t in page.tables if t.caption.startswith("Quality")]) == 3
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(following <= level + 1 for level, following in itertools.pairwise(levels))


@pytest.mark.usefixtures("unpainted")
def test_many_classes_leave_the_matrices_out(folder: Path) -> None:
    recipe = Recipe(seeds=(0,), images=200, classes=[f"class {k}" for k in range(40)], accuracy={"ires": 0.5})
    page = Page(build_report([fabricate_run(folder, recipe)]))
    assert "Of 40 classes, those of the lowest and of the highest recall" in page.text
    assert len(page.table("Recall by class").row("ires")) == 21
    assert not [a for _, a in page.elements if (a.get("aria-label") or "").startswith("Confusion")]


@pytest.mark.usefixtures("unpainted")
def test_two_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    small = Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=40)
    runs = [fabricate_run(tmp_path / name, small) for name in ("monday", "tuesday")]
    text = Page(build_report(runs)).text
    assert "fer2013 in example (monday)" in text
    assert "How to repeat it of example (tuesday)" in text
    assert run_names([runs[0], runs[0]]) == ("example (monday) [1]", "example (monday) [2]")
    assert run_names(runs[:1]) == ("example",)


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_the_theme_is_the_one_asked_for(run: RunTable, theme: Theme) -> None:
    html = build_report([run], theme=theme)
    assert f'<html lang="en" data-theme="{theme}">' in html


@pytest.mark.usefixtures("unpainted")
def test_only_a_page_that_follows_a_run_opens_itself_again(run: RunTable, html: str) -> None:
    assert 'http-equiv="refresh"' not in html
    assert '<meta http-equiv="refresh" content="7">' in build_report([run], refresh_s=7)


def test_the_contents_lead_to_every_part_in_the_order_of_the_page(html: str) -> None:
    headings = re.findall(r'<h2 id="([^"]+)"', html)
    links = re.findall(r'<li class="level2"><a href="#([^"]+)"', html)
    assert links == headings
    assert [key.rpartition("-")[2] for key in headings][:6] == [
        "trust",
        "pareto",
        "summary",
        "studies",
        "claims",
        "seeds",
    ]
    assert headings[-2:] == ["statistics", "run1-provenance"]


def test_no_run_is_refused() -> None:
    with pytest.raises(UserError, match="No run was given"):
        build_report([])


def test_damaged_predictions_are_named(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(seeds=(0,), images=40))
    trial = run.plan[0].trial_id
    (run.folder.trial_folder(trial) / "predictions.npz").write_bytes(b"not a zip file")
    with pytest.raises(UserError, match=trial):
        build_report([run])


@pytest.mark.usefixtures("unpainted")
def test_writing_makes_the_folder_and_names_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=40))
    path = write_report([run.folder.path], tmp_path / "new" / "page.html", title="Mine")
    assert "<title>Mine</title>" in path.read_text(encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        write_report([run.folder.path], tmp_path)


def test_a_record_that_contradicts_its_predictions_is_named(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(seeds=(0,), images=40))
    file = run.folder.trial_folder(run.plan[0].trial_id) / "record.json"
    text = file.read_text(encoding="utf-8")
    record = json.loads(text)
    record["test"]["top1"] += 0.1
    file.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(UserError, match=r"record\.json records top-1 .* and the predictions beside it have"):
        build_report([load_run(folder)])


def test_another_schema_version_is_refused_by_name(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(seeds=(0,), images=40))
    file = run.folder.trial_folder(run.plan[1].trial_id) / "record.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema_version": 99}), encoding="utf-8")
    with pytest.raises(UserError, match=f"{run.plan[1].trial_id}.*has schema version 99 and this fbench reads 1"):
        load_run(folder)


def test_a_network_of_a_thousand_classes_has_a_page_of_usual_size(folder: Path) -> None:
    recipe = Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=1000, classes=[f"class {k}" for k in range(1000)])
    html = build_report([fabricate_run(folder, recipe)])
    assert len(html) < 2_000_000
    assert "Of 1,000 classes, those of the lowest and of the highest recall" in Page(html).text

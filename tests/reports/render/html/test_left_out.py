"""Trouble with one network or one figure is a line of the report; an ordinary report leaves nothing out."""

from __future__ import annotations

import html as html_text
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from face_maps import made_up_maps
from matplotlib.figure import Figure
from unpainted import leave_unpainted

from fbench.benchmark.maps.face_maps import FaceMaps
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.errors import UserError
from fbench.reports.figures.drawing import Drawing, Illustration, bytes_of, illustrate, svg_of
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.left_out import LeftOut, Omissions, attempt
from fbench.reports.render.csv.runs import summary_rows
from fbench.reports.render.html.build import build_report, gather_report
from fbench.reports.render.html.figure_files import find_figures, write_figures
from fbench.reports.render.html.html import draw, render
from fbench.reports.render.latex.document import to_latex
from fbench.reports.render.markdown.document import to_markdown
from fbench.reports.render.plain.contents import plain_report
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page


def raise_that(error: Exception) -> Callable[[], None]:
    def make() -> None:
        raise error

    return make


def lines_of(run: RunTable) -> list[str]:
    """What is left out, which a page and Markdown both say."""
    report = gather_report([run])
    lines = [one.sentence for section in report.data_sections for one in section.left_out]
    with pytest.MonkeyPatch.context() as patch:
        leave_unpainted(patch)
        page, words = Page(render(report)), plain_report(report)
    assert all(line in page.text for line in lines)
    paragraphs = [text for section in words.sections for text in (*section.paragraphs, *section.cautions)]
    assert [text for text in paragraphs if text.startswith("Left out")] == lines
    assert to_markdown(words).count("Left out") == len(lines)
    assert to_latex(words).count("Left out") == len(lines)
    return lines


def test_an_ordinary_report_leaves_nothing_out(run: RunTable, html: str) -> None:
    report = gather_report([run])
    assert [section.left_out for section in report.data_sections] == [()]
    assert [found.illustration.title for found in find_figures(report) if found.illustration.drawing.left_out] == []
    assert "Left out" not in Page(html).text


def test_what_raises_is_noted_with_its_reason_and_without_private_paths(tmp_path: Path) -> None:
    omissions = Omissions(tmp_path)
    assert omissions.attempt("a drawing", lambda: 3) == 3
    assert omissions.attempt("a map of a", raise_that(ValueError("two\nlines"))) is None
    assert omissions.attempt("b", raise_that(UserError(f"{tmp_path}/x.json is damaged; restore it."))) is None
    omissions.note("a map of a", "ValueError: two lines")
    assert [one.sentence for one in omissions.found] == [
        "Left out: a map of a: ValueError: two lines.",
        "Left out: b: x.json is damaged; restore it.",
    ]
    with pytest.raises(KeyError):
        attempt(None, "c", raise_that(KeyError("k")))
    with pytest.raises(KeyboardInterrupt):
        omissions.attempt("d", lambda: (_ for _ in ()).throw(KeyboardInterrupt()))


def fail(figure: Figure) -> None:
    raise ZeroDivisionError("no width")


def test_a_figure_that_cannot_be_made_or_painted_is_a_line_in_its_place(tmp_path: Path) -> None:
    def make(name: str) -> Drawing:
        raise ValueError(f"{name} <b>")

    unmade, unpainted = illustrate("k1", "One", make, "a"), Illustration("k2", "Two", Drawing(2, 1, "alt", fail))
    assert svg_of(unmade) == LeftOut("One", "ValueError: a <b>")
    assert bytes_of(unpainted, "png") == LeftOut("Two", "ZeroDivisionError: no width")
    assert draw(unmade, {}) == '<p class="caution">Left out: One: ValueError: a &lt;b&gt;.</p>'
    assert draw(unpainted, {}) == '<p class="caution">Left out: Two: ZeroDivisionError: no width.</p>'


@pytest.mark.usefixtures("unpainted")
def test_a_figure_that_is_left_out_has_no_file_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(images=60, seeds=(0,)))
    monkeypatch.setattr("fbench.reports.render.html.class_figures.confusion_heatmap", raise_that(ValueError("no")))
    report = gather_report([run])
    (tmp_path / "files").mkdir()
    stale = tmp_path / "files" / "run1-data1-confusion1.svg"
    stale.write_text("of another run", encoding="utf-8")
    told: list[str] = []
    index = write_figures(report, tmp_path / "files", ("svg",), told.append)
    assert len([line for line in told if "Left out: Confusion matrix of " in line]) == 3
    assert not stale.exists()
    assert "confusion1.svg" not in index.read_text(encoding="utf-8")
    page = build_report([run])
    assert page.count("Left out: Confusion matrix of ") == 3
    assert "Top-1, %, over epochs; 1 seed" in page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def test_a_trial_without_predictions_is_left_out_and_the_others_stand(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(images=60, seeds=(0, 1)))
    trial = next(row.trial_id for row in run.plan if (row.network, row.seed) == ("ires_relu", 1))
    (run.folder.trial_folder(trial) / "predictions.npz").unlink()
    assert lines_of(run) == [
        f"Left out: seed 1 of ires_relu on fer2013: there is no trials/{trial}/predictions.npz; restore it, or delete "
        "its folder and run again."
    ]
    report = gather_report([run])
    (section,) = report.data_sections
    assert {row.network: row.seeds for row in section.summary} == {"ires": 2, "ires_no_se": 2, "ires_relu": 1}
    assert {row["network"]: row["seeds"] for row in summary_rows(report)} == {
        "ires": 2,
        "ires_no_se": 2,
        "ires_relu": 1,
    }
    with pytest.raises(UserError, match=f"{trial}.* cannot be read"):
        gather(run, run.config.data[0])


def test_a_network_without_any_predictions_is_left_out(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(images=60, seeds=(0, 1)))
    for row in run.plan:
        if row.network == "ires":
            (run.folder.trial_folder(row.trial_id) / "predictions.npz").unlink()
    assert len(lines_of(run)) == 2
    (section,) = gather_report([run]).data_sections
    assert [row.network for row in section.summary] == ["ires_no_se", "ires_relu"]


def test_a_trial_without_a_history_loses_its_learning_curve(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(images=60, seeds=(0, 1)))
    for row in run.plan:
        if row.network == "ires":
            (run.folder.trial_folder(row.trial_id) / "history.csv").unlink()
    lines = lines_of(run)
    assert [line.split(":")[1].strip() for line in lines] == [
        "the learning curve of ires, seed 0",
        "the learning curve of ires, seed 1",
    ]
    assert all("history.csv" in line for line in lines)
    (section,) = gather_report([run]).data_sections
    assert len(section.summary) == 3


@pytest.mark.parametrize("lost", ["records", "history", "predictions", "cost"])
def test_a_run_of_one_network_that_lacks_something_has_a_report(folder: Path, lost: str) -> None:
    recipe = Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=40, with_cost=lost != "cost")
    run = fabricate_run(folder, recipe)
    name = {"records": "record.json", "history": "history.csv", "predictions": "predictions.npz"}.get(lost, "none")
    for file in folder.glob(f"trials/*/{name}"):
        file.unlink()
    again = load_run(folder)
    assert len(lines_of(again)) == (lost in ("history", "predictions"))
    written = write_figures(gather_report([again]), folder / "figures", ("svg",))
    assert written.exists()
    assert run.networks == ("ires",)


def with_maps(folder: Path, maps: FaceMaps) -> RunTable:
    run = fabricate_run(folder, Recipe(images=60, seeds=(0,), accuracy={"ires": 0.6, "ires_relu": 0.5}))
    run.folder.write_maps(run.plan[0].trial_id, maps)
    run.folder.write_maps(run.plan[1].trial_id, made_up_maps())
    return run


def titles_of_maps(run: RunTable) -> list[str]:
    figures = [found.illustration for found in find_figures(gather_report([run]))]
    return [one.title.split(":")[0] for one in figures if one.title.startswith(("Grad-CAM", "Feature"))]


def test_maps_that_are_not_there_are_a_line(folder: Path) -> None:
    run = with_maps(folder, made_up_maps(grad_cam=None, cam_layer="", left_out=(("Grad-CAM", "it folds images"),)))
    assert lines_of(run) == ["Left out: Grad-CAM of ires: it folds images."]
    assert titles_of_maps(run) == ["Grad-CAM of ires_relu", "Feature maps of ires", "Feature maps of ires_relu"]


def test_heat_of_another_number_of_images_is_not_laid_over_them(folder: Path) -> None:
    """As runs of an earlier version keep it, of layers that work on parts of images as a larger batch."""
    run = with_maps(folder, made_up_maps(grad_cam=np.zeros((8, 6, 6), np.uint8)))
    assert lines_of(run) == ["Left out: Grad-CAM of ires: layer last: it gives 8 sets of maps for 2 images."]
    assert titles_of_maps(run) == ["Grad-CAM of ires_relu", "Feature maps of ires", "Feature maps of ires_relu"]


def test_damaged_maps_and_maps_that_could_not_be_made_are_lines(folder: Path) -> None:
    run = with_maps(folder, made_up_maps())
    first, second = (run.folder.trial_folder(row.trial_id) / "maps.npz" for row in run.plan)
    first.write_bytes(b"not a zip file")
    second.unlink()
    run.folder.write_maps_left_out(run.plan[1].trial_id, "RuntimeError: of the network's\nown code")
    lines = lines_of(run)
    assert lines[0].startswith(f"Left out: maps of ires: trials/{run.plan[0].trial_id}/maps.npz cannot be read")
    assert lines[1] == "Left out: maps of ires_relu: RuntimeError: of the network's own code."
    assert titles_of_maps(run) == []
    run.folder.write_maps(run.plan[1].trial_id, made_up_maps())
    assert len(lines_of(run)) == 1


def without_class(run: RunTable, absent: int) -> None:
    """Take a class out of what the trials of a run were tested on."""
    for record in run.trials.values():
        file = run.folder.trial_folder(record.trial_id) / "predictions.npz"
        with np.load(file) as archive:
            found = dict(archive)
        kept = found["test_labels"] != absent
        found |= {name: values[kept] for name, values in found.items() if name.startswith("test_")}
        np.savez(file, **found)
        _record(run, record, float((found["test_predicted"] == found["test_labels"]).mean()), int(kept.sum()))


def _record(run: RunTable, record: TrialRecord, top1: float, images: int) -> None:
    assert record.test is not None
    measures = record.test.model_copy(update={"top1": top1, "images": images})
    text = record.model_copy(update={"test": measures}).model_dump_json()
    (run.folder.trial_folder(record.trial_id) / "record.json").write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_a_class_that_is_absent_from_the_split_has_dashes(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(images=80, seeds=(0, 1)))
    without_class(run, 1)
    again = load_run(folder)
    assert lines_of(again) == []
    (section,) = gather_report([again]).data_sections
    assert section.confusion is not None
    assert section.confusion_changes is not None
    for figure in section.confusion.figures:
        assert figure.drawing.alt.endswith(" There are no images of disgust.")
        svg = svg_of(figure)
        assert isinstance(svg, str)
        assert svg.count(">–</text>") == 7
    relu = section.confusion_changes.figures[section.confusion_changes.names.index("ires_relu minus ires")]
    matrices = {
        name: found.confusion.sum(axis=0) for name, found in gather(again, again.config.data[0]).networks.items()
    }
    present = [place for place in range(7) if place != 1]
    recalls = {name: (np.diag(found) / np.maximum(found.sum(axis=1), 1))[present] for name, found in matrices.items()}
    change = recalls["ires_relu"] - recalls["ires"]
    names = [again.config.data[0].class_names[place] for place in present]
    assert change.min() < 0 < change.max()
    assert f"falls most for {names[int(change.argmin())]} (" in relu.drawing.alt
    assert f"rises most for {names[int(change.argmax())]} (" in relu.drawing.alt
    page = html_text.unescape(build_report([again]))
    assert "Left out" not in page

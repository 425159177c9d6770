"""Figures as files: all of them, listed, and with equal bytes however often they are written."""

from __future__ import annotations

import csv
import html as html_text
import io
import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest

from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.render.html.build import build_report, gather_report
from fbench.reports.render.html.figure_files import find_figures, write_figures
from tests.reports.fabricated_run import Recipe, fabricate_run


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    """With one study, and so with as few figures as have every kind."""
    recipe = Recipe(images=60, synthetic=True)
    return fabricate_run(tmp_path_factory.mktemp("figures") / "run", replace(recipe, studies=recipe.studies[:1]))


@pytest.fixture(scope="module")
def written(one: RunTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_figures(gather_report([one]), tmp_path_factory.mktemp("written") / "new").parent


@pytest.mark.slow
@pytest.mark.usefixtures("unpainted")
def test_every_figure_of_the_page_is_a_file(one: RunTable, written: Path) -> None:
    html = build_report([one]).replace("\N{NO-BREAK SPACE}", " ")
    titles = re.findall(r"<figcaption>(.*?)</figcaption>", html)
    rows = read_index(written)
    assert [row["title"] for row in rows if row["file"].endswith(".svg")] == titles
    of_data = [title for title in titles if not title.startswith("Inference by batch size")]
    assert all("(synthetic data)" in title for title in of_data)
    assert {row["file"] for row in rows} | {"index.csv"} == {file.name for file in written.iterdir()}
    assert {Path(row["file"]).suffix for row in rows} == {".svg", ".pdf", ".png"}
    assert len(rows) == 3 * len(find_figures(gather_report([one])))
    one_each = re.sub(r'(?s)<div class="when-narrow".*?</svg>', "", html)  # the same once more, for a telephone
    shown = [
        html_text.unescape(text) for text in re.findall(r'<svg (?!class="spark")[^>]*aria-label="(.*?)"', one_each)
    ]
    assert [row["shows"] for row in rows if row["file"].endswith(".svg")] == shown


def test_figures_of_two_runs_have_names_of_their_own(one: RunTable) -> None:
    keys = [found.illustration.key for found in find_figures(gather_report([one, one]))]
    assert len(keys) == 2 * len(find_figures(gather_report([one])))
    assert len(set(keys)) == len(keys)


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(one: RunTable, written: Path, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from fbench.benchmark.store.run_table import load_run;"
        "from fbench.reports.render.html.build import gather_report;"
        "from fbench.reports.render.html.figure_files import write_figures;"
        f"write_figures(gather_report([load_run(Path({str(one.folder.path)!r}))]), Path({str(tmp_path)!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
    write_figures(gather_report([one]), tmp_path / "again", ("svg", "pdf"))
    for file in written.iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name
        if file.suffix in {".svg", ".pdf"}:
            assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes(), file.name


@pytest.mark.slow
def test_no_file_holds_a_date(written: Path) -> None:
    for file in written.glob("*.pdf"):
        content = file.read_bytes()
        assert not re.search(rb"/(Creation|Mod)Date", content), file.name
    for file in written.glob("*.svg"):
        assert "<dc:date>" not in file.read_text(encoding="utf-8"), file.name
    for file in written.glob("*.png"):
        assert not {b"tIME", b"tEXt", b"iTXt"} & set(_chunks(file.read_bytes())), file.name


@pytest.mark.slow
def test_paper_is_white(written: Path) -> None:
    for file in written.glob("*.png"):
        image = mpl.image.imread(file)
        assert np.all(image[[0, 0, -1, -1], [0, -1, 0, -1]] == 1.0), file.name
    for file in written.glob("*.svg"):
        assert "fill: #ffffff" in file.read_text(encoding="utf-8"), file.name


def test_only_the_formats_asked_for_and_no_file_of_others(one: RunTable, tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_text("precious", encoding="utf-8")
    write_figures(gather_report([one]), tmp_path, ("svg", "svg"))
    suffixes = sorted({file.suffix for file in tmp_path.iterdir()})
    assert suffixes == [".csv", ".png", ".svg"]
    assert (tmp_path / "mine.png").read_text(encoding="utf-8") == "precious"
    rows = read_index(tmp_path)
    assert len({row["file"] for row in rows}) == len(rows)


def test_a_folder_that_is_a_file_is_told(one: RunTable, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be written to .*file .*another folder with --figures"):
        write_figures(gather_report([one]), tmp_path / "file")


def read_index(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "index.csv").read_text(encoding="utf-8"))))


def _chunks(content: bytes) -> list[bytes]:
    """The kinds of the chunks of a PNG."""
    place, kinds = 8, []
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        kinds.append(content[place + 4 : place + 8])
        place += size + 12
    return kinds

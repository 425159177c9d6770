"""Settings of Sphinx; ``scripts/docs`` builds the pages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
# Examples write beside themselves what they train, so a copy of them runs.
EXAMPLES = HERE / "_build" / "examples"
shutil.copytree(HERE.parent / "examples", EXAMPLES, dirs_exist_ok=True, ignore=shutil.ignore_patterns("own_package"))

project = "fbench"
author = "The fbench developers"
project_copyright = author
html_title = "fbench"
html_theme = "furo"
templates_path: list[str] = []
exclude_patterns = ["_build", "_ext"]
extensions = [
    "fbench_pages",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]

smartquotes = False  # it makes one dash of the two of an option
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# Names of other packages lead nowhere without their own indexes, which only a network has.
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|npt|pandas|pd|torch|nn|matplotlib|pathlib|collections|typing)(\..*)?"),
    ("py:class", r"(types\.ModuleType|OneOrMany|Path|Place|Precision|RunListener|Suite)"),
    ("py:exc", r"(UserError|UnfinishedRunError)"),
    ("py:.*", r"fbench\.(ablations|api|architectures|benchmark|cli|core|reports|statistics)\..*"),
]

sphinx_gallery_conf = {
    "examples_dirs": [str(EXAMPLES)],
    "gallery_dirs": ["examples"],
    "filename_pattern": r".*\.py",
    "ignore_pattern": r"tiny\.py",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "abort_on_example_error": True,
    "copyfile_regex": r".*\.rst",
}

"""Networks that are defined in cells: what their identity is, and that a cell which is run again replaces them."""

from __future__ import annotations

import itertools
import linecache
from dataclasses import dataclass
from typing import Any

import pytest

from fbench.architectures.registry import list_architectures, resolve
from fbench.architectures.session_code import is_of_session, session_identity
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")
BODY = "from torch import nn\nclass Body(nn.Identity):\n    def forward(self, x):\n        return {then}\n"
BUILDER = """import fbench
@fbench.register("of_a_cell", aliases=["cell_alias"])
def build(num_classes=7, in_channels=1, image_size=48):
    return Body()
"""


class Notebook:
    """Runs cells as a notebook does; ``keeps_text`` is whether Python can look their texts up."""

    _number = itertools.count(1)

    def __init__(self, *, keeps_text: bool = True) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self._keeps_text = keeps_text

    def run(self, text: str) -> None:
        name = f"<cell {next(self._number)}>"  # a name of its own: no text of another notebook is found under it
        if self._keeps_text:
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), self.names)  # noqa: S102 - as a notebook does


@pytest.mark.parametrize("keeps_text", [True, False])
def test_the_identity_is_that_of_all_cells_that_the_network_is_made_of(keeps_text: bool) -> None:
    ids = []
    for then, unused in [("x", "1"), ("x", "2"), ("2 * x", "1")]:
        notebook = Notebook(keeps_text=keeps_text)
        notebook.run(f"unused = {unused}")
        notebook.run(BODY.format(then=then))
        notebook.run(BUILDER)
        ids.append(session_identity(notebook.names["build"]))
    assert ids[0] == ids[1] != ids[2]


def test_what_a_cell_imports_belongs_to_it(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ids = []
    for number in (1, 2):
        (tmp_path / "side_blocks.py").write_text(f"x = {number}")
        notebook = Notebook()
        notebook.run("def build():\n    import side_blocks")
        ids.append(session_identity(notebook.names["build"]))
    assert ids[0] != ids[1]


def test_a_cell_that_is_run_again_replaces_its_network() -> None:
    notebook = Notebook()
    notebook.run(BODY.format(then="x"))
    notebook.run(BUILDER)
    first = resolve("of_a_cell").source
    notebook.run(BUILDER.replace("=48", "=32"))
    again = resolve("cell_alias")
    assert again.options["image_size"] == 32
    assert again.source != first
    notebook.run('fbench.register_variant("cell_variant", of="of_a_cell", image_size=40)')
    notebook.run('fbench.register_variant("cell_variant", of="of_a_cell", image_size=44)')
    assert resolve("cell_variant").options["image_size"] == 44
    assert list_architectures("of_a_*") == ["of_a_cell"]


def test_a_cell_replaces_no_network_of_fbench_and_a_file_none_at_all() -> None:
    notebook = Notebook()
    with pytest.raises(UserError, match="'ires' is taken"):
        notebook.run(BUILDER.replace("of_a_cell", "ires"))
    assert not is_of_session(test_a_cell_that_is_run_again_replaces_its_network)
    assert is_of_session(compiled_at_a_prompt())


def compiled_at_a_prompt() -> Any:
    names: dict[str, Any] = {}
    exec(compile("def build(): pass", "<stdin>", "exec"), names)  # noqa: S102 - as a prompt does
    return names["build"]


@dataclass(eq=False)
class OfAFile:
    """A class with methods that Python made of it, in no file."""

    width: int = 3


def test_methods_that_python_makes_are_no_sign_of_a_session_and_every_builder_has_an_identity() -> None:
    class Written(OfAFile):
        def forward(self) -> None: ...

    assert not is_of_session(dataclass(eq=False)(Written))
    assert session_identity(is_of_session) != session_identity(resolve)

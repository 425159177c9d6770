"""The suites that come with fbench, and suites in a user's own TOML file."""

from __future__ import annotations

from pathlib import Path

from fbench.ablations.suite import Suite
from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import parse, read_toml

FOLDER = Path(__file__).parent / "suites"


def list_suites() -> tuple[str, ...]:
    """Return the names of the suites that come with fbench, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_suite(name_or_path: str | Path) -> Suite:
    """Load a suite by the name of one that comes with fbench, or from a TOML file.

    A text is a path when it ends in ``.toml`` or has a folder in it. One without ``name`` gets its file's.

    Raises:
        UserError: an unknown name, a missing file, or a file that is not a suite.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and len(path.parts) == 1:
        path = FOLDER / f"{_known_suite(str(name_or_path))}.toml"
    values = {"name": path.stem} | read_toml(path)
    return parse(Suite, values, str(name_or_path))


def _known_suite(name: str) -> str:
    suites = list_suites()
    if name in suites:
        return name
    raise UserError(
        f"There is no suite '{name}'.{did_you_mean(name, suites)} Give one of {', '.join(suites)}, "
        "or the path of a .toml file."
    )

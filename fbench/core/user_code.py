"""Where in a user's own code something happened, in words."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
_FBENCH = Path(__file__).parent.parent
_NETWORKS = _FBENCH / "architectures" / "networks"
_GENERATED = ("<frozen", "<eval_with_key>")


def location_of_error(error: BaseException) -> str:
    """The innermost line of an error's traceback that is neither Python's, PyTorch's nor fbench's own, with the
    function that it is in; empty where there is none."""
    location, at = "", error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if is_users(code.co_filename):
            location = _location(code, at.tb_lineno)
        at = at.tb_next
    return location


def location_of_function(function: Callable[..., Any]) -> str:
    """Where a function is defined; empty for one that is not the user's, or not written in Python."""
    code = getattr(function, "__code__", None)
    return _location(code, code.co_firstlineno) if code is not None and is_users(code.co_filename) else ""


def is_users(file_name: str) -> bool:
    """Whether code of this file, as Python names it, is a network's: of a user, of a notebook, or fbench's own.

    What PyTorch generates and what is frozen into Python has names in angle brackets, as a notebook's cells have.
    """
    file = Path(file_name)
    if file.is_relative_to(_NETWORKS):
        return True
    if file.is_relative_to(_FBENCH) or file_name.startswith(_GENERATED):
        return False
    packages = {"site-packages", "dist-packages"} & set(file.parts)
    return "torch" not in file.parts if packages else not file.is_relative_to(_LIBRARY)


def _location(code: CodeType, line: int) -> str:
    name = code.co_qualname.replace(".<locals>", "")
    return f"{name}, {line_of_file(code.co_filename, line)}"


def line_of_file(file_name: str, line: int | str) -> str:
    """A line of a file in words, without the folder."""
    return f"{Path(file_name).name}, line {line}"

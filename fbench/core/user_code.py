"""Where in a user's own code something happened, in words."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
_FBENCH = Path(__file__).parent.parent
_NETWORKS = Path(__file__).parent / "networks"


def place_of_error(error: BaseException) -> str:
    """The innermost line of an error's traceback that is neither Python's, PyTorch's nor fbench's own, with the
    function that it is in; empty where there is none."""
    place, at = "", error.__traceback__
    while at is not None:
        if _is_users(at.tb_frame.f_code):
            place = _place(at.tb_frame.f_code, at.tb_lineno)
        at = at.tb_next
    return place


def place_of_function(function: Callable[..., Any]) -> str:
    """Where a function is defined; empty for one that is not the user's, or not written in Python."""
    code = getattr(function, "__code__", None)
    return _place(code, code.co_firstlineno) if code is not None and _is_users(code) else ""


def _is_users(code: CodeType) -> bool:
    file = Path(code.co_filename)
    if file.is_relative_to(_NETWORKS):
        return True
    if file.is_relative_to(_FBENCH) or code.co_filename.startswith("<frozen"):
        return False
    packages = {"site-packages", "dist-packages"} & set(file.parts)
    return "torch" not in file.parts if packages else not file.is_relative_to(_LIBRARY)


def _place(code: CodeType, line: int) -> str:
    name = code.co_qualname.replace(".<locals>", "")
    return f"{name}, {Path(code.co_filename).name}, line {line}"

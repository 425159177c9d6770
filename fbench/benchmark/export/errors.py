"""What goes wrong with exported networks, and the packages that some formats need."""

from __future__ import annotations

import importlib
from typing import Final

from fbench.core.errors import UserError

EXTRA: Final = "fbench[onnx]"


class ExportError(UserError):
    """A network that a format cannot hold, or a file that is no export of fbench."""


class ExportMismatch(ExportError):  # noqa: N818 - what it is, in one word
    """An exported network that does not compute what the original computes."""


def require_packages(*packages: str) -> None:
    """Hold that packages of the extra can be imported.

    Raises:
        UserError: one is missing; the extra is named.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise UserError(
                f"{package} cannot be imported ({error}), and ONNX needs it; install it with pip install '{EXTRA}'."
            ) from error


def first_cause(error: BaseException) -> str:
    """The first line of what lies at the bottom of a chain of exceptions, with its type."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__

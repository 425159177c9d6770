"""Which operations PyTorch has no deterministic algorithm for, as it warns of them while a network trains."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_WARNING: Final = re.compile(
    r"(?P<operation>.+?) (does not have a deterministic implementation|defaults to a non-deterministic algorithm)"
    r"|.*this operation is not deterministic because it uses (?P<library>\w+)",
    re.DOTALL,
)
"""What ``torch.use_deterministic_algorithms(True, warn_only=True)`` makes PyTorch say (aten/src/ATen/Context.cpp)."""


def operation_in(warning: str) -> str | None:
    """The operation that a warning of PyTorch says to be not deterministic; none where it warns of something else."""
    found = _WARNING.match(warning)
    return None if found is None else found["operation"] or found["library"]


@contextmanager
def nondeterministic_operations(found: dict[str, None] | None = None) -> Iterator[dict[str, None]]:
    """The operations, as the keys, that PyTorch warns of within the block, in the order in which they came; they are
    added to those in ``found`` where it is given.

    Warnings are shown as they were before.
    """
    found = {} if found is None else found
    with warnings.catch_warnings():  # also lets a warning be shown again that was shown before the block
        show = warnings.showwarning

        def note(message: Warning | str, *arguments: Any, **named: Any) -> None:
            operation = operation_in(str(message))
            if operation is not None:
                found[operation] = None
            show(message, *arguments, **named)

        warnings.showwarning = note
        yield found

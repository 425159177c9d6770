"""Command lines as a person types them, run in this process."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from fbench.cli.app import main


@dataclass(frozen=True)
class Typed:
    """What a command line gave."""

    code: int
    out: str
    err: str


def typed(*arguments: str, cwd: Path) -> Typed:
    """Run a command line in this process, in another folder."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["fbench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    return Typed(int(ended.value.code or 0), out.getvalue(), err.getvalue())

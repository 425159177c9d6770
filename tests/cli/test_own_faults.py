"""What no user caused: exit code 70, one sentence, and the traceback in a file."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from fbench.cli import app
from fbench.cli.duration import seconds_of
from fbench.core.errors import UserError


@pytest.mark.parametrize(("error", "code"), [(KeyError("lost"), 70), (SystemExit(0), 70), (KeyboardInterrupt(), 130)])
def test_an_exit_code_tells_whose_fault_it_was(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(app, "app", fail)
    monkeypatch.setattr(sys, "argv", ["fbench", "list"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == code
    said = capsys.readouterr().err
    if code == 70:
        assert said.startswith(f"fbench: fbench itself failed ({type(error).__name__}")
        file = re.search(r"the traceback is in (\S+),", said)
        assert file is not None
        assert "in fail" in Path(file[1]).read_text(encoding="utf-8")
        Path(file[1]).unlink()


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("20m", 1200), ("1.5h", 5400), ("2 min", 120)])
def test_durations_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text, "--trial-timeout") == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "5 days", "h"])
def test_what_is_no_duration_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"--trial-timeout .* was given; give a duration such as"):
        seconds_of(text, "--trial-timeout")

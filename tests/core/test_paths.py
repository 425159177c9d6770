"""Paths as a user names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.core.errors import UserError
from fbench.core.paths import expanded


def test_a_home_folder_is_filled_in_and_that_of_nobody_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expanded("~/runs/x") == Path("/home/me/runs/x")
    with pytest.raises(UserError, match="home folder in ~nobody9/x is not known"):
        expanded("~nobody9/x")

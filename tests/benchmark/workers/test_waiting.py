"""Who is waited for long is named, once, and no longer than a user lets a trial take."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fbench.benchmark.workers import waiting
from fbench.benchmark.workers.asking import QUESTION_LIMIT_S, users_networks
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.questions import question
from fbench.benchmark.workers.supervisor import Outcome, Supervisor
from fbench.benchmark.workers.waiting import limited, outcomes_said
from fbench.core.errors import UserError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
HANGS = """
import os, signal
import fbench

@fbench.register("rests", description="stops its own process")
def build(num_classes=7, in_channels=1, image_size=48):
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    found = Supervisor(1, tmp_path / "logs")
    yield found
    found.end()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == waiting.__name__]


def name_of(task: Task) -> str:
    return f"the network '{task.name}'"


def test_who_answers_soon_is_not_named(supervisor: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    tasks = [Task("quick", "odd_tasks:double", {"number": 2}, limit_s=60)]
    with caplog.at_level(logging.WARNING):
        assert [one.value for one in outcomes_said(supervisor, tasks, name_of)] == [4]
    assert said(caplog) == []


def test_who_does_not_answer_is_named_once_with_the_limit(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    tasks = [
        Task("endless", "odd_tasks:count", {"file": str(tmp_path / "lines")}, limit_s=2.0),
        Task("quick", "odd_tasks:double", {"number": 2}, limit_s=60),
    ]
    with caplog.at_level(logging.WARNING):
        found: dict[str, Outcome] = {
            one.task.name: one for one in outcomes_said(supervisor, tasks, name_of, said_after_s=0.3)
        }
    assert found["quick"].value == 4
    assert found["endless"].failure is not None
    (sentence,) = said(caplog)
    assert sentence.startswith("Waiting for the network 'endless', which has not answered for 0 s")
    assert sentence.endswith("it is given up after 2 s.")


def test_a_network_that_stops_its_process_is_named_and_given_up_after_the_limit_of_a_trial(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SAID_AFTER_S", 0.5)
    monkeypatch.setattr(waiting, "SHORTEST_LIMIT_S", 1.0)
    monkeypatch.setattr(outcomes_said, "__defaults__", (*(outcomes_said.__defaults__ or ())[:-1], 0.5))
    file = tmp_path / "rests.py"
    file.write_text(HANGS)
    asked = question(described, "rests")
    with (
        caplog.at_level(logging.WARNING),
        users_networks([file], trial_timeout_s=3.0) as users,
        pytest.raises(UserError, match=r"The network 'rests' .*rests.py\) cannot be used: .*its limit of 3 s"),
    ):
        users.ask_network("rests", asked)
    (sentence,) = said(caplog)
    assert sentence.startswith(f"Waiting for the network 'rests' ({file})")


def described(_: object, name: str) -> str:
    """Build a network."""
    from fbench.architectures.registry import create

    return str(create(name))


@pytest.mark.parametrize(
    ("limit_s", "trial_timeout_s", "wanted"),
    [(QUESTION_LIMIT_S, None, 180.0), (180.0, 60.0, 60.0), (180.0, 5.0, 30.0), (180.0, 3600.0, 180.0)],
)
def test_the_limit_is_the_shorter_one_but_imports_have_time(
    limit_s: float, trial_timeout_s: float | None, wanted: float
) -> None:
    assert limited(limit_s, trial_timeout_s) == wanted

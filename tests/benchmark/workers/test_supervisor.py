"""Tasks in worker processes: what one does to itself, no other notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from fbench.benchmark.workers import process
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.supervisor import Outcome, Supervisor

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def task(function: str, name: str = "", code: str | None = None, limit_s: float | None = None, **given: Any) -> Task:
    return Task(name or function, f"odd_tasks:{function}", given, code, limit_s)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(1, tmp_path / "logs")
    yield supervisor
    supervisor.end()


def outcomes(supervisor: Supervisor, *tasks: Task) -> dict[str, Outcome]:
    return {outcome.task.name: outcome for outcome in supervisor.run(tasks)}


def test_every_task_has_one_outcome_and_what_it_tells_is_heard_before(tmp_path: Path) -> None:
    told: list[tuple[str, object]] = []
    supervisor, ended = Supervisor(2, tmp_path), list[str]()
    for outcome in supervisor.run(
        [task("double", str(number), number=number) for number in range(6)],
        lambda one, value: told.append((one.name, value)),
    ):
        assert (outcome.task.name, {"half": int(outcome.task.name) / 2}) in told
        assert outcome.value == 2 * int(outcome.task.name)
        ended.append(outcome.task.name)
    supervisor.end()
    assert sorted(ended) == [str(number) for number in range(6)]


@pytest.mark.parametrize(
    ("function", "given", "reason"),
    [
        ("die", {"number": int(signal.SIGKILL)}, "was killed (SIGKILL), which the system does when memory runs out"),
        ("die", {"number": int(signal.SIGSEGV)}, "crashed in native code (SIGSEGV)"),
        ("leave", {"status": 0}, "ended with exit code 0"),
        ("start_another", {}, "was killed (SIGKILL)"),
        ("talk_nonsense", {}, "said what is no message"),
    ],
)
def test_a_death_is_the_end_of_one_task(
    one: Supervisor, function: str, given: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if function == "talk_nonsense":
        monkeypatch.setattr(process, "_LAST_WORDS_S", 0.1)  # it goes on, so this is waited for
    found = outcomes(one, task("double", "before", number=1), task(function, **given), task("double", number=2))
    assert {name for name, outcome in found.items() if outcome.failure} == {function}
    failure = found[function].failure
    assert failure is not None
    assert reason in failure.reason
    assert failure.kind == "died"


def test_a_worker_that_dies_as_it_is_handed_a_task_loses_none(tmp_path: Path) -> None:
    supervisor = Supervisor(1, tmp_path)
    supervisor.start(1)
    os.kill(supervisor._workers[0].pid, signal.SIGKILL)  # before it has begun anything
    found = outcomes(supervisor, *(task("double", str(number), number=number) for number in range(3)))
    supervisor.end()
    assert {name: outcome.value for name, outcome in found.items()} == {"0": 0, "1": 2, "2": 4}


def test_where_no_process_begins_anything_each_task_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_START", "import sys; sys.exit(3)")
    supervisor = Supervisor(1, tmp_path)
    found = outcomes(supervisor, task("double", "a", number=1), task("double", "b", number=1))
    supervisor.end()
    reasons = {name: outcome.failure.reason for name, outcome in found.items() if outcome.failure}
    assert set(reasons) == {"a", "b"}
    assert all("ended with exit code 3" in reason for reason in reasons.values())


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("long", "ValueError: xxx"),
        ("brackets", "ValueError: [bold] [/] {"),
        ("surrogate", r"ValueError: a\udcc9b"),
        ("unspeakable", "UnspeakableError: (its message cannot be had: RuntimeError)"),
    ],
)
def test_what_is_raised_is_a_failure_with_reason_traceback_and_log(one: Supervisor, message: str, reason: str) -> None:
    failure = outcomes(one, task("fail", message=message))["fail"].failure
    assert failure is not None
    assert failure.reason.startswith(reason)
    assert len(failure.reason) <= 2000
    assert "in fail" in failure.details
    assert "said before" in failure.details
    assert len(failure.details) < 50_000
    failure.details.encode()


def test_an_endless_loop_ends_with_its_limit_and_an_exit_of_python_with_a_failure(one: Supervisor) -> None:
    found = outcomes(one, task("hang", limit_s=0.5), task("python_exit"), task("double", number=1))
    hang, python_exit = found["hang"].failure, found["python_exit"].failure
    assert hang is not None
    assert (hang.kind, hang.reason) == ("time", "it was not done within its limit of 0 s")
    assert python_exit is not None
    assert python_exit.reason == "SystemExit: 0"
    assert found["double"].value == 2


def test_what_code_leaves_behind_never_reaches_other_code(one: Supervisor, tmp_path: Path) -> None:
    found = outcomes(
        one,
        task("process", "own"),
        task("process", "own again"),
        task("patch", code="a"),
        task("look", "other", code="b"),
        task("look", "same", code="a"),
        task("look", "own last"),
    )
    values = {name: outcome.value for name, outcome in found.items()}
    assert values["own"] == values["own again"] == values["patch"]  # what ran fbench's own code alone may run any
    assert values["same"]["pid"] == values["patch"]
    assert values["same"]["patched"]
    for name in ("other", "own last"):
        assert not values[name]["patched"]
        assert not values[name]["environment"]
        assert values[name]["folder"] == str(Path.cwd())
    assert values["other"]["pid"] != values["own last"]["pid"]


def test_a_process_that_ran_a_users_code_ends_with_its_tasks_or_is_kept_for_more_of_it(tmp_path: Path) -> None:
    for keeps_used in (False, True):
        supervisor = Supervisor(1, tmp_path, keeps_used=keeps_used)
        first, second = (outcomes(supervisor, task("process", code="a"))["process"].value for _ in range(2))
        other = outcomes(supervisor, task("process", code="b"))["process"].value
        supervisor.end()
        assert (first == second) == keeps_used
        assert other != second


def test_a_process_with_a_thread_that_a_task_left_is_replaced(one: Supervisor) -> None:
    found = outcomes(one, task("spin", "first", code="a"), task("spin", "second", code="a"))
    assert found["first"].value != found["second"].value
    assert not psutil.pid_exists(found["first"].value) or psutil.Process(found["first"].value).status() == "zombie"


def test_tasks_are_stopped_where_they_can_be_gone_on_with(tmp_path: Path) -> None:
    supervisor, told = Supervisor(2, tmp_path / "logs"), list[object]()
    files = [tmp_path / name for name in ("a", "b")]
    tasks = [task("until_stopped", file.name, file=str(file)) for file in files]

    def stop_soon(one: Task, value: object) -> None:
        told.append(value)

    running = supervisor.run([*tasks, task("double", number=1)], stop_soon)
    supervisor.start(2)

    def stop() -> None:
        while not all(file.exists() for file in files):
            time.sleep(0.01)
        supervisor.ask_to_stop()

    threading.Thread(target=stop, daemon=True).start()
    assert list(running) == []
    assert told == ["kept", "kept"]
    assert supervisor._workers == []


PARENT = """
import signal, sys, threading, time
from pathlib import Path
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)  # whoever started the tests may have had them ignored
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.supervisor import Supervisor
supervisor = Supervisor(1, Path(sys.argv[1]))
supervisor.start(1)
print(supervisor._workers[0].pid, flush=True)
for _ in supervisor.run([Task("hang", "odd_tasks:hang")]):
    pass
"""


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        *(pytest.param(other, marks=pytest.mark.slow) for other in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)),
    ],
)
def test_workers_end_with_their_parent_whatever_ended_it(number: signal.Signals, tmp_path: Path) -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}\n{PARENT}"
    parent = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(number)
    parent.wait(20)
    worker.wait(20)
    assert parent.stdout.read() == ""  # nobody holds the pipe any more
    parent.stdout.close()


def test_a_signal_to_the_group_is_for_the_parent_alone(one: Supervisor) -> None:
    ready = outcomes(one, task("process"))["process"]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        os.kill(ready.value, number)
    assert outcomes(one, task("process"))["process"].value == ready.value


def children_of(number: int) -> list[int]:
    return [child.pid for child in psutil.Process(number).children()]


def numbers_in(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def are_gone(numbers: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while left := [one for one in numbers if psutil.pid_exists(one) and psutil.Process(one).status() != "zombie"]:
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(left)} of {len(numbers)} processes are there still")
        time.sleep(0.02)
    return True


def test_copies_that_a_task_makes_of_its_process_say_nothing_and_end(one: Supervisor, tmp_path: Path) -> None:
    told: list[object] = []
    (outcome,) = one.run([task("fork", file=str(tmp_path / "pids"), rest_s=0.3)], lambda _, value: told.append(value))
    numbers = numbers_in(tmp_path / "pids")
    assert len(set(numbers)) == 4
    assert told == ["stepped"]
    assert outcome.value in {one._workers[0].pid, *children_of(one._workers[0].pid)}  # on Linux a keeper's child
    assert are_gone([number for number in numbers if number != outcome.value])
    assert outcomes(one, task("double", number=2))["double"].value == 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere copies end when they would speak")
def test_copies_end_with_a_worker_that_is_over_its_time(one: Supervisor, tmp_path: Path) -> None:
    found = outcomes(one, task("fork", file=str(tmp_path / "pids"), rest_s=600.0, limit_s=1.0))["fork"]
    assert found.failure is not None
    assert found.failure.kind == "time"
    assert are_gone(numbers_in(tmp_path / "pids"))


def test_another_process_is_started_when_there_is_room_for_it(tmp_path: Path) -> None:
    """It begins with one, and grows; of those that have only just begun, the memory is counted as taken."""
    asked: list[int] = []

    def room(beginning: int) -> bool:
        asked.append(beginning)
        return len(asked) > 3

    supervisor = Supervisor(4, tmp_path, room=room)
    supervisor.start(4)
    assert len(supervisor._workers) == 1
    assert asked == [1, 1, 1]
    found = outcomes(supervisor, *(task("double", str(number), number=number) for number in range(8)))
    assert sorted(int(one.value) for one in found.values()) == [2 * number for number in range(8)]
    assert supervisor._started == 4
    supervisor.end()


def test_processes_have_what_is_added_to_their_environment(tmp_path: Path) -> None:
    supervisor = Supervisor(1, tmp_path, environment={"OMP_NUM_THREADS": "3"})
    (found,) = supervisor.run([task("environment", of="OMP_NUM_THREADS")])
    supervisor.end()
    assert found.value == "3"


def test_a_process_that_cannot_get_ready_says_why(tmp_path: Path) -> None:
    supervisor = Supervisor(1, tmp_path / "logs", Task("get ready", "no_such_module:anything"))
    found = outcomes(supervisor, task("double", "one", number=1))["one"].failure
    supervisor.end()
    assert found is not None
    assert found.kind == "died"
    assert found.reason.startswith("its worker process could not get ready: ModuleNotFoundError")


@pytest.mark.parametrize(("rest_s", "number"), [(600.0, 0), (1.5, 0), (1.5, int(signal.SIGSEGV))])
def test_programs_that_a_users_code_started_end_with_its_worker_however_that_ends(
    one: Supervisor, tmp_path: Path, rest_s: float, number: int
) -> None:
    file = tmp_path / "pids"
    given = {"file": str(file), "rest_s": rest_s, "number": number}
    found = outcomes(one, task("start_program", code="users", limit_s=3.0, **given))["start_program"]
    assert (found.failure is None) == (rest_s < 3 and not number)
    numbers = numbers_in(file)
    assert len(numbers) == 2
    assert are_gone(numbers)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes end with their group")
def test_a_signal_that_a_task_sends_to_its_group_meets_no_other(one: Supervisor, tmp_path: Path) -> None:
    two = Supervisor(2, tmp_path / "logs")
    found = outcomes(
        two, task("signal_group", number=signal.SIGKILL, code="a"), task("signal_group", "term", number=signal.SIGTERM)
    )
    two.end()
    assert found["term"].failure is None
    failure = found["signal_group"].failure
    assert failure is not None
    assert "was killed (SIGKILL)" in failure.reason


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when it looks for its parent")
def test_programs_of_a_task_end_when_the_parent_of_its_worker_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    wanted = f'Task("hang", "odd_tasks:start_program", {{"file": {str(file)!r}, "rest_s": 600.0}}, code="users")'
    code = f"import sys; sys.path[:0] = {sys.path!r}\n{PARENT}".replace('Task("hang", "odd_tasks:hang")', wanted)
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE) as parent:
        deadline = time.monotonic() + 30
        while len(numbers_in(file)) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        parent.kill()
    assert len(numbers_in(file)) == 2
    assert are_gone(numbers_in(file))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker has no keeper")
def test_a_worker_rests_while_it_is_told_to(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    supervisor = Supervisor(1, tmp_path / "logs")
    running = supervisor.steps([task("count", file=str(file))])
    while not numbers_in(file):
        next(running)
    keeper, worker = supervisor._workers[0].pid, psutil.Process(numbers_in(file)[0])
    for number, is_stopped in ((signal.SIGTSTP, True), (signal.SIGCONT, False), (signal.SIGTSTP, True)):
        os.kill(keeper, number)
        deadline = time.monotonic() + 10
        while (worker.status() == psutil.STATUS_STOPPED) != is_stopped:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    supervisor.end()
    assert are_gone([worker.pid])
    running.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker has no keeper")
@pytest.mark.parametrize("stopped", ["keeper", "worker"])
def test_rest_is_none_of_the_working_time_of_a_worker(one: Supervisor, stopped: str) -> None:
    told: list[dict[str, float]] = []
    running = one.steps([task("tell_rest")], lambda _, value: told.append(value))
    while not told:
        next(running)
    worker = psutil.Process(int(told[0]["pid"]))
    pid, number = (one._workers[0].pid, signal.SIGTSTP) if stopped == "keeper" else (worker.pid, signal.SIGSTOP)
    os.kill(pid, number)
    while worker.status() != psutil.STATUS_STOPPED:
        time.sleep(0.001)
    time.sleep(1.0)
    os.kill(pid, signal.SIGCONT)
    while told[-1]["rest_s"] == 0:
        next(running)
    one.end()
    running.close()
    clock_s = [one["clock_s"] for one in told]
    assert clock_s == sorted(clock_s)  # it never runs back
    assert max(later - earlier for earlier, later in pairwise(clock_s)) < 1.0
    assert told[0]["rest_s"] == 0
    assert told[-1]["rest_s"] >= 0.9  # its keeper learns of it a moment later


def test_time_in_which_nobody_looked_is_none_that_a_task_has_taken(
    one: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fbench.benchmark.workers.supervisor._LONGEST_AWAY_S", 1.0)
    file = tmp_path / "pids"
    running = one.steps([task("count", file=str(file), limit_s=2.0)])
    while not numbers_in(file):
        next(running)
    for _ in range(3):
        time.sleep(1.1)
        assert next(running) is None
    found = next(outcome for outcome in running if outcome is not None)
    assert found.failure is not None
    assert found.failure.kind == "time"
    running.close()


def test_a_task_that_stops_without_being_asked_is_a_failure(one: Supervisor) -> None:
    found = outcomes(one, task("stop_unasked"), task("double", number=2))
    assert found["double"].value == 4
    failure = found["stop_unasked"].failure
    assert failure is not None
    assert failure.reason == "it ended as if it had been asked to stop"

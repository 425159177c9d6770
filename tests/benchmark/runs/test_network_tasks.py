"""What a run asks of users' networks: one that dies is left out, and the others are measured."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support import data_spec_of, make_stripes, network_spec_of, trial_spec_of

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostPlan, CostSpec
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.runs import network_tasks
from fbench.benchmark.runs.network_tasks import NetworkTasks, NoMapsError, _network_in
from fbench.benchmark.runs.stopping import Stopping
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.note import writing_note
from fbench.benchmark.workers.supervisor import Failure, Hear, Outcome

CPU = torch.device("cpu")
NUMERICS = choose_numerics("cpu")
STRIPES = make_stripes()
OWN = network_spec_of("lenet5", STRIPES)
DIED = Failure("died", "its worker process crashed in native code (SIGSEGV)")


NOTHING = object()


def of_user(name: str) -> NetworkSpec:
    return OWN.model_copy(update={"name": name, "source_sha256": name, "plugin_file": "mine.py", "digest": name})


class Answers:
    """In the place of worker processes: tells and answers what the test says, task by task."""

    def __init__(self, *answers: tuple[Sequence[object], Any]) -> None:
        self._answers, self.tasks = list(answers), list[Task]()
        self._stops = False

    def ask_to_stop(self) -> None:
        self._stops = True

    def waited_for(self) -> list[tuple[Task, float]]:
        return []

    def steps(
        self, tasks: Sequence[Task], hear: Hear = lambda task, value: None
    ) -> Generator[Outcome | None, None, None]:
        for task in tasks:
            yield None
            self.tasks.append(task)
            told, answer = self._answers.pop(0)
            for value in told:
                hear(task, value)
            if answer is NOTHING and self._stops:
                continue
            failed = isinstance(answer, Failure)
            yield Outcome(task, None if failed else answer, answer if failed else None)


def asking(answers: Answers, folder: Path) -> NetworkTasks:
    tasks = NetworkTasks(folder)
    tasks._supervisor = answers  # type: ignore[assignment] # it has what is called
    return tasks


def test_the_network_that_ended_the_measurement_is_left_out_and_the_rest_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = SimpleNamespace(failures={"b": DIED.reason})
    monkeypatch.setattr(CostRecord, "model_validate", lambda values: record)
    spec = CostSpec(networks=(OWN, of_user("a"), of_user("b")), numerics=NUMERICS, plan=CostPlan())
    answers = Answers((["counting a", "warming up b, train, batch 64, eager"], DIED), ([], {}))
    told: list[str] = []
    roofline: Any = SimpleNamespace(model_dump=lambda mode: {})
    assert asking(answers, tmp_path).measure_cost(spec, CPU, 1, told.append, roofline) is record
    assert told == ["counting a", "warming up b, train, batch 64, eager"]
    assert [task.arguments["left_out"] for task in answers.tasks] == [{}, {"b": DIED.reason}]
    answers = Answers((["timing, block 1 of 12"], DIED))
    assert asking(answers, tmp_path).measure_cost(spec, CPU, 1, told.append, roofline) == DIED


@pytest.mark.parametrize("answer", [NOTHING, Failure("raised", "KeyboardInterrupt"), {}])
def test_a_measurement_that_is_asked_to_stop_gives_what_was_timed_or_is_interrupted(
    answer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, stopping = SimpleNamespace(interrupted=True), Stopping()
    monkeypatch.setattr(CostRecord, "model_validate", lambda values: record)
    spec = CostSpec(networks=(of_user("a"),), numerics=NUMERICS, plan=CostPlan())
    roofline: Any = SimpleNamespace(model_dump=lambda mode: {})
    tasks = asking(Answers((["timing, block 1 of 12"], answer)), tmp_path)

    def measured() -> object:
        return tasks.measure_cost(spec, CPU, 1, lambda what: stopping.ask(), roofline, stopping)

    if answer == {}:
        assert measured() is record
    else:
        with pytest.raises(KeyboardInterrupt):
            measured()


def test_a_network_that_ends_the_measurement_while_all_are_timed_in_turn_is_left_out_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Answers):
        def steps(
            self, tasks: Sequence[Task], hear: Hear = lambda task, value: None
        ) -> Generator[Outcome | None, None, None]:
            if not tasks[0].arguments["left_out"]:
                with writing_note(Path(str(tasks[0].arguments["note"]))) as write:
                    write("a network with a longer name than b")
                    write("b")
            return super().steps(tasks, hear)

    record = SimpleNamespace(failures={"b": DIED.reason})
    monkeypatch.setattr(CostRecord, "model_validate", lambda values: record)
    spec = CostSpec(networks=(OWN, of_user("a"), of_user("b")), numerics=NUMERICS, plan=CostPlan())
    answers = Dying((["timing, block 3 of 12"], DIED), ([], {}))
    roofline: Any = SimpleNamespace(model_dump=lambda mode: {})
    assert asking(answers, tmp_path).measure_cost(spec, CPU, 1, lambda what: None, roofline) is record
    assert [task.arguments["left_out"] for task in answers.tasks] == [{}, {"b": DIED.reason}]


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("counting a", "a"),
        ("peak memory of a, b", "a, b"),
        ("warming up a, b, train, batch 64, eager", "a, b"),
        ("energy of a", "a"),
        ("timing, block 1 of 12", None),
    ],
)
def test_what_a_measurement_told_last_names_its_network(what: str, name: str | None) -> None:
    assert _network_in(what, ["a, b", "a"]) == name


def test_a_network_that_dies_or_answers_nonsense_is_estimated_at_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fbench.benchmark.cost.estimate.estimate_trials_s", lambda specs, device: {})
    specs = [
        trial_spec_of(STRIPES, "lenet5", seed=seed).model_copy(update={"network": of_user(name)})
        for name in ("a", "b", "c")
        for seed in (0, 1)
    ]
    answers = Answers(([], 2.5), ([], DIED), ([], "long"))
    found = asking(answers, tmp_path).estimate_trials_s(specs, CPU)
    assert [found[spec.trial_id] for spec in specs] == [2.5, 2.5, 0.0, 0.0, 0.0, 0.0]
    assert [task.limit_s for task in answers.tasks] == [network_tasks._ESTIMATE_LIMIT_S] * 3


def test_maps_of_a_network_that_dies_are_left_out_with_the_reason(tmp_path: Path) -> None:
    spec = trial_spec_of(STRIPES, "lenet5").model_copy(update={"network": of_user("a")})
    with pytest.raises(NoMapsError, match="SIGSEGV"):
        asking(Answers(([], DIED)), tmp_path).add_maps(RunFolder(tmp_path), spec)


def test_a_program_that_kills_its_process_is_one_that_fails(tmp_path: Path) -> None:
    answers = Answers(([], None), ([], "RuntimeError: no kernel\nand more"), ([], DIED))
    networks = [of_user(name) for name in ("a", "b", "c")]
    spec = trial_spec_of(STRIPES, "lenet5")
    found = asking(answers, tmp_path).failing_programs(networks, spec.protocol, 24, NUMERICS, CPU)
    assert found == {"b": "RuntimeError: no kernel", "c": DIED.reason}


def test_data_are_read_where_they_lie_by_a_worker_too() -> None:
    """The path of the data is no part of a specification in JSON, and travels beside it."""
    from fbench.benchmark.runs.executors import WorkerContext
    from fbench.benchmark.runs.training_task import readying_task, training_task

    data = data_spec_of(STRIPES).model_copy(update={"path": "/faces"})
    spec = trial_spec_of(STRIPES, "lenet5").model_copy(update={"data": data})
    assert training_task(spec, WorkerContext(Path("scratch")), 3.0).arguments["data_path"] == "/faces"
    assert readying_task(data).arguments["data_path"] == "/faces"

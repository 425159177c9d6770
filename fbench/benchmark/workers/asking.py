"""Users' networks are asked in a worker process, with a time limit; fbench's own, and this session's, answer here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from fbench.architectures.listing import Listing, list_here
from fbench.architectures.registry import is_announced, is_at_hand, is_registered
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.questions import AnswerT, Question, Subject, Tell, answer, get_ready, question
from fbench.benchmark.workers.supervisor import Failure, Supervisor
from fbench.benchmark.workers.waiting import limited, outcomes_said
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.benchmark.records.specs import NetworkSpec

QUESTION_LIMIT_S: Final = 180.0
"""How long a question may take from one thing that it tells to the next; the slowest of fbench's networks is built, run
and counted in seconds."""
WORK_LIMIT_S: Final = 900.0
"""The same for what a trained network does, or is timed at: a file of it is written and checked within a minute."""


class UsersNetworks:
    """Asks networks. One worker process, started when it is needed, answers all questions that run users' code; where
    that dies, hangs or fails, the next question starts another.

    Args:
        plugins: the files that register networks.
        scratch: a folder for logs and files.
        limit_s: the seconds that a question may take from one thing that it tells to the next.
        hear: is told what questions tell.
    """

    def __init__(self, plugins: Sequence[Path], scratch: Path, limit_s: float, hear: Tell = lambda what: None) -> None:
        self.scratch = scratch
        self._plugins, self._limit_s, self._hear = [str(plugin) for plugin in plugins], limit_s, hear
        first = Task("get ready", f"{get_ready.__module__}:{get_ready.__name__}")
        self._supervisor = Supervisor(1, scratch / "workers", first, grace_s=0.0, keeps_used=True)

    def end(self) -> None:
        """End the process."""
        self._supervisor.end()

    def listing(self) -> Listing:
        """The networks of fbench, of this session, of installed packages and of the plug-ins.

        Raises:
            UserError: a plug-in that cannot be loaded.
        """
        here = list_here()
        return self.ask(question(list_there)) | here if self._plugins else here

    def ask(self, asked: Question[AnswerT]) -> AnswerT:
        """Ask what may run code of any plug-in or package.

        Raises:
            UserError: what the question or a plug-in raises, or that its process ended or hung.
        """
        return self._elsewhere(asked, None)

    def ask_network(self, name: str, asked: Question[AnswerT]) -> AnswerT:
        """Ask what runs the code of one registered network.

        Raises:
            UserError: as :meth:`ask`.
        """
        if is_at_hand(name) or not (self._plugins or is_announced(name)):
            return asked.answer_here(self._hear)
        return self._elsewhere(asked, Subject(name, name))

    def ask_trained(self, network: NetworkSpec, asked: Question[AnswerT]) -> AnswerT:
        """Ask what runs the code of a trial's network. The question itself sees to code that only the record names, as
        :func:`fbench.benchmark.training.foreign_code.require_code` does.

        Raises:
            UserError: as :meth:`ask`.
        """
        if not self._plugins and (network.source_sha256 is None or is_registered(network.builder)):
            return asked.answer_here(self._hear)
        return self._elsewhere(asked, Subject(network.name, network.builder, network.plugin_file or ""))

    def _elsewhere(self, asked: Question[AnswerT], subject: Subject | None) -> AnswerT:
        task = Task(
            "question",
            f"{answer.__module__}:{answer.__name__}",
            {
                "asked": asked.to_json(),
                "plugins": self._plugins,
                "subject": None if subject is None else subject.to_json(),
                "scratch": str(self.scratch),
            },
            code="users",
            limit_s=self._limit_s,
            limit_from_last_told=True,
        )
        busy_with = "a plug-in"

        def hear(_: Task, what: object) -> None:
            nonlocal busy_with
            busy_with = str(what) or busy_with
            self._hear(busy_with)

        (outcome,) = outcomes_said(self._supervisor, [task], lambda _: busy_with, hear)
        if outcome.failure is not None:
            raise _error_of(outcome.failure, busy_with)
        try:
            return asked.answer_from_json(outcome.value)
        except ValidationError as error:
            raise _error_of(Failure("raised", "it changed what fbench answers of it"), busy_with) from error


@contextmanager
def users_networks(
    plugins: Sequence[Path] = (), hear: Tell = lambda what: None, trial_timeout_s: float | None = None
) -> Iterator[UsersNetworks]:
    """Networks to be built, run a few times and counted within a block; files go into a folder of the system's.

    ``trial_timeout_s`` is a user's limit of a trial, which such a question takes no longer than either.
    """
    with _asked(plugins, limited(QUESTION_LIMIT_S, trial_timeout_s), hear) as users:
        yield users


@contextmanager
def users_networks_at_work(plugins: Sequence[Path] = ()) -> Iterator[UsersNetworks]:
    """As :func:`users_networks`, for what takes networks longer."""
    with _asked(plugins, WORK_LIMIT_S, lambda what: None) as users:
        yield users


@contextmanager
def _asked(plugins: Sequence[Path], limit_s: float, hear: Tell) -> Iterator[UsersNetworks]:
    with TemporaryDirectory(prefix="fbench-", ignore_cleanup_errors=True) as scratch:
        users = UsersNetworks(plugins, Path(scratch), limit_s, hear)
        try:
            yield users
        finally:
            users.end()


def _error_of(failure: Failure, busy_with: str) -> UserError:
    """A failure in one sentence, of the network or plug-in at work, with its traceback as a note for ``--debug``."""
    reason = " ".join(failure.reason.split())
    if not failure.by_user:
        reason = f"{busy_with[:1].upper()}{busy_with[1:]} cannot be used: {reason}; mend its code."
    error = UserError(reason)
    if failure.details:
        error.add_note(failure.details)
    return error


# --- in a worker process


def list_there(_: Tell) -> Listing:
    """The networks of a worker that has loaded plug-ins."""
    return list_here()

"""A question to users' networks: a function of fbench's that runs their code, with what it is asked with, as JSON.

The function is one of a module. It is called with :data:`Tell` before its arguments, and annotated with types that
pydantic takes to JSON and back: models, dataclasses, numbers, texts, paths, and tuples, lists and dicts of these.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_type_hints

from pydantic import TypeAdapter

from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import loaded_names, origin
from fbench.benchmark.workers.inside import Parent, function_named
from fbench.core.errors import UserError

Tell = Callable[[str], None]
"""Is told whose code runs from now on, such as "the network 'my_net' (mine.py)"; an empty text says that it goes on."""

AnswerT = TypeVar("AnswerT")
Asked = ParamSpec("Asked")


@dataclass(frozen=True)
class Question(Generic[AnswerT]):
    """A function, and its arguments by name without the first."""

    function: Callable[..., AnswerT]
    arguments: Mapping[str, Any]

    def answer_here(self, tell: Tell) -> AnswerT:
        """Call the function in this process."""
        return self.function(tell, **self.arguments)

    def to_json(self) -> dict[str, Any]:
        """What :func:`answer` takes as a question."""
        hints = get_type_hints(self.function)
        return {
            "function": f"{self.function.__module__}:{self.function.__qualname__}",
            "arguments": {name: _json(hints[name], value) for name, value in self.arguments.items()},
        }

    def answer_from_json(self, value: Any) -> AnswerT:
        """What a worker answered.

        Raises:
            pydantic.ValidationError: it is no such answer.
        """
        found: AnswerT = TypeAdapter(get_type_hints(self.function)["return"]).validate_python(value)
        return found


def question(
    function: Callable[Concatenate[Tell, Asked], AnswerT], /, *arguments: Asked.args, **named: Asked.kwargs
) -> Question[AnswerT]:
    """A question as the call of its function would be written, without ``tell``."""
    bound = inspect.signature(function).bind(None, *arguments, **named).arguments
    return Question(function, dict(list(bound.items())[1:]))


def _json(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).dump_python(value, mode="json", by_alias=True)


@dataclass(frozen=True)
class Subject:
    """The network that a question is about: its name, its registered builder, and the file that a record names."""

    name: str
    builder: str
    file: str = ""

    def to_json(self) -> dict[str, str]:
        """The subject for :func:`answer`."""
        return asdict(self)


# --- in a worker process


def get_ready(_: Parent) -> None:
    """Import what takes a worker seconds, and nobody's network is to blame for."""
    import fbench.architectures.process_settings  # noqa: F401 - imported here, it is there when a plug-in comes


def answer(
    parent: Parent, asked: dict[str, Any], plugins: list[str], subject: dict[str, str] | None, scratch: str
) -> Any:
    """Load plug-ins, call the function of a question, and give its answer as JSON; what is temporary, as copies of code
    that is trusted, goes into the scratch folder, which outlives no worker."""
    tempfile.tempdir = scratch
    for plugin in plugins:
        parent.tell(f"the plug-in {plugin}")
        module = load_plugin(plugin)
        if not any(origin(name) == plugin for name in loaded_names(built_in=False)) and _is_silent(module):
            raise UserError(
                f'The plug-in {plugin} registers no network; write @fbench.register("my_net") above the function that '
                "builds yours."
            )
    if subject is not None:
        parent.tell(network_in_words(Subject(**subject)))
    function = function_named(asked["function"])
    hints = get_type_hints(function)
    given = {name: TypeAdapter(hints[name]).validate_python(value) for name, value in asked["arguments"].items()}
    return _json(hints["return"], function(parent.tell, **given))


def _is_silent(module: ModuleType) -> bool:
    """Whether a plug-in's own text speaks of no registering: what it imports may have done so for one before it."""
    return "register" not in inspect.getsource(module)


def network_in_words(subject: Subject) -> str:
    """A network by its name and where its code comes from, as far as that can be said without running any."""
    where = origin(subject.name) or origin(subject.builder) or subject.file
    return f"the network '{subject.name}'{f' ({where})' if where else ''}"

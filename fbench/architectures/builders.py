"""What a registered builder is: its function, its options with their defaults, and the text that defines
it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from fbench.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from torch import nn

    from fbench.architectures.plugin_sources import PluginSources

GEOMETRY = ("num_classes", "in_channels", "image_size")
BUILT_IN_PACKAGE = "fbench.architectures.networks"


@dataclass(frozen=True)
class Description:
    """What is said of a registered name; ``open_choices`` are the decisions that its source leaves open."""

    paper: str = ""
    role: str = ""
    description: str = ""
    aliases: tuple[str, ...] = ()
    open_choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResolvedArchitecture:
    """What a name stands for: two names with the same builder and options are one architecture.

    Attributes:
        name: the registered name, aliases resolved.
        builder: the name of the builder; ``ires`` for ``ires_no_se``.
        options: every option of the builder with its value, defaults included; JSON values only.
        source: SHA-256 (hex) of the user's code that defines the builder, as of
            :attr:`fbench.architectures.plugin_sources.PluginSources.identity`; None for a built-in network.
    """

    name: str
    builder: str
    options: dict[str, Any]
    source: str | None

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the image."""
        size = int(self.options["image_size"])
        return int(self.options["in_channels"]), size, size


@dataclass(frozen=True)
class Builder:
    """A registered builder.

    Attributes:
        name: the name it is registered under.
        build: the function (or class) that makes the network from keyword options.
        defaults: every option with its default.
        hints: the annotated types of the options, where they can be evaluated.
        source: SHA-256 (hex) of the user's code that defines it; None for a built-in network.
        plugin: the files of the plug-in that registered it, where one did.
        of_session: whether it is defined in no file.
    """

    name: str
    build: Callable[..., nn.Module]
    defaults: Mapping[str, Any]
    hints: Mapping[str, Any]
    source: str | None
    plugin: PluginSources | None = None
    of_session: bool = False

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The given options, each of the type that the builder takes, when all are the builder's.

        Raises:
            UserError: one is not, and the allowed ones are named; or it has a value of another type.
        """
        for option in options:
            if option not in self.defaults:
                hint = did_you_mean(option, self.defaults)
                raise UserError(f"'{self.name}' has no option '{option}'.{hint} Allowed: {', '.join(self.defaults)}.")
        if not options:
            return {}
        from fbench.architectures.option_types import typed_value  # imports pydantic, which a list of names needs not

        return {
            option: typed_value(f"{option} of '{self.name}'", value, self.hints.get(option), self.defaults[option])
            for option, value in options.items()
        }

    def completed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """All options with their values in JSON form, defaults where none is given.

        Raises:
            UserError: a value has no JSON form.
        """
        full = {**self.defaults, **options}
        return {option: json_value(option, value, self.hints.get(option)) for option, value in full.items()}


def builder_from(name: str, function: Callable[..., nn.Module]) -> Builder:
    """Describe a function that is being registered.

    Raises:
        UserError: its signature does not fit: an option without a name or default, or one of ``num_classes``,
            ``in_channels`` and ``image_size`` missing.
    """
    signature = inspect.signature(function)
    for option, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise UserError(f"The builder of '{name}' takes '{parameter}'; name every option, with a default.")
        if parameter.default is parameter.empty:
            raise UserError(f"The option '{option}' of '{name}' has no default; give it one.")
    for option in GEOMETRY:
        if option not in signature.parameters:
            raise UserError(f"The builder of '{name}' lacks the option '{option}'; add it, with a default.")
    from fbench.architectures.session_code import is_of_session

    built_in = is_built_in(function.__module__)
    return Builder(
        name=name,
        build=function,
        defaults={option: parameter.default for option, parameter in signature.parameters.items()},
        hints=_type_hints(function),
        source=None if built_in else _source_of(function),
        of_session=not built_in and is_of_session(function),
    )


def is_built_in(module_name: str) -> bool:
    """Whether a module is in the package of built-in networks."""
    return module_name.startswith(f"{BUILT_IN_PACKAGE}.")


def json_value(option: str, value: Any, hint: Any = None) -> Any:
    """An option's value in the one JSON form of its annotated type: equal networks get equal options.

    A tuple becomes a list, an int a float where a float is asked for, and "none" None where None is a level.

    Raises:
        UserError: the value is no number, text, truth value, None or list of these.
    """
    kinds = set(typing.get_args(hint)) or {hint}
    if isinstance(value, str) and value == "none" and NoneType in kinds:
        return None
    if isinstance(value, tuple | list):
        return [json_value(option, entry) for entry in value]
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UserError(f"{option} is {value!r}; give a number, a text, true or false, none, or a list of these.")


def _type_hints(function: Callable[..., Any]) -> dict[str, Any]:
    target = function.__init__ if inspect.isclass(function) else function
    try:
        return typing.get_type_hints(target)
    except (NameError, TypeError, AttributeError, SyntaxError):
        return {}  # an annotation that means nothing at run time; values then pass unchanged


def _source_of(function: Callable[..., Any]) -> str | None:
    """The digest of the code behind a function: of its file and what that imports, or of the cells of a notebook.

    Raises:
        UserError: a module of the user's own that it imports cannot be read, or there are too many.
    """
    from fbench.architectures.own_modules import PLUGIN_PREFIX
    from fbench.architectures.plugin_sources import sources_of_module
    from fbench.architectures.session_code import is_of_session, session_identity

    if function.__module__.startswith(PLUGIN_PREFIX):
        return None  # what runs the plug-in knows its files
    if is_of_session(function):
        return session_identity(function)
    try:
        path = Path(inspect.getsourcefile(function) or "")
    except TypeError:  # of a callable that is neither function nor class
        path = Path()
    if path.is_file():
        return sources_of_module(function.__module__, path.resolve()).identity
    return session_identity(function)  # never none, which means a network of fbench

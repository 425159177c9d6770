"""The registry of architectures: names, builders, variants, aliases, and what a name stands for.

Importing this module does not import torch; the names of built-in networks come from the contract, and their
builders are imported when a name is resolved.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from fbench.architectures.announced import announced_names, is_announced, load_announced, module_of
from fbench.architectures.builders import (
    BUILT_IN_PACKAGE,
    Builder,
    Description,
    ResolvedArchitecture,
    builder_from,
    is_built_in,
)
from fbench.architectures.contract import built_in_contract
from fbench.architectures.names import meant, names_like
from fbench.architectures.resolvers import other_name, other_names, refuse_unknown_prefix
from fbench.core.arguments import refuse_wrong_types, typed_arguments
from fbench.core.errors import UserError, readable

if TYPE_CHECKING:
    from torch import nn

    from fbench.architectures.plugin_sources import PluginSources

__all__ = [
    "Description",
    "ResolvedArchitecture",
    "build",
    "canonical_name",
    "create",
    "describe",
    "is_announced",
    "is_at_hand",
    "is_registered",
    "list_architectures",
    "loaded_names",
    "module_of",
    "origin",
    "plugin_file_of",
    "plugin_of",
    "register",
    "register_variant",
    "registered_aliases",
    "registering_from",
    "resolve",
]

FunctionT = TypeVar("FunctionT", bound="Callable[..., nn.Module]")


@dataclass(frozen=True)
class _Entry:
    """A registered name: a builder with options; a builder's own name has none. ``origin`` is the plug-in's file."""

    builder: str
    options: Mapping[str, Any]
    description: Description
    built_in: bool
    origin: str = ""


@dataclass
class _Registry:
    """The one piece of global state of this floor."""

    builders: dict[str, Builder] = field(default_factory=dict)
    entries: dict[str, _Entry] = field(default_factory=dict)


_REGISTRY = _Registry()


def register(
    name: str,
    *,
    description: str = "",
    paper: str = "",
    role: str = "",
    aliases: Sequence[str] = (),
    open_choices: Sequence[str] = (),
) -> Callable[[FunctionT], FunctionT]:
    """Register a builder of a network under ``name``.

    The builder takes keyword options that all have defaults, ``num_classes``, ``in_channels`` and
    ``image_size`` (pixels) among them, and returns a module from N x C x H x W images to N x num_classes
    logits. The built-in networks keep their descriptions in the contract.

    Raises:
        UserError: the name or an alias is taken or cannot be shown, or the builder's signature does not fit.
    """

    if callable(name):
        raise UserError(
            f'@register was written without a name above {getattr(name, "__name__", name)}; write @register("my_net").'
        )
    refuse_wrong_types(register, locals())

    def decorate(function: FunctionT) -> FunctionT:
        if not callable(function):
            raise UserError(f'@register("{name}") stands above {function!r:.60}, which is no function; put it there.')
        builder, built_in = builder_from(name, function), is_built_in(function.__module__)
        if builder.of_session:  # a cell that is run again
            _forget_of_session(name)
        _check_free((name, *aliases), built_in)
        about = Description(paper, role, description, tuple(aliases), tuple(open_choices))
        _REGISTRY.builders[name] = builder
        _REGISTRY.entries[name] = _Entry(name, {}, about, built_in)
        return function

    return decorate


def register_variant(name: str, of: str, *, description: str = "", aliases: Sequence[str] = (), **options: Any) -> None:
    """Register ``name`` as the builder ``of`` with other options.

    Raises:
        UserError: the name or an alias is taken, ``of`` is no builder, or an option is not one of its
            options.
    """
    refuse_wrong_types(register_variant, locals())
    _load(canonical_name(of))
    if of not in _REGISTRY.builders:
        raise UserError(f"'{name}' is to be a variant of '{of}', which is no builder; name the builder itself.")
    builder = _REGISTRY.builders[of]
    built_in = is_built_in(sys._getframe(1).f_globals.get("__name__", ""))
    if name in _REGISTRY.entries and name not in _REGISTRY.builders and "__file__" not in sys._getframe(1).f_globals:
        _forget_of_session(name)
    _check_free((name, *aliases), built_in)
    about = Description(describe(of).paper, "variant", description, tuple(aliases))
    _REGISTRY.entries[name] = _Entry(of, builder.checked(options), about, built_in)


@contextmanager
def registering_from(sources: Callable[[], PluginSources], file: str) -> Iterator[None]:
    """What a user registers inside belongs to one plug-in, which ``file`` names; when it raises, all of it is taken
    back. ``sources`` are asked for afterwards.

    Built-in networks that are imported inside stay registered, because Python imports them only once.
    """
    before = set(_REGISTRY.entries)
    try:
        yield
        plugin = sources() if _new_names(before) else None
    except BaseException:
        for name in _new_names(before):
            del _REGISTRY.entries[name]
            _REGISTRY.builders.pop(name, None)
        raise
    for name in _new_names(before):
        _REGISTRY.entries[name] = replace(_REGISTRY.entries[name], origin=file)
        if name in _REGISTRY.builders and plugin is not None:
            _REGISTRY.builders[name] = replace(_REGISTRY.builders[name], source=plugin.identity, plugin=plugin)


def _forget_of_session(name: str) -> None:
    """Make a name free that was registered in a session, and so by no plug-in, package or file."""
    entry = _REGISTRY.entries.get(name)
    if entry is None or entry.built_in or entry.origin:
        return
    builder = _REGISTRY.builders.get(name)
    if builder is None or builder.of_session:
        _REGISTRY.builders.pop(name, None)
        del _REGISTRY.entries[name]


def _new_names(before: set[str]) -> set[str]:
    return {name for name, entry in _REGISTRY.entries.items() if name not in before and not entry.built_in}


def is_registered(builder: str) -> bool:
    """Whether a builder of this name was registered in this process; one of fbench's may wait to be imported."""
    return builder in _REGISTRY.builders or builder in built_in_contract()


def loaded_names(*, built_in: bool) -> list[str]:
    """The names registered in this process: the built-in ones (imported now), or all others."""
    importlib.import_module(BUILT_IN_PACKAGE)
    return [name for name, entry in _REGISTRY.entries.items() if entry.built_in == built_in]


@typed_arguments
def list_architectures(pattern: str = "*") -> list[str]:
    """The names that match a wildcard pattern: built-in ones in the contract's order, then others by name.

    Needs no torch: the name of an entry point is listed without loading it. Aliases are not listed, but a
    pattern that is an alias gives the name it stands for.
    """
    names = list(built_in_contract())
    names += sorted((set(_REGISTRY.entries) | set(announced_names())) - set(names))
    return names_like(pattern, names, registered_aliases()) or other_names(pattern)


def registered_aliases() -> dict[str, str]:
    """The registered name behind each alias."""
    found = {alias: name for name, row in built_in_contract().items() for alias in row.aliases}
    for name, entry in _REGISTRY.entries.items():
        found |= dict.fromkeys(entry.description.aliases, name)
    return found


def canonical_name(name: str) -> str:
    """The registered name behind a name or alias.

    Raises:
        UserError: unknown; the closest name is suggested.
    """
    if other_name(name) is not None:
        return name
    names, aliases = list_architectures(), registered_aliases()
    if name not in names and name not in aliases:
        refuse_unknown_prefix(name)
    return meant(name, names, aliases)


def describe(name: str) -> Description:
    """What is said of a registered name, without loading it; empty for an entry point that is not loaded.

    Raises:
        UserError: the name is unknown.
    """
    name = canonical_name(name)
    row = built_in_contract().get(name)
    if row is not None:
        return Description(row.paper, row.role, row.description, row.aliases, row.open_choices)
    entry = _REGISTRY.entries.get(name)
    return entry.description if entry else Description()


def resolve(name: str, /, **options: Any) -> ResolvedArchitecture:
    """What a name stands for, with some options given.

    Raises:
        UserError: the name is unknown, an option is not one of the builder's, or a value has no JSON form.
    """
    name = canonical_name(name)
    _load(name)
    entry = _REGISTRY.entries[name]
    builder = _REGISTRY.builders[entry.builder]
    full = builder.completed({**entry.options, **builder.checked(options)})
    return ResolvedArchitecture(name, builder.name, full, builder.source)


def options_of(name: str) -> frozenset[str]:
    """The names of the options that a registered architecture takes.

    Raises:
        UserError: the name is unknown.
    """
    name = canonical_name(name)
    _load(name)
    return frozenset(_REGISTRY.builders[_REGISTRY.entries[name].builder].defaults)


def is_at_hand(name: str) -> bool:
    """Whether a name is one of fbench's own, or was registered in this very process."""
    return name in built_in_contract() or name in _REGISTRY.entries


def plugin_of(builder: str) -> PluginSources | None:
    """The files of the plug-in that registered a builder; None where none did."""
    found = _REGISTRY.builders.get(builder)
    return None if found is None else found.plugin


def origin(name: str) -> str:
    """The plug-in that registered a name, as its path was given, or the module in which a package announces it; empty
    for fbench's own networks and those of a session."""
    return plugin_file_of(name) or module_of(name)


def plugin_file_of(name: str) -> str:
    """The plug-in's file that registered a name, as its path was given; else empty."""
    entry = _REGISTRY.entries.get(name)
    return entry.origin if entry else ""


def build(resolved: ResolvedArchitecture) -> nn.Module:
    """Build the network, lazy layers made whole; its initial weights come from torch's global generator.

    Raises:
        UserError: an option has an illegal value, the builder is not registered in this process, or what it returns
            is no module.
    """
    from torch import nn

    from fbench.architectures.lazy_layers import materialise
    from fbench.architectures.process_settings import settings_but_randomness_kept

    make = builder_function(resolved.builder)
    with settings_but_randomness_kept():
        built = make(**resolved.options)
        if not isinstance(built, nn.Module):
            raise UserError(f"The builder of '{resolved.builder}' returns {built!r:.80}; return a torch.nn.Module.")
        return materialise(built, resolved.input_shape)


def builder_function(name: str) -> Callable[..., nn.Module]:
    """The function (or class) behind a builder's name.

    Raises:
        UserError: the builder is not registered in this process.
    """
    _load(canonical_name(name))
    return _REGISTRY.builders[name].build


@typed_arguments
def create(name: str, /, **options: Any) -> nn.Module:
    """Resolve a name with options and build it.

    Raises:
        UserError: the name or an option is unknown, a value is illegal or asks for more weights than memory holds, or
            a user's builder raises.
    """
    from fbench.architectures.creation import created

    return created(resolve(name, **options), options, build)


def _load(name: str) -> None:
    """Import what registers ``name``: the built-in networks, or the package behind an entry point."""
    if name in _REGISTRY.entries:
        return
    if name in built_in_contract():
        importlib.import_module(BUILT_IN_PACKAGE)
    elif is_announced(name):
        found = load_announced(name)
        if found is not None and name not in _REGISTRY.entries:
            register(name, description=found.description)(found.build)
            if found.source is not None:
                _REGISTRY.builders[name] = replace(_REGISTRY.builders[name], source=found.source)
    if name not in _REGISTRY.entries:
        raise UserError(f"'{name}' is announced but nothing registers it; mend the package that announces it.")


def _check_free(names: Sequence[str], built_in: bool) -> None:
    taken = set(_REGISTRY.entries)
    if not built_in:
        taken |= {*built_in_contract(), *registered_aliases()}
    for name in names:
        if not name or name != name.strip() or name != readable(name):
            raise UserError(
                f"The architecture name '{readable(name)}' is empty, begins or ends with a blank, or holds what cannot "
                "be shown; choose another name."
            )
        if name in taken:
            raise UserError(f"The architecture name '{name}' is taken; choose another name.")

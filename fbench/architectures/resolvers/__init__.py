"""Networks of other packages by name, such as ``timm:mobilenetv3_small_050``.

What stands before the colon is looked up in a small table, and below the entry-point group ``fbench.resolvers``, where
a package may announce a resolver of its own. Nothing is imported before a network of it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Final, Protocol, cast

from fbench.architectures.names import names_like
from fbench.core.errors import UserError, did_you_mean, reason_on_a_line

if TYPE_CHECKING:
    from torch import nn

RESOLVER_GROUP: Final = "fbench.resolvers"


class Resolver(Protocol):
    """Finds and builds the networks of one package.

    Attributes:
        package: the distribution that they come from, whose version is part of their identity.
        extra: the extra of fbench that brings it; empty where none does.
    """

    package: str
    extra: str

    def names(self) -> Sequence[str]:
        """The names of all networks, without the prefix. Raises ImportError where the package is not there."""

    def build(self, name: str, num_classes: int, in_channels: int, image_size: int) -> nn.Module:
        """A network with initial weights, from N x C x H x W images to N x ``num_classes`` logits."""


_OWN: Final = {
    "timm": "fbench.architectures.resolvers.timm_networks:TimmNetworks",
    "torchvision": "fbench.architectures.resolvers.torchvision_networks:TorchvisionNetworks",
}


@dataclass(frozen=True)
class OtherName:
    """A network of another package: the prefix, its name there, and who knows it."""

    prefix: str
    name: str
    resolver: Resolver

    @property
    def version(self) -> str:
        """``PACKAGE==VERSION``.

        Raises:
            UserError: the package is not installed.
        """
        try:
            return f"{self.resolver.package}=={metadata.version(self.resolver.package)}"
        except metadata.PackageNotFoundError as error:
            raise _missing(self.prefix, self.resolver) from error

    def builder(self) -> Callable[..., nn.Module]:
        """What builds it, as :func:`fbench.register` wants a builder.

        Raises:
            UserError: the package is not installed or has no such network.
        """
        names = _names(self.prefix, self.resolver)
        if self.name not in names:
            raise UserError(
                f"{self.resolver.package} has no network '{self.name}'.{did_you_mean(self.name, names)} "
                f"`fbench list '{self.prefix}:*'` prints all names."
            )

        def build(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
            return self.resolver.build(self.name, num_classes, in_channels, image_size)

        return build


def other_name(name: str) -> OtherName | None:
    """What a name with a known prefix means; None for all other names."""
    prefix, colon, rest = name.partition(":")
    if not colon or prefix not in prefixes():
        return None
    return OtherName(prefix, rest, _resolver(prefix))


def refuse_unknown_prefix(name: str) -> None:
    """Refuse a name that nothing registers and whose prefix is unknown.

    Raises:
        UserError: it has such a prefix.
    """
    prefix, colon, _ = name.partition(":")
    if colon and prefix not in prefixes():
        raise UserError(
            f"'{name}' begins with '{prefix}:', which names no package.{did_you_mean(prefix, prefixes())} Known: "
            f"{', '.join(f'{one}:' for one in prefixes())}."
        )


def other_names(pattern: str) -> list[str]:
    """The networks of another package that a pattern with a known prefix matches.

    Raises:
        UserError: the package is not installed.
    """
    found = other_name(pattern)
    if found is None:
        return []
    return [f"{found.prefix}:{name}" for name in names_like(found.name, _names(found.prefix, found.resolver), {})]


@cache
def prefixes() -> dict[str, str]:
    """The known prefixes, with where their resolvers are."""
    announced = {point.name: point.value for point in metadata.entry_points(group=RESOLVER_GROUP)}
    return announced | _OWN


@cache
def _resolver(prefix: str) -> Resolver:
    module, _, attribute = prefixes()[prefix].partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        return cast("Resolver", found() if isinstance(found, type) else found)
    except Exception as error:
        raise UserError(
            f"The resolver of '{prefix}:' ({prefixes()[prefix]}) raised {reason_on_a_line(error)}; mend the package "
            "that announces it."
        ) from error


def _names(prefix: str, resolver: Resolver) -> Sequence[str]:
    try:
        return resolver.names()
    except ImportError as error:
        raise _missing(prefix, resolver, reason_on_a_line(error)) from error


def _missing(prefix: str, resolver: Resolver, reason: str = "it is not installed") -> UserError:
    command = f"fbench[{resolver.extra}]" if resolver.extra else resolver.package
    return UserError(
        f"'{prefix}:' names networks of {resolver.package}, which cannot be imported ({reason}); install it with "
        f"pip install '{command}'."
    )

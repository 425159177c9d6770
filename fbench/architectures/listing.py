"""What is known of all networks without building one: their names, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fbench.architectures.builders import Description
from fbench.architectures.contract import ContractRow, built_in_contract, user_contract
from fbench.architectures.contract_places import contract_of
from fbench.architectures.names import WHERE_NAMES_ARE, meant, names_like
from fbench.architectures.registry import describe, is_at_hand, list_architectures
from fbench.architectures.resolvers import other_name, other_names
from fbench.core.errors import UserError


@dataclass(frozen=True)
class ListedNetwork:
    """A registered name.

    Attributes:
        name: the name.
        about: what is said of it.
        built_in: whether it comes with fbench.
        loaded: whether the code behind it was loaded; not so where a package only announces it.
        contract: the file that its counts are in, or belong in.
    """

    name: str
    about: Description
    built_in: bool
    loaded: bool
    contract: Path


@dataclass(frozen=True)
class Listing:
    """Registered networks: fbench's own in the order of the contract, then others by name."""

    networks: tuple[ListedNetwork, ...]

    def __or__(self, other: Listing) -> Listing:
        """The networks of both; what the first says of a name holds."""
        known = {one.name: one for one in (*other.networks, *self.networks)}
        rest = sorted((one for one in known.values() if not one.built_in), key=lambda one: one.name)
        return Listing((*(one for one in known.values() if one.built_in), *rest))

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(one.name for one in self.networks)

    def named(self, given: str) -> ListedNetwork:
        """The network behind a name or alias.

        Raises:
            UserError: unknown; the closest name is suggested.
        """
        if other_name(given) is not None:
            return _of_other_package(given)
        name = meant(given, self.names, self._aliases)
        return next(one for one in self.networks if one.name == name)

    def matching(self, pattern: str) -> tuple[ListedNetwork, ...]:
        """The networks that match a wildcard pattern; a pattern that is an alias gives the network behind it.

        Raises:
            UserError: there is none.
        """
        found = names_like(pattern, self.names, self._aliases)
        if not found and (others := other_names(pattern)):
            return tuple(_of_other_package(name) for name in others)
        if not found:
            raise UserError(f"No architecture matches '{pattern}'. {WHERE_NAMES_ARE}")
        return tuple(one for one in self.networks if one.name in found)

    def chosen(self, given: Iterable[str]) -> list[str]:
        """The names that names, aliases and wildcard patterns stand for, once each.

        Raises:
            UserError: one stands for none.
        """
        found: list[str] = []
        for name in given:
            matching = self.matching(name) if set("*?[") & set(name) else (self.named(name),)
            found += [one.name for one in matching]
        return list(dict.fromkeys(found))

    @property
    def _aliases(self) -> dict[str, str]:
        return {alias: one.name for one in self.networks for alias in one.about.aliases}


def _of_other_package(name: str) -> ListedNetwork:
    return ListedNetwork(name, describe(name), False, False, contract_of(name))


def list_here() -> Listing:
    """The networks of this process; those that packages announce are named without being loaded."""
    own = built_in_contract()
    return Listing(
        tuple(
            ListedNetwork(name, describe(name), name in own, is_at_hand(name), contract_of(name))
            for name in list_architectures()
        )
    )


def rows_of(networks: Iterable[ListedNetwork]) -> dict[str, ContractRow]:
    """The rows of networks by name, each of its own contract; one without a row gets an empty one.

    Raises:
        UserError: a user's contract cannot be read.
    """
    networks, own = tuple(networks), built_in_contract()
    theirs = {path: user_contract(path) for path in {one.contract for one in networks if not one.built_in}}
    return {
        one.name: (own if one.built_in else theirs[one.contract]).get(one.name) or ContractRow(one.name, None)
        for one in networks
    }

"""The counts of networks: of their contracts, and computed where they stand in none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.architectures.listing import ListedNetwork, Listing, list_here, rows_of
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.architectures.contract import ContractRow


@dataclass(frozen=True)
class KnownCounts:
    """Networks with their rows by name; ``computed`` are those that stand in no contract, ``failures`` the reasons of
    those that cannot be counted."""

    networks: tuple[ListedNetwork, ...]
    rows: dict[str, ContractRow]
    computed: frozenset[str]
    failures: tuple[str, ...]


def known_counts(plugins: Sequence[Path], choose: Callable[[Listing], Sequence[ListedNetwork]]) -> KnownCounts:
    """The chosen networks with their counts. Users' networks without a row are built and counted in a worker process,
    which starts where there is one.

    Raises:
        UserError: a plug-in that cannot be loaded, or a choice that names no network.
    """
    if not plugins:
        networks = tuple(choose(list_here()))
        rows = rows_of(networks)
        if all(row.counts is not None for row in rows.values()):
            return KnownCounts(networks, rows, frozenset(), ())
    from fbench.benchmark.workers.asking import users_networks
    from fbench.benchmark.workers.questions import question
    from fbench.cli.network_questions import counted

    computed, failures = set[str](), []
    with users_networks(plugins) as users:
        networks = tuple(choose(users.listing()))
        rows = rows_of(networks)
        for name in [name for name, row in rows.items() if row.counts is None]:
            try:
                counts = users.ask_network(name, question(counted, name)).counts
            except UserError as error:
                failures.append(str(error))
            else:
                rows[name] = replace(rows[name], counts=counts)
                computed.add(name)
    return KnownCounts(networks, rows, frozenset(computed), tuple(failures))

"""Do trainings of networks repeat their bits on this machine? Users' networks are tried in a worker process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fbench.benchmark.training.repetition import Repetition, trained_twice
from fbench.benchmark.workers.asking import users_networks
from fbench.benchmark.workers.questions import question
from fbench.core.errors import UserError


def repetitions(
    names: Sequence[str], plugins: Sequence[Path] = (), device: str = "auto"
) -> Iterator[tuple[str, Repetition | UserError]]:
    """Train each network twice from one seed and compare, one after another; or why one cannot be trained.

    Args:
        names: of registered networks, wildcards too.
        plugins: files that register networks.
        device: as ``--device`` takes it.

    Raises:
        UserError: an unknown name, or a plug-in that cannot be loaded.
    """
    with users_networks(plugins) as users:
        for name in users.listing().chosen(names):
            try:
                yield name, users.ask_network(name, question(trained_twice, name, device))
            except UserError as error:
                yield name, error

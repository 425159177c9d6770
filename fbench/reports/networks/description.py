"""The description of a network that a run keeps, its ``network.json``, and what is said of a damaged one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError


def network_description(run: RunTable, network: str, data: str) -> dict[str, Any]:
    """The content of a network's ``network.json``; empty where no trial has finished or it was not kept.

    Raises:
        UserError: the file holds no JSON.
    """
    records = run.records(network, data)
    return run.folder.network(records[0].spec.network.digest) if records else {}


@contextmanager
def naming_description(run: RunTable, network: str, data: str, named: str) -> Iterator[None]:
    """Turn what goes wrong in reading a network's description into a sentence that names its file.

    Args:
        run: whose folder keeps the description.
        network: whose it is.
        data: on which the network was trained.
        named: the networks that are looked at, as the sentence calls them.

    Raises:
        UserError: fields are missing or of another kind.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        file = run.folder.network_file(run.records(network, data)[0].spec.network.digest)
        raise UserError(
            f"The network.json of {named} in {run.folder.path} does not describe a network "
            f"({file.relative_to(run.folder.path)}: {error!r}); restore it or delete it."
        ) from error

"""The nodes of a cluster, and which of them can run trials."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import Final

from fbench.benchmark.clusters.attempts import reasons
from fbench.benchmark.clusters.connection import Connection, Node
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.versions import difference, versions_here
from fbench.core.errors import UserError

_KNOWN_S: Final = 2.0
"""How long it is taken for granted which nodes are there."""
_log = logging.getLogger(__name__)


class Fleet:
    """What is known of the nodes; they may join and leave at any time.

    Attributes:
        nodes: those that were there when it was last looked.
        unfit: nodes that can run no trial, by id, and why.
    """

    def __init__(self, options: ClusterOptions, gpus: float) -> None:
        self._options, self._gpus = options, gpus
        self.nodes: list[Node] = []
        self.unfit: dict[str, str] = {}
        self._looked_at = 0.0

    @property
    def room(self) -> int:
        """Trials at a time, where nobody else takes any of the cluster; at least one."""
        fit = [node for node in self.nodes if node.node_id not in self.unfit]
        return max(1, sum(node.room_for(self._options.cpus_per_trial, self._gpus) for node in fit))

    def require_fit(self, cluster: Connection) -> None:
        """Look for the first time.

        Raises:
            UserError: no node has room for a trial, or their versions are not those of this machine.
        """
        self.nodes, self._looked_at = cluster.nodes(), time.monotonic()
        self._require_room()
        here, found = versions_here(), cluster.versions(self.nodes)
        names = {node.node_id: node.name for node in self.nodes}
        differ = [f"{names[key]} has {other}" for key, there in found.items() if (other := difference(there, here))]
        if differ:
            raise UserError(
                "The nodes of the cluster are not alike, and results would depend on where a trial ran: "
                f"{'; '.join(differ)}; install the same versions on all, or take these nodes out."
            )

    def look(self, cluster: Connection) -> None:
        """Look again, where that is due.

        Raises:
            UserError: no node is left that can run a trial.
        """
        if time.monotonic() - self._looked_at > _KNOWN_S:
            self.nodes, self._looked_at = cluster.nodes(), time.monotonic()
        if self.nodes and not self.has_other_than(()):
            raise UserError(f"No node of the cluster can run a trial any more: {reasons(self.unfit)}.")

    def has_other_than(self, avoided: Collection[str]) -> bool:
        """Whether a node is left that can run trials, beside these."""
        return any(node.node_id not in self.unfit and node.node_id not in avoided for node in self.nodes)

    def avoid(self, node_id: str, why: str) -> None:
        """Run nothing more on a node, for a reason that is a sentence without its end."""
        if node_id not in self.unfit:
            _log.warning("a node is left out: %s", why)
        self.unfit[node_id] = why

    def avoid_address(self, address: str, why: str) -> None:
        """Run nothing more on the nodes of an address, or on any where it is empty."""
        for node in self.nodes:
            if address in ("", node.address):
                self.avoid(node.node_id, f"fbench cannot begin on the node {node.name}: {why}")

    def _require_room(self) -> None:
        cpus, gpus = self._options.cpus_per_trial, self._gpus
        if any(node.room_for(cpus, gpus) for node in self.nodes):
            return
        most = max((node.gpus for node in self.nodes), default=0.0)
        if gpus > most:
            raise UserError(
                f"A trial is to have {gpus:g} GPUs (--gpus-per-trial), and no node of the cluster has more than "
                f"{most:g}; give at most that many, or let a node with more join."
            )
        raise UserError(
            f"A trial is to have {cpus:g} cores (--cpus-per-trial){f' and {gpus:g} GPUs' if gpus else ''}, and no node "
            f"has room for it ({'; '.join(f'{one.name} has {one.cpus:g} cores' for one in self.nodes)}); give fewer, "
            "or let a larger node join."
        )

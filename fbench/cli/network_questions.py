"""What the commands about networks ask of one, here or in a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fbench.architectures.contract import ContractRow
from fbench.architectures.counts import Counted, count
from fbench.architectures.listing import list_here, rows_of
from fbench.architectures.registry import Description, ResolvedArchitecture, describe, resolve
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.workers.questions import Tell


@dataclass(frozen=True)
class ShownArchitecture:
    """What ``fbench show`` shows; ``row`` is empty where options differ from the registered ones."""

    resolved: ResolvedArchitecture
    description: Description
    open_choices: tuple[str, ...]
    row: ContractRow
    network: NetworkDescription

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values; ``network`` is the content of ``network.json``."""
        resolved, about = self.resolved, self.description
        return {
            "name": resolved.name,
            "aliases": list(about.aliases),
            "builder": resolved.builder,
            "options": resolved.options,
            "source_sha256": resolved.source,
            "paper": about.paper,
            "role": about.role,
            "description": about.description,
            "contract": self.row.to_json(),
            "open_choices": list(self.open_choices),
            "network": self.network.to_json(),
        }


def counted(_: Tell, name: str) -> Counted:
    """Its counts."""
    return count(name)


def shown(_: Tell, name: str, options: dict[str, Any]) -> ShownArchitecture:
    """What ``fbench show`` shows of it."""
    from fbench.architectures.building import build_and_trace  # imports torch
    from fbench.architectures.output_check import refuse_unusable_output

    resolved = resolve(name, **options)
    module, traced = build_and_trace(resolved)
    refuse_unusable_output(name, resolved, module, traced, int(resolved.options["num_classes"]))
    about, base = describe(name), describe(resolved.builder)
    as_registered = resolved.options == resolve(name).options
    return ShownArchitecture(
        resolved=resolved,
        description=about,
        open_choices=about.open_choices or base.open_choices,
        row=rows_of([list_here().named(name)])[name] if as_registered else ContractRow(name, None),
        network=NetworkDescription.model_validate(traced.to_json()),
    )

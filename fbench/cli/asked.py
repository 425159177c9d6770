"""Where a command line leaves its request that is asked for what it means, and not run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fbench.benchmark.runs.request import RunRequest


@dataclass
class Asked:
    """Takes the request of a command line that is not to be run."""

    request: RunRequest | None = None

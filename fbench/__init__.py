"""fbench: benchmarks and ablations of compact vision networks under one honest protocol.

The public face; each name is loaded when it is first used, so that ``import fbench`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fbench.architectures.plugins import load_plugin
    from fbench.architectures.registry import create, list_architectures, register, register_variant
    from fbench.benchmark.cost.speed import SpeedRequest, measure_speed
    from fbench.benchmark.export.predict import predict
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.runs.session import load_model, run
    from fbench.benchmark.store.run_table import load_run

__version__ = "0.1.0"

_HOMES = {
    "create": "fbench.architectures.registry",
    "load_plugin": "fbench.architectures.plugins",
    "list_architectures": "fbench.architectures.registry",
    "register": "fbench.architectures.registry",
    "register_variant": "fbench.architectures.registry",
    "load_run": "fbench.benchmark.store.run_table",
    "predict": "fbench.benchmark.export.predict",
    "load_model": "fbench.benchmark.runs.session",
    "RunRequest": "fbench.benchmark.runs.request",
    "run": "fbench.benchmark.runs.session",
    "SpeedRequest": "fbench.benchmark.cost.speed",
    "measure_speed": "fbench.benchmark.cost.speed",
}

__all__ = [
    "RunRequest",
    "SpeedRequest",
    "create",
    "list_architectures",
    "load_model",
    "load_plugin",
    "load_run",
    "measure_speed",
    "predict",
    "register",
    "register_variant",
    "run",
]


def __getattr__(name: str) -> object:
    """Load a public name from its home (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fbench' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)

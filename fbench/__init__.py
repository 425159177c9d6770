"""fbench: benchmarks and ablations of compact vision networks under one honest protocol.

The public face; each name is loaded when it is first used, so that ``import fbench`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fbench import data as data
    from fbench import plots as plots
    from fbench.api.results import Run, load_model, load_run
    from fbench.api.running import run
    from fbench.architectures.plugins import load_plugin
    from fbench.architectures.registry import create, list_architectures, register, register_variant
    from fbench.benchmark.cost.speed import SpeedRequest, measure_speed
    from fbench.benchmark.export.predict import predict

__version__ = "0.1.0"

_HOMES = {
    "create": "fbench.architectures.registry",
    "load_plugin": "fbench.architectures.plugins",
    "list_architectures": "fbench.architectures.registry",
    "register": "fbench.architectures.registry",
    "register_variant": "fbench.architectures.registry",
    "Run": "fbench.api.results",
    "load_model": "fbench.api.results",
    "load_run": "fbench.api.results",
    "run": "fbench.api.running",
    "predict": "fbench.benchmark.export.predict",
    "SpeedRequest": "fbench.benchmark.cost.speed",
    "measure_speed": "fbench.benchmark.cost.speed",
}

__all__ = [
    "Run",
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


_MODULES = ("data", "plots")
"""Public modules, which are loaded when they are first used too."""


def __getattr__(name: str) -> object:
    """Load a public name from its home (PEP 562)."""
    if name in _MODULES:
        return import_module(f"fbench.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'fbench' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted({*__all__, *_MODULES, "__version__"})

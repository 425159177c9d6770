"""What a stage of a call finds, asked in this process."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import NotHereError


def all_of(stage: ModuleType, settings: Settings) -> dict[str, Any]:
    """What a stage finds, by result; none where something is not there."""
    found: dict[str, Any] = {}
    for one in stage.measurements(settings):
        try:
            found[one.name] = one.measure()
        except NotHereError:
            found[one.name] = None
    return found

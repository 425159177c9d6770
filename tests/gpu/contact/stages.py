"""What a stage is: a module that gives measurements, each of which gives a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tests.gpu.contact.settings import Settings


class NotHereError(Exception):
    """Something that is measured is not there, such as a part of fbench; the message says what."""


@dataclass(frozen=True)
class Measurement:
    """One result to be: its name within the stage, and what measures it; the values are what JSON can hold."""

    name: str
    measure: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Stage:
    """A stage of a call.

    Attributes:
        name: in lines and tables.
        module: has ``measurements(settings)``, an iterator of :class:`Measurement`, what matters most first.
        limit_s: after so many seconds it is ended, whatever it does.
        needs_cuda: whether nothing of it can be done elsewhere.
    """

    name: str
    module: str
    limit_s: float
    needs_cuda: bool = False

    def measurements(self, settings: Settings) -> Iterator[Measurement]:
        """What is measured; imports the module."""
        found: Iterator[Measurement] = import_module(self.module).measurements(settings)
        return found

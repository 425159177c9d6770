"""Which trackers there are, and what a user means by ``KIND=PLACE``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from fbench.benchmark.trackers.mirror import MOST_OF_A_REASON, Mirror
from fbench.benchmark.trackers.quiet import quiet
from fbench.core.errors import UserError, did_you_mean, readable, reason_on_a_line


@dataclass(frozen=True)
class TrackerKind:
    """A kind of tracker.

    Attributes:
        module: has ``check_place(place)``, which raises :class:`UserError` and writes nothing, and
            ``open_tracker(place)``, which gives a :class:`~fbench.benchmark.trackers.tracker.Tracker`.
        package: what it needs; the extra of fbench that brings it is called as the kind is.
        example: a place.
    """

    module: str
    package: str
    example: str


KINDS: Final = {
    "tensorboard": TrackerKind("fbench.benchmark.trackers.tensorboard", "tensorboard", "tensorboard=runs"),
    "mlflow": TrackerKind("fbench.benchmark.trackers.mlflow", "mlflow", "mlflow=sqlite:///mlflow.db"),
}


@dataclass(frozen=True)
class TrackerPlace:
    """A tracker that was asked for."""

    kind: str
    place: str

    @property
    def label(self) -> str:
        """As it was given, without a password."""
        return re.sub(r"(?<=://)[^/@]*@", "", readable(f"{self.kind}={self.place}"))


def parse_trackers(given: Sequence[str]) -> list[TrackerPlace]:
    """Read every ``KIND=PLACE`` and see that it could be; nothing is written, and no tracker's library is imported.

    Raises:
        UserError: an unknown kind, no place or an impossible one, or a library that is not installed.
    """
    return [_parsed(text) for text in dict.fromkeys(given)]


def _parsed(text: str) -> TrackerPlace:
    kind, _, place = text.partition("=")
    found = TrackerPlace(kind, place)
    if kind not in KINDS:
        raise UserError(
            f"--track {found.label} was given, and there is no tracker '{readable(kind)}'.{did_you_mean(kind, KINDS)} "
            f"Give one such as {' or '.join(one.example for one in KINDS.values())}."
        )
    if not place:
        raise UserError(f"--track {found.label} names no place; give one, such as {KINDS[kind].example}.")
    if find_spec(KINDS[kind].package) is None:
        raise UserError(
            f"--track {found.label} needs the package {KINDS[kind].package}, which is not installed; get it with "
            f"pip install 'fbench[{kind}]'."
        )
    _module(kind).check_place(place)
    return found


@contextmanager
def mirrors_of(places: Sequence[TrackerPlace], warn: Callable[[str], None]) -> Iterator[list[Mirror]]:
    """Trackers that are open within a block, as listeners; ``warn`` is told of one that fails on the way.

    Raises:
        UserError: one that cannot be opened.
    """
    with ExitStack() as stack:
        mirrors = [Mirror(_opened(place), place.label, warn) for place in places]
        for mirror in mirrors:
            stack.callback(mirror.close)
        yield mirrors


def _opened(place: TrackerPlace) -> Any:
    try:
        with quiet():
            return _module(place.kind).open_tracker(place.place)
    except UserError:
        raise
    except Exception as error:  # of any type: it comes from the tracker's library
        raise UserError(
            f"--track {place.label} cannot be used ({reason_on_a_line(error, MOST_OF_A_REASON)}); start or mend it, or "
            f"give another place, such as {KINDS[place.kind].example}."
        ) from error


def _module(kind: str) -> Any:
    return import_module(KINDS[kind].module)

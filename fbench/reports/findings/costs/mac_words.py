"""What the MACs of a summary hold and what is missing in them, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from fbench.benchmark.records.trial_records import UncountedOperation
from fbench.reports.formatting import listing

_WORDS: Final = {
    "convolution": "convolution",
    "linear": "linear layers",
    "attention": "products of attention",
    "recurrent": "recurrent cells",
    "bilinear": "bilinear layers",
    "distance": "distances",
    "other": "other products",
}
_ALWAYS: Final = ("convolution", "linear")


def mac_kinds(found: Iterable[Iterable[str]]) -> str:
    """What is counted as multiply-accumulates in any of the networks: convolution and linear layers at least."""
    kinds = {*_ALWAYS, *(kind for kinds in found for kind in kinds)}
    return listing([words for kind, words in _WORDS.items() if kind in kinds])


def missing_macs(network: str, not_counted: Sequence[UncountedOperation]) -> str:
    """Which operations of a network are not in its MACs; empty where none is missing."""
    missing = [one for one in not_counted if not one.on_parameters]
    if not missing:
        return ""
    calls = [f"{one.operation} in {one.calls} call{'' if one.calls == 1 else 's'}" for one in missing]
    return f"The MACs of {network} lack {listing(calls)}, for which no formula is known."

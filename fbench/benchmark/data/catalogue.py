"""The data sets that fbench knows by name, each declared in one module."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.layouts.data_set import DataSet
from fbench.core.errors import UserError, did_you_mean

DATA_SETS: Final[dict[str, str]] = {
    "synthetic": "fbench.benchmark.data.synthetic.dataset",
    "fer2013": "fbench.benchmark.data.layouts.fer2013",
    "ferplus": "fbench.benchmark.data.layouts.ferplus",
    "ck48": "fbench.benchmark.data.layouts.ck48",
    "imed": "fbench.benchmark.data.layouts.imed",
    "rafdb": "fbench.benchmark.data.layouts.rafdb",
    "folder": "fbench.benchmark.data.layouts.folder",
    "arrays": "fbench.benchmark.data.layouts.arrays",
    "cleaned": "fbench.benchmark.data.cleaned",
}
"""By name, in the order in which they are listed: the module whose ``DATA_SET`` declares it.

A module is imported when its data set is asked for: readers import NumPy and Pillow, and whoever needs the names alone
(claims, a misspelt name) does without.
"""

OWN_DATA: Final = frozenset({"folder", "arrays"})
"""Those that may hold anything: images of any size, of faces or not."""


def data_set(name: str) -> DataSet:
    """Look up a name.

    Raises:
        UserError: nothing has this name.
    """
    if name not in DATA_SETS:
        raise UserError(f"There is no data set '{name}'.{did_you_mean(name, DATA_SETS)} Known: {', '.join(DATA_SETS)}.")
    found = import_module(DATA_SETS[name]).DATA_SET
    if not isinstance(found, DataSet):
        raise TypeError(f"The module {DATA_SETS[name]} declares no DataSet as DATA_SET.")
    return found


def known_data(name: str) -> KnownData:
    """What is known of a data set.

    Raises:
        UserError: nothing has this name.
    """
    return data_set(name).known

"""A run planned anew with a microbatch that fits, where trials failed for lack of the device's memory.

A microbatch is part of the numerics, which are fixed with a run and part of every trial's id: the new run has a folder
beside the old one.
"""

from __future__ import annotations

from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError


def with_uniform_microbatch(folder: RunFolder, numerics: Numerics) -> tuple[RunFolder, Numerics]:
    """The folder beside a run, and the numerics, for the same trials with the largest microbatch that fits all.

    Raises:
        UserError: no trial of the run failed for lack of memory with a microbatch that fits.
    """
    first, size = folder, None
    while (smaller := _least_fitting(folder)) is not None and smaller != size:
        size = smaller
        folder = RunFolder(first.path.with_name(f"{first.path.name}-microbatch{size}"))
    if size is None:
        raise UserError(
            f"--uniform-microbatch was given, and {folder.path} has no trial that failed for lack of the device's "
            "memory with a microbatch that fits; leave it out."
        )
    return folder, numerics.model_copy(update={"microbatch": size})


def _least_fitting(folder: RunFolder) -> int | None:
    records = folder.trials().values() if folder.path.exists() else ()
    return min((one.fitting_microbatch for one in records if one.fitting_microbatch is not None), default=None)

"""Whether a trial is as it was written: what whoever takes it from its folder has to know before."""

from __future__ import annotations

from typing import Final

from fbench.benchmark.maps.face_maps import MAPS_FILE
from fbench.benchmark.records.predictions import LOGITS_FILE
from fbench.benchmark.store.hashes import read_hashes, sha256_of
from fbench.benchmark.store.index.histories import HISTORY_FILE
from fbench.benchmark.store.run_folder import WEIGHTS_FILE
from fbench.core.contained import ContainedPath

LEFT_OUT_OF_COMMITS: Final = frozenset({WEIGHTS_FILE, LOGITS_FILE, HISTORY_FILE})
"""Files that results may be without."""
_NOT_NEEDED: Final = frozenset({WEIGHTS_FILE, LOGITS_FILE, MAPS_FILE})


def damage_of_trial(trial: ContainedPath) -> str | None:
    """What is wrong with the files in a trial's folder that comparisons rest on, by the hashes beside them; none where
    they are as they were written, or where no hashes were kept."""
    for name, kept in sorted((read_hashes(trial) or {}).items()):
        file = trial / name
        if name in _NOT_NEEDED or (not file.exists() and name in LEFT_OUT_OF_COMMITS):
            continue
        if not file.exists():
            return f"{name} is missing"
        try:
            if sha256_of(file) != kept:
                return f"{name} is not what was written"
        except (OSError, ValueError) as error:
            return f"{name} cannot be read ({error})"
    return None

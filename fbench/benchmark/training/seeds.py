"""Seeds of a trial: initialisation, order and augmentation, each its own stream derived from the seed number."""

from __future__ import annotations

import numpy as np

from fbench.benchmark.records.trial_records import Seeds


def derive_seeds(seed: int) -> Seeds:
    """Three independent 63-bit seeds from one number (numpy's SeedSequence).

    Nothing but the number enters, so trials of two networks with equal numbers share order and augmentation.
    """
    initialisation, order, augmentation = (
        int(child.generate_state(1, np.uint64)[0] >> np.uint64(1)) for child in np.random.SeedSequence(seed).spawn(3)
    )
    return Seeds(initialisation=initialisation, order=order, augmentation=augmentation)

"""Is a trained network all in its parameters and buffers? Asked by building it again before its weights are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from torch import nn

from fbench.architectures.process_settings import process_settings_kept
from fbench.architectures.registry import build
from fbench.benchmark.machine.device import lay_out, memory_format, seed_generators
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.training.evaluate import predict_logits
from fbench.benchmark.training.network_state import State, put_state
from fbench.benchmark.training.tensors import Normalisation, SplitTensors
from fbench.core.errors import reason_of

IMAGES: Final = 8
_RELATIVE, _ABSOLUTE = 0.05, 0.01  # far above what bf16 rounds to, far below what another projection does


def why_not_rebuilt(
    spec: TrialSpec, network: nn.Module, state: State, split: SplitTensors, normalisation: Normalisation
) -> str | None:
    """Build a network again, put ``state`` into it, and hold its logits against those of the trained one.

    Args:
        spec: the trial.
        network: the trained network, as it stands at the chosen step.
        state: its state then.
        split: whose first images are read; that of training will do, as nothing is measured.
        normalisation: of the trial.

    Returns:
        Why the weights are not those of the trained network; None where they are, or where the trained network itself
        gives other logits for the same images the second time.
    """

    def logits(of: nn.Module) -> npt.NDArray[np.float32]:
        few = replace(split, images=split.images[:IMAGES], labels=split.labels[:IMAGES])
        found = predict_logits(of, few, normalisation, spec.numerics, flip=spec.protocol.test_time_flip)
        numbers: npt.NDArray[np.float32] = found.cpu().numpy()
        return numbers

    try:
        with process_settings_kept():
            wanted = logits(network)
            seed_generators(1, split.images.device)  # any other than that of the trial
            rebuilt = lay_out(build(spec.network.resolved).to(split.images.device), memory_format(spec.numerics))
            put_state(rebuilt, state)
            found = logits(rebuilt)
            if np.allclose(found, wanted, rtol=_RELATIVE, atol=_ABSOLUTE * max(1.0, float(np.abs(wanted).max()))):
                return None
            if not np.array_equal(wanted, logits(network)):  # it draws by chance
                return None
    except Exception as error:  # of any type: it comes from somebody's network
        return f"built again, the network does not take them ({reason_of(error)})"
    apart = float(np.abs(found - wanted).max())
    return (
        f"built again with them, the network gives other logits (by up to {apart:.3g}), as it draws or learns "
        "something outside of its parameters and buffers; make that a buffer"
    )

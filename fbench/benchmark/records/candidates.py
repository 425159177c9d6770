"""A protocol with the settings of a candidate in place of its own."""

from __future__ import annotations

from typing import Final

from fbench.benchmark.records.protocol import WORDS, Augmentation, Protocol
from fbench.benchmark.records.tuning import Candidate, Strength

_LIMITS: Final = {"zoom_fraction": 0.99, "rotation_degrees": 180.0, "mixup_alpha": float("inf")}
"""The most that a range can be; a fraction or probability is 1 at most."""


def with_candidate(protocol: Protocol, candidate: Candidate) -> Protocol:
    """The protocol with a candidate's learning rate and strength, as it is trained: without ``[tuning]``.

    Products are rounded to 12 digits, so that 1.5 times 0.1 is 0.15 on every machine and in every file.

    Raises:
        ValueError: the protocol has no ``[tuning]``.
    """
    if protocol.tuning is None:
        raise ValueError(f"Protocol '{protocol.name}' has no [tuning], so it has no candidates.")
    strength = protocol.tuning.strength(candidate.strength)
    optimizer = protocol.optimizer.model_copy(
        update={
            "learning_rate": _rounded(protocol.optimizer.learning_rate * candidate.rate),
            "weight_decay": _rounded(protocol.optimizer.weight_decay * strength.weight_decay),
        }
    )
    return protocol.model_copy(
        update={
            "optimizer": optimizer,
            "label_smoothing": min(_rounded(protocol.label_smoothing * strength.label_smoothing), 0.99),
            "augmentation": _scaled(protocol.augmentation, strength),
            "tuning": None,
        }
    )


def without_words(protocol: Protocol) -> Protocol:
    """The protocol without what is for readers alone, as the record of a tuned trial keeps it."""
    return Protocol.model_validate(protocol.model_dump(exclude=set(WORDS)))


def _scaled(augmentation: Augmentation, strength: Strength) -> Augmentation:
    values = augmentation.model_dump(exclude={"flip_probability", "erasing_max_fraction", "crop_padding_px"})
    scaled = {
        name: min(_rounded(value * strength.augmentation), _LIMITS.get(name, 1.0)) for name, value in values.items()
    }
    padding = round(augmentation.crop_padding_px * strength.augmentation)
    return augmentation.model_copy(update=scaled | {"crop_padding_px": padding})


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")

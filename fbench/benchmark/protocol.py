"""A protocol: how a trial is trained and how its epoch is chosen. All of it is data, versioned, and hashed.

Protocols are TOML files in ``protocols/``; a file of the same form can be given by path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from fbench.architectures.errors import UserError, did_you_mean
from fbench.benchmark.schema import FrozenModel, parse, read_toml

PROTOCOL_FOLDER: Final = Path(__file__).parent / "protocols"

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class AdamW(FrozenModel):
    """AdamW (Loshchilov & Hutter 2019): weight decay apart from the gradient."""

    kind: Literal["adamw"] = "adamw"
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: PositiveFloat = 1e-8


class Adam(FrozenModel):
    """Adam (Kingma & Ba 2015): weight decay is an L2 penalty inside the gradient."""

    kind: Literal["adam"] = "adam"
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: PositiveFloat = 1e-8


class Sgd(FrozenModel):
    """Stochastic gradient descent with momentum, Nesterov's where asked."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0
    momentum: Fraction = 0.9
    nesterov: bool = True


Optimizer = Annotated[AdamW | Adam | Sgd, Field(discriminator="kind")]


class WarmupCosine(FrozenModel):
    """Linear warm-up over a fraction of the steps, then half a cosine down to a fraction of the peak."""

    kind: Literal["warmup_cosine"] = "warmup_cosine"
    warmup_fraction: Fraction = 0.1
    final_fraction: Fraction = 0.0


class ConstantRate(FrozenModel):
    """One learning rate from the first step to the last."""

    kind: Literal["constant"] = "constant"


class ReduceOnPlateau(FrozenModel):
    """Multiply the learning rate by ``factor`` after ``patience`` evaluations without a lower selection loss."""

    kind: Literal["reduce_on_plateau"] = "reduce_on_plateau"
    factor: Fraction = 0.1
    patience: PositiveInt = 5
    minimum_fraction: Fraction = 1e-4


Schedule = Annotated[WarmupCosine | ConstantRate | ReduceOnPlateau, Field(discriminator="kind")]


class Augmentation(FrozenModel):
    """Random changes of training images; 0 turns one off. Angles in degrees, the rest as fractions or pixels."""

    flip_probability: Fraction = 0.0
    rotation_degrees: NonNegativeFloat = 0.0
    shift_fraction: Fraction = 0.0
    zoom_fraction: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    crop_padding_px: Annotated[int, Field(ge=0)] = 0
    erasing_probability: Fraction = 0.0
    erasing_max_fraction: Fraction = 0.25
    mixup_alpha: NonNegativeFloat = 0.0


class Stopping(FrozenModel):
    """Stop early after ``patience`` evaluations without a lower selection loss."""

    patience: PositiveInt
    minimum_improvement: NonNegativeFloat = 0.0


class Protocol(FrozenModel):
    """Everything that decides how a trial learns, and which of its epochs is reported.

    ``selection`` names the split that chooses the epoch: ``selection`` is honest, ``test`` exists only to imitate
    published numbers and is marked wherever it was used, ``last`` takes the final epoch. ``test = "none"`` never
    reads the test split. Kernels decay; biases and normalisation do not unless ``decay_all_parameters``.
    The learning rate holds at ``reference_batch_size`` and is multiplied by the square root of the ratio elsewhere
    (Malladi et al. 2022, for Adam-like optimizers). ``architecture_options`` go to every builder before the
    identity of a trial is hashed.
    """

    name: str
    version: PositiveInt
    description: str = ""
    epochs: PositiveInt
    batch_size: PositiveInt
    reference_batch_size: PositiveInt
    optimizer: Optimizer
    schedule: Schedule
    augmentation: Augmentation = Augmentation()
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    gradient_clip_norm: PositiveFloat | None = None
    decay_all_parameters: bool = False
    ema_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    test_time_flip: bool = False
    stopping: Stopping | None = None
    selection: Literal["selection", "test", "last"] = "selection"
    test: Literal["once", "none"] = "once"
    architecture_options: dict[str, Any] = Field(default_factory=dict)


def list_protocols() -> list[str]:
    """Names of the protocols that come with fbench."""
    return sorted(path.stem for path in PROTOCOL_FOLDER.glob("*.toml"))


def load_protocol(name_or_path: str) -> Protocol:
    """Load a protocol by name, or from a TOML file.

    Raises:
        UserError: the name is unknown, or the file is missing or has a wrong or unknown key.
    """
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path).expanduser()
    elif name_or_path in list_protocols():
        path = PROTOCOL_FOLDER / f"{name_or_path}.toml"
    else:
        names = list_protocols()
        raise UserError(
            f"There is no protocol '{name_or_path}'.{did_you_mean(name_or_path, names)} "
            f"Allowed: {', '.join(names)}, or the path of a .toml file."
        )
    return parse(Protocol, read_toml(path), str(path if name_or_path.endswith(".toml") else name_or_path))

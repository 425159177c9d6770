"""What a network gave for a batch, held to be logits before anything is computed from it."""

from __future__ import annotations

import torch


def as_logits(output: object, images: int, when: str) -> torch.Tensor:
    """The output of a network for so many images as float32 logits (images, classes); ``when`` says in which mode.

    Raises:
        TypeError: it is no tensor of real numbers.
        ValueError: it has another shape.
    """
    if not isinstance(output, torch.Tensor) or output.is_complex():
        what = f"a tensor of {output.dtype}" if isinstance(output, torch.Tensor) else f"a {type(output).__name__}"
        raise TypeError(f"the network gives {what} {when}; let it return a tensor of logits")
    if output.ndim != 2 or len(output) != images:
        raise ValueError(
            f"the network gives the shape {tuple(output.shape)} for {images} images {when}; let it return one row of "
            "logits for each image"
        )
    return output.float()

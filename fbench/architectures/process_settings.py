"""What a network may set for the whole process ends with what it was run for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def process_settings_kept() -> Iterator[None]:
    """Put back gradients, the default dtype, threads and the random generator of the CPU after a block."""
    gradients, dtype, threads = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()
    generator = torch.random.get_rng_state()
    try:
        yield
    finally:
        torch.set_grad_enabled(gradients)
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
        torch.random.set_rng_state(generator)

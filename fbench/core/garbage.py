"""Python's search for garbage in cycles, put off while many objects are made that live on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_put_off() -> Iterator[None]:
    """Look for no garbage within the block: over 10,000 records that takes three quarters of the time of reading."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Look for garbage far more rarely within the block: of the page of 300 networks, whose objects live on, it
    takes a ninth of the time otherwise, and no less memory."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)

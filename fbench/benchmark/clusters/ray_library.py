"""Ray, imported where it is needed: it is an extra, and takes a second."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from fbench.core.errors import UserError
from fbench.core.machine import package_version

_LEAST_VERSION: Final = (2, 49)
QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to the makers of Ray
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # else `uv run fbench` makes an environment on every node
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # hosts see to that themselves; Ray warns that it will not any more
}


def require_ray() -> None:
    """See that Ray is there, without importing it.

    Raises:
        UserError: it is not, or it is too old.
    """
    remedy = "get it with pip install 'fbench[ray]', here and on every node."
    if find_spec("ray") is None:
        raise UserError(f"--executor ray needs the package ray, which is not installed; {remedy}")
    version = package_version("ray")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers < _LEAST_VERSION:
        least = ".".join(map(str, _LEAST_VERSION))
        raise UserError(f"--executor ray needs ray {least} or later, and {version} is installed; {remedy}")


def ray_library() -> Any:
    """The package ``ray``.

    Raises:
        UserError: as :func:`require_ray`.
    """
    require_ray()
    os.environ.update(QUIET)
    with signals_kept():
        ray = import_module("ray")
    # What Ray has to say of nodes goes to the standard output, between the lines of --json; no option stops it.
    with suppress(ImportError):
        vars(import_module("ray._private.worker"))["_worker_logs_enabled"] = False
    return ray


@contextmanager
def signals_kept() -> Iterator[None]:
    """Put back, after a block, what is done on signals: Ray ends the process on SIGTERM, and trials are to be kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # one that was not set from Python cannot be put back
                signal.signal(number, handler)

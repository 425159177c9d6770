"""A flag of the whole cluster: the driver puts it up when trials are to stop where they can be gone on with."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any


class Flag:
    """The actor: everybody waits for one answer, and asks for nothing meanwhile."""

    def __init__(self) -> None:
        self._up = asyncio.Event()

    async def put_up(self) -> None:
        """Let all know."""
        self._up.set()

    async def wait(self) -> str:
        """Answer when it is up."""
        await self._up.wait()
        return "stop"


class FlagSeen:
    """The flag as a node sees it. One that cannot be found, as its process is no more, is never up.

    Whoever waits for Ray in a task's own thread gives the task's cores to another one meanwhile, be it for no time at
    all; so another thread waits, for as long as the process lives.
    """

    def __init__(self, ray: Any, name: str) -> None:
        self._up = threading.Event()
        with suppress(Exception):  # of any type: of Ray's many, and all mean that nobody is there to be asked
            answer = ray.get_actor(name).wait.remote()
            threading.Thread(target=self._wait, args=(ray, answer), daemon=True).start()

    @property
    def is_up(self) -> bool:
        """Whether it is up; nothing is waited for."""
        return self._up.is_set()

    def _wait(self, ray: Any, answer: Any) -> None:
        with suppress(Exception):  # as above
            if ray.get(answer) == "stop":
                self._up.set()

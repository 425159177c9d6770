"""A flag of the whole cluster: the driver puts it up when trials are to stop where they can be gone on with."""

from __future__ import annotations

import asyncio
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
    """The flag as a node sees it. One that cannot be found, as its process is no more, is never up."""

    def __init__(self, ray: Any, name: str) -> None:
        self._ray, self._answer = ray, None
        with suppress(Exception):  # of any type: of Ray's many, and all mean that nobody is there to be asked
            self._answer = ray.get_actor(name).wait.remote()

    @property
    def is_up(self) -> bool:
        """Whether it is up; nothing is waited for."""
        if self._answer is None:
            return False
        try:
            ready, _ = self._ray.wait([self._answer], timeout=0)
            return bool(ready) and self._ray.get(self._answer) == "stop"
        except Exception:  # of any type, as above
            self._answer = None
            return False

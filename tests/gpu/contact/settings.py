"""What the stages of a call are told: where they run, how large, and where files lie."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What every measurement of a call is given.

    Attributes:
        out: the folder of what comes back.
        work: a folder for what does not: run folders, unpacked images.
        device: as ``--device`` of fbench takes it.
        small: sizes at which a processor ends in seconds; the numbers then mean nothing.
        faces: packed FER2013, for what trains on faces; without it they train on random images.
    """

    out: Path
    work: Path
    device: str = "cuda"
    small: bool = False
    faces: Path | None = None

    @property
    def is_cuda(self) -> bool:
        """Whether the device is a GPU of NVIDIA's."""
        return self.device.partition(":")[0] == "cuda"

    def to_json(self) -> str:
        """One line that another process reads."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, line: str) -> Settings:
        """What :meth:`to_json` wrote."""
        given = json.loads(line)
        faces = None if given["faces"] is None else Path(given["faces"])
        return cls(Path(given["out"]), Path(given["work"]), given["device"], given["small"], faces)

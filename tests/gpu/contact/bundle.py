"""What comes back of what a call left in its work folder: one archive, without weights, of a bounded size."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Final

from tests.gpu.contact.settings import Settings

ARCHIVE: Final = "work.tar.gz"
MOST_BYTES: Final = 15 * 2**20
"""Before compression: a place that takes 16 MiB a file takes it whatever it holds."""
LEFT_OUT: Final = (".safetensors", ".npz", ".pt")
"""Weights, checkpoints, logits and images."""


def bundle(settings: Settings) -> Path:
    """Archive the files of the work folder, the smallest first, as far as they fit, and name those that do not."""
    found = [file for file in settings.work.rglob("*") if file.is_file() and not file.is_symlink()]
    wanted = sorted((file for file in found if file.suffix not in LEFT_OUT), key=lambda file: file.stat().st_size)
    archive, room, too_much = settings.out / ARCHIVE, MOST_BYTES, []
    with tarfile.open(archive, "w:gz") as stream:
        for file in wanted:
            name = file.relative_to(settings.work).as_posix()
            room -= file.stat().st_size
            if room < 0:
                too_much.append(f"{name} {file.stat().st_size}")
            else:
                stream.add(file, name)
    if too_much:
        (settings.out / "left_out.txt").write_text("\n".join(too_much) + "\n", encoding="utf-8")
    return archive

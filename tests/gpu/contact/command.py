"""What both calls share: their options, and what they print and leave at their end."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.gpu.contact.bundle import bundle
from tests.gpu.contact.call import PRELOADED, Call
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Stage
from tests.gpu.contact.table import table

TABLE: Final = "table.txt"


def parser_of(description: str | None, stages: Sequence[Stage], seconds: float) -> argparse.ArgumentParser:
    """The options of a call."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="what comes back; the same folder again goes on")
    parser.add_argument("--seconds", type=float, default=seconds, help=f"of the whole call; default {seconds:.0f}")
    parser.add_argument("--device", default="cuda", help="default cuda")
    parser.add_argument("--small", action="store_true", help="small sizes, for a processor; its numbers mean nothing")
    parser.add_argument("--faces", type=Path, help="packed FER2013, as scripts/pack_for_gpu writes it")
    place = Path(tempfile.gettempdir()) / "fbench-contact"
    parser.add_argument("--work", type=Path, default=place, help=f"what does not come back; default {place}")
    names = [stage.name for stage in stages]
    parser.add_argument("--only", nargs="+", choices=names, metavar="STAGE", help=f"of {', '.join(names)}")
    return parser


def run(given: argparse.Namespace, stages: Sequence[Stage], seconds: float) -> int:
    """Run the stages, print the table, and bundle what is to come back; 1 where a result is missing.

    Limits of stages are those of a call of ``seconds``, and longer or shorter with the call's own.
    """
    settings = Settings(
        out=given.out.resolve(),
        work=given.work.resolve(),
        device=given.device,
        small=given.small or not given.device.startswith("cuda"),
        faces=None if given.faces is None else given.faces.resolve(),
    )
    stretch = given.seconds / seconds
    wanted = [replace(one, limit_s=one.limit_s * stretch) for one in stages if one.name in (given.only or [one.name])]
    lines = Call(settings, given.seconds, PRELOADED).run(wanted)
    told = table(lines)
    (settings.out / TABLE).write_text(told + "\n", encoding="utf-8")
    bundle(settings)
    print(told)  # noqa: T201 - a command reports by printing
    return int(any(line.status in ("failed", "died", "over its limit") for line in lines))

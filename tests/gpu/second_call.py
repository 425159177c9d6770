"""The second call on a GPU, after the first contact: ``python -m tests.gpu.second_call --out DIR --faces FILE``.

What users wait for: whole trainings of 100 epochs on FER2013 with their share of the memory roofline, a plain PyTorch
loop beside them, ``fbench speed``, a quick run with one and four trials at a time, and whether a network learns there
what it learns on a processor. Stages, results and limits are as in :mod:`tests.gpu.first_contact`; in a folder of its
own or in that of the first contact.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from tests.gpu.contact.command import parser_of, run
from tests.gpu.contact.stages import Stage

SECONDS: Final = 480.0
STAGES: Final = (
    Stage("faces", "tests.gpu.contact.faces", 30),
    Stage("trainings", "tests.gpu.contact.trainings", 150),
    Stage("plain loop", "tests.gpu.contact.plain_loop", 60),
    Stage("commands", "tests.gpu.contact.commands", 180),
    Stage("accuracy", "tests.gpu.contact.accuracy", 60),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages."""
    return run(parser_of(__doc__, STAGES, SECONDS).parse_args(arguments), STAGES, SECONDS)


if __name__ == "__main__":
    sys.exit(main())

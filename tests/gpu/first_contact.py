"""The first minutes of fbench on a GPU: ``python -m tests.gpu.first_contact --out DIR [--seconds 270]``.

Says in five minutes what the device computes, whether it computes what plain arithmetic does and twice the same, and
where the time of a step goes. Each stage has a time limit and a process of its own; one that fails is a line in the
results, and the next begins. Every result is a line of ``DIR/results.jsonl`` as soon as it is known; the same command
again goes on with what is missing. ``--device cpu`` tries all of it without a GPU, in small sizes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from tests.gpu.contact.command import parser_of, run
from tests.gpu.contact.stages import Stage

SECONDS: Final = 270.0
STAGES: Final = (
    Stage("machine", "tests.gpu.contact.machine", 10),
    Stage("rates", "tests.gpu.contact.rates", 10),
    Stage("agreement", "tests.gpu.contact.agreement", 45),
    Stage("equal bits", "tests.gpu.contact.equal_bits", 25),
    Stage("step times", "tests.gpu.contact.step_times", 75),
    Stage("kernels", "tests.gpu.contact.kernels", 15),
    Stage("streams", "tests.gpu.contact.streams", 25, needs_cuda=True),
    Stage("cuda tests", "tests.gpu.contact.cuda_tests", 60, needs_cuda=True),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages."""
    return run(parser_of(__doc__, STAGES, SECONDS).parse_args(arguments), STAGES, SECONDS)


if __name__ == "__main__":
    sys.exit(main())

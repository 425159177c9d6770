"""What is asked for of a measurement of cost: networks, settings, and how long to look."""

from __future__ import annotations

import json
from typing import Final, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.core.hashing import short_hash
from fbench.core.schema import FrozenModel

CostMode = Literal["inference", "train"]
"""``inference`` is a forward pass in evaluation mode; ``train`` a step of the default protocol, data included."""

Backend = Literal["eager", "compile", "cuda_graph", "onnxruntime", "onnxruntime_int8"]
"""What runs the network: PyTorch as it is, compiled, or recorded once as a CUDA graph; or ONNX Runtime, in fp32 or
quantised to int8."""

ONNX_BACKENDS: Final = frozenset({"onnxruntime", "onnxruntime_int8"})


class Setting(FrozenModel):
    """How networks are called; ``batch_size`` none means each network's own best, found by doubling."""

    mode: CostMode = "inference"
    batch_size: PositiveInt | None = 1
    backend: Backend = "eager"

    @property
    def label(self) -> str:
        """The setting in a reader's words."""
        batch = "best batch" if self.batch_size is None else f"batch {self.batch_size}"
        return f"{self.mode}, {batch}, {self.backend}"


LATENCY = Setting()
THROUGHPUT = Setting(batch_size=None)
TRAINING = Setting(mode="train", batch_size=64)


class CostPlan(FrozenModel):
    """How cost is measured.

    ``blocks`` is the number of blocks, each with all settings and networks in random order; ``seconds`` about how long
    they take together (none: half a second for each network in each setting), though each call is timed once a block
    at least. Batches are doubled up to ``largest_batch_size``. Energy is read over ``energy_s`` of calls, where it can
    be read; none: it is not.
    """

    settings: tuple[Setting, ...] = (LATENCY, THROUGHPUT, TRAINING)
    blocks: PositiveInt = 12
    seconds: PositiveFloat | None = None
    largest_batch_size: PositiveInt = 256
    energy_s: PositiveFloat | None = 2.0


class CostSpec(FrozenModel):
    """The networks whose cost is measured together on one machine, interleaved, while no trial runs.

    ``against`` is the network that is measured twice, to tell the noise of the machine; the first one by default.
    """

    networks: tuple[NetworkSpec, ...]
    numerics: Numerics
    plan: CostPlan
    seed: NonNegativeInt = 0
    against: str | None = None

    @property
    def measured_twice(self) -> str:
        """Name of the network that is measured twice."""
        return self.against or self.networks[0].name

    @property
    def cost_id(self) -> str:
        """16 hexadecimal digits for the networks, numerics and plan."""
        return short_hash(
            {
                "networks": sorted({json.dumps([n.digest, n.options], sort_keys=True) for n in self.networks}),
                "numerics": self.numerics.of_cost(),
                "plan": self.plan.model_dump(mode="json"),
                "seed": self.seed,
                "against": self.against,
            }
        )

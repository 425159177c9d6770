"""The content of ``network.json``: the operations of a network, what flows between them, its shapes and its counts.

:meth:`fbench.architectures.tracing.graph.NetworkTrace.to_json` gives it, and says what each field means. Fields with a
default came later: files of before lack them.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from fbench.architectures.tracing.hyperparameters import Hyperparameters, read_hyperparameters
from fbench.benchmark.records.trial_records import SCHEMA_VERSION, UncountedOperation
from fbench.core.schema import FrozenModel

Shape = tuple[int, ...]


class SharedParameter(FrozenModel):
    """A parameter of a module that is counted where another module holds it."""

    name: str
    counted_as: str
    elements: int


class DescribedModule(FrozenModel):
    """One step of the forward pass: a call of one of torch's own layers, or one operation of other code."""

    index: int
    path: str
    module_class: str = Field(alias="class")
    layer: bool
    kind: str
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    trainable_params: int
    frozen_params: int = 0
    shared_params: tuple[SharedParameter, ...] = ()
    bn_running_stats: int
    macs: int
    macs_by_kind: dict[str, int] = Field(default_factory=dict)
    macs_per_call: int = 0
    elementwise_ops: dict[str, int]
    arguments: str
    activation_bytes: int
    parameter_bytes: int

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Those of one of torch's own layers; of another operation nothing is known."""
        return read_hyperparameters(self.module_class, self.arguments) if self.layer else Hyperparameters()

    @property
    def has_bias(self) -> bool:
        """Whether a bias is added to what it computes."""
        return "bias" in self.elementwise_ops


class DescribedEdge(FrozenModel):
    """A map that flows from one module to a later one; ``reshape`` says how its shape changes on the way."""

    source: int
    target: int
    reshape: str = ""


class ParameterHolder(FrozenModel):
    """A module whose parameters no step of its own shows."""

    path: str
    module_class: str = Field(alias="class")
    trainable_params: int
    frozen_params: int
    shared_params: tuple[SharedParameter, ...]
    bn_running_stats: int


class NetworkCounts(FrozenModel):
    """Counts of the whole network; operations and ``activation_bytes`` are for one image."""

    trainable_params: int
    frozen_params: int = 0
    bn_running_stats: int
    total_params_keras: int
    macs: int
    macs_by_kind: dict[str, int] = Field(default_factory=dict)
    macs_per_call: int = 0
    macs_per_call_by_kind: dict[str, int] = Field(default_factory=dict)
    elementwise_ops: int
    elementwise_ops_by_kind: dict[str, int]
    elementwise_ops_per_call_by_kind: dict[str, int] = Field(default_factory=dict)
    activation_bytes: int
    parameter_bytes: int


class NetworkDescription(FrozenModel):
    """A network as a graph of modules; module 0 is the image, and every edge leads to a later module."""

    schema_version: int = SCHEMA_VERSION
    input_shape: tuple[int, int, int]
    modules: tuple[DescribedModule, ...]
    edges: tuple[DescribedEdge, ...]
    outputs: tuple[int, ...]
    output_shape: Shape | None = None
    """Of the first tensor that the network returns; empty where there is none, None in files of before."""
    parameter_holders: tuple[ParameterHolder, ...] = ()
    not_counted: tuple[UncountedOperation, ...] = ()
    counts: NetworkCounts

    @model_validator(mode="after")
    def _check_graph(self) -> Self:
        for index, module in enumerate(self.modules):
            if module.index != index:
                raise ValueError(f"module {module.index} stands at index {index}")
        for edge in self.edges:
            if not 0 <= edge.source < edge.target < len(self.modules):
                raise ValueError(
                    f"module {edge.target} of {len(self.modules)} takes the result of module {edge.source}"
                )
        for node in self.outputs:
            if not 0 <= node < len(self.modules):
                raise ValueError(f"the network returns the result of module {node} of {len(self.modules)}")
        return self

    def to_json(self) -> dict[str, Any]:
        """The content of ``network.json`` as JSON values: the fields that it was made from, as they were."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

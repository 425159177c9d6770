"""From a call of PyTorch's dispatcher to what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from fbench.architectures.tracing.known_operations import contracts_nothing
from fbench.architectures.tracing.operations import Operation, measure, measure_product, not_counted
from fbench.architectures.tracing.products import formula_of


def operation_of(
    func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Sequence[torch.Tensor]
) -> Operation:
    """The kind and cost of a call of ``func``, whose base name is ``name``."""
    given = (*args, *kwargs.values())
    formula = formula_of(func, name)
    if formula is not None:
        return measure_product(name, formula, given, _with_defaults(func, args, kwargs), outputs)
    if not contracts_nothing(func, name):
        return not_counted(full_name(func).removeprefix("aten::"), given)
    operation = measure(name, given, outputs)
    return replace(operation, elementwise_ops={}) if func.is_view else operation


def _with_defaults(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """All arguments in the order of the schema."""
    if not hasattr(func, "_schema"):
        return [*args, *kwargs.values()]
    rest = func._schema.arguments[len(args) :]
    return [*args, *(kwargs.get(argument.name, argument.default_value) for argument in rest)]


def written_by(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The tensors that an operation without a result writes into."""
    if not hasattr(func, "_schema"):
        return []
    values = zip(func._schema.arguments, _with_defaults(func, args, kwargs), strict=False)
    return [
        tensor
        for argument, value in values
        if argument.alias_info is not None and argument.alias_info.is_write
        for tensor in tensors_in(value)
    ]


def full_name(func: Any) -> str:
    """The name with its namespace: ``aten::relu``."""
    return str(func._schema.name) if hasattr(func, "_schema") else str(func)


def is_composite(func: Any) -> bool:
    """Whether an operation is defined by others, into which PyTorch can take it apart."""
    return isinstance(func, torch._ops.OpOverload) and func._can_decompose()


def tensors_in(values: Any) -> list[torch.Tensor]:
    """The tensors in nested lists, tuples and dicts, in order."""
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, dict):
        values = values.values()
    elif not isinstance(values, list | tuple):
        return []
    return [tensor for value in values for tensor in tensors_in(value)]

"""Parts that many records have in common (a network, a protocol, a machine), each checked once and kept once."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.specs import DataSpec, NetworkSpec
from fbench.core.errors import UserError
from fbench.core.machine import Machine

_OF_SPEC: Final[Mapping[str, type[BaseModel]]] = {
    "network": NetworkSpec,
    "data": DataSpec,
    "protocol": Protocol,
    "budget": Budget,
    "numerics": Numerics,
    "default_protocol": Protocol,
}
_OF_RECORD: Final[Mapping[str, type[BaseModel]]] = {"machine": Machine}
Values = dict[str, Any]


class Parts:
    """Parts of records as JSON has them, by numbers, and the models of them."""

    def __init__(self, given: list[tuple[str, Any]] | None = None) -> None:
        self.values: list[tuple[str, Any]] = []
        self._numbers: dict[tuple[str, bytes], int] = {}
        self._models: dict[int, BaseModel] = {}
        for field, value in given or ():
            self._number(field, value)

    def taken_out(self, record: Values) -> Values:
        """A record with numbers in the place of its parts."""
        return self._each(record, lambda field, value, _: self._number(field, value))

    def put_back(self, record: Values) -> Values:
        """A record with the models in the place of numbers; a part that is no valid one is as it was.

        Raises:
            ValueError, KeyError, TypeError: there is no such part.
        """
        return self._each(record, self._model)

    def _each(self, record: Values, change: Any) -> Values:
        spec = record.get("spec")
        changed = {**record, **self._changed(record, _OF_RECORD, change)}
        if isinstance(spec, dict):
            changed["spec"] = {**spec, **self._changed(spec, _OF_SPEC, change)}
        return changed

    @staticmethod
    def _changed(values: Values, models: Mapping[str, type[BaseModel]], change: Any) -> Values:
        present = ((field, model) for field, model in models.items() if values.get(field) is not None)
        return {field: change(field, values[field], model) for field, model in present}

    def _number(self, field: str, value: Any) -> int:
        key = (field, marshal.dumps(value, 2))  # never read: it is a quick name for values that are equal
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append((field, value))
        return self._numbers[key]

    def _model(self, field: str, number: int, model: type[BaseModel]) -> Any:
        if number not in self._models:
            of_field, value = self.values[number]
            if of_field != field:
                raise ValueError(f"part {number} is no {field}")
            try:
                self._models[number] = model.model_validate(value)
            except (ValidationError, UserError):
                return value  # what is wrong is said of the whole record
        return self._models[number]

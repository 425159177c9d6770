"""Arrays pass as text in the fields of dataclasses, whole, and nothing else is taken for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import TypeAdapter, ValidationError

from fbench.core.array_text import AS_TEXT, array_from_text, array_to_text


@dataclass(frozen=True)
class Holder:
    values: Annotated[npt.NDArray[Any], *AS_TEXT]
    more: Annotated[npt.NDArray[Any], *AS_TEXT] | None = None


@pytest.mark.parametrize(
    "values", [np.arange(6, dtype=np.uint8).reshape(1, 2, 3), np.array(2.5), np.array(["a", "bc"])]
)
def test_an_array_is_the_same_with_its_type_and_shape(values: npt.NDArray[Any]) -> None:
    held = TypeAdapter(Holder)
    found = held.validate_python(held.dump_python(Holder(values), mode="json"))
    assert found.values.dtype == values.dtype
    assert np.array_equal(found.values, values)
    assert found.more is None


@pytest.mark.parametrize("text", ["", "x", "bm8=", None, 3])
def test_what_is_no_array_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"no text of an array|magic|damaged"):
        array_from_text(text)
    with pytest.raises(ValidationError):
        TypeAdapter(Holder).validate_python({"values": text})


def test_an_array_of_objects_does_not_pass() -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        array_to_text(np.array([object()]))

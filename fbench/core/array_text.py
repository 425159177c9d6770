"""Arrays as text, so that what holds them passes from one process to another as JSON and is kept nowhere."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import PlainSerializer, PlainValidator


def array_to_text(array: npt.NDArray[Any]) -> str:
    """An array of numbers in the NPY format, as base 64."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)
    return base64.b64encode(stream.getvalue()).decode()


def array_from_text(text: object) -> npt.NDArray[Any]:
    """What :func:`array_to_text` made a text of.

    Raises:
        ValueError: it is no such text.
    """
    if not isinstance(text, str):
        raise ValueError(f"{type(text).__name__} is no text of an array")  # noqa: TRY004 - as pydantic wants it
    try:
        return np.asarray(np.lib.format.read_array(io.BytesIO(base64.b64decode(text, validate=True))))
    except (binascii.Error, EOFError, SyntaxError, TypeError) as error:
        raise ValueError("it is no text of an array, or damaged") from error


AS_TEXT: Final = (PlainValidator(array_from_text), PlainSerializer(array_to_text))
"""Beside the type of an array in ``Annotated``: how pydantic takes it to JSON and back."""

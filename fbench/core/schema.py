"""The base of every model that crosses a border, and the reading of TOML into it with one-sentence errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from fbench.core.bounded import MOST_TOML_BYTES, parse_toml, plain_texts, read_text
from fbench.core.errors import UserError, message_of
from fbench.core.problems import first_problem


class FrozenModel(BaseModel):
    """Immutable, and strict about keys: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values of some fields, validated as a new model is; pydantic's own takes any.

        Raises:
            ValidationError: an unknown field, or a value that its field does not allow.
            UserError: of a model's own check.
        """
        copy = super().model_copy(deep=deep)
        if not update:
            return copy
        kept = {name: getattr(copy, name) for name in copy.model_fields_set}
        return self.model_validate(kept | dict(update))


def is_finite(value: object) -> bool:
    """Whether all numbers in a value of tables and lists are finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(is_finite, value.values()))
    return all(map(is_finite, value)) if isinstance(value, list | tuple) else True


ModelT = TypeVar("ModelT", bound=BaseModel)


def parse(model: type[ModelT], values: object, where: str) -> ModelT:
    """Validate ``values`` as ``model``; ``where`` names the file or option in the error.

    Raises:
        UserError: one sentence about the first problem, with a "did you mean" for an unknown key.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{where}: {first_problem(model, values, error)}") from error
    except UserError as error:  # of a model's own check
        raise UserError(f"{where}: {error}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        UserError: the file is missing, no regular file, too large, or is not TOML.
    """
    try:
        text = read_text(path, MOST_TOML_BYTES)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}; give the path of a TOML file.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not valid TOML ({error}); mend that line.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path} cannot be read ({reason}); give the path of a TOML file.") from error
    try:
        return dict(plain_texts(parse_toml(text)))
    except ValueError as error:
        raise UserError(f"{path} is not valid TOML ({message_of(error, 300)}); mend that line.") from error


def toml_of(model: BaseModel) -> str:
    """A model as the text of a TOML file, which reads back as the same."""
    import tomli_w

    return tomli_w.dumps(model.model_dump(mode="json", exclude_none=True))

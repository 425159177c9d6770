"""The base of every model that crosses a border, and the reading of TOML into it with one-sentence errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from fbench.core.bounded import MOST_TOML_BYTES, parse_toml, plain_texts, read_text
from fbench.core.errors import UserError, did_you_mean, message_of


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


ModelT = TypeVar("ModelT", bound=BaseModel)


def parse(model: type[ModelT], values: object, where: str) -> ModelT:
    """Validate ``values`` as ``model``; ``where`` names the file or option in the error.

    Raises:
        UserError: one sentence about the first problem, with a "did you mean" for an unknown key.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{where}: {_first_problem(model, error)}") from error
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


def _first_problem(model: type[BaseModel], error: ValidationError) -> str:
    # A misspelt required key is both unknown and missing; the unknown one says what was meant.
    problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    location = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        allowed = sorted(_keys_at(model, problem["loc"][:-1]))
        given = location[-1]
        inside = f" in '{'.'.join(location[:-1])}'" if location[:-1] else ""
        return f"unknown key '{given}'{inside}.{did_you_mean(given, allowed)} Allowed: {', '.join(allowed)}."
    if problem["type"] == "missing":
        return f"the key '{'.'.join(location)}' is missing; add it."
    if problem["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_kind(location, problem.get("input"), problem.get("ctx", {}))
    message = problem["msg"].removeprefix("Value error, ")
    return f"'{'.'.join(location)}' is {problem.get('input')!r}: {message}."


def _unknown_kind(location: list[str], given: object, context: dict[str, Any]) -> str:
    """The sentence for a table whose tag says nothing that is known; pydantic lists what is, in quotes."""
    key = str(context.get("discriminator", "'kind'")).strip("'")
    if not isinstance(given, dict) or key not in given:
        return f"'{'.'.join(location)}' has no '{key}'; add it."
    allowed = [word.strip(" '") for word in str(context.get("expected_tags", "")).split(",")]
    return (
        f"'{'.'.join(location)}' has the unknown {key} '{given[key]}'.{did_you_mean(str(given[key]), allowed)} "
        f"Allowed: {', '.join(allowed)}."
    )


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> set[str]:
    """The keys allowed at a place of a model, found in its JSON schema."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})

    def resolve(node: dict[str, Any]) -> list[dict[str, Any]]:
        if "$ref" in node:
            return resolve(definitions[node["$ref"].rsplit("/", 1)[-1]])
        for union in ("anyOf", "oneOf"):
            if union in node:
                return [leaf for option in node[union] for leaf in resolve(option)]
        return [node]

    nodes = resolve(schema)
    for part in location:
        following: list[dict[str, Any]] = []
        for node in nodes:
            if isinstance(part, int):
                following += resolve(node.get("items", {}))
            elif part in node.get("properties", {}):
                following += resolve(node["properties"][part])
            elif node.get("properties", {}).get("kind", {}).get("const") == part:
                following.append(node)  # pydantic puts a union's tag into the location
            elif isinstance(node.get("additionalProperties"), dict):
                following += resolve(node["additionalProperties"])
        nodes = following
    return {key for node in nodes for key in node.get("properties", {})}

"""What is wrong with the values of a file or option, in a sentence: pydantic's findings in a reader's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from fbench.core.errors import did_you_mean

Location = Sequence[int | str]


def first_problem(model: type[BaseModel], values: object, error: ValidationError) -> str:
    """The first problem of ``values``, which are no ``model``, in a sentence."""
    # A misspelt required key is both unknown and missing; the unknown one says what was meant.
    problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    location, kind = problem["loc"], problem["type"]
    if kind == "extra_forbidden":
        allowed = sorted(_keys_at(model, location[:-1]))
        given = str(location[-1])
        inside = f" in {place_in(values, location[:-1])}" if location[:-1] else ""
        return f"unknown key '{given}'{inside}.{did_you_mean(given, allowed)} Allowed: {', '.join(allowed)}."
    if kind == "missing":
        return f"the key {place_in(values, location)} is missing; add it."
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_kind(place_in(values, location), problem.get("input"), problem.get("ctx", {}))
    said = wanted(kind, problem["msg"], problem.get("ctx", {}))
    return f"{place_in(values, location)} is {problem.get('input')!r:.200}: {said}."


def place_in(values: object, location: Location) -> str:
    """A place in nested tables and lists, as a reader finds it: an entry of a list by its name, else by its number."""
    words, keys, here = list[str](), list[str](), values
    for part in location:
        try:
            here = here[part]  # type: ignore[index] # of whatever was given
        except (LookupError, TypeError):
            here = None
        if isinstance(part, int):
            named = here.get("name") if isinstance(here, Mapping) else None
            entry = f"'{named}'" if isinstance(named, str) else f"number {part + 1}"
            words.append(f"{entry} of '{'.'.join(keys)}'" if keys else entry)
            keys = []
        else:
            keys.append(part)
    if keys:
        words.append(f"'{'.'.join(keys)}'")
    return " in ".join(reversed(words)) or "the whole"


def wanted(kind: str, message: str, context: Mapping[str, Any]) -> str:
    """What would have been right, for a kind of problem as pydantic calls it."""
    for beginning, words in _WANTED.items():
        if kind.startswith(beginning):
            return words(context)
    said = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return said.replace("Input should be", "give").replace("Input should", "it should")


_WANTED: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "string_type": lambda context: "give a text",
    "string_pattern_mismatch": lambda context: f"give a text of the form {context.get('pattern')}",
    "string_too_short": lambda context: f"give at least {context.get('min_length')} characters",
    "string_too_long": lambda context: f"give at most {context.get('max_length')} characters",
    "int": lambda context: "give a whole number",
    "float": lambda context: "give a number",
    "finite_number": lambda context: "give a finite number",
    "bool": lambda context: "give true or false",
    "greater_than_equal": lambda context: f"give at least {context.get('ge')}",
    "greater_than": lambda context: f"give more than {context.get('gt')}",
    "less_than_equal": lambda context: f"give at most {context.get('le')}",
    "less_than": lambda context: f"give less than {context.get('lt')}",
    "literal_error": lambda context: f"give {context.get('expected')}",
    "enum": lambda context: f"give {context.get('expected')}",
    "none_required": lambda context: "leave it out",
    "too_short": lambda context: f"give at least {_entries(context.get('min_length'))}",
    "too_long": lambda context: f"give at most {_entries(context.get('max_length'))}",
    "list_type": lambda context: "give a list",
    "tuple_type": lambda context: "give a list",
    "dict_type": lambda context: "give a table",
    "model_type": lambda context: "give a table",
    "model_attributes_type": lambda context: "give a table",
    "mapping_type": lambda context: "give a table",
}
"""By the beginning of pydantic's name; where one is the beginning of another, the longer comes first."""


def _entries(number: object) -> str:
    return f"{number} {'entry' if number == 1 else 'entries'}"


def _unknown_kind(place: str, given: object, context: Mapping[str, Any]) -> str:
    """The sentence for a table whose tag says nothing that is known; pydantic lists what is, in quotes."""
    key = str(context.get("discriminator", "'kind'")).strip("'")
    if not isinstance(given, dict) or key not in given:
        return f"{place} has no '{key}'; add it."
    allowed = [word.strip(" '") for word in str(context.get("expected_tags", "")).split(",")]
    return (
        f"{place} has the unknown {key} '{given[key]}'.{did_you_mean(str(given[key]), allowed)} "
        f"Allowed: {', '.join(allowed)}."
    )


def _keys_at(model: type[BaseModel], location: Location) -> set[str]:
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

"""The fields of the TOML files that fbench reads, from the pydantic models that check them."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from page_text import cell, code, prose, table
from pydantic import BaseModel

Schema = Mapping[str, Any]


def models_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The model and all that its fields hold, each once, in the order in which the schema meets them."""
    found: dict[type[BaseModel], None] = {}
    _gather(model, found)
    return list(found)


def fields_page(model: type[BaseModel]) -> str:
    """A section for each table of the file: its fields with type, default and description."""
    return "\n\n".join(_section(one) for one in models_of(model))


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What the ``Attributes`` section of a model's docstring, and of those that it derives from, says of each field."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        found |= _attributes(inspect.cleandoc(base.__dict__.get("__doc__") or ""))
    return {name: found[name] for name in model.model_fields if name in found}


def _gather(model: type[BaseModel], found: dict[type[BaseModel], None]) -> None:
    if model in found:
        return
    found[model] = None
    for field in model.model_fields.values():
        for part in _models_in(field.annotation):
            _gather(part, found)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for part in getattr(annotation, "__args__", ()):
        yield from _models_in(part)


def _attributes(docstring: str) -> dict[str, str]:
    section = re.search(r"^Attributes:\n((?:[ ]{4}.*\n?|\n)+)", docstring, re.MULTILINE)
    if not section:
        return {}
    found: dict[str, str] = {}
    name = ""
    for line in section[1].splitlines():
        begun = re.match(r"    (\w+): (.*)", line)
        if begun:
            name, words = begun[1], begun[2]
            found[name] = words
        elif line.strip():
            found[name] += f" {line.strip()}"
    return found


def _section(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    about = re.split(r"^(?:Attributes|Raises):$", inspect.cleandoc(model.__doc__ or ""), flags=re.MULTILINE)[0].strip()
    told = {"kind": "which table this is."} | descriptions(model)
    rows = []
    for key, part in schema.get("properties", {}).items():
        words = told.get(_field_of(model, key), "")
        rows.append([code(key), f"{_type_words(part)}; {_default_words(key, schema)}", cell(prose(words))])
    parts = [f"## {model.__name__}", prose(about)]
    if rows:
        parts.append(table(["key", "value; default", "what it says"], rows))
    return "\n\n".join(parts)


def _field_of(model: type[BaseModel], key: str) -> str:
    """The field that a key of the file fills, where they have different names."""
    if key in model.model_fields:
        return key
    return next(name for name, field in model.model_fields.items() if field.validation_alias == key)


def _default_words(key: str, schema: Schema) -> str:
    if key in schema.get("required", ()):
        return "required"
    default = schema["properties"][key].get("default")
    if default is None or default in ("", [], {}):
        return "may be left out"
    if isinstance(default, dict):
        return "default: as below"
    return f"default {code(json.dumps(default))}"


def _type_words(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"table [{name}](#{name.lower()})"
    for union in ("anyOf", "oneOf"):
        if union in schema:
            parts = list(dict.fromkeys(_type_words(one) for one in schema[union] if one.get("type") != "null"))
            if all(part.startswith("table [") for part in parts):
                return f"table {', '.join(part.removeprefix('table ') for part in parts)}"
            return " or ".join(parts)
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return " or ".join(code(json.dumps(one)) for one in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        if "prefixItems" in schema:
            return f"list of {len(schema['prefixItems'])}: {_type_words(schema['prefixItems'][0])}"
        return f"list of {_type_words(schema['items'])}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"table of {_type_words(values)}" if isinstance(values, dict) and values else "table"
    word = {"string": "text", "number": "number", "integer": "integer", "boolean": "true or false"}.get(
        str(kind), "any"
    )
    return f"{word}{_bounds(schema)}"


def _bounds(schema: Schema) -> str:
    names = {"exclusiveMinimum": "above", "minimum": "at least", "exclusiveMaximum": "below", "maximum": "at most"}
    found = [f"{word} {schema[key]:g}" for key, word in names.items() if key in schema]
    return f" {' and '.join(found)}" if found else ""

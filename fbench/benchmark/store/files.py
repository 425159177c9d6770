"""Single files of a run: written whole, read with the file and the first wrong field named."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from fbench.benchmark.records.cost_records import COST_SCHEMA_VERSION, CostRecord
from fbench.benchmark.records.trial_records import SCHEMA_VERSION, HistoryRow, TrialRecord
from fbench.core.bounded import MOST_JSON_BYTES, read_bytes, read_json
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError, message_of, readable
from fbench.core.files import replacing
from fbench.core.opened_folders import OutsideError
from fbench.core.problems import wanted

ModelT = TypeVar("ModelT", bound=BaseModel)


class OtherSchemaError(UserError):
    """A file is of another schema version than this fbench reads."""


def history_text(rows: Iterable[HistoryRow]) -> str:
    """Evaluation points as CSV with the field names of :class:`HistoryRow`."""
    text = StringIO()
    writer = csv.DictWriter(text, fieldnames=list(HistoryRow.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    return text.getvalue()


def read_history(file: ContainedPath) -> list[HistoryRow]:
    """Read what :func:`history_text` gave.

    Raises:
        UserError: the file is missing or was changed by hand.
    """
    with naming(file):
        return history_in(read_bytes(file, MOST_JSON_BYTES))


def history_in(content: bytes) -> list[HistoryRow]:
    """The evaluation points in the content of a file, for a caller who names it.

    Raises:
        ValueError, TypeError, csv.Error: it was changed by hand.
    """
    return [HistoryRow.model_validate(row) for row in csv.DictReader(StringIO(content.decode(), newline=""))]


def read_model(file: Path | ContainedPath, model: type[ModelT], schema_version: int = SCHEMA_VERSION) -> ModelT:
    """Read and validate one JSON file of this schema version.

    Raises:
        UserError: naming the file, when it was changed by hand or comes from another schema version.
    """
    with naming(file):
        values = of_schema(read_json(file), schema_version, file)
        return model.model_validate(values)


def of_schema(values: dict[str, Any], schema_version: int, file: Path | ContainedPath) -> dict[str, Any]:
    """The values of a file, which are seen to be of this schema version; for a caller who names the file.

    Raises:
        OtherSchemaError: they are of another one.
        AttributeError, TypeError: they are none of a record.
    """
    version = values.get("schema_version", schema_version)
    if isinstance(version, bool) or not isinstance(version, int):
        raise TypeError("schema_version: it is no whole number")
    if version != schema_version:
        raise OtherSchemaError(
            f"{file} has schema version {version} and this fbench reads {schema_version}; read it with "
            f"{_writer(values)}."
        )
    return values


def _writer(values: dict[str, Any]) -> str:
    """The fbench that wrote a record, by its version where the record has it."""
    try:
        version = values["fbench_version"] if "fbench_version" in values else values["machine"]["versions"]["fbench"]
    except (KeyError, TypeError):
        return "the fbench version that wrote it"
    return f"fbench {readable(str(version))}, which wrote it"


@contextmanager
def naming(file: Path | ContainedPath) -> Iterator[None]:
    """Turn what goes wrong in reading a file into a sentence that names it, and the first field that is wrong."""
    try:
        yield
    except (OutsideError, OtherSchemaError):
        raise
    except ValidationError as error:
        problem = error.errors()[0]
        location = ".".join(str(part) for part in problem["loc"])
        said = wanted(problem["type"], problem["msg"], problem.get("ctx", {}))
        reason = f"{location + ': ' if location else ''}{said}"
        raise UserError(f"{file} does not hold a valid record ({reason}); restore it or delete it.") from error
    except UserError as error:  # of a model's own check
        reason = str(error).removesuffix(".")
        raise UserError(f"{file} does not hold a valid record ({reason}); restore it or delete it.") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError(f"{file} does not hold a valid record ({reason}); restore it or delete it.") from error
    except (ValueError, AttributeError, TypeError, csv.Error, RecursionError) as error:
        reason = message_of(error).partition("\n")[0] or type(error).__name__
        raise UserError(f"{file} does not hold a valid record ({reason}); restore it or delete it.") from error


def write_cost_file(file: Path | ContainedPath, record: CostRecord) -> None:
    """Keep a measurement of cost outside of a run; a line for each series, as there may be thousands of samples."""
    parts = record.model_dump(mode="json")
    series = ",\n  ".join(json.dumps(one) for one in parts.pop("series"))
    text = json.dumps(parts, indent=1)
    write_text(file, f'{text[:-2]},\n "series": [\n  {series}\n ]\n}}\n' if series else text + "\n")


def read_cost_file(file: Path | ContainedPath) -> CostRecord:
    """Read a measurement of cost.

    Raises:
        UserError: there is no such file, or it is not a measurement of cost that this version reads.
    """
    if not file.is_file():
        raise UserError(f"There is no file {file}; give a measurement that `fbench speed` wrote.")
    return read_model(file, CostRecord, COST_SCHEMA_VERSION)


def readable_json(record: TrialRecord) -> str:
    """A record as JSON that is known to be read again.

    Raises:
        ValueError: it has a number that is NaN or infinite, for which JSON has null.
    """
    text = record.model_dump_json(indent=1) + "\n"
    try:
        TrialRecord.model_validate_json(text)
    except ValidationError as error:
        location = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ValueError(f"'{location}' of its record is no number that a file can hold") from error
    return text


def write_json(file: Path | ContainedPath, model: BaseModel) -> None:
    """Write a model as JSON."""
    write_text(file, model.model_dump_json(indent=1) + "\n")


def write_text(file: Path | ContainedPath, text: str) -> None:
    """Write a text in UTF-8."""
    with replacing(file) as stream:
        stream.write(text.encode())

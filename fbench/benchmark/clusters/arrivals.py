"""What came back from a node, as files of the driver and events of its listeners."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fbench.benchmark.clusters.parcel import FILES_OF_A_TRIAL, Message
from fbench.benchmark.records.events import Checkpointed, Listen, event_from_json
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executors import failed_record
from fbench.benchmark.runs.training_task import result_of
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.errors import UserError, reason_of
from fbench.core.files import replacing


def tell(trial_id: str, events: Sequence[object], listen: Listen) -> None:
    """Pass on what is an event of a trial; files come by themselves."""
    for value in events:
        try:
            event = event_from_json(value) if isinstance(value, dict) else None
        except ValueError:
            continue
        if event is not None and event.trial_id == trial_id and not isinstance(event, Checkpointed):
            listen(event)


def checkpoint_file(message: Message, scratch: Path) -> Path:
    """A file with the checkpoint that a message brings.

    Raises:
        UserError: the disk refuses.
    """
    file = scratch / f"checkpoint-{uuid.uuid4().hex}.safetensors"
    try:
        with replacing(file) as stream:
            for content in message.files.values():
                stream.write(content)
    except OSError as error:
        raise _refused(f"A checkpoint could not be written to {scratch}", error) from error
    return file


def arrived(spec: TrialSpec, answer: dict[str, Any], files: Mapping[str, bytes], scratch: Path) -> TrialResult:
    """The result of a trial whose files a message brings; they are written below the scratch folder, and the record is
    read there.

    Raises:
        UserError: the disk refuses.
    """
    if unknown := sorted(files.keys() - FILES_OF_A_TRIAL):
        return TrialResult(failed_record(spec, f"its result brings the file {unknown[0]!r:.80}, which no trial has"))
    try:
        with RunFolder(scratch).trial_files(spec.trial_id).replacing_folder() as folder:
            for name, content in files.items():
                with (folder / name).replacing() as stream:
                    stream.write(content)
        return result_of(answer, spec.trial_id, scratch)
    except OSError as error:
        raise _refused(f"What trial '{spec.trial_id}' found could not be written to {scratch}", error) from error
    except Exception as error:  # of any type: what comes from a process that ran a user's code
        return TrialResult(failed_record(spec, f"its result cannot be read: {reason_of(error)}"))


def _refused(what: str, error: OSError) -> UserError:
    return UserError(
        f"{what} ({reason_of(error)}); see to room and permission there, and run the same command again: what was "
        "written before is kept."
    )

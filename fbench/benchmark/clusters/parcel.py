"""What travels to a node and back: text that is JSON, and bytes behind a line of JSON. Nothing of it is a pickle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from pydantic import ValidationError

from fbench.architectures.plugin_sources import PluginSources
from fbench.benchmark.maps.face_maps import MAPS_FILE
from fbench.benchmark.records.predictions import LOGITS_FILE, SMALL_FILE
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.store.hashes import HASHES_FILE
from fbench.benchmark.store.index.histories import HISTORY_FILE
from fbench.benchmark.store.index.records import RECORD_FILE
from fbench.benchmark.store.run_folder import FAILURE_FILE, WEIGHTS_FILE
from fbench.benchmark.workers.messages import NoMessageError
from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel

FILES_OF_A_TRIAL: Final = frozenset(
    {RECORD_FILE, HISTORY_FILE, SMALL_FILE, LOGITS_FILE, WEIGHTS_FILE, FAILURE_FILE, MAPS_FILE, HASHES_FILE}
)
"""The names that a result may bring; any other is refused."""
_MOST_HEADER_BYTES: Final = 64 * 2**20


class SentPlugin(FrozenModel):
    """The files of a plug-in: each byte as the character of its number, and the digest over all of them."""

    digest: str
    main: str
    files: dict[str, str]
    packages: dict[str, str]

    @classmethod
    def of(cls, sources: PluginSources) -> Self:
        """The form of a plug-in's files for the way."""
        files = {name: text.decode("latin-1") for name, text in sources.files.items()}
        return cls(digest=sources.digest, main=sources.main, files=files, packages=dict(sources.packages))

    def sources(self, folder: Path) -> PluginSources:
        """The files, as they are to lie in a folder.

        Raises:
            NoMessageError: they are not those of the digest, or one is to lie elsewhere.
        """
        files = {name: text.encode("latin-1") for name, text in self.files.items()}
        found = PluginSources(folder, self.main, files, self.packages)
        if found.digest != self.digest:
            raise NoMessageError("a plug-in arrived with other files than were sent")
        if not all(_lies_within(name) for name in (self.main, *files)):
            raise NoMessageError("a plug-in has files outside of its folder")
        return found


def _lies_within(name: str) -> bool:
    parts = name.split("/")
    return all(part not in ("", ".", "..") and not set(part) & {"\\", "\0", ":"} for part in parts)


class Parcel(FrozenModel):
    """A trial on its way to a node.

    Attributes:
        spec: the trial.
        device: ``cpu`` or ``cuda``.
        cpus: cores that Ray sets aside for it.
        gpus: GPUs, or the share of one.
        limit_s: the seconds that it may take there.
        versions: what the node must have, as of :func:`fbench.benchmark.clusters.versions.versions_here`.
        plugin: the files that its network is built by; none for one of fbench's or of an installed package.
        flag: the name of the actor that tells when to stop.
        not_from: folders of the driver's own that Ray lets every process import from, and none is to.
    """

    spec: TrialSpec
    device: str
    cpus: float
    gpus: float
    limit_s: float | None = None
    versions: Mapping[str, str]
    plugin: SentPlugin | None = None
    flag: str
    not_from: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The parcel as it travels."""
        return self.model_dump_json()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """A parcel that has travelled.

        Raises:
            NoMessageError: the text is none.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise NoMessageError(f"a trial arrived that is none: {error}") from error


@dataclass(frozen=True)
class Message:
    """What a node says of a trial: values of JSON, and bytes of files."""

    values: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The message as it travels: a line of JSON, and the files one after another."""
        sizes = [[name, len(content)] for name, content in self.files.items()]
        header = json.dumps({**self.values, "files": sizes}, separators=(",", ":")).encode()
        return b"\n".join([header, b"".join(self.files.values())])

    @classmethod
    def from_bytes(cls, message: object) -> Self:
        """A message that has travelled.

        Raises:
            NoMessageError: it is none.
        """
        if not isinstance(message, bytes):
            raise NoMessageError(f"a {type(message).__name__} is no message")
        header, line_end, rest = message.partition(b"\n")
        if not line_end or len(header) > _MOST_HEADER_BYTES:
            raise NoMessageError(f"{message[:80]!r} is no message")
        try:
            values = json.loads(header)
            sizes = values.pop("files")
            return cls(values, dict(_cut(rest, sizes)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise NoMessageError(f"{message[:80]!r} is no message") from error


def _cut(content: bytes, sizes: Iterable[tuple[str, int]]) -> Iterable[tuple[str, bytes]]:
    """
    Raises:
        ValueError: the content is of another length.
    """
    start, seen = 0, set[str]()
    for name, size in sizes:
        if not isinstance(name, str) or not isinstance(size, int) or size < 0 or name in seen:
            raise ValueError(f"{name!r:.80} is no file")
        seen.add(name)
        yield name, content[start : start + size]
        start += size
    if start != len(content):
        raise ValueError(f"{len(content)} bytes and not {start}")


def refuse_networks_of_session(specs: Sequence[TrialSpec]) -> None:
    """See that other machines can build all networks.

    Raises:
        UserError: some were defined in this session; they are named.
    """
    if of_session := sorted({spec.network.name for spec in specs if spec.network.is_of_session}):
        raise UserError(
            f"The networks {', '.join(of_session)} were defined in this session, and no other machine can build them; "
            "write them into a file and name it with --plugin, or use --executor local."
        )

"""What is asked for: the specification of one trial."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from fbench.architectures.builders import GEOMETRY
from fbench.architectures.registry import ResolvedArchitecture, is_announced
from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOutCount, SplitName
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.data.units import clusters_of_rows
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.predictions import ClusterUnit
from fbench.benchmark.records.protocol import Protocol
from fbench.core.hashing import short_hash
from fbench.core.schema import FrozenModel


def plugin_folder(digest: str) -> PurePosixPath:
    """Where a run keeps the files of a plug-in, from its own folder."""
    return PurePosixPath("plugins") / digest


class NetworkSpec(FrozenModel):
    """A network, fully resolved: builder, every option, and the digest of what they build.

    ``name`` is what the suite calls it and is not part of any identity. ``source_sha256`` is the hash of the user's
    code that it is built by. ``plugin_file`` says where a worker process finds a plug-in, and in a record where the
    run's folder has its copy; ``plugin_digest`` is the hash of the bytes of all files of that.
    """

    name: str
    builder: str
    options: dict[str, Any]
    digest: str
    source_sha256: str | None = None
    plugin_file: str | None = None
    plugin_digest: str | None = None

    @model_validator(mode="after")
    def _geometry(self) -> Self:
        for option in GEOMETRY:
            value = self.options.get(option)
            number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
            if number < 1 or not float(number).is_integer():
                raise ValueError(f"the option {option} of '{self.name}' is {value!r:.80}, and no whole number from 1")
        return self

    @property
    def is_of_session(self) -> bool:
        """Whether no other process can build it, as its code is in no plug-in or package."""
        return self.source_sha256 is not None and self.plugin_file is None and not is_announced(self.builder)

    def recorded(self) -> Self:
        """The form for a record, which names the run's own copy of a plug-in."""
        if self.plugin_file is None or self.plugin_digest is None:
            return self
        copy = plugin_folder(self.plugin_digest) / Path(self.plugin_file).name
        return self.model_copy(update={"plugin_file": copy.as_posix()})

    @property
    def resolved(self) -> ResolvedArchitecture:
        """The form that the registry builds from."""
        return ResolvedArchitecture(
            name=self.name, builder=self.builder, options=dict(self.options), source=self.source_sha256
        )

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width that the network was resolved for."""
        size = int(self.options["image_size"])
        return int(self.options["in_channels"]), size, size


DataUnit = Literal["images", ClusterUnit]
"""What is independent in a data set."""


class DataSpec(FrozenModel):
    """A data set by name and content.

    ``name`` is unique in a run; ``source`` is the name in the catalogue, empty where it is the same. ``path`` says
    where it was read; it is a fact of one machine, so it is neither hashed nor written to a file. ``label`` is what a
    user calls data of their own, in front of what the options add to it. ``unit`` says what is independent: images, or
    subjects, sequences or groups of copies, of which ``units_by_split`` are counted.
    """

    name: str
    source: str = ""
    options: dict[str, str] = Field(default_factory=dict)
    path: str | None = Field(default=None, exclude=True)
    fingerprint: str
    class_names: tuple[str, ...]
    images_by_split: dict[SplitName, int]
    image_shape: tuple[int, int, int]
    may_show_images: bool
    synthetic: bool
    description: str
    conversion: str = ""
    left_out: tuple[LeftOutCount, ...] = ()
    unit: DataUnit = "images"
    label: str = ""
    units_by_split: dict[SplitName, int] = Field(default_factory=dict)

    @property
    def reference(self) -> DataReference:
        """Where a worker reads it."""
        path = Path(self.path) if self.path else None
        return DataReference(name=self.source or self.name, path=path, options=self.options, label=self.label or None)


def data_spec(reference: DataReference, dataset: ImageDataset) -> DataSpec:
    """The specification of a data set that was read."""
    splits: tuple[SplitName, ...] = ("validation", "test")
    clusters = {split: clusters_of_rows(dataset, dataset.rows(split)) for split in splits}
    of_splits = {split: found for split, found in clusters.items() if found is not None}
    return DataSpec(
        name=dataset.name,
        source="" if reference.name == dataset.name else reference.name,
        options=reference.options,
        label=reference.label or "",
        path=str(reference.path.resolve()) if reference.path else None,
        fingerprint=dataset.fingerprint,
        class_names=dataset.class_names,
        images_by_split={split: int(dataset.rows(split).size) for split in SPLITS},
        image_shape=dataset.image_shape,
        may_show_images=dataset.may_show_images,
        synthetic=dataset.synthetic,
        description=dataset.description,
        conversion=dataset.conversion,
        left_out=tuple(part.counted() for part in dataset.left_out),
        unit=next((found.unit for found in of_splits.values()), "images"),
        units_by_split={split: len(set(found.numbers.tolist())) for split, found in of_splits.items()},
    )


class TrialSpec(FrozenModel):
    """One architecture, one data set, one protocol, one budget, one seed.

    ``default_protocol`` is the protocol before a search resolved it, with its ``[tuning]``; none where nothing was
    tuned. It is no part of the identity: equal settings are equal trials, however they were found.
    """

    network: NetworkSpec
    data: DataSpec
    protocol: Protocol
    budget: Budget
    seed: NonNegativeInt
    numerics: Numerics
    default_protocol: Protocol | None = None

    def identity(self) -> dict[str, Any]:
        """The canonical form that is hashed: nothing that only names or locates things.

        Fields at their defaults are left out, so a field that is added later, with the old behaviour as its default,
        leaves old identities alone.
        """
        return {
            "builder": self.network.builder,
            "options": self.network.options,
            "network_digest": self.network.digest,
            "data_fingerprint": self.data.fingerprint,
            "protocol": self.protocol.settings(),
            "budget": self.budget.model_dump(mode="json", exclude_defaults=True),
            "seed": self.seed,
            "numerics_version": self.numerics.numerics_version,
            "numerics": self.numerics.model_dump(mode="json", exclude_defaults=True, exclude={"numerics_version"}),
        }

    @cached_property
    def trial_id(self) -> str:
        """16 hexadecimal digits that stand for everything the result depends on."""
        return short_hash(self.identity())

    def recorded(self) -> Self:
        """The form for a record."""
        return self.model_copy(update={"network": self.network.recorded()})

    @property
    def label(self) -> str:
        """What a person calls this trial."""
        return f"{self.network.name} on {self.data.name}, seed {self.seed}"

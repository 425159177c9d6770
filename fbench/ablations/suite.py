"""A suite: a named set of studies and the architectures that they need."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from fbench.ablations.study import IDENTIFIER, Study
from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import FrozenModel

FamilyScope = Literal["suite", "study"]
CopiesTreatment = Literal["keep", "removed", "size_matched"]
Option = bool | int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]
LONGEST_NAME = 60  # a run's folder adds the data set and the preset, and many file systems allow 255 bytes
ADHOC_STUDY = "chosen"
"""The name of the one study of networks that are named on the command line."""


class Variant(FrozenModel):
    """A registered architecture with other options of its builder, named within one suite.

    Attributes:
        base: registered architecture.
        options: arguments of the builder, which says which are allowed. TOML has no null: an option that the
            builder takes as None is written as the builder's word for it, or left out.
        copies: what is done about training and validation images that are exact copies of a test image: keep
            them, removed, or size_matched (keep them and leave out as many others, the control for size). The
            test split is the same in all three, so levels that differ in it can be compared image by image.
    """

    base: str
    options: dict[str, Option] = Field(default_factory=dict)
    copies: CopiesTreatment = "keep"


class Resources(FrozenModel):
    """What the trials of a network need of a machine, where a run is dealt to several; no result depends on it.

    Attributes:
        gpu: whether they want a GPU.
        memory_gb: of the host, for one trial at a time; none: what a scheduler gives.
    """

    gpu: bool = False
    memory_gb: float | None = Field(default=None, gt=0)


class Suite(FrozenModel):
    """Which architectures are compared, in which studies; read from TOML.

    Attributes:
        name: becomes part of the run's folder.
        title: heading in a report.
        description: what the suite is for, in a sentence or two.
        source: the paper it follows, if any.
        studies: at least one.
        variants: networks of this suite only, by name (``[variants.NAME]`` in TOML).
        family: which comparisons on one data set are corrected together: those of the ``suite``, or of each ``study``
            for itself, which says something false more often.
        primary: names of the studies that the run is made for. They are a family, and the others a second one; none:
            all are one.
        resources: what networks need of a machine, by name (``[resources.NAME]`` in TOML), for schedulers of clusters.

    Raises:
        UserError: two studies of one name, a variant or resources that no study uses, or a primary study that there is
            not or where each study is a family.
    """

    name: str = Field(pattern=IDENTIFIER)
    title: str
    description: str = ""
    source: str = ""
    studies: tuple[Study, ...] = Field(min_length=1)
    variants: dict[str, Variant] = Field(default_factory=dict)
    family: FamilyScope = "suite"
    primary: tuple[str, ...] = ()
    resources: dict[str, Resources] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [study.name for study in self.studies]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(f"Suite '{self.name}' has two studies named '{twice[0]}'; rename one of them.")
        unused = sorted(set(self.variants) - set(self.architectures))
        if unused:
            raise UserError(
                f"Suite '{self.name}' defines the variant '{unused[0]}', which no study uses; "
                "list it as a level or remove it."
            )
        for name in set(self.resources) - set(self.architectures):
            raise UserError(
                f"Suite '{self.name}' has resources of '{name}', which no study uses."
                f"{did_you_mean(name, self.architectures)} List it as a level or remove them."
            )
        for name in self.primary:
            self.study(name)
        if self.primary and self.family == "study":
            raise UserError(
                f"Suite '{self.name}' has primary studies and makes each study a family of its own; "
                "leave out 'primary' or 'family'."
            )
        return self

    @property
    def architectures(self) -> tuple[str, ...]:
        """Every level of every study once, in order of first appearance; variants by their own name."""
        return tuple(dict.fromkeys(level for study in self.studies for level in study.levels))

    def comparisons(self) -> dict[str, Any]:
        """What is compared and how it is corrected: all but words for readers, and what machines are to have."""
        words = {"title", "description", "source", "resources"}
        of_studies = {"__all__": {"title", "question", "source", "note"}}
        return self.model_dump(exclude={**dict.fromkeys(words, True), "studies": of_studies})

    def study(self, name: str) -> Study:
        """Return the study of that name.

        Raises:
            UserError: there is none.
        """
        for study in self.studies:
            if study.name == name:
                return study
        names = [study.name for study in self.studies]
        raise UserError(
            f"Suite '{self.name}' has no study '{name}'.{did_you_mean(name, names)} Its studies: {', '.join(names)}."
        )


def select_studies(suite: Suite, only: Iterable[str]) -> Suite:
    """Return the suite with the named studies alone, in the suite's order, and the variants that they use.

    No name at all selects every study.

    Raises:
        UserError: a study that the suite does not have.
    """
    chosen = {suite.study(name).name for name in only}
    if not chosen:
        return suite
    studies = tuple(study for study in suite.studies if study.name in chosen)
    used = {level for study in studies for level in study.levels}
    variants = {name: variant for name, variant in suite.variants.items() if name in used}
    primary = tuple(name for name in suite.primary if name in chosen)
    resources = {name: one for name, one in suite.resources.items() if name in used}
    return suite.model_copy(
        update={"studies": studies, "variants": variants, "primary": primary, "resources": resources}
    )


def with_levels(suite: Suite, kept: Collection[str]) -> Suite:
    """Return the suite with these architectures and variants alone.

    A study loses its other levels, and its factors, which are no longer crossed; where it loses its baseline, those
    that are left of it are in studies of one network each, without a comparison.
    """
    studies: dict[str, Study] = {}
    for study in suite.studies:
        levels = tuple(level for level in study.levels if level in kept)
        if levels == study.levels:
            studies[study.name] = study
        elif study.baseline in levels:
            studies[study.name] = study.model_copy(update={"levels": levels, "factors": {}})
    compared = {level for study in studies.values() for level in study.levels}
    for level in suite.architectures:
        if level in kept and level not in compared:
            studies[f"alone.{level}"] = Study(
                name=f"alone.{level}",
                title=f"{level}, alone",
                question=f"How accurate is {level}?",
                baseline=level,
                levels=(level,),
            )
    used = {level for study in studies.values() for level in study.levels}
    return suite.model_copy(
        update={
            "studies": tuple(studies.values()),
            "variants": {name: one for name, one in suite.variants.items() if name in used},
            "primary": tuple(name for name in suite.primary if name in studies),
            "resources": {name: one for name, one in suite.resources.items() if name in used},
        }
    )


def adhoc_suite(architectures: Iterable[str], against: str | None = None) -> Suite:
    """Return a suite of one study for networks named on the command line.

    The baseline is ``against``, else the first network; a name given twice counts once. One network alone
    makes a study without comparisons. The suite is named after its networks: others make another run.

    Raises:
        UserError: no network given.
    """
    named = list(dict.fromkeys(architectures))
    if not named:
        raise UserError("No architecture was given; name at least one with --arch.")
    baseline = against if against is not None else named[0]
    levels = (baseline, *(name for name in named if name != baseline))
    others = ", ".join(levels[1:])
    return Suite(
        name=_adhoc_name(levels),
        title=f"{others} against {baseline}" if others else baseline,
        description="Networks chosen on the command line.",
        studies=(
            Study(
                name=ADHOC_STUDY,
                title=f"{others} against {baseline}" if others else baseline,
                question=f"Are they as accurate as {baseline}?" if others else f"How accurate is {baseline}?",
                baseline=baseline,
                levels=levels,
            ),
        ),
    )


def resolve_names(suite: Suite, canonical_name: Callable[[str], str]) -> Suite:
    """Return the suite with the registered name of every architecture, aliases resolved, as records have it.

    Called once plug-ins are loaded, so that their names count.

    Args:
        suite: as written by its author.
        canonical_name: ``fbench.architectures.registry.canonical_name``, or another function that gives the
            registered name of a name or alias and raises UserError for an unknown one.

    Raises:
        UserError: an unknown architecture, a variant that takes a registered name, or a study that lists an
            architecture and its alias.
    """
    for name in suite.variants:
        if _is_registered(name, canonical_name):
            raise UserError(
                f"Suite '{suite.name}' has a variant '{name}', which is a registered architecture; rename it."
            )
    studies, registered = [], dict[str, str]()
    for study in suite.studies:
        where = "" if study.name == ADHOC_STUDY else f"Study '{study.name}' of suite '{suite.name}': "
        names = {level: _resolved(level, where, suite.variants, canonical_name) for level in study.levels}
        changes = {
            "baseline": names[study.baseline],
            "levels": tuple(names.values()),
            "factors": {names[level]: cell for level, cell in study.factors.items()},
        }
        studies.append(Study.model_validate(study.model_dump() | changes))
        registered |= names
    variants = {}
    for name, variant in suite.variants.items():
        base = _resolved(variant.base, f"Variant '{name}' of suite '{suite.name}': ", {}, canonical_name)
        variants[name] = variant.model_copy(update={"base": base})
    resources = {registered[name]: one for name, one in suite.resources.items()}
    return suite.model_copy(update={"studies": tuple(studies), "variants": variants, "resources": resources})


def _resolved(name: str, where: str, variants: Mapping[str, Variant], canonical_name: Callable[[str], str]) -> str:
    if name in variants:
        return name
    try:
        return canonical_name(name)
    except UserError as error:
        own = f" The suite's own variants: {', '.join(variants)}." if variants else ""
        raise UserError(f"{where}{error}{own}") from error


def _is_registered(name: str, canonical_name: Callable[[str], str]) -> bool:
    try:
        canonical_name(name)
    except UserError:
        return False
    return True


def _adhoc_name(levels: tuple[str, ...]) -> str:
    baseline, *others = levels
    name = f"{'-'.join(others)}-against-{baseline}" if others else baseline
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(" ".join(levels).encode()).hexdigest()[:8]
        name = f"{len(others)}-networks-{digest}"
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip("_.-") or ADHOC_STUDY

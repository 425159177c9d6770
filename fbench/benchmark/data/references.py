"""How a user names data: ``synthetic``, ``fer2013=~/data/fer2013.csv``, ``ck48:fold=1/10=~/data/CK+48``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fbench.benchmark.data.catalogue import DATA_SETS, known_data
from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.source import DataReference, ResolvedReference
from fbench.core.errors import UserError, did_you_mean
from fbench.core.paths import expanded

# NAME, then perhaps :OPTION=VALUE,OPTION=VALUE, then perhaps =PATH; values hold neither ',' nor '='.
_REFERENCE: Final = re.compile(
    r"(?P<name>[^:=]*)(:(?P<options>[^=,]*=[^=,]*(,[^=,]*=[^=,]*)*))?(?P<equals>=(?P<path>.*))?", re.DOTALL
)


_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def require_own_name(name: str, given: str) -> None:
    """Refuse what cannot be the name of data of one's own, part of folders' names; ``given`` begins a sentence.

    Raises:
        UserError: it is the name of a data set that fbench knows, or has other letters than a folder's may.
    """
    if name in DATA_SETS:
        raise UserError(f"{given} names its data '{name}', which is a data set that fbench knows; choose another.")
    if not _LABEL.fullmatch(name):
        raise UserError(
            f"{given} names its data '{name}'; give letters, digits, '_', '-' and '.', a letter or digit first."
        )


def parse_reference(text: str) -> DataReference:
    """Read ``NAME``, ``NAME=PATH`` or ``NAME:OPTION=VALUE,OPTION=VALUE=PATH``; a leading ``~`` is the home folder.

    Data of one's own get a name in front: ``shapes=folder:PATH``, ``shapes=folder:fold=1/5=PATH``.

    Raises:
        UserError: an unknown name, a path that is missing, or one that the data set does not take, an unknown option,
            or a name of one's own that cannot be one.
    """
    if (named := _named(text)) is not None:
        label, rest = named
        reference = parse_reference(rest).model_copy(update={"label": label})
        resolve_reference(reference)
        return reference
    match = _REFERENCE.fullmatch(text.strip())
    name = match["name"].strip() if match else text.partition(":")[0].strip()
    if (match is None or not match["equals"]) and name not in DATA_SETS and _looks_like_path(text):
        raise UserError(
            f"--data {text} is a path without a name; write NAME=PATH, as in fer2013={text}, "
            f"where NAME is one of {', '.join(known for known in DATA_SETS if known_data(known).takes_path)}."
        )
    if match is not None and match["equals"] and name not in DATA_SETS and not did_you_mean(name, DATA_SETS):
        raise UserError(
            f"There is no data set '{name}'. Known: {', '.join(DATA_SETS)}; for data of your own say what they are, as "
            f"in {name}=folder:{match['path']} or {name}=arrays:FILE.npz."
        )
    if match is None:
        raise UserError(f"--data {text} has options that cannot be read; write {name}:OPTION=VALUE=PATH.")
    path_text = (match["path"] or "").strip()
    if match["equals"] and not path_text:
        raise UserError(f"--data {text} has no path after '='; write {name}=PATH.")
    pairs = [part.partition("=") for part in (match["options"] or "").split(",") if part]
    reference = DataReference(
        name=name,
        path=expanded(path_text) if path_text else None,
        options={option.strip(): value.strip() for option, _, value in pairs},
    )
    resolve_reference(reference)
    return reference


def with_option(reference: DataReference, option: str, value: str) -> DataReference:
    """The reference with another value of an option.

    Raises:
        UserError: the data set has no such option, or no such value of it.
    """
    changed = reference.model_copy(update={"options": {**reference.options, option: value}})
    resolve_reference(changed)
    return changed


def _named(text: str) -> tuple[str, str] | None:
    """The name in front and the rest as a reference without it; none where there is no name of one's own.

    Raises:
        UserError: the name is that of a data set, or cannot be part of a folder's name.
    """
    label, equals, rest = text.strip().partition("=")
    kind, colon, tail = rest.partition(":")
    if not equals or not colon or ":" in label or kind.strip() not in DATA_SETS:
        return None
    require_own_name(label, f"--data {text}")
    found = _REFERENCE.fullmatch(rest)
    return label, rest if found is not None and found["options"] else f"{kind}={tail}"


def resolve_reference(reference: DataReference) -> ResolvedReference:
    """Hold a reference against what is known of its data set, and fill in the options that it leaves at their defaults.

    Raises:
        UserError: the name or an option is unknown, a value is not allowed, or there is not a path exactly where one
            is taken.
    """
    known = known_data(reference.name)
    _check(reference, known)
    defaults = {option.name: option.usual for option in known.options if option.usual}
    return ResolvedReference(reference, _label(reference, known, defaults), defaults | reference.options)


def _check(reference: DataReference, known: KnownData) -> None:
    allowed = {option.name: option for option in known.options}
    for option, value in reference.options.items():
        if option not in allowed:
            raise UserError(
                f"The data set '{known.name}' has no option '{option}'.{did_you_mean(option, allowed)} "
                f"Allowed: {', '.join(allowed)}."
            )
        allowed[option].check(value)
    if known.takes_path and reference.path is None:
        raise UserError(
            f"The data set '{known.name}' needs a path; write {known.name}=PATH, where PATH is {known.expects}."
        )
    if not known.takes_path and reference.path is not None:
        raise UserError(f"The data set '{known.name}' is embedded and takes no path; write {known.name} alone.")


def _label(reference: DataReference, known: KnownData, defaults: Mapping[str, str]) -> str:
    """The name with the options that are not at their defaults, in the order in which the data set declares them."""
    told = [
        (option.name, reference.options[option.name])
        for option in known.options
        if option.name in reference.options and reference.options[option.name] != defaults.get(option.name)
    ]
    parts = [f"fold{value.replace('/', 'of')}" if name == "fold" else value for name, value in told]
    return "-".join([reference.label or reference.name, *parts])


def _looks_like_path(text: str) -> bool:
    return "/" in text or "\\" in text or bool(Path(text).suffix)

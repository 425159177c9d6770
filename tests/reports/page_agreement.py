"""Whether a page says what its findings hold: every number of a sentence, every verdict, every table that repeats one.

Numbers are collected from the findings by their fields, whatever they are called, in each form in which a page writes
a number. A number of a sentence that is in none of these forms, nor in the words of a template, was made up on the way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import resources
from typing import Any

import numpy as np
from pydantic import BaseModel

from fbench.reports import formatting
from fbench.reports.render.html.document import Report
from tests.reports.read_page import Page

NUMBER = re.compile(r"(?<![\w.,/:#-])[+−]?(?!0\d)\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")
MOST_VALUES = 2000
"""An array of more is data, of which a page shows no single number."""
CONVENTIONS = frozenset({"95", "80", "0.05", "0.001", "5", "1", "2", "100", "0", "20"})
"""Levels, powers, limits and counts of two that are words of the trade rather than findings."""


Forms = Mapping[str, set[str]]
"""Every form of every number, by the network that it is of; of none: by the empty name."""


def known_numbers(report: Report, more: Sequence[Any] = ()) -> Forms:
    """All numbers of the findings; ``more`` are further findings that the page is made of."""
    forms = _forms([report, *more])
    forms[""] |= _of_templates() | CONVENTIONS
    return forms


def unexplained_numbers(sentences: Sequence[str], forms: Forms) -> list[str]:
    """The sentences that hold a number which neither the findings nor a template has, each with it.

    A sentence that names networks may have numbers of these, and of the run as a whole.
    """
    found = []
    for sentence in sentences:
        named = [network for network in forms if network and _names(sentence, network)]
        known = forms[""].union(*(forms[network] for network in named or forms))
        rest = sentence
        for network in sorted(filter(None, forms), key=len, reverse=True):
            rest = rest.replace(network, " ")  # names hold digits that are no numbers
        found += [f"{number}: {sentence}" for number in NUMBER.findall(rest) if number.lstrip("+−") not in known]
    return found


def _names(sentence: str, network: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(network)}(?![\w-])", sentence) is not None


def wrong_verdicts(page: Page, report: Report) -> list[str]:
    """The rows of studies and the sentences on two networks whose verdict is another than the findings'."""
    verdicts = {
        (row.network, row.baseline): row.verdict
        for section in report.data_sections
        for study in section.studies
        for row in study.result.comparisons
    }
    found = []
    for (network, baseline), verdict in verdicts.items():
        opposite = {"better": ("worse",), "worse": ("better",)}.get(verdict, ("better", "worse"))
        for word in opposite:
            said = re.compile(rf"\b{re.escape(network)} is [^.;]*\b{word}\b than {re.escape(baseline)}\b")
            found += [f"{verdict}: {one}" for one in page.sentences if said.search(one)]
    for table in page.tables:
        if not table.caption.startswith("Against "):
            continue
        baseline = table.caption.removeprefix("Against ").partition(":")[0]
        for row in table.rows[1:]:
            shown = row[1]
            if shown != verdicts[row[0], baseline]:
                found.append(f"{row[0]} against {baseline}: {shown}")
    return found


def disagreeing_cells(page: Page) -> list[str]:
    """Networks for which two tables with a column of one heading and unit show two numbers."""
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for table in page.tables:
        headings = _headings(table.rows)
        for row in table.rows:
            for heading, cell in zip(headings, row, strict=False):
                what = "top-1" if heading == "mean" and table.caption.startswith("Quality") else REPEATED.get(heading)
                if what and re.match(r"[\d.]", cell):
                    seen.setdefault((row[0], what), {})[table.caption[:40]] = cell.split(" ")[0]
    return [f"{key}: {cells}" for key, cells in seen.items() if len(set(cells.values())) > 1]


REPEATED: Mapping[str, str] = {
    "trainable": "parameters",
    "MACs": "MACs",
    "fbench MACs": "exact MACs",
    "Top-1": "top-1",
    "%": "top-1",
    "top-1, %": "top-1",
}
"""Headings of what more than one table shows of a network, with what it is."""


def _headings(rows: Sequence[Sequence[str]]) -> list[str]:
    """The last heading row: the one before the first row that holds a number."""
    heads = [row for row in rows if not any(re.match(r"[\d+−]", cell) for cell in row)]
    return list(heads[-1]) if heads else []


def _forms(parts: Sequence[Any]) -> dict[str, set[str]]:
    """Every form of every number, by the network that it is of; of none: by the empty name."""
    found: dict[str, set[str]] = {"": set()}
    seen: set[tuple[int, str]] = set()
    for part in parts:
        for owner, value in _values(part, "", seen):
            found.setdefault(owner, set()).update(_written(value))
    return found


def _written(value: float) -> set[str]:
    """Every form in which a page writes this number: as a count, a share, points, with so many digits."""
    size = abs(value)
    forms = {formatting.significant(one) for one in (size, 100 * size, 1000 * size, size / 1e6)}
    forms |= {formatting.significant(one, 2) for one in (size, 100 * size)}
    forms |= {formatting.number(one, digits) for one in (size, 100 * size) for digits in (0, 1, 2, 3)}
    forms |= {f"{size:g}", f"{100 * size:g}", f"{size:.3f}"}
    if size < 1e15:
        step = 10.0 ** (len(f"{size:.0f}") - 2)  # images that would be needed: two digits, rounded up
        forms.add(f"{math.ceil(size / step) * step:,.0f}")
        forms |= {f"{int(size):,}"} if size == int(size) else set()
    return {form.lstrip("+−") for form in forms}


def _values(part: Any, owner: str, seen: set[tuple[int, str]]) -> Iterator[tuple[str, float]]:
    """Each number in a part of findings with its owner: the network of the innermost part that names one."""
    if isinstance(part, bool) or part is None:
        return
    if isinstance(part, int | float | np.integer | np.floating):
        if math.isfinite(part):
            yield owner, float(part)
        return
    if isinstance(part, str):
        yield from ((owner, float(text.replace(",", "").replace("−", "-"))) for text in NUMBER.findall(part))
        return
    if (id(part), owner) in seen:
        return
    seen.add((id(part), owner))
    if isinstance(part, np.ndarray):
        if part.size <= MOST_VALUES and part.dtype.kind in "iuf":
            yield from ((owner, float(one)) for one in part.flat if math.isfinite(one))
    elif isinstance(part, Mapping):
        yield owner, float(len(part))
        for key, value in part.items():
            yield from _values(value, owner, seen)
            yield from _values(key, owner, seen)
    elif isinstance(part, tuple | list | set | frozenset):
        yield owner, float(len(part))
        for value in part:
            yield from _values(value, owner, seen)
    elif isinstance(part, BaseModel) or is_dataclass(part):
        names = list(type(part).model_fields) if isinstance(part, BaseModel) else [one.name for one in fields(part)]
        network = getattr(part, "network", None)
        for name in (*names, *_properties(part)):
            yield from _values(getattr(part, name), network if isinstance(network, str) else owner, seen)


def _properties(part: Any) -> list[str]:
    """Numbers that are computed of others, such as an interval at the level of a family."""
    names = [name for one in type(part).__mro__ for name, value in vars(one).items() if isinstance(value, property)]
    return [name for name in names if _is_readable(part, name)]


def _is_readable(part: Any, name: str) -> bool:
    try:
        getattr(part, name)
    except Exception:
        return False
    return True


def _of_templates() -> set[str]:
    folder = resources.files("fbench.reports.render.html").joinpath("templates")
    texts = [file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".j2")]
    return {number.lstrip("+−") for text in texts for number in NUMBER.findall(text)}

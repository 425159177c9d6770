"""The page itself: a jinja2 template with autoescape, its style sheet inside, and no request to anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from fbench.benchmark.records.trial_records import PlannedTrial
from fbench.core.garbage import collected_rarely
from fbench.reports import formatting
from fbench.reports.figures.drawing import Illustration, svg_of, use_page_colours
from fbench.reports.findings.comparisons import factor_words
from fbench.reports.findings.comparisons.budget import with_budget
from fbench.reports.findings.comparisons.many import friedman_sentence
from fbench.reports.findings.comparisons.over_data_sets import pooled_sentence
from fbench.reports.findings.comparisons.verdicts import verdict_sentence
from fbench.reports.findings.costs.mac_words import mac_kinds, missing_macs
from fbench.reports.findings.imported import IMPORTED_TITLE, IMPORTED_WORDS
from fbench.reports.findings.measures.model import Measure
from fbench.reports.findings.measures.table import shown_in
from fbench.reports.findings.overview.recommendation import RULE
from fbench.reports.findings.tradeoffs.fronts import points_words, price_words
from fbench.reports.left_out import LeftOut
from fbench.reports.palette import Style
from fbench.reports.render.html.document import Report
from fbench.statistics.comparison.verdict import LEVEL

_FILTERS = (
    formatting.capitalised,
    formatting.chance,
    formatting.count,
    formatting.effect,
    formatting.exact_millions,
    formatting.margin,
    formatting.millions,
    formatting.minus,
    formatting.number,
    formatting.p_value,
    formatting.percent,
    formatting.plural,
    formatting.points,
    formatting.ratio,
    formatting.significant,
    formatting.statistic,
    with_budget,
)


_LONGEST_TOPIC: Final = 30
_LONGEST_WHOLE: Final = 20
_SCRIPTS: Final = ("cells", "tips", "glossary", "tables", "forms", "copies", "contents", "reading")
"""Files of the page's script, each after those that it uses."""


@collected_rarely()
def render(report: Report) -> str:
    """The HTML text of a report."""
    return with_unbroken_percents(
        page_environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            script=page_script(),
            script_hash=content_hash(page_script()),
            alpha=LEVEL,
            draw=partial(draw, styles=report.styles),
            correction=report.correction,
            rule=RULE,
            imported_title=IMPORTED_TITLE,
            imported_words=IMPORTED_WORDS,
            marks=marks_of(report.styles),
            network_colours=network_colours(report.styles),
        )
    )


@cache
def page_environment() -> Environment:
    """The templates of this package, compiled once in a process."""
    environment = Environment(
        loader=PackageLoader("fbench.reports.render.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {function.__name__: function for function in _FILTERS}
    environment.filters |= {"contents": contents, "emphasised": emphasised, "short_names": short_names}
    environment.filters["unbroken"] = unbroken
    environment.globals |= {
        "friedman_sentence": friedman_sentence,
        "pooled_sentence": pooled_sentence,
        "points_words": points_words,
        "price_words": price_words,
        "percent_range": formatting.percent_range,
        "points_range": formatting.points_range,
        "effect_factors": factor_words.effect_factors,
        "effect_name": factor_words.effect_name,
        "effect_sentences": factor_words.effect_sentences,
        "effect_verdict": factor_words.effect_verdict,
        "listing": formatting.listing,
        "left_out_sentences": factor_words.left_out_sentences,
        "mac_kinds": mac_kinds,
        "measures_shown": measures_shown,
        "missing_macs": missing_macs,
        "missing_words": missing_words,
        "residual_sentences": factor_words.residual_sentences,
        "source_name": factor_words.source_name,
        "verdict_sentence": verdict_sentence,
    }
    return environment


@cache
def page_script() -> Markup:
    """What makes tables sort and filter, points answer and the contents follow; then links, copies, views, search."""
    folder = resources.files("fbench.reports.render.html").joinpath("templates", "scripts")
    return Markup("".join(folder.joinpath(f"{name}.js").read_text("utf-8") for name in _SCRIPTS))  # noqa: S704 - our own


def emphasised(sentence: str) -> Markup:
    """A caution whose topic, the words before its colon, stands out."""
    topic, colon, rest = sentence.partition(":")
    if not colon or len(topic) > _LONGEST_TOPIC:
        return Markup("{}").format(sentence)
    return Markup("<strong>{}:</strong>{}").format(topic, rest)


def with_unbroken_percents(page: str) -> str:
    """The page with no line that begins with the sign of a percentage; its script, which has a hash, as it was."""
    text, script, rest = page.rpartition("<script>")
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text) + script + rest


def short_names(text: str | Markup, names: Iterable[str]) -> Markup:
    """The text with long names of networks cut, each with its whole name for who asks; where two would read alike they
    stay as they are."""
    cut = {name: formatting.shorten(name) for name in names}
    text = escape(text)
    for name in sorted(cut, key=len, reverse=True):
        if cut[name] != name and list(cut.values()).count(cut[name]) == 1:
            text = text.replace(escape(name), Markup('<abbr title="{}">{}</abbr>').format(name, cut[name]))
    return text


def unbroken(text: str) -> Markup:
    """The text with no line that ends at a hyphen within a short word, such as ``ARCH-1`` or ``--only``."""
    words = text.split(" ")
    return Markup(" ").join(
        Markup('<span class="whole">{}</span>').format(word) if "-" in word and len(word) <= _LONGEST_WHOLE else word
        for word in words
    )


def content_hash(script: str) -> str:
    """What a Content-Security-Policy calls a script that it lets run (CSP 3, section 2.3.1)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def contents(body: str) -> list[Heading]:
    """The headings of the second and third level that have an id, in the order of the page."""
    found = re.findall(r'<h([23]) id="([^"]+)">(.*?)</h\1>', body, flags=re.S)
    return [Heading(int(level), key, Markup(text)) for level, key, text in found]  # noqa: S704 - escaped already


class Heading(NamedTuple):
    """A heading of the page; ``text`` is HTML."""

    level: int
    key: str
    text: Markup


def draw(illustration: Illustration, styles: Mapping[str, Style]) -> Markup:
    """The figure's SVG in the page's colours, or a line that says why it is left out."""
    found = svg_of(illustration)
    if isinstance(found, LeftOut):
        return Markup('<p class="caution">{}</p>').format(found.sentence)
    svg = Markup(use_page_colours(found, styles))  # noqa: S704 - of this package, and matplotlib escapes its texts
    if illustration.narrow is None:
        return svg
    narrow = Illustration(f"{illustration.key}-narrow", illustration.title, illustration.narrow)
    return Markup('<div class="when-wide">{}</div><div class="when-narrow" style="--width: {}">{}</div>').format(
        svg, round(72 * narrow.drawing.width_in), draw(narrow, styles)
    )


def measures_shown(about: str) -> list[Measure]:
    """The measures of quality or cost that have a column of their own beside those with a place in the tables."""
    return [one for one in shown_in("page") if one.about == about]


def missing_words(missing: Sequence[PlannedTrial]) -> list[str]:
    """Trials without a record, a phrase for each network on each data set."""
    seeds: dict[tuple[str, str], list[str]] = {}
    for planned in missing:
        seeds.setdefault((planned.network, planned.data), []).append(str(planned.seed))
    return [
        f"{network} on {data}, seed{'' if len(found) == 1 else 's'} {formatting.listing(found)}"
        for (network, data), found in seeds.items()
    ]


def marks_of(styles: Mapping[str, Style]) -> dict[str, tuple[int, str]]:
    """The number of each network's colour, and its symbol."""
    return {network: (index, style.symbol) for index, (network, style) in enumerate(styles.items())}


def network_colours(styles: Mapping[str, Style]) -> Mapping[str, Markup]:
    """CSS declarations of the networks' colours on a light and on a dark page."""
    return {
        theme: Markup("").join(
            Markup("--network-{}: {};").format(index, getattr(style, theme))
            for index, style in enumerate(styles.values())
        )
        for theme in ("light", "dark")
    }

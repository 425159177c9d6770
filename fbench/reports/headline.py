"""The findings in sentences, and what a reader must be warned of."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.ablations.looks import read_looks
from fbench.benchmark.table import RunTable
from fbench.reports.evidence import Evidence
from fbench.reports.provenance import budget_words
from fbench.reports.studies import StudyResult
from fbench.reports.summary import NetworkSummary, by_accuracy
from fbench.reports.verdicts import verdict_sentence
from fbench.reports.wording import count, listing, percent, percent_range, plural

SEEDS_FOR_CLAIMS = 10

SEEDS_FOR_TESTS = 5
"""With fewer, degrees of freedom are too poorly known for the small p-values that a family of tests asks for: a false
finding is in up to 13.9 % of families of 12 equal networks at 3 seeds, in up to 6.25 % at 5
(``results/inference/families.csv``)."""


def headline(evidence: Evidence, summary: Sequence[NetworkSummary]) -> list[str]:
    """What was compared, how strong it is, and who came first: a sentence or two each."""
    if not summary:
        return [_nothing_finished(evidence)]
    sentences = [
        _what_was_compared(evidence),
        _strength(evidence),
        _most_accurate(evidence, summary),
        without_copies(evidence, summary),
    ]
    return [sentence for sentence in sentences if sentence]


def findings(studies: Sequence[StudyResult]) -> list[str]:
    """What each study decided and what it left open, a sentence per study that could test anything."""
    tested = [result for result in studies if any(row.is_tested for row in result.comparisons)]
    return [f"{result.study.title}: {_finding(result)}." for result in tested]


def cautions(run: RunTable) -> list[str]:
    """What a reader must know before believing a number of this run; empty where there is nothing."""
    protocol = run.config.protocol
    found = []
    synthetic = [data.name for data in run.config.data if data.synthetic]
    if synthetic:
        found.append(
            f"Synthetic data: the faces of the data set {listing(synthetic)} are rendered, not photographed. "
            "Accuracies and differences on them say nothing about real faces."
        )
    if protocol.selection == "test":
        merged = " (selection and test split together)" if protocol.test_split != "own" else ""
        found.append(
            f"Selected on the test set{merged}: it chose the epoch, so these accuracies are optimistic. The protocol "
            "does so only to imitate published numbers."
        )
    if protocol.test == "none":
        found.append(
            "The test split was never read: accuracies are those of the selection split"
            + (", which also chose the epoch, and are optimistic." if protocol.selection == "selection" else ".")
        )
    if run.config.preset == "smoke":
        found.append("The preset smoke only shows that everything runs: its numbers mean nothing.")
    if read_looks(run.folder) is not None:
        found.append(
            "Seeds were added until comparisons were decided: their verdicts and intervals take account of the looks; "
            "all others (accuracies, ranks, fronts, factors) are computed as if the number of seeds had been fixed."
        )
    if failed := run.failed():
        found.append(f"{plural(len(failed), 'trial')} failed and {_verb(len(failed))} left out; see failed trials.")
    if missing := run.missing():
        found.append(
            f"The run is not complete: {plural(len(missing), 'trial')} of {len(run.plan)} "
            f"{'has' if len(missing) == 1 else 'have'} no record yet."
        )
    return found


def _nothing_finished(evidence: Evidence) -> str:
    run = evidence.run
    return (
        f"No trial on {evidence.data.name} has finished: {count(len(run.failed()))} failed and "
        f"{count(len(run.missing()))} have no record yet."
    )


def _what_was_compared(evidence: Evidence) -> str:
    config, images = evidence.run.config, evidence.data.images_by_split
    sizes = listing([f"{count(images[split])} {split}" for split in ("train", "selection", "test") if split in images])
    data = f"synthetic faces ({evidence.data.name})" if evidence.data.synthetic else evidence.data.name
    return (
        f"{_networks(len(evidence.networks))} trained on {data}: {sizes} images, under the protocol "
        f"{config.protocol.name} (version {config.protocol.version}), preset {config.preset} "
        f"({budget_words(config.budget, config.protocol)}), with {_seeds(evidence)}."
    )


def _strength(evidence: Evidence) -> str:
    fewest = evidence.seed_counts[0]
    if fewest == 1:
        return (
            "One training per network cannot tell a better network from a lucky seed: differences are shown, "
            "not tested."
        )
    if fewest < SEEDS_FOR_CLAIMS and read_looks(evidence.run.folder) is None:
        more = ", and false findings can be more frequent than 5 %" if fewest < SEEDS_FOR_TESTS else ""
        return f"With {fewest} seeds the results are descriptive{more}; a claim wants {SEEDS_FOR_CLAIMS}."
    return ""


def _most_accurate(evidence: Evidence, summary: Sequence[NetworkSummary]) -> str:
    best = by_accuracy(summary)[0]
    seeds, images = best.accuracy.this_test_set, best.accuracy.new_images
    ranges = f"95 % interval for new images {percent_range(images.low, images.high)}"
    if best.seeds > 1:
        ranges = f"95 % intervals: this test set {percent_range(seeds.low, seeds.high)}, new images " + percent_range(
            images.low, images.high
        )
    first = "reached" if len(summary) == 1 else "had the highest mean accuracy:"
    return (
        f"{best.network} {first} top-1 {percent(images.estimate)} % on the {evidence.split_words} ({ranges})."
        f"{_lead(best, summary)}"
    )


def without_copies(evidence: Evidence, summary: Sequence[NetworkSummary]) -> str:
    """The same headline on the test images that have no copy among those that trained or selected; perhaps empty."""
    best = by_accuracy(summary)[0]
    clean = best.accuracy_without_copies
    if clean is None:
        return ""
    copies = best.accuracy.images - clean.images
    first = max(
        summary, key=lambda row: row.accuracy_without_copies.new_images.estimate if row.accuracy_without_copies else 0
    )
    order = "" if first is best else f"; there {first.network} comes first"
    return (
        f"Without the {count(copies)} test images that have an exact copy in the training or selection split, "
        f"{best.network} has {percent(clean.new_images.estimate)} % "
        f"(95 % interval for new images {percent_range(clean.new_images.low, clean.new_images.high)}){order}."
    )


def _lead(best: NetworkSummary, summary: Sequence[NetworkSummary]) -> str:
    """How many others are as good as the first, as far as its interval can tell."""
    others = [row for row in summary if row is not best]
    close = sum(row.accuracy.new_images.estimate >= best.accuracy.new_images.low for row in others)
    if not close:
        return ""
    mean = "has its mean" if close == 1 else "have their means"
    return f" {close} of the {plural(len(others), 'other')} {mean} inside its interval for new images."


def _finding(result: StudyResult) -> str:
    return "; ".join(verdict_sentence(row, result) for row in result.comparisons if row.is_tested)


def _networks(amount: int) -> str:
    return "1 network was" if amount == 1 else f"{amount} networks were"


def _seeds(evidence: Evidence) -> str:
    counts = evidence.seed_counts
    if len(counts) == 1:
        return f"{plural(counts[0], 'seed')} each" if len(evidence.networks) > 1 else plural(counts[0], "seed")
    return f"{counts[0]} to {counts[-1]} seeds each"


def _verb(amount: int) -> str:
    return "is" if amount == 1 else "are"

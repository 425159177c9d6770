"""Which machine a time is of: times are compared within one, and those of several are shown apart."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fbench.benchmark.records.cost_records import CostRecord
from fbench.core.machine import Machine
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.formatting import listing, plural


@dataclass(frozen=True)
class TimedMachine:
    """A machine on which networks were timed; ``letter`` is what a table calls it."""

    letter: str
    words: str
    networks: tuple[str, ...]


@dataclass(frozen=True)
class TimesApart:
    """The machines of a data set's times, where there are several.

    ``measured`` are those on which cost was measured, the one with most networks first; empty where that is one.
    ``trained_on`` is the machine whose trainings have a time here, as it trained most; empty where it trained all.
    """

    measured: tuple[TimedMachine, ...]
    trained_on: str

    def letter_of(self, network: str) -> str:
        """The machine that a network was timed on; empty where there is one alone, or none."""
        return next((one.letter for one in self.measured if network in one.networks), "")

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader must know before comparing times."""
        found = []
        if self.measured:
            count = plural(len(self.measured), "machine")
            each = [f"{one.letter}: {listing(one.networks)} on {one.words}." for one in self.measured]
            found.append(" ".join([f"Times were measured on {count}, and are comparable within one alone.", *each]))
        if self.trained_on:
            found.append(f"Times of trainings are of those on {self.trained_on}.")
        return tuple(found)


def machine_words(machine: Machine) -> str:
    """A machine as a reader tells it from others."""
    accelerator = f"{machine.accelerator}; " if machine.accelerator else ""
    cores = f"{machine.usable_cores} of {plural(machine.logical_cores, 'core')} usable"
    return f"{accelerator}{machine.processor}, {cores}, {machine.memory_gib:g} GiB, {machine.system}"


def training_machine(evidence: Evidence) -> str:
    """The machine that trained most of a data set's finished trials, in words; of equals the first."""
    counts = Counter(machine_words(one.machine) for found in evidence.networks.values() for one in found.records)
    return counts.most_common(1)[0][0] if counts else ""


def times_apart(evidence: Evidence, measured: Mapping[str, CostRecord]) -> TimesApart:
    """The machines of a data set's times; ``measured`` has the measurement that the times of each network are from."""
    by_machine: dict[str, list[str]] = {}
    for network, record in measured.items():
        by_machine.setdefault(machine_words(record.machine), []).append(network)
    ordered = sorted(by_machine.items(), key=lambda one: -len(one[1]))
    timed = [
        TimedMachine(letter, words, tuple(networks))
        for letter, (words, networks) in zip(string.ascii_uppercase, ordered, strict=False)
    ]
    trained = {machine_words(one.machine) for found in evidence.networks.values() for one in found.records}
    return TimesApart(tuple(timed) if len(timed) > 1 else (), training_machine(evidence) if len(trained) > 1 else "")

"""The files of a run beside its trials: configuration and plan, what is known of data and networks, costs, readings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fbench.benchmark.data.audit.findings import Audit
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.interim_analyses import InterimAnalyses
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.trial_records import PlannedTrial, RunConfig
from fbench.benchmark.store.files import naming, read_cost_file, read_model, write_cost_file, write_json, write_text
from fbench.benchmark.store.hashes import keep_hash
from fbench.core.bounded import parse_json, plain_texts, read_json, read_text
from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.garbage import collection_put_off


class FilesOfRun:
    """Reads and writes them; whatever is written appears whole or not at all.

    A run may be a stranger's: ``files`` follows no link below it, and leads nowhere else.
    """

    def __init__(self, path: Path, files: ContainedPath | None = None) -> None:
        self.path = path
        self.files = files or ContainedPath(path)

    # --- configuration and plan

    def create(self, config: RunConfig) -> None:
        """Write the configuration of a new run."""
        write_json(self.files / "run.json", config)
        keep_hash(self.files, self.files / "run.json")

    def config(self) -> RunConfig:
        """The configuration, validated."""
        return read_model(self.files / "run.json", RunConfig)

    def plan(self) -> list[PlannedTrial]:
        """Every planned trial so far, in the order it was planned."""
        file = self.files / "plan.json"
        if not file.exists():
            return []
        with naming(file), collection_put_off():
            return [PlannedTrial.model_validate(row) for row in read_json(file)]

    def extend_plan(self, planned: Iterable[PlannedTrial]) -> None:
        """Add trials to the plan; a network, data set and seed that is planned again takes its new trial."""
        before = {(row.network, row.data, row.seed): row for row in self.plan()}
        rows = before | {(row.network, row.data, row.seed): row for row in planned}
        if rows != before or not before:
            text = json.dumps([row.model_dump(mode="json") for row in rows.values()], indent=1)
            write_text(self.files / "plan.json", text + "\n")
        keep_hash(self.files, self.files / "plan.json")

    # --- data, networks, costs, ledger

    def write_audit(self, fingerprint: str, audit: Audit) -> None:
        """Keep what an audit found in the data set of this fingerprint; it replaces an earlier one."""
        file = self.files / "data" / fingerprint[:16] / "audit.json"
        write_json(file, audit)
        keep_hash(self.files, file)

    def audit(self, fingerprint: str) -> Audit | None:
        """What was found in a data set, or None where no audit was kept."""
        file = self.files / "data" / fingerprint[:16] / "audit.json"
        return read_model(file, Audit) if file.exists() else None

    def network_file(self, digest: str) -> Path:
        """Where the description of a network lies, for a sentence."""
        return self._network_file(digest).path

    def _network_file(self, digest: str) -> ContainedPath:
        return self.files / "networks" / digest[:16] / "network.json"

    def write_network(self, digest: str, description: NetworkDescription) -> None:
        """Keep the description of a network; one that is there already stays."""
        file = self._network_file(digest)
        if not file.exists():
            write_text(file, json.dumps(description.to_json(), indent=1, sort_keys=True) + "\n")
            keep_hash(self.files, file)

    def network(self, digest: str) -> NetworkDescription | None:
        """The description of a network, or None where it was not kept.

        Raises:
            UserError: the file is not valid.
        """
        file = self._network_file(digest)
        return read_model(file, NetworkDescription) if file.exists() else None

    def write_cost(self, record: CostRecord) -> None:
        """Keep a measurement of cost."""
        file = self.files / "costs" / f"{record.cost_id}.json"
        write_cost_file(file, record)
        keep_hash(self.files, file)

    def cost_names(self) -> list[str]:
        """The names of the files of all measurements of cost."""
        names = (self.files / "costs").names()
        return [name for name in names if name.endswith(".json") and not name.startswith(UNFINISHED)]

    def costs(self) -> list[CostRecord]:
        """All measurements of cost, oldest first."""
        records = [read_cost_file(self.files / "costs" / name) for name in self.cost_names()]
        return sorted(records, key=lambda record: record.finished_at)

    def write_interim_analyses(self, analyses: InterimAnalyses) -> None:
        """Keep what each interim analysis found; it replaces what was kept before."""
        write_json(self.files / "interim_analyses.json", analyses)
        keep_hash(self.files, self.files / "interim_analyses.json")

    def interim_analyses(self) -> InterimAnalyses | None:
        """What each interim analysis found, or None where the run was not made until decided.

        Raises:
            UserError: the file is not valid.
        """
        files = (self.files / "interim_analyses.json", self.files / "looks.json")  # the second is of an older fbench
        return next((read_model(file, InterimAnalyses) for file in files if file.exists()), None)

    def write_test_readings(self, lines: Sequence[str]) -> None:
        """Keep a copy of the ledger's lines for this run's data; where there are none, what was kept before stays."""
        if not lines and (self.files / "test_readings.jsonl").exists():
            return
        write_text(self.files / "test_readings.jsonl", "".join(f"{line}\n" for line in lines))
        keep_hash(self.files, self.files / "test_readings.jsonl")

    def test_readings(self) -> list[dict[str, Any]]:
        """The ledger of test readings as it stood when the run last ended."""
        lines = self.test_reading_lines()
        with naming(self.files / "test_readings.jsonl"):
            return [dict(plain_texts(parse_json(line))) for line in lines]

    def test_reading_lines(self) -> list[str]:
        """Its lines as they are written."""
        file = self.files / "test_readings.jsonl"
        if not file.exists():
            return []
        with naming(file):
            return [line for line in read_text(file).splitlines() if line]

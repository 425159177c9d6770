"""A run to be submitted, and ways to change its bundle as an honest or a dishonest hand would."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from coarse_fbench import leave_cost_out
from support import two_lenets, use_stripes

from fbench.benchmark.bundles.contents import read_contents
from fbench.benchmark.bundles.facts import facts_of
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import run
from fbench.benchmark.store.run_table import load_run
from fbench.core.contained import ContainedPath


def make_run(home: Path) -> Path:
    """Two networks with two seeds on stripes."""
    with pytest.MonkeyPatch.context() as patch:
        use_stripes(patch)
        leave_cost_out(patch)
        patch.setenv("FBENCH_CACHE_DIR", str(home / "cache"))
        run(RunRequest(suite=two_lenets(), preset="smoke", seeds=2, jobs=1, device="cpu", out=home / "run"))
    return home / "run"


def change(file: Path, how: Callable[[Any], object]) -> None:
    """Change the values of a JSON file in place."""
    values = json.loads(file.read_text(encoding="utf-8"))
    how(values)
    file.write_text(json.dumps(values), encoding="utf-8")


def a_trial(bundle: Path, network: str = "lenet5", seed: int = 0) -> Path:
    """The folder of a trial."""
    rows = json.loads((bundle / "plan.json").read_text(encoding="utf-8"))
    (trial_id,) = [row["trial_id"] for row in rows if (row["network"], row["seed"]) == (network, seed)]
    return bundle / "trials" / trial_id


def seal_again(bundle: Path) -> None:
    """Seal the files as they are now, and state the facts that follow from them: what a careful forger would do."""
    contents = read_contents(ContainedPath(bundle))

    def sealed(values: dict[str, Any]) -> None:
        values["files"] = {name: one.model_dump() for name, one in contents.sealed.items()}
        values["facts"] = facts_of(load_run(bundle), contents.files).model_dump(mode="json")

    change(bundle / "submission.json", sealed)


def renamed_by_content(file: Path) -> Path:
    """A repetition whose name says what is in it."""
    digest = sha256(file.read_bytes()).hexdigest()[:16]
    return file.rename(file.with_name(f"{file.name.partition('-')[0]}-{digest}.json"))

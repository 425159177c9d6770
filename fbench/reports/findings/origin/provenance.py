"""Where a run's numbers come from: settings, machine, versions, seeds, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fbench.ablations.library import list_suites
from fbench.benchmark.data.catalogue import DATA_SETS, known_data
from fbench.benchmark.records.budget import Budget, load_presets
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.trial_records import RunConfig
from fbench.benchmark.store.inputs import PROTOCOL_FILE, SUITE_FILE, file_of_input, given_of, is_chosen_by_hand
from fbench.benchmark.store.run_table import RunTable, planned_seeds
from fbench.core.machine import Machine
from fbench.reports.findings.costs.machines import machine_words
from fbench.reports.findings.origin.tuning import tuning_words
from fbench.reports.formatting import count, plural


@dataclass(frozen=True)
class Fact:
    """One line of the provenance; ``code`` marks a value to be read letter by letter."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True)
class Provenance:
    """Everything needed to repeat a run, and to cite what made it; ``command`` has PATH where only the reader knows it.

    ``bibtex`` is an entry for the version of fbench that trained.
    """

    facts: tuple[Fact, ...]
    command: str
    bibtex: str


def provenance(run: RunTable) -> Provenance:
    """The provenance of a run."""
    config = run.config
    suite = run.config.suite
    facts = [
        Fact("Run", config.name),
        Fact("Suite", f"{suite.name}: {suite.title}" + (f" ({suite.source})" if suite.source else "")),
        Fact("Protocol", f"{config.protocol.name}, version {config.protocol.version}"),
        *_protocol_facts(config.protocol),
        Fact("Preset and budget", f"{config.preset}: {budget_words(config.budget, config.protocol)}"),
        Fact("Seeds", ", ".join(map(str, planned_seeds(run.plan))) or "none planned"),
        Fact("Numerics", _pairs(config.numerics.model_dump(mode="json"))),
        *_moved_facts(config),
        *(Fact(f"Data: {data.name}", data.description) for data in config.data),
        *(Fact(f"Fingerprint of {data.name}", data.fingerprint, code=True) for data in config.data),
        *_machine_facts(run),
        Fact("Run created", config.created_at),
        *(Fact("Plug-in", Path(plugin).name) for plugin in config.plugins),
    ]
    return Provenance(facts=tuple(facts), command=repeat_command(run), bibtex=_bibtex(run))


def _moved_facts(config: RunConfig) -> list[Fact]:
    """Why a run computes otherwise than was asked, and which networks were left to another."""
    found = []
    if config.moved_because:
        asked = ", ".join((config.asked_numerics or config.numerics).words_beside(config.numerics)) or "not eager"
        found.append(Fact("Asked for, and given up for all networks", f"{asked}: {_reasons(config.moved_because)}"))
    if config.split_off is not None:
        apart = config.split_off
        found.append(Fact(f"Not comparable, and in the run {apart.folder}", _reasons(apart.because)))
    return found


def _reasons(because: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({reason})" for name, reason in because.items())


def _bibtex(run: RunTable) -> str:
    """As ``CITATION.cff`` has it, with the version and year of the trainings."""
    first = next((record for record in run.trials.values() if record.status == "finished"), None)
    version = first.machine.versions.get("fbench", "") if first else ""
    lines = {
        "author": "{The fbench developers}",
        "title": "fbench: benchmarks and ablations of compact vision networks",
        "version": version,
        "year": run.config.created_at[:4],
    }
    return "@software{fbench,\n" + "".join(f"  {key} = {{{value}}},\n" for key, value in lines.items() if value) + "}"


def budget_words(budget: Budget, protocol: Protocol) -> str:
    """A budget as a reader calls it: ``6 epochs``, ``2,560 image passes``."""
    if budget.image_passes is not None:
        times = plural(budget.evaluation_points or 1, "time")
        words = f"{count(budget.image_passes)} image passes, evaluated {times}"
    else:
        words = plural(budget.epochs or protocol.epochs, "epoch")
    words += f", batch size {budget.batch_size or protocol.batch_size}"
    if budget.train_images is not None:
        words += f", at most {count(budget.train_images)} training images"
    return words


def repeat_command(run: RunTable, seeds: int | None = None, preset: str | None = None) -> str:
    """The command line that repeats a run; networks of an unnamed suite are given one by one.

    With ``seeds`` it trains so many, or up to so many where seeds are added until decided; with ``preset`` for that
    one's budget.
    """
    config, suite = run.config, run.config.suite
    command = ["fbench", "run"]
    files = run.folder.files
    if is_chosen_by_hand(suite):
        study = suite.studies[0]
        command += [word for level in study.levels for word in ("--arch", level)]
        command += ["--against", study.baseline]
    else:
        file = file_of_input(files, SUITE_FILE)
        named = suite.name if suite.name in list_suites() else f"{suite.name}.toml"
        command += ["--suite", str(file) if file else named]
        planned = set(run.networks)
        asked = [study.name for study in suite.studies if set(study.levels) <= planned]
        if len(asked) < len(suite.studies):
            command += [word for name in asked for word in ("--only", name)]
    protocol = file_of_input(files, PROTOCOL_FILE) or config.protocol.name
    given = given_of(files)
    command += ["--protocol", str(protocol), "--preset", preset or config.preset]
    command += [] if preset else _changes_of_budget(config)
    for data in config.data:
        name = data.source or data.name
        taken = name not in DATA_SETS or known_data(name).takes_path
        path = Path(_from_home(given.data_paths.get(data.name, "PATH"))) if taken else None
        command += ["--data", str(data.reference.model_copy(update={"path": path}))]
    if (analyses := run.interim_analyses) is not None:
        command += ["--until-decided", "--max-seeds", str(seeds or analyses.max_seeds)]
    else:
        command += ["--seeds", str(seeds or max(1, len(planned_seeds(run.plan))))]
    plugins = [str(run.folder.path / plugin) for plugin in given.plugins]
    plugins = plugins or [Path(plugin).name for plugin in config.plugins]
    command += [word for plugin in plugins for word in ("--plugin", plugin)]
    numerics = config.asked_numerics or config.numerics
    if numerics.device_kind != "cpu":
        command += ["--device", numerics.device_kind]
    if numerics.precision != "fp32":
        command += ["--precision", numerics.precision]
    if numerics.compile:
        command += ["--compile"]
    if numerics.fused_batch_norm is not None:
        command += ["--fused-batch-norm", numerics.fused_batch_norm]
    if numerics.trials_together != 1:
        command += ["--trials-together", str(numerics.trials_together)]
    if config.split_off is not None:
        command += ["--only-comparable"]
    return shlex.join(command)


def place_option(run: RunTable) -> str:
    """What a command needs beside :func:`repeat_command` to go on with a run where it lies; empty in its usual place. A
    page, which others read elsewhere, leaves it out."""
    usual = Path("results") / run.config.name
    return "" if run.folder.path == usual else f" --out {shlex.quote(str(run.folder.path))}"


def _from_home(path: str) -> str:
    """A path without the name of the person, where it lies in their home; `~` is understood by `--data`."""
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path.startswith(f"{home}/") and home != "/" else path


def _changes_of_budget(config: RunConfig) -> list[str]:
    """Options that took the place of what the preset has: the protocol has them too, under its name."""
    presets, budget = load_presets(), config.budget
    usual = presets[config.preset].budget if config.preset in presets else budget
    if budget.epochs is budget.image_passes is None and usual != budget:
        return ["--epochs", str(config.protocol.epochs)]
    if budget.batch_size is None and usual.batch_size is not None:
        return ["--batch-size", str(config.protocol.batch_size)]
    return []


def _protocol_facts(protocol: Protocol) -> list[Fact]:
    augmentation = {name: value for name, value in protocol.augmentation.model_dump().items() if value}
    if not protocol.augmentation.erasing_probability:
        del augmentation["erasing_max_fraction"]
    return [
        Fact("Optimizer", _tagged(protocol.optimizer.model_dump())),
        Fact("Schedule", _tagged(protocol.schedule.model_dump())),
        Fact("Normalisation", _NORMALISATION[protocol.normalisation]),
        Fact("Augmentation", (_pairs(augmentation) or "none") + _AUGMENTATION_USE[protocol.augmentation_use]),
        Fact(
            "Regularisation",
            _pairs(
                {
                    "label smoothing": protocol.label_smoothing,
                    "gradient clip norm": protocol.gradient_clip_norm,
                    "EMA decay": protocol.ema_decay,
                    **protocol.architecture_options,
                }
            ),
        ),
        Fact("Weight decay on", protocol.weight_decay_on.replace("_", " ")),
        Fact(
            "Epoch chosen by",
            {"validation": "the validation split", "last": "none, the last"}.get(
                protocol.selection, "the test split: selected on the test set"
            ),
        ),
        *_split_facts(protocol),
        *([Fact("Settings of each network", tuning_words(protocol.tuning))] if protocol.tuning else []),
        Fact("Test split", "read once, at the end" if protocol.test == "once" else "never read"),
        Fact(
            "A training collapsed",
            "if it names one class only, is right no more often than chance allows at the share of the largest class "
            f"(one-sided, {100 * protocol.collapse.chance:g} %), or ends with a training loss above "
            f"{protocol.collapse.loss_factor:g} ln(classes)",
        ),
        Fact("Flip at test time", "yes, two passes per prediction" if protocol.test_time_flip else "no"),
        *_source_facts(protocol),
    ]


_NORMALISATION = {
    "training_split": "mean and deviation of the training split, for each channel",
    "per_image": "each image by its own mean and deviation",
}
_AUGMENTATION_USE = {
    "each_pass": "",
    "one_fixed_copy": "; one fixed augmented copy of each image doubles the training split",
}


def _split_facts(protocol: Protocol) -> list[Fact]:
    if protocol.test_split == "own":
        return []
    return [Fact("Validation and test split", "merged into one, which tests")]


def _source_facts(protocol: Protocol) -> list[Fact]:
    """What the paper states and what was chosen where it is silent."""
    facts = [Fact("Follows", protocol.source)] if protocol.source else []
    facts += [Fact(f"Stated: {topic.replace('_', ' ')}", text) for topic, text in protocol.stated.items()]
    return facts + [Fact(f"Chosen: {topic.replace('_', ' ')}", text) for topic, text in protocol.choices.items()]


def _machine_facts(run: RunTable) -> list[Fact]:
    """Machines that say the same of themselves stand once; of several, how many trials each has trained."""
    machines = [record.machine for record in run.trials.values()]
    trials, costs = _unique(machines), _unique(cost.machine for cost in run.costs)
    trained = Counter(map(machine_words, machines))
    shares = {words: f" ({plural(trials, 'trial')})" if len(trained) > 1 else "" for words, trials in trained.items()}
    facts = [Fact("Trained on", f"{words}{share}") for words, share in shares.items()]
    facts += [Fact("Cost measured on", words) for words in dict.fromkeys(map(machine_words, costs))]
    everything = _unique([*trials, *costs])
    versions = dict.fromkeys(_pairs({"Python": m.python, **m.versions}) for m in everything)
    revisions = list(dict.fromkeys(_revision(m) for m in everything if m.git_revision))
    facts += [Fact("Versions", text) for text in versions]
    name = "Revision of fbench" if len(revisions) == 1 else f"{len(revisions)} revisions of fbench"
    return facts + ([Fact(name, ", ".join(revisions), code=True)] if revisions else [])


def _unique(machines: Iterable[Machine]) -> list[Machine]:
    return list({machine.model_dump_json(): machine for machine in machines}.values())


def _revision(machine: Machine) -> str:
    return f"{machine.git_revision}{' with uncommitted changes' if machine.git_dirty else ''}"


def _tagged(values: dict[str, object]) -> str:
    """The settings of one kind of thing, its kind first."""
    kind = str(values["kind"]).replace("_", " ")
    return f"{kind}: {settings}" if (settings := _pairs({**values, "kind": None})) else kind


def _pairs(values: dict[str, object]) -> str:
    """Settings in a line; what is none or off is left out."""
    shown = {name: value for name, value in values.items() if value is not None and value is not False}
    return ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in shown.items())


def _plain(value: object) -> str:
    if value is True:
        return "yes"
    return f"{value:g}" if isinstance(value, float) else str(value)

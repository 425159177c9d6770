"""The options of ``fbench run``, as a person reads them in its help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class PrecisionChoice(StrEnum):
    """Arithmetic of a new run."""

    FP32 = "fp32"
    TF32 = "tf32"
    BF16 = "bf16"


class FusedBatchNormChoice(StrEnum):
    """What computes fused batch normalisations."""

    TRITON = "triton"
    EAGER = "eager"


class ExecutorChoice(StrEnum):
    """What runs the trials."""

    LOCAL = "local"
    RAY = "ray"


SuiteOption = Annotated[str | None, typer.Option(help="A suite's name, or a TOML file. Default: ablations.")]
ArchOption = Annotated[
    list[str] | None, typer.Option(help="Compare these networks without a suite; repeatable, and 'ires*' is many.")
]
AgainstOption = Annotated[str | None, typer.Option(help="The baseline of --arch. Default: the first --arch.")]
OnlyOption = Annotated[list[str] | None, typer.Option(help="Only this study of the suite; repeatable.")]
ProtocolOption = Annotated[str, typer.Option(help="How to train: a protocol's name, or a TOML file.")]
EpochsOption = Annotated[
    int | None,
    typer.Option(min=1, max=100_000, help="Train so many epochs, in place of the protocol's and the preset's budget."),
]
LearningRateOption = Annotated[float | None, typer.Option(help="Of the optimizer, in place of the protocol's.")]
BatchSizeOption = Annotated[
    int | None, typer.Option(min=1, max=1_000_000, help="Of training, in place of the protocol's and the preset's.")
]
NoAugmentationOption = Annotated[bool, typer.Option("--no-augmentation", help="Train on the images as they are.")]
PresetOption = Annotated[str, typer.Option(help="How much: smoke, quick, standard or full.")]
DataOption = Annotated[
    list[str] | None,
    typer.Option(help="NAME or NAME=PATH; repeatable. Default: the embedded synthetic faces."),
]
ImageSizeOption = Annotated[
    int | None, typer.Option(help="Pixels a side of data sets of your own. Default: their own where they have one.")
]
ChannelsOption = Annotated[
    str | None, typer.Option(metavar="gray|rgb", help="Of data sets of your own. Default: their own.")
]
SeedsOption = Annotated[int | None, typer.Option(help="Seeds per network. Default: the preset's.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
PrecisionOption = Annotated[PrecisionChoice, typer.Option(help="Arithmetic of a new run.")]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="Train with torch.compile; another way for all where one network fails.")
]
FusedBatchNormOption = Annotated[
    FusedBatchNormChoice | None,
    typer.Option(
        help="Compute batch normalisation together with the activation after it in training: by Triton's kernels on "
        "CUDA, or by PyTorch's operations, slower, by the same formulas. Default: layer by layer.",
    ),
]
TrialsTogetherOption = Annotated[
    int,
    typer.Option(
        help="Trials of one process at a time on CUDA, each on a stream of its own; of fbench's own networks. It is "
        "fixed with the run.",
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(help="Trials at a time; never changes a result. Default: all cores of a CPU, 1 on a GPU."),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", "--output", "-o", help="The run's folder. Default: results/SUITE-DATA-PRESET."),
]
FromOption = Annotated[
    list[Path] | None, typer.Option("--from", help="Take finished trials from this run; repeatable.")
]
PluginOption = Annotated[list[Path] | None, typer.Option(help="A Python file that registers networks; repeatable.")]
NumericsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN",
        help="Compute as this run did: its precision, threads a trial, layout in memory, batch of evaluation and "
        "whatever else changes bits. Default: by the device.",
    ),
]
OnlyComparableOption = Annotated[
    bool,
    typer.Option(
        "--only-comparable",
        help="Where networks cannot be computed as asked: train them in a run of their own, beside that of the others, "
        "which keep to it; the two are never compared. Default: all are computed in a way that works for all.",
    ),
]
UntilDecidedOption = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="Add seeds to the networks of undecided comparisons, one interim analysis after another.",
    ),
]
MaxSeedsOption = Annotated[
    int | None, typer.Option(help="Seeds per network at most, with --until-decided. Default: 20.")
]
TrustOption = Annotated[
    str | None,
    typer.Option(
        "--trust",
        metavar="SHA256",
        help="Take the plug-in that a run of --from names, where its files have this digest, as if --plugin named it.",
    ),
]
KeepFailedOption = Annotated[bool, typer.Option("--keep-failed", help="Do not try failed trials again.")]
RetriesOption = Annotated[
    int,
    typer.Option(
        min=0,
        max=1_000,
        help="Try a trial again that failed in a way that may pass: a dead process, memory, disk, device.",
    ),
]
TrialTimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--trial-timeout",
        help="The time that a trial may take, such as 90s, 20m or 3h; before the trials a network is waited for no "
        "longer either, from 30s on. Default: by its estimate.",
    ),
]
UniformMicrobatchOption = Annotated[
    bool,
    typer.Option(
        "--uniform-microbatch",
        help="After trials that failed for lack of the device's memory: train all anew, in a folder beside the run, "
        "with the microbatch that fits.",
    ),
]
EnergyOption = Annotated[
    bool, typer.Option("--energy", help="Read energy on a GPU, too: 2 s more of each network in each setting.")
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Train the I-th of N parts of the trials, where other machines train the others; `fbench merge` makes one "
        "run of them.",
    ),
]
TimeBudgetOption = Annotated[
    str | None,
    typer.Option(
        "--time-budget",
        help="The time that the command may take, such as 50m: no trial begins that would not end in it, what runs at "
        "its end is kept for the next time, and the exit code is 4 where something is left.",
    ),
]
ExecutorOption = Annotated[
    ExecutorChoice,
    typer.Option(help="Where trials are trained: in processes of this machine, or on the nodes of a Ray cluster."),
]
RayAddressOption = Annotated[
    str | None,
    typer.Option(
        metavar="auto|HOST:PORT",
        help="The head of the cluster, for --executor ray. Default: auto, that of RAY_ADDRESS or of this machine.",
    ),
]
CpusPerTrialOption = Annotated[
    float | None, typer.Option(help="Cores that a trial takes of a node, for --executor ray. Default: 1.")
]
GpusPerTrialOption = Annotated[
    float | None,
    typer.Option(
        help="GPUs that a trial takes of a node, such as 0.25, for --executor ray. Default: 1 where trials run on GPUs."
    ),
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait where another process is at work in the run's folder.")]
TrackOption = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="KIND=PLACE",
        help="Copy every trial to a tracker too: tensorboard=FOLDER, mlflow=sqlite:///FILE or mlflow=http://HOST:PORT; "
        "repeatable.",
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print the report's path alone, and what failed.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print a line for each evaluation and each trial that ends, too.")
]
JsonLinesOption = Annotated[
    bool, typer.Option("--json", help="Print a line of JSON for each trial that ends, and a last one with the answer.")
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Print what would run, how long, and what it could decide; run nothing."),
]
AssumeOption = Annotated[
    str | None,
    typer.Option(
        "--assume-sd",
        metavar="SEED,IMAGE,REST",
        help="For --dry-run: how much a difference of two networks varies, as three standard deviations in points of "
        "top-1: between seeds, between images, and what is left of one answer, such as 0.7,25,30. Default: of earlier "
        "records, else typical ones.",
    ),
]

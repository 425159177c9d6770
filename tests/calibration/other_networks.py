"""Networks of timm and torchvision, counted against what the packages say and trained:
``python -m tests.calibration.other_networks``.

Wants an environment that has both, and a PyTorch that torchvision has a build for. Writes ``results/other_networks``:

- ``counts.csv``: for each network at the package's own size, 224x224 with 1,000 classes, parameters and MACs by fbench
  and by the package (torchvision prints both with its weights; timm's parameters are counted as timm's scripts do, and
  its MACs by fvcore), and both at 1x48x48 with 7 classes
- ``trained.csv``: the smoke preset on the embedded faces: status, steps, top-1 on validation, versions
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

import fbench
from fbench.architectures.building import build_and_trace
from fbench.architectures.registry import build, resolve
from fbench.architectures.resolvers import other_name
from tests.csv_tables import save_rows

NAMES: Final = (
    "timm:mobilenetv3_small_050",
    "timm:mobilenetv3_small_075",
    "timm:mobilenetv3_large_100",
    "timm:mobilenetv2_035",
    "timm:mobilenetv2_050",
    "timm:tf_efficientnet_lite0",
    "timm:ghostnet_050",
    "timm:ghostnet_100",
    "timm:lcnet_035",
    "timm:lcnet_050",
    "timm:tinynet_e",
    "timm:mnasnet_small",
    "timm:regnetx_002",
    "timm:semnasnet_075",
    "timm:hardcorenas_a",
    "torchvision:shufflenet_v2_x0_5",
    "torchvision:shufflenet_v2_x1_0",
    "torchvision:squeezenet1_1",
    "torchvision:mnasnet0_5",
    "torchvision:mobilenet_v3_small",
)
OWN_SHAPE: Final[dict[str, Any]] = {"num_classes": 1000, "in_channels": 3, "image_size": 224}


def main() -> None:
    """Count and train all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results") / "other_networks")
    parser.add_argument("--names", nargs="*", default=NAMES)
    given = parser.parse_args()
    save_rows(given.out / "counts.csv", [_counted(name) for name in given.names])
    save_rows(given.out / "trained.csv", _trained(given.names))


def _counted(name: str) -> dict[str, Any]:
    own, small = build_and_trace(resolve(name, **OWN_SHAPE))[1], build_and_trace(resolve(name))[1]
    params, macs, source = _of_package(name)
    found = other_name(name)
    row = {
        "network": name,
        "package": found.version if found else "",
        "torch": torch.__version__,
        "params_224_1000": own.trainable_params,
        "params_by_package": params,
        "macs_224": own.macs,
        "macs_by_other": macs,
        "macs_difference_percent": f"{100 * (own.macs / macs - 1):.3f}",
        "macs_by": source,
        "params_48_7": small.trainable_params,
        "macs_48": small.macs,
        "not_counted": " ".join(sorted({one.operation for one in small.not_counted})),
    }
    print(*(f"{key} {value}" for key, value in row.items()), sep=", ", flush=True)  # noqa: T201 - a script reports by printing
    return row


def _of_package(name: str) -> tuple[int, int, str]:
    """Parameters and MACs at the package's own size, and who says so."""
    prefix, _, short = name.partition(":")
    if prefix == "torchvision":
        from torchvision import models

        meta = next(iter(models.get_model_weights(short))).meta
        return int(meta["num_params"]), round(1e9 * meta["_ops"]), "torchvision's table, in thousandths of 10^9"
    from fvcore.nn import FlopCountAnalysis

    network = build(resolve(name, **OWN_SHAPE)).eval()
    counter = FlopCountAnalysis(network, torch.zeros(1, 3, 224, 224)).unsupported_ops_warnings(False)
    by_operator = counter.by_operator()
    macs = sum(by_operator[one] for one in ("conv", "linear", "addmm", "matmul", "einsum", "bmm"))
    return _parameters(network), int(macs), "fvcore"


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _trained(names: Sequence[str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        run = fbench.run(arch=names, preset="smoke", out=Path(folder) / "run", progress=False)
        frame = run.trials_frame()
        versions = {record.spec.network.name: record.machine.versions for record in run.trials.values()}
        return [
            {
                "network": row["network"],
                "status": row["status"],
                "validation_top1": f"{row['validation_top1']:.4f}",
                "total_time_s": f"{row['total_time_s']:.2f}",
                "torch": versions[row["network"]].get("torch", ""),
            }
            for _, row in frame.iterrows()
        ]


if __name__ == "__main__":
    main()

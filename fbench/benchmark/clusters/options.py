"""What a user says of the cluster that trains the trials of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fbench.core.errors import UserError, readable

ExecutorName = Literal["local", "ray"]
AUTO: Final = "auto"
_RAY_CLIENT: Final = "ray://"


@dataclass(frozen=True)
class ClusterOptions:
    """A cluster, and what a trial takes of it.

    Attributes:
        address: ``HOST:PORT`` of the head, or ``auto``: that of ``RAY_ADDRESS``, else of a cluster of this machine.
        cpus_per_trial: the cores that Ray sets aside for a trial.
        gpus_per_trial: the share of a GPU, or whole GPUs; none means one GPU where trials run on one, else no GPU.
    """

    address: str = AUTO
    cpus_per_trial: float = 1.0
    gpus_per_trial: float | None = None

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            UserError: an address of another kind, or a number of cores or GPUs that Ray cannot set aside.
        """
        if self.address.startswith(_RAY_CLIENT):
            raise UserError(
                f"--ray-address {readable(self.address)} is that of a client from outside of the cluster, which cannot "
                "hand checkpoints over; run the command on a node of the cluster, and give HOST:PORT of its head."
            )
        host, _, port = self.address.rpartition(":")
        if self.address != AUTO and not (host and port.isdecimal() and 0 < int(port) < 2**16):
            raise UserError(f"--ray-address {readable(self.address)} was given; give auto, or HOST:PORT of the head.")
        if not _can_be_set_aside(self.cpus_per_trial):
            raise UserError(
                f"--cpus-per-trial {self.cpus_per_trial:g} was given; give a whole number, or a share below 1."
            )
        if self.gpus_per_trial is not None and not _can_be_set_aside(self.gpus_per_trial):
            raise UserError(
                f"--gpus-per-trial {self.gpus_per_trial:g} was given; give a whole number, or a share below 1 such as "
                "0.25."
            )

    def gpus_for(self, device: str) -> float:
        """The GPUs of a trial on a device.

        Raises:
            UserError: GPUs were asked for, and trials are trained on none; or the device is of this machine alone.
        """
        kind = device.partition(":")[0]
        if kind == "cpu" and self.gpus_per_trial is not None:
            raise UserError(
                f"--gpus-per-trial {self.gpus_per_trial:g} was given, and trials are trained on the CPU, as --device "
                "says or as this machine has no GPU; give the command on a machine with a GPU, on which cost is "
                "measured, or leave --gpus-per-trial out."
            )
        if kind not in ("cpu", "cuda"):
            raise UserError(f"--device {device} was given with --executor ray; give cpu or cuda.")
        return 0.0 if kind == "cpu" else self.gpus_per_trial or 1.0


def cluster_asked_for(
    executor: ExecutorName, address: str | None, cpus_per_trial: float | None, gpus_per_trial: float | None
) -> ClusterOptions | None:
    """What a user asked for; none for trials in processes of this machine.

    Raises:
        UserError: something was said of a cluster, and none is to be used.
    """
    if executor == "ray":
        return ClusterOptions(address or AUTO, 1.0 if cpus_per_trial is None else cpus_per_trial, gpus_per_trial)
    given = {"ray-address": address, "cpus-per-trial": cpus_per_trial, "gpus-per-trial": gpus_per_trial}
    for option, value in given.items():
        if value is not None:
            raise UserError(f"--{option} {value} was given without --executor ray; add that, or leave it out.")
    return None


def _can_be_set_aside(number: float) -> bool:
    """Whether Ray can: shares of 0.0001 below 1, and whole numbers."""
    return 1e-4 <= number < 1 or (number >= 1 and float(number).is_integer())

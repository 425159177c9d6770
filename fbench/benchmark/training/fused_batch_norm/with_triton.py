"""Batch normalisation with its activation in Triton's kernels, two in each direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch

from fbench.benchmark.training.fused_batch_norm.arithmetic import Activation, Backward, Forward, RunningStatistics
from fbench.core.errors import UserError

TILE: Final = 8192
"""Numbers that a program holds at a time: 32 for each thread of its eight warps, so that enough is being read."""
MOST_COLUMNS: Final = 64
MOST_PROGRAMS: Final = 256
WARPS: Final = 8


@dataclass(frozen=True)
class Division:
    """How maps of so many rows and channels are cut, which follows from their shape alone.

    Tiles have ``tile_rows`` rows and ``columns`` channels; a part or program has whole tiles. The sizes are from
    arithmetic, not measured: no device has been met.
    """

    rows: int
    channels: int
    columns: int
    tile_rows: int
    parts: int
    rows_per_part: int
    programs: int
    rows_per_program: int

    @property
    def groups(self) -> int:
        """Into how many groups the channels are cut."""
        return _ceil(self.channels, self.columns)


def division(rows: int, channels: int, most_parts: int = 128) -> Division:
    """How maps of so many rows and channels are cut."""
    columns = min(MOST_COLUMNS, _power_of_two(channels))
    tile_rows = TILE // columns
    tiles = _ceil(rows, tile_rows)
    per_part = _ceil(tiles, most_parts) * tile_rows
    per_program = _ceil(tiles, MOST_PROGRAMS) * tile_rows
    return Division(
        rows, channels, columns, tile_rows, _ceil(rows, per_part), per_part, _ceil(rows, per_program), per_program
    )


class TritonArithmetic:
    """Needs Triton and a CUDA device, or its interpreter.

    Raises:
        UserError: Triton is not installed.
    """

    def __init__(self) -> None:
        try:
            _kernels()
        except ImportError as error:
            raise UserError(
                "Batch normalisation fused by Triton was asked for, which is not installed; install triton, or take "
                "numerics without fused_batch_norm."
            ) from error

    def forward(
        self,
        maps: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        running: RunningStatistics,
        epsilon: float,
        activation: Activation,
    ) -> Forward:
        """See :class:`Arithmetic`."""
        cut = _division_of(maps)
        means, squares = _parts(cut, maps), _parts(cut, maps)
        _kernels().moments_of_parts[cut.parts, cut.groups](
            maps,
            means,
            squares,
            cut.rows,
            cut.channels,
            cut.rows_per_part,
            ROWS=cut.tile_rows,
            COLUMNS=cut.columns,
            num_warps=WARPS,
        )
        found = Forward(torch.empty_like(maps), torch.empty_like(weight), torch.empty_like(weight))
        _kernels().normalise[cut.programs, cut.groups](
            maps,
            found.output,
            means,
            squares,
            weight,
            bias,
            found.mean,
            found.inverse_deviation,
            running.mean,
            running.variance,
            running.momentum,
            epsilon,
            cut.rows,
            cut.channels,
            cut.parts,
            cut.rows_per_part,
            cut.rows_per_program,
            ACTIVATION=activation,
            ROWS=cut.tile_rows,
            COLUMNS=cut.columns,
            num_warps=WARPS,
        )
        return found

    def backward(
        self,
        gradient: torch.Tensor,
        maps: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        mean: torch.Tensor,
        inverse_deviation: torch.Tensor,
        activation: Activation,
    ) -> Backward:
        """See :class:`Arithmetic`."""
        cut = _division_of(maps)
        of_weight, of_bias = _parts(cut, maps), _parts(cut, maps)
        _kernels().gradients_of_parts[cut.parts, cut.groups](
            gradient,
            maps,
            of_weight,
            of_bias,
            weight,
            bias,
            mean,
            inverse_deviation,
            cut.rows,
            cut.channels,
            cut.rows_per_part,
            ACTIVATION=activation,
            ROWS=cut.tile_rows,
            COLUMNS=cut.columns,
            num_warps=WARPS,
        )
        found = Backward(torch.empty_like(maps), torch.empty_like(weight), torch.empty_like(bias))
        _kernels().gradient_of_maps[cut.programs, cut.groups](
            gradient,
            maps,
            found.of_input,
            of_weight,
            of_bias,
            weight,
            bias,
            mean,
            inverse_deviation,
            found.of_weight,
            found.of_bias,
            cut.rows,
            cut.channels,
            cut.parts,
            cut.rows_per_program,
            ACTIVATION=activation,
            ROWS=cut.tile_rows,
            COLUMNS=cut.columns,
            num_warps=WARPS,
        )
        return found


def _kernels() -> Any:
    """The kernels, whose module only then imports Triton; kept nowhere, so that a network that has them is copied."""
    from fbench.benchmark.training.fused_batch_norm import triton_kernels

    return triton_kernels


def _division_of(maps: torch.Tensor) -> Division:
    channels = maps.shape[1]
    return division(maps.numel() // channels, channels)


def _parts(cut: Division, maps: torch.Tensor) -> torch.Tensor:
    return torch.empty(cut.parts, cut.channels, device=maps.device)


def _ceil(count: int, size: int) -> int:
    return -(-count // size)


def _power_of_two(count: int) -> int:
    """The smallest power of two that is not below ``count``."""
    return 1 << (count - 1).bit_length()

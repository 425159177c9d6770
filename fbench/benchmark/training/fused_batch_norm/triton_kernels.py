"""The four kernels of a fused batch normalisation, in Triton. Importing this module needs Triton.

Maps in channels_last are ``rows`` = N H W rows of ``channels`` numbers. Rows are cut into ``parts`` of
``rows_per_part`` rows, which depend on the shape alone. A first kernel sums each part; a second one puts the parts
together, each program anew for its own channels, and then computes the map. So each direction takes two kernels, no
number is added to by two programs, and all sums have a fixed order: equal input gives equal bits. Sums are in float32.
"""
# mypy: disable-error-code="untyped-decorator,no-untyped-def,no-untyped-call"
# Triton compiles these functions from their text: their arguments are pointers, numbers and constants of its own.

from __future__ import annotations

import triton
import triton.language as tl

MOST_PARTS = tl.constexpr(128)
"""About as many as a large GPU has multiprocessors (132 on an H200); a power of two."""


@triton.jit
def _activated(values, ACTIVATION: tl.constexpr):
    """The activation; comparisons are such that what is no number stays none."""
    result = values
    if ACTIVATION == "relu":
        result = tl.where(values <= 0.0, 0.0, values)
    if ACTIVATION == "hard_swish":
        gate = values + 3.0
        gate = tl.where(gate < 0.0, 0.0, gate)
        gate = tl.where(gate > 6.0, 6.0, gate)
        result = values * gate / 6.0
    return result


@triton.jit
def _gradient_before(gradient, values, ACTIVATION: tl.constexpr):
    """The gradient of the values that the activation was given."""
    result = gradient
    if ACTIVATION == "relu":
        result = tl.where(values <= 0.0, 0.0, gradient)
    if ACTIVATION == "hard_swish":
        result = tl.where(values < 3.0, gradient * (values / 3.0 + 0.5), gradient)
        result = tl.where(values <= -3.0, 0.0, result)
    return result


@triton.jit
def _places(start, last, columns, inside, channels, ROWS: tl.constexpr):
    """Where the numbers of a tile are, and which of them are there."""
    numbers = start + tl.arange(0, ROWS)
    places = numbers.to(tl.int64)[:, None] * channels + columns[None, :]
    return places, (numbers < last)[:, None] & inside[None, :]


@triton.jit
def moments_of_parts(
    maps, part_means, part_squares, rows, channels, rows_per_part, ROWS: tl.constexpr, COLUMNS: tl.constexpr
):
    """The mean of each part and channel, and the sum of squares about it, both (parts, channels).

    Sums are about the mean of the part's first tile, so that a mean far from zero takes no digits away.
    """
    first = tl.program_id(0) * rows_per_part
    last = tl.minimum(first + rows_per_part, rows)
    columns = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = columns < channels
    places, there = _places(first, last, columns, inside, channels, ROWS)
    tile = tl.load(maps + places, mask=there, other=0.0).to(tl.float32)
    shift = tl.sum(tile, 0) / tl.minimum(last - first, ROWS).to(tl.float32)
    totals = tl.zeros((ROWS, COLUMNS), tl.float32)
    squares = tl.zeros((ROWS, COLUMNS), tl.float32)
    for start in range(first, last, ROWS):
        places, there = _places(start, last, columns, inside, channels, ROWS)
        tile = tl.load(maps + places, mask=there, other=0.0).to(tl.float32)
        centred = tl.where(there, tile - shift[None, :], 0.0)
        totals += centred
        squares += centred * centred
    total = tl.sum(totals, 0)
    count = (last - first).to(tl.float32)
    places = tl.program_id(0) * channels + columns
    tl.store(part_means + places, shift + total / count, mask=inside)
    about_mean = tl.sum(squares, 0) - total * total / count
    tl.store(part_squares + places, tl.where(about_mean < 0.0, 0.0, about_mean), mask=inside)


@triton.jit
def normalise(
    maps,
    output,
    part_means,
    part_squares,
    weight,
    bias,
    mean_of_batch,
    inverse_deviation_of_batch,
    running_mean,
    running_variance,
    momentum,
    epsilon,
    rows,
    channels,
    parts,
    rows_per_part,
    rows_per_program,
    ACTIVATION: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """The activated map; the first program of each group of channels also writes their statistics."""
    columns = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = columns < channels
    numbers = tl.arange(0, MOST_PARTS)
    counts = tl.minimum(rows - numbers * rows_per_part, rows_per_part)
    counts = tl.where(numbers < parts, counts, 0).to(tl.float32)[:, None]
    of_parts = numbers[:, None] * channels + columns[None, :]
    is_part = (numbers < parts)[:, None] & inside[None, :]
    means = tl.load(part_means + of_parts, mask=is_part, other=0.0)
    squares = tl.load(part_squares + of_parts, mask=is_part, other=0.0)
    mean = tl.sum(means * counts, 0) / rows
    apart = tl.where(is_part, means - mean[None, :], 0.0)
    square = tl.sum(squares + apart * apart * counts, 0)
    inverse_deviation = 1.0 / tl.sqrt_rn(square / rows + epsilon)
    if tl.program_id(0) == 0:
        tl.store(mean_of_batch + columns, mean, mask=inside)
        tl.store(inverse_deviation_of_batch + columns, inverse_deviation, mask=inside)
        followed = tl.load(running_mean + columns, mask=inside)
        tl.store(running_mean + columns, followed * (1.0 - momentum) + mean * momentum, mask=inside)
        followed = tl.load(running_variance + columns, mask=inside)
        unbiased = square / (rows - 1)
        tl.store(running_variance + columns, followed * (1.0 - momentum) + unbiased * momentum, mask=inside)
    factor = tl.load(weight + columns, mask=inside, other=0.0)
    offset = tl.load(bias + columns, mask=inside, other=0.0)
    first = tl.program_id(0) * rows_per_program
    last = tl.minimum(first + rows_per_program, rows)
    for start in range(first, last, ROWS):
        places, there = _places(start, last, columns, inside, channels, ROWS)
        tile = tl.load(maps + places, mask=there, other=0.0).to(tl.float32)
        scaled = (tile - mean[None, :]) * inverse_deviation[None, :] * factor[None, :] + offset[None, :]
        result = _activated(scaled, ACTIVATION)
        tl.store(output + places, result.to(output.dtype.element_ty), mask=there)


@triton.jit
def gradients_of_parts(
    gradient,
    maps,
    part_weights,
    part_biases,
    weight,
    bias,
    mean_of_batch,
    inverse_deviation_of_batch,
    rows,
    channels,
    rows_per_part,
    ACTIVATION: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """What each part adds to the gradients of weight and bias, both (parts, channels)."""
    first = tl.program_id(0) * rows_per_part
    last = tl.minimum(first + rows_per_part, rows)
    columns = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = columns < channels
    mean = tl.load(mean_of_batch + columns, mask=inside, other=0.0)
    inverse_deviation = tl.load(inverse_deviation_of_batch + columns, mask=inside, other=0.0)
    factor = tl.load(weight + columns, mask=inside, other=0.0)
    offset = tl.load(bias + columns, mask=inside, other=0.0)
    of_weight = tl.zeros((ROWS, COLUMNS), tl.float32)
    of_bias = tl.zeros((ROWS, COLUMNS), tl.float32)
    for start in range(first, last, ROWS):
        places, there = _places(start, last, columns, inside, channels, ROWS)
        tile = tl.load(maps + places, mask=there, other=0.0).to(tl.float32)
        given = tl.load(gradient + places, mask=there, other=0.0).to(tl.float32)
        normalised = (tile - mean[None, :]) * inverse_deviation[None, :]
        scaled = normalised * factor[None, :] + offset[None, :]
        given = tl.where(there, _gradient_before(given, scaled, ACTIVATION), 0.0)
        of_weight += tl.where(there, given * normalised, 0.0)
        of_bias += given
    places = tl.program_id(0) * channels + columns
    tl.store(part_weights + places, tl.sum(of_weight, 0), mask=inside)
    tl.store(part_biases + places, tl.sum(of_bias, 0), mask=inside)


@triton.jit
def gradient_of_maps(
    gradient,
    maps,
    output,
    part_weights,
    part_biases,
    weight,
    bias,
    mean_of_batch,
    inverse_deviation_of_batch,
    gradient_of_weight,
    gradient_of_bias,
    rows,
    channels,
    parts,
    rows_per_program,
    ACTIVATION: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """The gradient of the map; the first program of each group of channels also writes those of weight and bias."""
    columns = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = columns < channels
    numbers = tl.arange(0, MOST_PARTS)
    of_parts = numbers[:, None] * channels + columns[None, :]
    is_part = (numbers < parts)[:, None] & inside[None, :]
    of_weight = tl.sum(tl.load(part_weights + of_parts, mask=is_part, other=0.0), 0)
    of_bias = tl.sum(tl.load(part_biases + of_parts, mask=is_part, other=0.0), 0)
    if tl.program_id(0) == 0:
        tl.store(gradient_of_weight + columns, of_weight, mask=inside)
        tl.store(gradient_of_bias + columns, of_bias, mask=inside)
    mean = tl.load(mean_of_batch + columns, mask=inside, other=0.0)
    inverse_deviation = tl.load(inverse_deviation_of_batch + columns, mask=inside, other=0.0)
    factor = tl.load(weight + columns, mask=inside, other=0.0)
    offset = tl.load(bias + columns, mask=inside, other=0.0)
    first = tl.program_id(0) * rows_per_program
    last = tl.minimum(first + rows_per_program, rows)
    for start in range(first, last, ROWS):
        places, there = _places(start, last, columns, inside, channels, ROWS)
        tile = tl.load(maps + places, mask=there, other=0.0).to(tl.float32)
        given = tl.load(gradient + places, mask=there, other=0.0).to(tl.float32)
        normalised = (tile - mean[None, :]) * inverse_deviation[None, :]
        scaled = normalised * factor[None, :] + offset[None, :]
        given = _gradient_before(given, scaled, ACTIVATION)
        centred = given - (of_bias / rows)[None, :] - normalised * (of_weight / rows)[None, :]
        result = centred * (factor * inverse_deviation)[None, :]
        tl.store(output + places, result.to(output.dtype.element_ty), mask=there)

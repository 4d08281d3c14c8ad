"""Batch norm, the sum with a shortcut and ReLU as two passes over memory, on a GPU: the kernels, in Triton.

Everything here is a matrix of ``R`` rows and ``F`` columns, float32 or bfloat16, in which a row holds the
channels of ``F / C`` neighbouring pixels of an image in channels_last. Sums are in float32.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def moments_kernel(x, means, squares, rows, each, F: tl.constexpr, T: tl.constexpr):
    """Of ``each`` rows from the program's own on, each column's mean and squared deviations from it."""
    first, columns = tl.program_id(0) * each, tl.arange(0, F)
    last = tl.minimum(first + each, rows)
    count = 0.0
    mean, square = tl.zeros((F,), tl.float32), tl.zeros((F,), tl.float32)
    for at in range(0, each, T):
        row = first + at + tl.arange(0, T)
        there = (row < last)[:, None]
        values = tl.load(x + row[:, None] * F + columns[None, :], mask=there, other=0.0).to(tl.float32)
        here = tl.minimum(tl.maximum(last - first - at, 0), T).to(tl.float32)
        own = tl.sum(values, 0) / tl.maximum(here, 1.0)
        off = tl.where(there, values - own[None, :], 0.0)
        total = tl.maximum(count + here, 1.0)
        apart = own - mean
        square += tl.sum(off * off, 0) + apart * apart * (count * here / total)
        mean += apart * (here / total)
        count += here
    tl.store(means + tl.program_id(0) * F + columns, mean)
    tl.store(squares + tl.program_id(0) * F + columns, square)


@triton.jit
def finish_moments_kernel(
    means, squares, mean, scale, running_mean, running_var, tracked,
    rows, each, folds, momentum, eps,
    C: tl.constexpr, B: tl.constexpr, P: tl.constexpr,
):  # fmt: skip
    """From (P, C) partial ones those of ``B`` channels, ``scale`` = 1/√(var + eps), and the running ones."""
    part, channel = tl.arange(0, P), tl.program_id(0) * B + tl.arange(0, B)
    first = (part // folds) * each
    count = tl.minimum(tl.maximum(rows - first, 0), each).to(tl.float32)[:, None]
    place = part[:, None] * C + channel[None, :]
    own, square = tl.load(means + place), tl.load(squares + place)
    total = tl.sum(count, 0)
    middle = tl.sum(own * count, 0) / total
    off = own - middle[None, :]
    spread = tl.sum(square + off * off * count, 0)
    tl.store(mean + channel, middle)
    tl.store(scale + channel, 1.0 / tl.sqrt(spread / total + eps))
    old_mean, old_var = tl.load(running_mean + channel), tl.load(running_var + channel)
    tl.store(running_mean + channel, old_mean + momentum * (middle - old_mean))
    tl.store(running_var + channel, old_var + momentum * (spread / (total - 1.0) - old_var))
    if tl.program_id(0) == 0:
        tl.store(tracked, tl.load(tracked) + 1)


@triton.jit
def apply_kernel(
    x, other, out, mean, scale, weight, bias, rows,
    F: tl.constexpr, C: tl.constexpr, T: tl.constexpr, SUM: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """out = relu((x - mean)·scale·weight + bias + other), where ``SUM`` and ``RELU`` say so."""
    columns = tl.arange(0, F)
    channel = columns % C
    slope = tl.load(scale + channel) * tl.load(weight + channel)
    shift = tl.load(bias + channel) - tl.load(mean + channel) * slope
    row = tl.program_id(0) * T + tl.arange(0, T)
    there, place = (row < rows)[:, None], row[:, None] * F + columns[None, :]
    values = tl.load(x + place, mask=there, other=0.0).to(tl.float32) * slope[None, :] + shift[None, :]
    if SUM:
        values += tl.load(other + place, mask=there, other=0.0).to(tl.float32)
    if RELU:
        values = tl.maximum(values, 0.0)
    tl.store(out + place, values.to(out.dtype.element_ty), mask=there)


@triton.jit
def behind_relu(
    x, out, gradient, place, there, middle, inverse, slope, shift,
    SUM: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """x̂ at places, and the gradient there behind ReLU; with a shortcut ``out`` tells where that let pass."""
    hat = (tl.load(x + place, mask=there, other=0.0).to(tl.float32) - middle[None, :]) * inverse[None, :]
    given = tl.load(gradient + place, mask=there, other=0.0).to(tl.float32)
    if RELU:
        if SUM:
            passed = tl.load(out + place, mask=there, other=0.0).to(tl.float32) > 0
        else:
            passed = hat * slope[None, :] + shift[None, :] > 0
        given = tl.where(passed, given, 0.0)
    return hat, given


@triton.jit
def gradient_sums_kernel(
    x, out, gradient, mean, scale, weight, bias, sums, products, rows, each,
    F: tl.constexpr, C: tl.constexpr, T: tl.constexpr, SUM: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """Of ``each`` rows, each column's sums of the gradient behind ReLU, and of its product with x̂."""
    first, columns = tl.program_id(0) * each, tl.arange(0, F)
    last = tl.minimum(first + each, rows)
    channel = columns % C
    middle, inverse = tl.load(mean + channel), tl.load(scale + channel)
    slope, shift = tl.load(weight + channel), tl.load(bias + channel)
    total, product = tl.zeros((F,), tl.float32), tl.zeros((F,), tl.float32)
    for at in range(0, each, T):
        row = first + at + tl.arange(0, T)
        there, place = (row < last)[:, None], row[:, None] * F + columns[None, :]
        hat, given = behind_relu(
            x, out, gradient, place, there, middle, inverse, slope, shift, SUM=SUM, RELU=RELU
        )
        total += tl.sum(given, 0)
        product += tl.sum(given * tl.where(there, hat, 0.0), 0)
    tl.store(sums + tl.program_id(0) * F + columns, total)
    tl.store(products + tl.program_id(0) * F + columns, product)


@triton.jit
def finish_sums_kernel(
    sums, products, of_bias, of_weight, C: tl.constexpr, B: tl.constexpr, P: tl.constexpr
):  # fmt: skip
    """The sums of (P, C) partial ones, of ``B`` channels."""
    part, channel = tl.arange(0, P), tl.program_id(0) * B + tl.arange(0, B)
    place = part[:, None] * C + channel[None, :]
    tl.store(of_bias + channel, tl.sum(tl.load(sums + place), 0))
    tl.store(of_weight + channel, tl.sum(tl.load(products + place), 0))


@triton.jit
def gradient_kernel(
    x, out, gradient, mean, scale, weight, bias, of_bias, of_weight, of_x, of_other, rows, count,
    F: tl.constexpr, C: tl.constexpr, T: tl.constexpr, SUM: tl.constexpr, RELU: tl.constexpr,
):  # fmt: skip
    """The gradient of x, and where ``SUM`` that of the shortcut."""
    columns = tl.arange(0, F)
    channel = columns % C
    middle, inverse = tl.load(mean + channel), tl.load(scale + channel)
    slope, shift = tl.load(weight + channel), tl.load(bias + channel)
    level, tilt = tl.load(of_bias + channel) / count, tl.load(of_weight + channel) / count
    row = tl.program_id(0) * T + tl.arange(0, T)
    there, place = (row < rows)[:, None], row[:, None] * F + columns[None, :]
    hat, given = behind_relu(
        x, out, gradient, place, there, middle, inverse, slope, shift, SUM=SUM, RELU=RELU
    )
    if SUM:
        tl.store(of_other + place, given.to(of_other.dtype.element_ty), mask=there)
    moved = (given - level[None, :] - hat * tilt[None, :]) * (slope * inverse)[None, :]
    tl.store(of_x + place, moved.to(of_x.dtype.element_ty), mask=there)

"""Linear layers on a CPU: oneDNN's product with packed weights, where it is measured to be faster.

Nine tenths of a forward pass are linear layers. On some CPUs oneDNN's product is faster than
`torch.nn.functional.linear` once the weights are stored in the order it prefers; on others it is
not (docs/benchmarks.md has the figures). Both are therefore timed on the model's own shapes before
an extraction. The packed product is private to torch: where it is missing, or the model is not on
a CPU, the plain product is used.

In bfloat16 only the linear layers compute in bfloat16; everything between them stays in float32.
That is as fast as a model wholly in bfloat16, with half the error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MIN_SPEEDUP = 1.05
"""How many times faster the packed product must be; less is within the noise of the timing."""

MIN_FLOPS = 1e9
"""Floating-point operations per batch below which nothing is timed: it takes milliseconds."""

TIMING_SECONDS = 0.2
"""About how long the timing takes in all, unless two turns take longer."""

MIN_TURNS, MAX_TURNS = 2, 4  # per shape; the first run of each is slower: it warms up


class Product(StrEnum):
    """How a linear layer multiplies. The two may differ in the last bits of a result."""

    PLAIN = "plain"  # torch.nn.functional.linear
    PACKED = "packed"  # oneDNN, on weights stored in the order it prefers


class FastLinear(nn.Module):
    """Replaces an `nn.Linear`: float32 in and out, multiplied in `dtype`.

    rows: how many vectors a batch has; oneDNN packs the weights for this number, and accepts any.
    """

    def __init__(
        self, linear: nn.Linear, dtype: torch.dtype, product: Product, *, rows: int
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.dtype = dtype
        self.product = product
        weight = linear.weight.detach().to(dtype)
        bias = None if linear.bias is None else linear.bias.detach().to(dtype)
        if product is Product.PACKED:
            weight = torch.ops.mkldnn._reorder_linear_weight(weight, rows)  # noqa: SLF001
        # The same names as in nn.Linear: some models read `weight.dtype`.
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """hidden: (…, in_features) → (…, out_features), float32."""
        x = hidden.to(self.dtype)
        if self.product is Product.PACKED:
            y = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
                x, self.weight, self.bias, "none", [], ""
            )
        else:
            y = nn.functional.linear(x, self.weight, self.bias)
        result: torch.Tensor = y.to(hidden.dtype)
        return result


def can_pack(weight: torch.Tensor) -> bool:
    """Try oneDNN's packed product on one row of `weight`; return whether it works here."""
    if weight.device.type != "cpu":
        return False
    try:
        tiny = torch.zeros((1, weight.shape[1]), dtype=weight.dtype)
        packed = torch.ops.mkldnn._reorder_linear_weight(weight[:1], 1)  # noqa: SLF001
        torch.ops.mkldnn._linear_pointwise(tiny, packed, None, "none", [], "")  # noqa: SLF001
    except (AttributeError, RuntimeError, TypeError):
        return False
    return True


def choose_product(
    model: nn.Module, dtype: torch.dtype, *, rows: int, recorded: object = None
) -> Product:
    """Return the product to use for a model's linear layers.

    Args:
        model: on the device on which it will run.
        dtype: what the linear layers compute in.
        rows: how many vectors a batch has.
        recorded: the product of the interrupted extraction that is resumed. It is used again,
            whatever the timing would say now, so that all rows are computed in the same way.
    """
    linears = [linear for _, _, linear in _plain_linears(model)]
    if not linears or not can_pack(linears[0].weight.detach().to(dtype)):
        return Product.PLAIN
    for product in Product:
        if product == recorded:
            return product
    if 2 * rows * sum(linear.weight.numel() for linear in linears) < MIN_FLOPS:
        return Product.PLAIN
    with torch.inference_mode():
        return faster_product(_trials(linears, dtype, rows))


def replace_linears(model: nn.Module, dtype: torch.dtype, product: Product, *, rows: int) -> None:
    """Replace the `nn.Linear` layers of a model, in place, where that changes anything."""
    if product is Product.PLAIN and dtype is torch.float32:
        return
    for parent, name, linear in list(_plain_linears(model)):
        setattr(parent, name, FastLinear(linear, dtype, product, rows=rows))


def _plain_linears(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    """Yield each `nn.Linear` with its parent and its name there; a subclass may do more."""
    for parent in model.modules():
        for name, child in parent.named_children():
            if type(child) is nn.Linear:
                yield parent, name, child


@dataclass(frozen=True, slots=True)
class Trial:
    """The two products of one shape, to be timed; `count` layers of the model have this shape."""

    plain: Callable[[], object]
    packed: Callable[[], object]
    count: int = 1


def _trials(linears: Sequence[nn.Linear], dtype: torch.dtype, rows: int) -> list[Trial]:
    by_shape: dict[tuple[int, ...], list[nn.Linear]] = {}
    for linear in linears:
        by_shape.setdefault(tuple(linear.weight.shape), []).append(linear)
    trials = []
    for (_, width), layers in by_shape.items():
        hidden = torch.ones((rows, width))
        packed = FastLinear(layers[0], dtype, Product.PACKED, rows=rows)
        plain: nn.Module = layers[0]
        if dtype is not torch.float32:
            plain = FastLinear(layers[0], dtype, Product.PLAIN, rows=rows)
        trials.append(Trial(partial(plain, hidden), partial(packed, hidden), len(layers)))
    return trials


def faster_product(trials: Sequence[Trial], *, seconds: float = TIMING_SECONDS) -> Product:
    """Time both products on each shape and return the faster one; a near tie is `PLAIN`."""
    plain = packed = 0.0
    for trial in trials:
        times = _best_times((trial.plain, trial.packed), seconds / len(trials))
        plain += trial.count * times[0]
        packed += trial.count * times[1]
    return Product.PACKED if plain >= MIN_SPEEDUP * packed else Product.PLAIN


def _best_times(runs: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """Run each in turn, several times but about `seconds` in all; return the best time of each."""
    best = [math.inf] * len(runs)
    began = perf_counter()
    for turn in range(MAX_TURNS):
        if turn >= MIN_TURNS and perf_counter() - began > seconds:
            break
        for index, run in enumerate(runs):
            start = perf_counter()
            run()
            best[index] = min(best[index], perf_counter() - start)
    return best

"""Linear layers on a CPU, multiplied in the way that is measured to be the fastest.

Nine tenths of a forward pass are linear layers. On some CPUs oneDNN's product is faster than
`torch.nn.functional.linear` once the weights are stored in the order it prefers; on others it is
not. Likewise bfloat16 is twice as fast as float32, or many times slower (docs/benchmarks.md has the
figures). All are therefore timed on the model's own shapes before an extraction. The packed product
is private to torch: where it is missing, or the model is not on a CPU, the plain product is used.

In bfloat16 only the linear layers compute in bfloat16; everything between them stays in float32.
That is as fast as a model wholly in bfloat16, with half the error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from wordvec.errors import UsageError
from wordvec.extraction.settings import Dtype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MIN_SPEEDUP = 1.05
"""How many times faster the packed product must be; less is within the noise of the timing."""

AUTO_SPEEDUP = 1.2
"""How many times faster than float32 bfloat16 must be for dtype="auto"; it is less precise."""

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

    def __init__(self, linear: nn.Linear, way: Way, *, rows: int) -> None:
        super().__init__()
        dtype, product = way
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


class Way(NamedTuple):
    """How linear layers multiply."""

    dtype: torch.dtype
    product: Product

    def __str__(self) -> str:
        kernel = "oneDNN's packed product" if self.product is Product.PACKED else "torch's product"
        return f"{kernel} in {name_of(self.dtype)}"


class Choice(NamedTuple):
    """The way that was chosen. reason: a sentence for the user."""

    way: Way
    reason: str


def choose_way(
    model: nn.Module,
    dtype: Dtype,
    *,
    rows: int,
    recorded: tuple[object, object] = (None, None),
    force: bool = False,
) -> Choice:
    """Choose how a model's linear layers multiply.

    Args:
        model: on the device on which it will run.
        dtype: what they compute in. AUTO is bfloat16 where it is clearly faster, else float32.
        rows: how many vectors a batch has.
        recorded: dtype and product of the interrupted extraction that is resumed. They are used
            again, whatever the timing would say now, so that all rows are computed in the same way.
        force: use `dtype` even if it is slower than float32.

    Raises:
        UsageError: `dtype` is slower than float32 on this machine.
    """
    linears = [linear for _, _, linear in _plain_linears(model)]
    wanted = torch.float32 if dtype is Dtype.AUTO else getattr(torch, dtype)
    if recorded[0] in (dtype, *(Dtype if dtype is Dtype.AUTO else ())):
        before = Way(getattr(torch, str(recorded[0])), Product(str(recorded[1])))
        if before in ways(linears, before.dtype):
            return Choice(before, f"{before}, as in the interrupted extraction")
    plain = Way(wanted, Product.PLAIN)
    if not linears or linears[0].weight.device.type != "cpu":
        return Choice(plain, f"{plain}, the only way on this device")
    if 2 * rows * sum(linear.weight.numel() for linear in linears) < MIN_FLOPS:
        return Choice(plain, f"{plain}, not timed for so small a model")
    dtypes = (torch.float32,) if dtype is Dtype.FLOAT32 else (torch.float32, torch.bfloat16)
    with torch.inference_mode():
        times = time_ways(_trials(linears, [way for one in dtypes for way in ways(linears, one)],
                                  rows))  # fmt: skip
    return fastest(times, dtype, force=force)


def ways(linears: Sequence[nn.Linear], dtype: torch.dtype) -> list[Way]:
    """Return the ways in which some layers can multiply in a dtype, the plain one first."""
    can = linears and can_pack(linears[0].weight.detach().to(dtype))
    return [Way(dtype, product) for product in Product if can or product is Product.PLAIN]


def fastest(times: Mapping[Way, float], dtype: Dtype, *, force: bool = False) -> Choice:
    """Choose by the seconds that each way takes; see `choose_way`. The first is plain float32."""
    best: dict[torch.dtype, Way] = {}
    for way, seconds in times.items():  # in each dtype the plain one first
        before = best.setdefault(way.dtype, way)
        if times[before] >= MIN_SPEEDUP * seconds:
            best[way.dtype] = way
    float32 = best[torch.float32]
    gain = {way: times[float32] / times[way] for way in best.values()}
    wanted = float32 if dtype is Dtype.FLOAT32 else best[torch.bfloat16]
    if dtype is Dtype.AUTO and gain[wanted] < AUTO_SPEEDUP:
        wanted = float32
    if gain[wanted] < 1 and not force:
        raise UsageError(
            f"{dtype} takes {1 / gain[wanted]:.1f} times as long as float32 on this machine",
            hint='dtype="float32"; force_dtype=True uses it all the same',
        )
    plain = next(iter(times))
    measured = ", ".join(f"{way} {seconds * 1e3:.0f} ms" for way, seconds in times.items())
    return Choice(
        wanted, f"{wanted}, {times[plain] / times[wanted]:.2f} × as fast as {plain} ({measured})"
    )


def name_of(dtype: torch.dtype) -> str:
    """Return the name of a dtype, such as "float32"."""
    return str(dtype).removeprefix("torch.")


def replace_linears(model: nn.Module, way: Way, *, rows: int) -> None:
    """Replace the `nn.Linear` layers of a model, in place, where that changes anything."""
    if way == Way(torch.float32, Product.PLAIN):
        return
    for parent, name, linear in list(_plain_linears(model)):
        setattr(parent, name, FastLinear(linear, way, rows=rows))


def _plain_linears(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    """Yield each `nn.Linear` with its parent and its name there; a subclass may do more."""
    for parent in model.modules():
        for name, child in parent.named_children():
            if type(child) is nn.Linear:
                yield parent, name, child


@dataclass(frozen=True, slots=True)
class Trial:
    """The ways to multiply one shape, to be timed; `count` layers of the model have this shape."""

    runs: Mapping[Way, Callable[[], object]]
    count: int = 1


def _trials(linears: Sequence[nn.Linear], candidates: Sequence[Way], rows: int) -> list[Trial]:
    by_shape: dict[tuple[int, ...], list[nn.Linear]] = {}
    for linear in linears:
        by_shape.setdefault(tuple(linear.weight.shape), []).append(linear)
    trials = []
    for (_, width), layers in by_shape.items():
        hidden = torch.ones((rows, width))
        runs = {way: partial(FastLinear(layers[0], way, rows=rows), hidden) for way in candidates}
        trials.append(Trial(runs, len(layers)))
    return trials


def time_ways(trials: Sequence[Trial], *, seconds: float = TIMING_SECONDS) -> dict[Way, float]:
    """Time each way on each shape; return the seconds that a model's layers take."""
    total = dict.fromkeys(trials[0].runs, 0.0)
    for trial in trials:
        times = _best_times([*trial.runs.values()], seconds / len(trials))
        for way, best in zip(trial.runs, times, strict=True):
            total[way] += trial.count * best
    return total


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

"""The choice between torch's linear product and oneDNN's packed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from wordvec.errors import UsageError
from wordvec.extraction import linear
from wordvec.extraction.linear import (
    FastLinear,
    Product,
    Trial,
    Way,
    can_pack,
    choose_way,
    fastest,
    replace_linears,
    time_ways,
)
from wordvec.extraction.settings import Dtype

if TYPE_CHECKING:
    from collections.abc import Callable


PLAIN, PACKED = (Way(torch.float32, product) for product in Product)
BFLOAT16 = Way(torch.bfloat16, Product.PLAIN)


class Clock:
    """A clock on which a planted product takes an exact time."""

    def __init__(self) -> None:
        self.now = 0.0

    def taking(self, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.now += seconds

        return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock that the timing reads."""
    clock = Clock()
    monkeypatch.setattr(linear, "perf_counter", lambda: clock.now)
    return clock


@pytest.mark.parametrize(
    ("plain", "packed", "chosen"),
    [
        (2.0, 1.0, "packed"),
        (1.0, 2.0, "plain"),
        (1.0, 1.0, "plain"),
        (1.04, 1.0, "plain"),  # within the noise
        (1.06, 1.0, "packed"),
    ],
)
def test_the_faster_product_is_chosen_and_a_tie_is_plain(
    plain: float, packed: float, chosen: str, clock: Clock
) -> None:
    trial = Trial({PLAIN: clock.taking(plain), PACKED: clock.taking(packed)})
    assert fastest(time_ways([trial]), Dtype.FLOAT32).way.product is Product(chosen)


def test_each_shape_counts_as_often_as_the_model_has_it(clock: Clock) -> None:
    rare = Trial({PLAIN: clock.taking(10), PACKED: clock.taking(1)})
    common = Trial({PLAIN: clock.taking(1), PACKED: clock.taking(2)}, count=10)
    assert time_ways([rare, common]) == {PLAIN: 20, PACKED: 21}


def test_the_best_time_of_several_turns_counts(clock: Clock) -> None:
    seconds = iter((9.0, 1.0, 1.0, 1.0, 1.0, 1.0))  # the first run is slow

    def warm_up() -> None:
        clock.now += next(seconds)

    trial = Trial({PLAIN: warm_up, PACKED: clock.taking(2.0)})
    assert time_ways([trial], seconds=99) == {PLAIN: 1, PACKED: 2}


def test_the_timing_stops_after_two_turns_when_its_time_is_over(clock: Clock) -> None:
    time_ways([Trial({PLAIN: clock.taking(1), PACKED: clock.taking(1)})], seconds=0.3)
    assert clock.now == 4


@pytest.mark.parametrize(
    ("plain", "half", "dtype", "chosen"),
    [
        (10.0, 5.0, Dtype.FLOAT32, "float32"),
        (10.0, 5.0, Dtype.BFLOAT16, "bfloat16"),
        (10.0, 5.0, Dtype.AUTO, "bfloat16"),
        (10.0, 9.0, Dtype.AUTO, "float32"),  # less than 1.2 times as fast
        (10.0, 9.0, Dtype.BFLOAT16, "bfloat16"),
        (1.0, 11.0, Dtype.AUTO, "float32"),
    ],
)
def test_auto_takes_bfloat16_where_it_is_clearly_faster(
    plain: float, half: float, dtype: Dtype, chosen: str
) -> None:
    choice = fastest({PLAIN: plain, BFLOAT16: half}, dtype)
    assert choice.way.dtype is getattr(torch, chosen)


def test_a_dtype_that_is_slower_than_float32_is_refused_with_its_ratio() -> None:
    times = {PLAIN: 1.5, PACKED: 1.0, BFLOAT16: 11.0}
    with pytest.raises(UsageError, match=r"^bfloat16 takes 11\.0 times as long") as caught:
        fastest(times, Dtype.BFLOAT16)
    assert caught.value.hint == 'dtype="float32"; force_dtype=True uses it all the same'
    assert fastest(times, Dtype.BFLOAT16, force=True).way == BFLOAT16


def test_the_reason_names_the_way_and_the_seconds_of_all() -> None:
    assert fastest({PLAIN: 0.3, PACKED: 0.2}, Dtype.FLOAT32).reason == (
        "oneDNN's packed product in float32, 1.50 × as fast as torch's product in float32 "
        "(torch's product in float32 300 ms, oneDNN's packed product in float32 200 ms)"
    )


@pytest.mark.parametrize("dtype", ["float32", "auto"])
def test_a_small_model_is_not_timed(dtype: str, clock: Clock) -> None:
    model = nn.Sequential(nn.Linear(8, 8))
    assert choose_way(model, Dtype(dtype), rows=3).way == PLAIN
    assert clock.now == 0


@pytest.mark.parametrize("dtype", ["float32", "auto"])
def test_a_recorded_product_is_used_again(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(8, 8))
    packable = can_pack(torch.zeros((8, 8)))
    recorded = ("float32", "packed")
    chosen = choose_way(model, Dtype(dtype), rows=3, recorded=recorded).way
    assert chosen == (PACKED if packable else PLAIN)
    monkeypatch.setattr(linear, "can_pack", lambda _: False)
    assert choose_way(model, Dtype(dtype), rows=3, recorded=recorded).way == PLAIN


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 2e-2)])
def test_a_large_model_is_timed_and_either_product_gives_the_same_vectors(
    dtype: str, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 64, bias=False))
    way = Way(getattr(torch, dtype), Product.PACKED)
    if not can_pack(torch.zeros((96, 64), dtype=way.dtype)):
        pytest.skip("this torch has no packed product")
    monkeypatch.setattr(linear, "MIN_FLOPS", 0)
    assert choose_way(model, Dtype(dtype), rows=5, force=True).way.dtype is way.dtype
    x = torch.randn((4, 5, 64), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = model(x).numpy()
        replace_linears(model, way, rows=20)
        packed = model(x).numpy()
    np.testing.assert_allclose(packed, expected, atol=tolerance)


def test_plain_float32_replaces_nothing_and_plain_bfloat16_converts() -> None:
    model = nn.Sequential(nn.Linear(8, 8))
    replace_linears(model, PLAIN, rows=3)
    assert not isinstance(model[0], FastLinear)
    replace_linears(model, BFLOAT16, rows=3)
    assert isinstance(model[0], FastLinear)
    assert model[0].weight.dtype is torch.bfloat16
    assert model(torch.ones((1, 8))).dtype is torch.float32


def test_a_subclass_of_linear_is_left_as_it_is() -> None:
    class Scaled(nn.Linear):
        pass

    model = nn.Sequential(Scaled(8, 8))
    replace_linears(model, BFLOAT16, rows=3)
    assert type(model[0]) is Scaled

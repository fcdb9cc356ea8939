"""The choice between torch's linear product and oneDNN's packed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from wordvec.extraction import linear
from wordvec.extraction.linear import (
    FastLinear,
    Product,
    Trial,
    can_pack,
    choose_product,
    faster_product,
    replace_linears,
)

if TYPE_CHECKING:
    from collections.abc import Callable


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
    trial = Trial(clock.taking(plain), clock.taking(packed))
    assert faster_product([trial]) is Product(chosen)


def test_each_shape_counts_as_often_as_the_model_has_it(clock: Clock) -> None:
    rare = Trial(clock.taking(10), clock.taking(1))
    common = Trial(clock.taking(1), clock.taking(2), count=10)
    assert faster_product([rare, common]) is Product.PLAIN
    assert faster_product([rare]) is Product.PACKED


def test_the_best_time_of_several_turns_counts(clock: Clock) -> None:
    seconds = iter((9.0, 1.0, 1.0, 1.0, 1.0, 1.0))  # the first run is slow

    def warm_up() -> None:
        clock.now += next(seconds)

    assert faster_product([Trial(warm_up, clock.taking(2.0))], seconds=99) is Product.PLAIN


def test_the_timing_stops_after_two_turns_when_its_time_is_over(clock: Clock) -> None:
    faster_product([Trial(clock.taking(1), clock.taking(1))], seconds=0.3)
    assert clock.now == 4


def test_a_small_model_is_not_timed(clock: Clock) -> None:
    model = nn.Sequential(nn.Linear(8, 8))
    assert choose_product(model, torch.float32, rows=3) is Product.PLAIN
    assert clock.now == 0


def test_a_recorded_product_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(8, 8))
    packable = can_pack(torch.zeros((8, 8)))
    chosen = choose_product(model, torch.float32, rows=3, recorded="packed")
    assert chosen is (Product.PACKED if packable else Product.PLAIN)
    monkeypatch.setattr(linear, "can_pack", lambda _: False)
    assert choose_product(model, torch.float32, rows=3, recorded="packed") is Product.PLAIN


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 2e-2)])
def test_a_large_model_is_timed_and_either_product_gives_the_same_vectors(
    dtype: str, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 64, bias=False))
    torch_dtype = getattr(torch, dtype)
    if not can_pack(torch.zeros((96, 64), dtype=torch_dtype)):
        pytest.skip("this torch has no packed product")
    monkeypatch.setattr(linear, "MIN_FLOPS", 0)
    assert choose_product(model, torch_dtype, rows=5) in Product
    x = torch.randn((4, 5, 64), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = model(x).numpy()
        replace_linears(model, torch_dtype, Product.PACKED, rows=20)
        packed = model(x).numpy()
    np.testing.assert_allclose(packed, expected, atol=tolerance)


def test_plain_float32_replaces_nothing_and_plain_bfloat16_converts() -> None:
    model = nn.Sequential(nn.Linear(8, 8))
    replace_linears(model, torch.float32, Product.PLAIN, rows=3)
    assert not isinstance(model[0], FastLinear)
    replace_linears(model, torch.bfloat16, Product.PLAIN, rows=3)
    assert isinstance(model[0], FastLinear)
    assert model[0].weight.dtype is torch.bfloat16
    assert model(torch.ones((1, 8))).dtype is torch.float32


def test_a_subclass_of_linear_is_left_as_it_is() -> None:
    class Scaled(nn.Linear):
        pass

    model = nn.Sequential(Scaled(8, 8))
    replace_linears(model, torch.bfloat16, Product.PLAIN, rows=3)
    assert type(model[0]) is Scaled

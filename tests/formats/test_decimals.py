"""Numbers converted many at once, compared with Python's float."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wordvec.formats.decimals import PADDING, read_rows


def read(fields: list[str]) -> list[float] | None:
    """Return the numbers of one line, or None if one is not a number."""
    text = " ".join(fields).encode()
    data = np.frombuffer(b"0" * PADDING + text + b"\n" * 8, dtype=np.uint8)
    lengths = np.array([len(field.encode()) for field in fields])
    ends = PADDING + np.cumsum(lengths + 1) - 1
    rows, good = read_rows(text, data, (ends - lengths)[None], ends[None])
    return rows[0].tolist() if good[0] else None


def as_float32(text: str) -> float:
    """Return the float32 nearest to Python's float."""
    with np.errstate(over="ignore"):
        return float(np.float32(float(text)))


FORMATS = ("%.9g", "%.5f", "%.6f", "%.3f", "%r", "%.12f", "%.0f", "%.17g", "%.18e", "%+.4f", "%.g")
NUMBERS = st.builds(
    lambda form, number: form % number,
    st.sampled_from(FORMATS),
    st.one_of(
        st.floats(-10, 10),
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
)


@settings(max_examples=500)
@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_numbers_are_those_of_python(fields: list[str]) -> None:
    assert read(fields) == [as_float32(field) for field in fields]


DIGITS = st.text(st.sampled_from("0123456789.-+e,/"), min_size=1, max_size=20)


@settings(max_examples=1000)
@given(DIGITS)
def test_text_that_is_almost_a_number_is_read_as_python_does(field: str) -> None:
    try:
        expected = [as_float32(field)]
    except ValueError:
        assert read([field]) is None
        return
    assert read([field]) == expected


@pytest.mark.parametrize("field", ["", " ", "x", ".", "-", "-.", "1_0", "0x10", "1 2", "１", "--1"])
def test_other_text_is_not_a_number(field: str) -> None:
    assert read([field]) is None


def test_nan_infinity_and_overflow_are_numbers() -> None:
    values = read(["nan", "inf", "-inf", "1e300", "-0"])
    assert values is not None
    assert np.isnan(values[0])
    assert values[1:] == [np.inf, -np.inf, np.inf, 0]
    assert np.signbit(values[4])


def test_nine_digits_give_each_float32_back() -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 20_000, dtype=np.uint32)
    numbers = bits.view(np.float32)
    numbers = numbers[np.isfinite(numbers)]
    values = read([f"{number:.9g}" for number in numbers])
    assert np.array(values, dtype=np.float32).tobytes() == numbers.tobytes()

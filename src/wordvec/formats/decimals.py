"""Decimal numbers in text as arrays, many at once: the inner loop of the readers of text formats.

A number of the form `[-]digits[.digits]` with up to 16 characters after its sign is read from two
64-bit words. Its characters are 8 bytes of a word, so that a few operations of numpy on arrays of
words convert thousands of numbers:

    "-0.25" → sign, "0.25" → digits 0 0 2 5 with the point as a zero → 25 → 25 / 10² = 0.25

Its digits are an integer below 2⁵³ and its power of ten is at most 10²², so both are exact in
float64 and the division rounds once, as Python's `float` does (Clinger 1990, "How to read floating
point numbers accurately"). Other numbers (`1e-05`, `nan`, 17 digits) go through numpy's and
Python's own conversion. The result is always `float32(float(text))`, which a test checks.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Words = NDArray[np.uint64]
    Places = NDArray[np.int64]

PADDING = 16
"""Bytes that must precede the text of an array: a word is read before its first number ends."""

_U = np.uint64
_ZEROS, _TENS, _TOPS = _U(0x3030303030303030), _U(0x1010101010101010), _U(0x8080808080808080)
_ABOVE_NINE = _U(0x7676767676767676)
_BYTES_TO_END = _U(0x0807060504030201)  # times 2⁸ᵖ, its highest byte is 8 - p
_MASKS = np.array([(1 << 64) - (1 << 64 - 8 * min(n, 8)) for n in range(17)], dtype=np.uint64)
_HIGH_MASKS = np.concatenate([_MASKS[[0] * 8], _MASKS[:9]])  # of the bytes before the last 8
# by the number of characters from the point to the end; without a point it is 0
_SCALES = np.concatenate([[1.0], 10.0 ** np.arange(23)])  # 10ᵏ
_WHOLE_SCALES = np.concatenate([[np.inf], 10.0 ** np.arange(1, 24)])  # 10ᵏ⁺¹
_SIGNS = np.array([1.0, -1.0])
_SHIFTS = np.concatenate([[0.0], 9 * 10.0 ** np.arange(23)])
_LONGEST = 16
_AT_ONCE = 1 << 13  # numbers: their arrays stay in the cache of a core
_MANY = 0.1  # of the numbers: then whole lines are converted by numpy
_LONGEST_NUMBER = 400


def is_number(field: bytes | str) -> bool:
    """Return whether a field is a decimal number, NaN or infinity."""
    if len(field) > _LONGEST_NUMBER or ("_" in field if isinstance(field, str) else b"_" in field):
        return False
    try:
        float(field)
    except ValueError:
        return False
    return True


def read_rows(
    text: bytes, data: Bytes, starts: Places, ends: Places
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Convert fields of a text to numbers.

    Args:
        text: The text.
        data: The text as an array, after `PADDING` bytes and before at least one.
        starts: (B, D), the places in `data` where the fields start.
        ends: (B, D), the places after their last characters.

    Returns:
        (B, D) float32, and (B,) whether every field of the row is a number.
    """
    rows: NDArray[np.float32] = np.empty(starts.shape, dtype=np.float32)
    good = np.ones(len(rows), dtype=np.bool_)
    step = max(1, _AT_ONCE // max(1, starts.size // max(1, len(starts))))
    for first in range(0, len(rows), step):
        part = slice(first, first + step)
        values, hard = _read_plain(data, starts[part].ravel(), ends[part].ravel())
        with np.errstate(over="ignore"):  # 1e300 becomes infinite
            rows[part] = values.reshape(rows[part].shape)
        if hard.any():
            fields = hard.reshape(rows[part].shape)
            _read_hard(text, rows[part], good[part], fields, starts[part], ends[part])
    return rows, good


def _read_plain(
    data: Bytes, starts: Places, ends: Places
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the values of plain numbers, and which fields are not plain."""
    negative = data.take(starts) == ord("-")
    lengths = ends - starts
    lengths -= negative
    hard = (lengths < 1) | (lengths > _LONGEST)
    if hard.any():
        lengths = np.clip(lengths, 1, _LONGEST)
    longest = int(lengths.max(initial=0))
    # every byte of the text starts a word
    words = np.ndarray((len(data) - 7,), dtype="<u8", buffer=data, strides=(1,))

    low = words[ends - 8]
    low ^= _ZEROS
    low &= _MASKS.take(lengths)
    point, problem = _take_point_out(low)
    digits = _digits_of(low)
    count = (point * _BYTES_TO_END) >> _U(56)
    if longest > 8:
        high = words[ends - PADDING]
        high ^= _ZEROS
        high &= _HIGH_MASKS.take(lengths)
        other_point, other_problem = _take_point_out(high)
        digits += _digits_of(high) * _U(10**8)
        other_count = (other_point * _BYTES_TO_END) >> _U(56)
        problem |= other_problem
        problem |= count * other_count  # two points
        count += other_count
        count += (other_point != 0) * _U(8)
    hard |= problem != 0
    hard |= (lengths == 1) & (point != 0)
    if longest == _LONGEST:
        hard |= digits >= _U(2**53)

    # the point is a zero among the digits: 12.5 is 12 × 10² + 5, and must be 12 × 10¹ + 5
    places = np.minimum(count, _U(len(_SCALES) - 1)).view(np.int64)
    values = digits.astype(np.float64)
    whole = np.floor(values / _WHOLE_SCALES.take(places))
    whole *= _SHIFTS.take(places)
    values -= whole
    values /= _SCALES.take(places)
    values *= _SIGNS.take(negative.view(np.int8))
    return values, hard


def _take_point_out(words: Words) -> tuple[Words, Words]:
    """Set the byte of the decimal point to zero, in place.

    Returns:
        The place of the point (1 in its byte), and a word that is not zero where the other
        characters are not all digits.
    """
    point = words & _TENS  # ".", and other characters that are not digits
    point >>= _U(4)
    words ^= point * _U(ord(".") ^ ord("0"))
    problem = point - _U(1)
    problem &= point  # two points
    problem |= words & (point * _U(0xFF))  # it was another character
    above_nine = words + _ABOVE_NINE
    above_nine |= words
    above_nine &= _TOPS
    problem |= above_nine
    return point, problem


def _digits_of(words: Words) -> Words:
    """Return the number that 8 digits make: pairs, then fours, then all eight."""
    words = words * _U(2561)
    words >>= _U(8)
    words &= _U(0x00FF00FF00FF00FF)
    words *= _U(6553601)
    words >>= _U(16)
    words &= _U(0x0000FFFF0000FFFF)
    words *= _U(42949672960001)
    words >>= _U(32)
    return words


def _read_hard(  # noqa: PLR0913, PLR0917  # the parts of `read_rows`
    text: bytes,
    rows: NDArray[np.float32],
    good: NDArray[np.bool_],
    hard: NDArray[np.bool_],
    starts: Places,
    ends: Places,
) -> None:
    """Convert the fields that are not plain, in place."""
    many = np.count_nonzero(hard) > _MANY * hard.size
    for row in np.flatnonzero(hard.any(axis=1)).tolist():
        fields = range(hard.shape[1]) if many else np.flatnonzero(hard[row]).tolist()
        first, last = (starts[row] - PADDING).tolist(), (ends[row] - PADDING).tolist()
        numbers = numbers_of([text[first[field] : last[field]] for field in fields])
        if numbers is None:
            good[row] = False
        else:
            rows[row, fields] = numbers


def numbers_of(fields: list[bytes]) -> NDArray[np.float32] | None:
    """Convert fields to float32; None if one of them is not a number."""
    fields = [field.strip() for field in fields]
    joined = b" ".join(fields)
    if joined.split() != fields:  # an empty field, or two numbers in one
        return None
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("error")  # text that is not a number is a warning
        try:
            numbers = np.fromstring(joined.decode("ascii"), np.float64, sep=" ")
        except (ValueError, DeprecationWarning):
            return None
        return numbers.astype(np.float32) if len(numbers) == len(fields) else None

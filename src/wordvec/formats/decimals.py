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
_ZEROS, _TENS, _ONES = _U(0x3030303030303030), _U(0x1010101010101010), _U(0x0101010101010101)
_ABOVE_NINE, _TOPS = _U(0x7676767676767676), _U(0x8080808080808080)
_POWERS = 10.0 ** np.arange(23)
_LONGEST = 16
_AT_ONCE = 1 << 14  # numbers: their arrays stay in the cache of a core
_MANY = 0.1  # of the numbers: then whole lines are converted by numpy


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
    negative = data[starts] == ord("-")
    lengths = ends - starts - negative
    hard = (lengths < 1) | (lengths > _LONGEST)
    lengths = np.clip(lengths, 1, _LONGEST)
    # every byte of the text starts a word
    words = np.ndarray((len(data) - 7,), dtype="<u8", buffer=data, strides=(1,))

    low = _digits(words[ends - 8], np.maximum(64 - 8 * lengths, 0))
    point, count, problem = _take_point_out(low)
    values = _value_of(low)
    decimals = count.astype(np.int64)  # digits after the point, plus 1; 0 without a point
    if lengths.max() > 8:
        high = _digits(words[ends - PADDING], np.clip(128 - 8 * lengths, 0, 63))
        high[lengths <= 8] = 0
        other_point, count, other_problem = _take_point_out(high)
        values += _value_of(high) * 1e8
        decimals += np.where(count > 0, count.astype(np.int64) + 8, 0)
        problem |= other_problem
        hard |= (point != 0) & (other_point != 0)
    hard |= (problem != 0) | (values >= 2**53) | ((lengths == 1) & (decimals == 1))

    # the point is a zero among the digits: 12.5 is 12 × 10² + 5, and must be 12 × 10¹ + 5
    power = _POWERS[np.clip(decimals - 1, 0, len(_POWERS) - 1)]
    whole = np.floor(values / (power * 10))
    whole[decimals == 0] = 0
    values -= whole * (9 * power)
    values /= power
    np.negative(values, out=values, where=negative)
    return values, hard


def _digits(words: Words, unused_bits: Places) -> Words:
    """Return words whose bytes are the digits 0 to 9, zero where a word has other text."""
    shift = unused_bits.astype(np.uint64)
    words = words ^ _ZEROS
    words >>= shift
    words <<= shift
    return words


def _take_point_out(words: Words) -> tuple[Words, Words, Words]:
    """Set the byte of the decimal point to zero, in place.

    Returns:
        The place of the point (1 in its byte), the number of bytes from the point to the end
        (0 without a point), and a word that is not zero where other characters are not digits.
    """
    point = words & _TENS  # ".", and other characters that are not digits
    point >>= _U(4)
    words ^= point * _U(ord(".") ^ ord("0"))
    problem = words & (point * _U(0xFF))  # it was another character
    problem |= point & (point - _U(1) * (point != 0))  # two points
    problem |= (words | (words + _ABOVE_NINE)) & _TOPS
    count = point * _ONES
    count *= _ONES
    count >>= _U(56)
    return point, count, problem


def _value_of(words: Words) -> NDArray[np.float64]:
    """Return the number that 8 digits make: pairs, then fours, then all eight."""
    words = words * _U(2561)
    words >>= _U(8)
    words &= _U(0x00FF00FF00FF00FF)
    words *= _U(6553601)
    words >>= _U(16)
    words &= _U(0x0000FFFF0000FFFF)
    words *= _U(42949672960001)
    words >>= _U(32)
    return words.astype(np.float64)


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

"""Arrays and text as compact ASCII inside an HTML page: gzip, then base 85.

`web/page_data.js` reads what this module writes.
"""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_HTML_SAFE = str.maketrans("<&", ",.")  # the alphabet of base64.b85encode without < and &


def pack(content: bytes) -> str:
    """Compress bytes with gzip and encode them in base 85, with 5 characters for 4 bytes.

    The text has no time stamp: equal bytes give equal text.
    """
    compressed = gzip.compress(content, compresslevel=9, mtime=0)
    return base64.b85encode(compressed).decode("ascii").translate(_HTML_SAFE)


def pack_array(array: NDArray[Any]) -> str:
    """Pack an array in little-endian byte order, as browsers read it."""
    return pack(array.astype(array.dtype.newbyteorder("<")).tobytes())


def pack_byte_planes(numbers: NDArray[Any]) -> str:
    """Pack integers as 32 bits in four byte planes, the lowest bytes of all numbers first.

    gzip compresses small numbers better in this order. An array of several columns is packed
    column by column.
    """
    import numpy as np

    integers = numbers.astype(np.int64).astype("<u4", casting="unsafe")
    return pack(integers.T.reshape(-1, 1).view(np.uint8).T.tobytes())


def quantise_positions(
    positions: NDArray[np.float32],
) -> tuple[NDArray[np.uint16], list[float], list[float]]:
    """Round positions to 16-bit steps.

    A step is 1/65535 of the map's width: less than a pixel when zoomed in 50 times.

    Args:
        positions: (N, 2).

    Returns:
        (2N,) uint16, all x and then all y; the minimum of each axis; the step of each axis.
    """
    import numpy as np

    minimum = positions.min(axis=0).astype(np.float64)
    steps = np.maximum((positions.max(axis=0) - minimum) / 65535, np.finfo(np.float32).tiny)
    counts = np.round((positions - minimum) / steps).astype(np.uint16)
    return np.ascontiguousarray(counts.T).ravel(), minimum.tolist(), steps.tolist()


def score_multiplier(scores: NDArray[np.float64]) -> float:
    """Return a power of ten that turns scores into 32-bit integers.

    It keeps four decimals; more if all scores are small, fewer if some would overflow.
    """
    import numpy as np

    largest = float(np.nanmax(np.abs(scores), initial=0))
    multiplier = 1e4
    while 0 < largest * multiplier < 1e4:
        multiplier *= 10
    while largest * multiplier >= 2**31:
        multiplier /= 10
    return multiplier


def score_steps(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the scores as integers: the first of each row, then the difference to the one before.

    The differences are small, and gzip compresses them better. A missing score is that before it.

    Args:
        scores: (N, K), times `score_multiplier` at most 31 bits.
    """
    import numpy as np

    integers = np.round(np.nan_to_num(scores) * score_multiplier(scores)).astype(np.int64)
    steps = np.diff(integers, axis=1, prepend=0)
    steps[:, 1:][np.isnan(scores[:, 1:])] = 0
    return steps


def norm_range(norms: NDArray[np.float64]) -> tuple[float, float]:
    """Return the percentiles 1 and 99 of the finite norms: the ends of their colour scale."""
    import numpy as np

    low, high = np.percentile(norms[np.isfinite(norms)], [1, 99])
    return float(low), float(high)


def quantise_norms(norms: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Round norms to 255 steps within `norm_range`, for their colours: (V,)."""
    import numpy as np

    low, high = norm_range(norms)
    shares = (np.nan_to_num(norms) - low) / (high - low if high > low else 1)
    return np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def quantise_vectors(
    vectors: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round vectors to 8 bits per number.

    The error of a number is at most 1/254 of the largest absolute number in its row. Rows that are
    not finite become zero.

    Args:
        vectors: (V, D).

    Returns:
        (V, D) integers from -127 to 127, and (V,) the scale that each row is to be multiplied by.
    """
    import numpy as np

    finite = np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, 0)
    scales = np.abs(finite).max(axis=1) / np.float32(127)
    divisors = np.where(scales > 0, scales, 1)
    return np.round(finite / divisors[:, None]).astype(np.int8), scales.astype(np.float32)

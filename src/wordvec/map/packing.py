"""Arrays and text made small enough to travel inside a page: gzip, then base64.

The page's `data.js` reads what is written here.
"""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def pack(content: bytes) -> str:
    """Compress by gzip, and write in base64; the same content gives the same text on any day."""
    return base64.b64encode(gzip.compress(content, compresslevel=9, mtime=0)).decode("ascii")


def pack_array(array: NDArray[Any]) -> str:
    """An array's bytes, little end first, as browsers read them."""
    return pack(array.astype(array.dtype.newbyteorder("<")).tobytes())


def pack_planes(numbers: NDArray[Any]) -> str:
    """Pack 32-bit numbers, all lowest bytes first, then all next ones: gzip makes more of it."""
    import numpy as np

    whole = numbers.astype(np.int64).astype("<u4", casting="unsafe")
    return pack(whole.reshape(-1, 1).view(np.uint8).T.tobytes())


def quantised(places: NDArray[np.float32]) -> tuple[NDArray[np.uint16], list[float], list[float]]:
    """Places in 16 bit (all x, then all y), and the floor and step that give them back.

    A step is 1/65535 of the map's width: less than a pixel at 50 times the whole map.
    """
    import numpy as np

    floor = places.min(axis=0).astype(np.float64)
    steps = np.maximum((places.max(axis=0) - floor) / 65535, np.finfo(np.float32).tiny)
    whole = np.round((places - floor) / steps).astype(np.uint16)
    return np.ascontiguousarray(whole.T).ravel(), floor.tolist(), steps.tolist()


def score_unit(scores: NDArray[np.float64]) -> float:
    """What scores are multiplied by to be whole numbers: four decimals, and more if small."""
    import numpy as np

    largest = float(np.nanmax(np.abs(scores), initial=0))
    unit = 1e4
    while 0 < largest * unit < 1e4:  # a table of tiny numbers keeps its digits too
        unit *= 10
    while largest * unit >= 2**31:
        unit /= 10
    return unit


def in_eight_bits(
    vectors: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(V, D) whole numbers from -127 to 127, and (V,) what each row's are to be multiplied by.

    Each number is within 1/254 of its row's largest of what it was; rows not finite become 0.
    """
    import numpy as np

    finite = np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, 0)
    scales = np.abs(finite).max(axis=1) / np.float32(127)
    safe = np.where(scales > 0, scales, 1)
    return np.round(finite / safe[:, None]).astype(np.int8), scales.astype(np.float32)

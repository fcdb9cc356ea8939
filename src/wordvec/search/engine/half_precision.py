"""A second copy of a table's rows, in half precision: half the bytes that a question must read.

One question at a time is bound by memory: its product with every row reads the whole table. Rounded
to float16 the same rows are half as long, faiss scans them on all threads, and how far the rounding
may move a row is known, so what it nominates can be proved complete.

The bound: rounding to float16 moves a number x by at most 2⁻¹¹·|x|, or 2⁻²⁵ where it is subnormal
(IEEE 754, round to nearest), so a row x by at most 2⁻¹¹·‖x‖ + 2⁻²⁵·√D. A sum of D squares in
float32 is off by a factor of at most 1 ± (D + 4)·2⁻²⁴, all its terms having one sign (Higham 2002,
section 3.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

LARGEST = 6e4  # a row longer than this may have a number that float16 cannot hold
_HALF_STEP = 1.001 * 2.0**-11  # rows made of length 1 have been rounded to float32 before
_SUBNORMAL_STEP = 2.0**-25
_EPS32 = 2.0**-24


class HalfPrecisionRows:
    """Rows in float16, searched by L2 distance: a Nominator.

    rows: (V, D) float32, finite, none longer than LARGEST.
    """

    margin = 54  # a wider one than FlatRows has: what half precision blurs is proved by more rows

    def __init__(self, rows: NDArray[np.float32]) -> None:
        import faiss  # 40 ms that a single question does without

        self.width = rows.shape[1]
        threaded = successive_ids = True
        self._shards = faiss.IndexShards(self.width, threaded, successive_ids)  # type: ignore[call-arg]
        for part in np.array_split(rows, min(faiss.omp_get_max_threads(), len(rows))):
            shard = faiss.IndexScalarQuantizer(
                self.width, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_L2
            )
            shard.train(part[:1])  # float16 learns nothing from the rows; faiss asks all the same
            shard.add(part)
            self._shards.add_shard(shard)  # which keeps it alive

    def nearest(self, queries: NDArray[np.float32], count: int) -> tuple[Floats, Rows]:
        """See Nominator; the keys are squared distances from the rounded rows."""
        squares, ids = self._shards.search(queries, count)
        return squares.astype(np.float64), ids

    def worst(self, key: float, length: float) -> float:
        """See Nominator. A row at a distance d of the query q is no longer than ‖q‖ + d."""
        factor = 1 + 2 * (self.width + 8) * _EPS32
        seen = np.sqrt(key * factor) + 2 * _EPS32 * length  # at most, from the rounded row
        flat = _SUBNORMAL_STEP * np.sqrt(self.width)
        moved = (_HALF_STEP * (length + seen) + flat) / (1 - _HALF_STEP)
        true = seen + moved  # the k-th row's distance, at most
        again = true + _HALF_STEP * (length + true) + flat + 2 * _EPS32 * length
        return float(again * again * factor)

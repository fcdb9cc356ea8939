"""A table small enough to check by hand: five words whose sum 王-男+女 is exactly 女王."""

from __future__ import annotations

import numpy as np

from wordvec.table import Mode, Provenance, VectorTable
from wordvec.vocabulary import Scheme, Vocabulary

TOKENS = {
    "王": (1, 0, 1),
    "男": (1, 0, 0),
    "女": (0, 1, 0),
    "女王": (0, 1, 1),
    "子": (0.5, 0.5, 0),
    "##王": (2, 0, 2),
    "-": (0, 0, 3),
    "k": (-1, 0, 0),
    "km": (0, 0, -1),
    "m": (0, -1, 0),
    "king": (0, 0, -2),
    "1999": (5, 0, 0),
}


def toy_table(*, model: str = "toy", mode: Mode = Mode.STATIC) -> VectorTable:
    """Make the table of `TOKENS`."""
    vocabulary = Vocabulary(tokens=tuple(TOKENS), scheme=Scheme.WORDPIECE)
    vectors = np.array(list(TOKENS.values()), dtype=np.float32)
    created = "2026-01-01T00:00:00+00:00"
    return VectorTable.from_vectors(vocabulary, vectors, Provenance(model, mode, created=created))

"""VectorTable: a vocabulary and one vector a token, and what they were made from.

It is the only thing that the extractor, the store and the query engine know of one another.
Shapes everywhere: V tokens, D dimensions, Q queries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from wordvec.errors import UsageError, WordvecError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary import Vocabulary


class Mode(StrEnum):
    """Which vectors of the model a table holds."""

    STATIC = "static"  # the word-embedding matrix alone
    DYNAMIC = "dynamic"  # last hidden state at position 1 of [CLS] token [SEP]


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name, written `[MODEL:]MODE[@LAYER]`.

    >>> str(TableName("mini", Mode.STATIC))
    'mini:static'
    """

    model: str
    mode: Mode
    layer: int | None = None

    def __str__(self) -> str:
        layer = "" if self.layer is None else f"@{self.layer}"
        return f"{self.model}:{self.mode}{layer}"


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table as a user names it: the model may be left to the default."""

    model: str | None
    mode: Mode
    layer: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Read `[MODEL:]MODE[@LAYER]`, split at the last colon: `C:\bert:static` is a folder."""
        model, _, rest = text.rpartition(":")
        match = re.fullmatch(r"(static|dynamic)(?:@(\d+))?", rest)
        if not match:
            raise UsageError(
                f"{text!r} names no table: expected [MODEL:]static or [MODEL:]dynamic",
                hint="wordvec tables",
            )
        if match[2] is not None:
            raise UsageError(f"{text!r}: tables of single layers (@{match[2]}) are not made yet")
        return cls(model or None, Mode(match[1]))


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a table was made from; it becomes the table's manifest.

    `dtype` is what the vectors were computed in (they are kept in float32); `non_finite_rows`
    are the rows with a NaN or an infinity, which no search returns.
    """

    model: str
    mode: Mode
    revision: str | None = None
    layer: int | None = None
    dtype: str = "float32"
    source: str = "extract"  # or "import"
    created: str = ""  # ISO 8601, UTC
    versions: dict[str, str] = field(default_factory=dict)  # library → version
    non_finite_rows: tuple[int, ...] = ()
    checksum: str = ""  # of vectors.npy, "sha256:…", set by the store

    @property
    def name(self) -> TableName:
        """The name that the table goes by."""
        return TableName(self.model, self.mode, self.layer)


@dataclass(frozen=True, slots=True, eq=False)
class VectorTable:
    """One vector a token.

    vectors: (V, D) float32, as the model gives them (not normalised), often memory-mapped.
    norms: (V,) float64, their L2 norms.
    transforms: what was done to the rows since they left the model, in order (none: raw).
    """

    vocabulary: Vocabulary
    vectors: NDArray[np.float32]
    norms: NDArray[np.float64]
    provenance: Provenance
    transforms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        V = len(self.vocabulary)
        if self.vectors.ndim != 2 or len(self.vectors) != V:
            raise WordvecError(f"expected ({V}, D) vectors, got {self.vectors.shape}")
        if self.vectors.dtype != "float32":
            raise WordvecError(f"expected float32 vectors, got {self.vectors.dtype}")
        if self.norms.shape != (V,):
            raise WordvecError(f"expected ({V},) norms, got {self.norms.shape}")

    @classmethod
    def from_vectors(
        cls, vocabulary: Vocabulary, vectors: NDArray[np.float32], provenance: Provenance
    ) -> Self:
        """Make a table of rows in memory, their norms and non-finite rows worked out here."""
        from dataclasses import replace

        import numpy as np

        norms = row_norms(vectors)
        bad = tuple(int(row) for row in np.flatnonzero(~np.isfinite(norms)))
        return cls(vocabulary, vectors, norms, replace(provenance, non_finite_rows=bad))

    @property
    def name(self) -> TableName:
        """The name that the table goes by."""
        return self.provenance.name

    @property
    def dimensions(self) -> int:
        """D, the width of each vector."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        """V, the number of tokens."""
        return len(self.vocabulary)


def row_norms(vectors: NDArray[np.float32], *, rows_at_once: int = 4096) -> NDArray[np.float64]:
    """L2 norm of each row, summed in float64, block by block: (V,) float64."""
    import numpy as np

    norms = np.empty(len(vectors), dtype=np.float64)
    for start in range(0, len(vectors), rows_at_once):
        block = vectors[start : start + rows_at_once].astype(np.float64)
        norms[start : start + len(block)] = np.sqrt(np.einsum("vd,vd->v", block, block))
    return norms

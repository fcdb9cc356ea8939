"""VectorTable: a vocabulary, one vector per token, and what they were computed from.

Extraction, the store and search share only this class. Shapes: V tokens, D dimensions, Q queries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from wordvec.errors import WordvecError
from wordvec.tables.name import Mode, TableName, format_kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.occurrences import Occurrences
    from wordvec.vocabulary.lookup import Vocabulary


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a table was computed from; it is saved in the table's manifest.

    model: The model's canonical name. revision: The hub's commit, or a checksum of its files.
    variant, layer: As in the table's name. layers: L, the number of the model's last layer.
    parameters: What else decides the values, such as `pool` and `templates`, as JSON.
    dtype: The type that the vectors were computed in; they are saved in float32.
    non_finite_rows: Rows with a NaN or an infinity, which no search returns.
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
    checksum: str = ""  # "sha256:…" of vectors.npy; empty if the table was never saved
    variant: str | None = None
    layers: int | None = None
    parameters: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> TableName:
        """The name of the table."""
        return TableName(self.model, self.mode, self.variant, self.layer)


@dataclass(frozen=True, slots=True, eq=False)
class VectorTable:
    """One vector per token.

    vectors: (V, D) float32 as in the model (not normalised), often memory-mapped.
    norms: (V,) float64, their L2 norms; NaN for a row that no token has, and for a rare token.
    transforms: The names of the transforms applied to the vectors, in order.
    occurrences: What a contextual table says about its tokens; None for the others.
    """

    vocabulary: Vocabulary
    vectors: NDArray[np.float32]
    norms: NDArray[np.float64]
    provenance: Provenance
    transforms: tuple[str, ...] = ()
    occurrences: Occurrences | None = None

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
        cls,
        vocabulary: Vocabulary,
        vectors: NDArray[np.float32],
        provenance: Provenance,
        occurrences: Occurrences | None = None,
    ) -> Self:
        """Return a table of (V, D) vectors, with their norms and non-finite rows computed.

        A row that no token has, or a rare one, gets the norm NaN, so that it is never an answer.
        """
        from dataclasses import replace

        import numpy as np

        norms = row_norms(vectors)
        bad = tuple(int(row) for row in np.flatnonzero(~np.isfinite(norms)))
        if occurrences is not None:
            vocabulary = occurrences.mark_rare(vocabulary)
        norms[list(vocabulary.ids_without_vector)] = np.nan
        provenance = replace(provenance, non_finite_rows=bad)
        return cls(vocabulary, vectors, norms, provenance, occurrences=occurrences)

    @property
    def name(self) -> TableName:
        """The name of the table."""
        return self.provenance.name

    @property
    def dimensions(self) -> int:
        """D, the length of each vector."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        """V, the number of tokens."""
        return len(self.vocabulary)


@dataclass(frozen=True, slots=True)
class TableDescription:
    """The table of an answer, as it is shown.

    named_transforms: those that were named with the table, as in `static+center`.
    """

    model: str
    mode: str
    layer: int | None
    tokens: int
    dimensions: int
    transforms: tuple[str, ...] = ()
    variant: str | None = None
    named_transforms: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: VectorTable, named_transforms: tuple[str, ...] = ()) -> TableDescription:
        """Return the description of a table."""
        name = table.name
        return cls(
            name.model,
            name.mode.value,
            name.layer,
            len(table),
            table.dimensions,
            table.transforms,
            name.variant,
            named_transforms,
        )

    @property
    def kind(self) -> str:
        """The name without the model: `dynamic.short@2`, `static+center`."""
        return "+".join([format_kind(self.mode, self.variant, self.layer), *self.named_transforms])

    def to_dict(self) -> dict[str, object]:
        """Return the `table` object of an answer's JSON.

        It has `variant` and `transforms` only if the table was named with them.
        """
        named = list(self.named_transforms)
        return {
            "model": self.model,
            "mode": self.mode,
            **({} if self.variant is None else {"variant": self.variant}),
            "layer": self.layer,
            "tokens": self.tokens,
            "dimensions": self.dimensions,
            **({"transforms": named} if named else {}),
        }


def row_norms(vectors: NDArray[np.float32], *, rows_at_once: int = 4096) -> NDArray[np.float64]:
    """Return the L2 norm of each row, computed in float64: (V,) float64."""
    import numpy as np

    norms = np.empty(len(vectors), dtype=np.float64)
    for start in range(0, len(vectors), rows_at_once):
        with np.errstate(invalid="ignore"):  # a signalling NaN, which a damaged file may contain
            block = vectors[start : start + rows_at_once].astype(np.float64)
        norms[start : start + len(block)] = np.sqrt(np.einsum("vd,vd->v", block, block))
    return norms

"""The word that does not belong to the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from wordvec.analysis.display import (
    Cell,
    Column,
    TextTable,
    number,
    number_columns,
    table_fields,
    transforms_field,
)
from wordvec.analysis.result import Result
from wordvec.analysis.similar import word_vectors
from wordvec.errors import UsageError
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.search.resolve import ResolvedWord
    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Belonging:
    """A word and its cosine similarity to the mean of the others."""

    word: ResolvedWord
    similarity: float


@dataclass(frozen=True, slots=True, repr=False)
class OddOne(Result[Belonging]):
    """The similarity of each word to the others; `odd` has the smallest (the first, if several).

    Iterates over the words.
    """

    _listed: ClassVar = "words"

    table: TableDescription
    words: tuple[Belonging, ...]
    odd: Belonging
    notes: tuple[str, ...] = ()

    def _header_fields(self) -> list[str]:
        how = ["cosine to the mean of the rest", transforms_field(self.table.transforms)]
        return [*table_fields(self.table), *how]

    def _blocks(self) -> list[TextTable]:
        words = [Column("token", shrinks=True), Column("")]
        rows: list[list[Cell]] = []
        for one in self.words:
            mark, attribute = ("odd", "bold") if one is self.odd else ("", None)
            cells = [one.word.token, mark, str(one.word.id), number(one.similarity)]
            rows.append([Cell(cell, attribute) for cell in cells])
        return [TextTable([*words, *number_columns("id", "similarity")], rows)]

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        yield ["token", "id", "similarity", "odd"]
        for one in self.words:
            yield [one.word.token, one.word.id, one.similarity, one is self.odd]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "table": self.table.to_dict(),
            "transforms": list(self.table.transforms),
            "odd": self.odd.word.token,
            "words": [
                {
                    **belonging.word.to_dict(),
                    "similarity": belonging.similarity,
                    "odd": belonging is self.odd,
                }
                for belonging in self.words
            ],
        }


def odd(table: VectorTable, words: Sequence[str | int], *, pieces: bool = False) -> OddOne:
    """Find the word that is least similar to the mean of the others.

    All vectors are normalised to unit length first.

    Args:
        words: as typed, as `#id`, or as ids; at least three.
        pieces: replace an unknown word by the mean of its pieces.

    Raises:
        UsageError: for fewer than three words.
        WordvecError: for a word that is not in the vocabulary, or has no direction.
    """
    if len(words) < 3:
        raise UsageError(f"expected at least three words, got {len(words)}")
    found, vectors = word_vectors(table, words, direction=True, pieces=pieces)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    others = unit.sum(axis=0) - unit  # (T, D), each the sum of the rest
    lengths = np.linalg.norm(others, axis=1)
    along = np.einsum("td,td->t", unit, others)
    similarity = np.divide(along, lengths, out=np.zeros_like(along), where=lengths > 0)
    belonging = tuple(map(Belonging, found, np.clip(similarity, -1, 1).tolist()))
    least = min(belonging, key=lambda one: one.similarity)
    notes = tuple(word.note for word in found if word.note)
    return OddOne(TableDescription.of(table), belonging, least, notes)

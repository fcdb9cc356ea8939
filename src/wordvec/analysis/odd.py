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
from wordvec.analysis.similar import Token, find_tokens
from wordvec.errors import UsageError
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Belonging:
    """A token and its cosine similarity to the mean of the others."""

    word: Token
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
                    "token": belonging.word.token,
                    "id": belonging.word.id,
                    "similarity": belonging.similarity,
                    "odd": belonging is self.odd,
                }
                for belonging in self.words
            ],
        }


def odd(table: VectorTable, tokens: Sequence[str | int]) -> OddOne:
    """Find the token that is least similar to the mean of the others.

    All vectors are normalised to unit length first.

    Args:
        tokens: as typed, as `#id`, or as ids; at least three.

    Raises:
        UsageError: for fewer than three tokens.
        WordvecError: for a token that is not in the vocabulary, or has no direction.
    """
    if len(tokens) < 3:
        raise UsageError(f"expected at least three words, got {len(tokens)}")
    words, rows, notes = find_tokens(table, tokens, direction=True)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    others = unit.sum(axis=0) - unit  # (T, D), each the sum of the rest
    lengths = np.linalg.norm(others, axis=1)
    along = np.einsum("td,td->t", unit, others)
    similarity = np.divide(along, lengths, out=np.zeros_like(along), where=lengths > 0)
    belonging = tuple(map(Belonging, words, np.clip(similarity, -1, 1).tolist()))
    least = min(belonging, key=lambda one: one.similarity)
    return OddOne(TableDescription.of(table), belonging, least, notes)

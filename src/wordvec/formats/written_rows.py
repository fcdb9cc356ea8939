"""Which rows of a table are written to a format in which a token is a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wordvec.tables.table import VectorTable


def rows_with_first_tokens(table: VectorTable) -> list[int]:
    """Return the rows whose token has a vector and does not occur in an earlier row."""
    first: dict[str, int] = {}
    rare = table.vocabulary.rare
    for row, token in enumerate(table.vocabulary.tokens):
        if row not in rare:
            first.setdefault(token, row)
    return list(first.values())

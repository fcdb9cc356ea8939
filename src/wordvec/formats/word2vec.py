"""The text format of word2vec, which gensim and others read: one line for each token."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from wordvec.progress import Progress, no_progress
from wordvec.text import escape

if TYPE_CHECKING:
    from wordvec.tables.table import VectorTable


def write_word2vec(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write `V D`, then each token with its numbers; nine digits give each float32 back."""
    V, D = len(table), table.dimensions
    file.write(f"{V} {D}\n".encode())
    escaped = escaped_tokens(table)
    numbers = " ".join(["%.9g"] * D)
    for row, token in enumerate(table.vocabulary.tokens):
        line = f"{escaped.get(row, token)} {numbers % tuple(table.vectors[row].tolist())}\n"
        file.write(line.encode())
        if row % 256 == 255 or row == V - 1:
            progress(row + 1, V)


def escaped_tokens(table: VectorTable) -> dict[int, str]:
    r"""Return the spelling of each token that the format cannot hold, by row.

    These are the empty token (`""`) and tokens with spaces or invisible characters (`\\u0020`).
    """
    spelled = {
        row: escape(token).replace(" ", "\\u0020")
        for row, token in enumerate(table.vocabulary.tokens)
    }
    return {row: new for row, new in spelled.items() if new != table.vocabulary.tokens[row]}

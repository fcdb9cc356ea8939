"""Tables small enough to check by hand, two of them side by side, and one run of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from click.testing import CliRunner

from wordvec.cli import group
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

if TYPE_CHECKING:
    from wordvec.tables.store import Store

# Five words whose sum 王-男+女 is exactly 女王, and some that are hard to type.
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

# The same words, but 子 lies where 女王 did.
MOVED = {**TOKENS, "女王": (4, 4, 4), "子": (0, 1, 1)}


def toy_table(*, model: str = "toy", mode: Mode = Mode.STATIC) -> VectorTable:
    """Make the table of `TOKENS`."""
    vocabulary = Vocabulary(tokens=tuple(TOKENS), scheme=Scheme.WORDPIECE)
    vectors = np.array(list(TOKENS.values()), dtype=np.float32)
    created = "2026-01-01T00:00:00+00:00"
    return VectorTable.from_vectors(vocabulary, vectors, Provenance(model, mode, created=created))


def dynamic_table() -> VectorTable:
    """Make the table of `MOVED`."""
    rows = np.array(list(MOVED.values()), dtype=np.float32)
    return VectorTable.from_vectors(Vocabulary(tuple(MOVED)), rows, Provenance("toy", Mode.DYNAMIC))


def other_table() -> VectorTable:
    """Make a table of another model, with fewer words and one of its own."""
    rows = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32)
    vocabulary = Vocabulary(("王", "女", "后"))
    return VectorTable.from_vectors(vocabulary, rows, Provenance("other", Mode.STATIC))


def fill(store: Store) -> None:
    """Save all three."""
    for table in (toy_table(), dynamic_table(), other_table()):
        store.save(table)


def run(command: str, *args: str) -> tuple[int, str, str]:
    """Run a command: exit code, standard output, standard error."""
    result = CliRunner().invoke(group, [command, *args])
    return result.exit_code, result.stdout, result.stderr

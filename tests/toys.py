"""What the tests of compare, explain, similar, odd and evaluate share: two toy tables, one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from click.testing import CliRunner

from toy import TOKENS, toy_table
from wordvec.cli import group
from wordvec.table import Mode, Provenance, VectorTable
from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wordvec.store import Store

# The same words, but 子 lies where 女王 did.
MOVED = {**TOKENS, "女王": (4, 4, 4), "子": (0, 1, 1)}


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

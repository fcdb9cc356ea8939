"""What the readers of vector files share: their options, and the blocks that they yield.

A reader is a function `(path, options) → Reading`. It reads the file in order, block by block, so
that a file larger than the memory can be imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is read.

    limit: read only the first rows. skip_bad: count broken lines instead of failing at the first.
    tokens: a text file with one token per line, for a format that has no tokens of its own.
    """

    limit: int | None = None
    skip_bad: bool = False
    tokens: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some tokens in the order of the file, and their vectors: (B, D) float32."""

    tokens: list[str]
    rows: NDArray[np.float32]


@dataclass(slots=True)
class Reading:
    """A file that is being read.

    blocks: what it contains; consumed once.
    total: the number of rows, or an estimate, if it is known before the file is read.
    notes: what the user should know; complete when `blocks` is exhausted.
    vocabulary: how a model reads its tokens, if the file has a tokenizer; token i is of row i.
    """

    blocks: Iterator[Block]
    total: int | None = None
    notes: list[str] = field(default_factory=list)
    vocabulary: Vocabulary | None = None

"""Vectors and tokens that the benchmarks make up; speed does not depend on their values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

QUESTION = "王-男+女"
_KANA = [chr(code) for code in range(ord("ァ"), ord("ァ") + 80)]


def made_tokens(count: int) -> list[str]:
    """Return the words of the question, then words of three and more katakana."""
    tokens = ["王", "男", "女"]
    for number in range(count - 3):
        word, rest = "", number
        while rest or len(word) < 3:
            rest, letter = divmod(rest, len(_KANA))
            word += _KANA[letter]
        tokens.append(word)
    return tokens


def write_table(file: Path, tokens: int, dimensions: int) -> None:
    """Write random rows of norm about 1 as .npy, in blocks, with the tokens beside it."""
    random = np.random.default_rng(0)
    rows = np.lib.format.open_memmap(file, "w+", np.dtype("<f4"), (tokens, dimensions))
    for start in range(0, tokens, 10_000):
        block = random.standard_normal(rows[start : start + 10_000].shape, dtype=np.float32)
        rows[start : start + 10_000] = block / np.float32(dimensions**0.5)
    rows.flush()
    write_tokens(file, made_tokens(tokens))


def write_tokens(file: Path, tokens: list[str]) -> None:
    """Write tokens where `wordvec import` looks for those of an .npy file."""
    text = "".join(f"{token}\n" for token in tokens)
    Path(f"{file}.tokens.txt").write_text(text, encoding="utf-8")


def save_table(file: str, variants: tuple[str | None, ...] = (None,)) -> Callable[[int], None]:
    """Import a file into the store of this version, as made:static or variants of it."""
    import wordvec

    for variant in variants:
        wordvec.import_vectors(file, "made", variant=variant, force=True)
    return lambda _: None


def made_questions(tokens: int, count: int) -> NDArray[np.int64]:
    """Return three different rows for each question, (Q, 3)."""
    random = np.random.default_rng(1)
    rows = random.integers(0, tokens, (2 * count, 3))
    rows = rows[(rows[:, 0] != rows[:, 1]) & (rows[:, 1] != rows[:, 2])]
    return np.resize(rows, (count, 3))

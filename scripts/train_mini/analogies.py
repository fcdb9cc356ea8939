"""Analogy questions by 3CosAdd (Mikolov et al. 2013), in plain numpy.

A file has a category and a pair (a, b) per line, separated by tabs. Every ordered pair of pairs in
a category is a question "a is to b as c is to …?" whose only right answer is the d of (c, d). The
answer is the token nearest to b - a + c by cosine of unit vectors, without a, b and c. A question
whose answer is one of its own words is not asked (many cities are the capital of two names of a
country).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pathlib import Path

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Pairs = dict[str, list[tuple[str, str]]]

BLOCK = 512  # questions at a time


def read(path: Path) -> Pairs:
    """Return category → pairs, in the order of the file."""
    found: Pairs = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        category, a, b = line.split("\t")
        found.setdefault(category, []).append((a, b))
    return found


def questions(pairs: list[tuple[str, str]], row_of: dict[str, int]) -> Rows:
    """Return the rows of a, b, c and d: (Q, 4). A pair with an unknown word is an error."""
    known = [(row_of[a], row_of[b]) for a, b in pairs]
    asked = [(a, b, c, d) for a, b in known for c, d in known if c != a and d not in (a, b, c)]
    return np.array(asked, dtype=np.int64)


def unit(table: npt.NDArray[np.floating]) -> Floats:
    """Return the vectors normalised to unit length: (V, D)."""
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    return np.asarray(table / np.maximum(lengths, 1e-9), dtype=np.float32)


def ranks(units: Floats, asked: Rows) -> Rows:
    """Return how many tokens are nearer than the right answer, query words left out: (Q,)."""
    found = []
    for start in range(0, len(asked), BLOCK):
        a, b, c, d = asked[start : start + BLOCK].T
        scores = (units[b] - units[a] + units[c]) @ units.T  # (BLOCK, V)
        row = np.arange(len(a))
        for word in (a, b, c):
            scores[row, word] = -np.inf
        found.append((scores > scores[row, d][:, None]).sum(axis=1))
    return np.concatenate(found)


def accuracy(table: Floats, tokens: list[str], pairs: Pairs) -> dict[str, tuple[float, float, int]]:
    """Return category → (top-1 accuracy, top-10 accuracy, number of questions)."""
    units = unit(table)
    row_of = {token: row for row, token in enumerate(tokens)}
    results = {}
    for category, members in pairs.items():
        rank = ranks(units, questions(members, row_of))
        results[category] = (float((rank < 1).mean()), float((rank < 10).mean()), len(rank))
    return results


def mean(results: dict[str, tuple[float, float, int]]) -> tuple[float, float]:
    """Return the means of both accuracies over categories."""
    first = [result[0] for result in results.values()]
    ten = [result[1] for result in results.values()]
    return float(np.mean(first)), float(np.mean(ten))

#!/usr/bin/env python3
"""Measure the speed of `wordvec evaluate` on 20,000 questions and a table of 32,000 tokens.

    python scripts/bench_evaluate.py [--dimensions 300,768] [--rounds 5] [--questions 20000]

The vectors are made so that part of the questions are solved, as with real ones. Compared are
gensim's `evaluate_word_analogies`, which must count the same, and the bare product in float32 of
all queries with all rows, in blocks. Two files of questions are made: `categories`, whose questions
combine the 40 pairs of a category, as in Google's questions-words.txt, and `scattered`, whose pairs
are drawn at random, so that each question needs a product of its own. wordvec and the product run
in turn, and the median counts; gensim runs once for each file.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.analysis.evaluate import evaluate
from wordvec.analysis.evaluation_files import read_test_set
from wordvec.analysis.evaluation_settings import EvaluationSettings
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

V = 32_000
BLOCK = 256  # queries of the bare product, as in wordvec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dimensions", default="300,768")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--questions", type=int, default=20_000)
    options = parser.parse_args()
    for dimensions in map(int, options.dimensions.split(",")):
        measure(dimensions, options.rounds, options.questions)


def measure(dimensions: int, rounds: int, count: int) -> None:
    """Print the speeds on one table."""
    vectors = made_vectors(dimensions)
    tokens = [f"t{row}" for row in range(V)]
    table = VectorTable.from_vectors(
        Vocabulary(tuple(tokens)), vectors, Provenance("made", Mode.STATIC)
    )
    keyed = gensim_vectors(tokens, vectors)
    for name, questions in (("categories", combined(count)), ("scattered", scattered(count))):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "questions.txt"
            lines = [" ".join(tokens[row] for row in question) for question in questions]
            file.write_text("\n".join([": made", *lines]), encoding="utf-8")
            compare(name, table, keyed, file, rounds)


def compare(name: str, table: VectorTable, keyed: Any, file: Path, rounds: int) -> None:
    """Measure one file, and check that the counts of gensim are the same."""
    ours, products = [], []
    test_set = read_test_set(file)
    for _ in range(rounds):
        start = time.perf_counter()
        found = evaluate([(table, None)], [test_set], EvaluationSettings())
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        bare_products(table.vectors, found[0].overall.questions)
        products.append(time.perf_counter() - start)
    start = time.perf_counter()
    _, sections = keyed.evaluate_word_analogies(str(file), case_insensitive=False)
    theirs = time.perf_counter() - start
    whole = found[0].overall
    right = len(sections[-1]["correct"])
    if right != whole.left_out.hits[0]:
        raise SystemExit(f"gensim counts {right} right answers, wordvec {whole.left_out.hits[0]}")
    mine, product = statistics.median(ours), statistics.median(products)
    print(
        f"\n{whole.questions:,} questions ({name}) × {len(table):,} × {table.dimensions}, "
        f"{right:,} right in both"
    )
    print(f"  wordvec {mine:.2f} s, product {product:.2f} s, gensim {theirs:.1f} s")
    print(f"  gensim / wordvec {theirs / mine:11.1f}      (target: at least 20)")
    print(f"  product / wordvec {product / mine:10.2f}      (target: at least 0.7)")


def bare_products(vectors: NDArray[np.float32], count: int) -> None:
    """Multiply as many queries with all rows."""
    queries = np.random.default_rng(1).standard_normal((BLOCK, vectors.shape[1]), dtype=np.float32)
    for start in range(0, count, BLOCK):
        queries[: min(BLOCK, count - start)] @ vectors.T


def made_vectors(dimensions: int) -> NDArray[np.float32]:
    """Return rows of which row 16,000 + i is row i moved along one direction, with noise."""
    D, rng = dimensions, np.random.default_rng(0)
    rows = rng.standard_normal((V, D), dtype=np.float32)
    rows += 2 * rng.standard_normal(D, dtype=np.float32) / D**0.5  # most real tables are off centre
    direction = rng.standard_normal(D, dtype=np.float32)
    noise = rng.standard_normal((V // 2, D), dtype=np.float32)
    rows[V // 2 :] = 0.35 * rows[: V // 2] + 0.6 * direction + 0.9 * noise
    rows *= rng.uniform(0.5, 2, (V, 1)).astype(np.float32)  # norms differ
    return rows


def combined(count: int) -> list[tuple[int, int, int, int]]:
    """Return the questions of categories of 40 pairs, one after another."""
    pairs = [(row, V // 2 + row) for row in range(V // 2)]
    questions = [
        (*one, *other)
        for start in range(0, 40 * (count // 1560 + 1), 40)
        for one in pairs[start : start + 40]
        for other in pairs[start : start + 40]
        if one != other
    ]
    return questions[:count]


def scattered(count: int) -> list[tuple[int, int, int, int]]:
    """Return questions of two pairs drawn at random."""
    rng = np.random.default_rng(2)
    drawn = [rng.choice(V // 2, 2, replace=False).tolist() for _ in range(count)]
    return [(one, V // 2 + one, other, V // 2 + other) for one, other in drawn]


def gensim_vectors(tokens: list[str], vectors: NDArray[np.float32]) -> Any:
    """Put the same vectors into gensim and compute its norms."""
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(vectors.shape[1])
    keyed.add_vectors(tokens, vectors)
    keyed.fill_norms()
    return keyed


if __name__ == "__main__":
    main()

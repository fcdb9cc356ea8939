"""`wordvec evaluate` on made questions, beside gensim, which must count the same, and a product.

The vectors are made so that part of the questions are solved, as with real ones. The product is
that of all queries with all rows in float32, in blocks. Two files of questions are made:

categories  the questions combine the 40 pairs of a category, as in Google's questions-words.txt
scattered   the pairs are drawn at random, so that each question needs a product of its own
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.made import made_tokens, write_tokens
from benchmarks.programs import Program, Worker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.harness import Bench

PARTS = ("categories", "scattered")
BLOCK = 256  # queries of the bare product, as in wordvec
PAIRS = 40  # of a category


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tokens", type=int, default=32_000)
    parser.add_argument("--dimensions", default="300,768")
    parser.add_argument("--questions", type=int, default=5_000)


def measure(bench: Bench) -> None:
    V, count = bench.options["tokens"], bench.options["questions"]
    tokens = made_tokens(V)
    kinds = {"categories": combined(V, count), "scattered": scattered(V, count)}
    for dimensions in map(int, bench.options["dimensions"].split(",")):
        vectors = bench.folder / f"{dimensions}.npy"
        np.save(vectors, made_vectors(V, dimensions))
        write_tokens(vectors, tokens)
        bench.prepare("made:save_table", file=str(vectors))
        for name in bench.options["parts"].split(","):
            lines = [" ".join(tokens[row] for row in rows) for rows in kinds[name]]
            questions = bench.folder / "questions.txt"
            questions.write_text("\n".join([": made", *lines]), encoding="utf-8")
            compare(bench, name, dimensions, vectors, questions)


def compare(bench: Bench, name: str, dimensions: int, vectors: Path, questions: Path) -> None:
    """Measure one file, and check that the counts of gensim are the same."""
    options = bench.options
    case = f"{options['questions']:,} questions ({name}), {options['tokens']:,} × {dimensions}"
    files = {"vectors": str(vectors), "questions": str(questions)}
    found = bench.run(
        case,
        {
            "wordvec": Worker("evaluate:by_wordvec", {"questions": str(questions)}, ours=True),
            "bare product": Worker("evaluate:by_product", files),
        },
    )
    gensim: dict[str, Program] = {"gensim": Worker("evaluate:by_gensim", files)}
    theirs = bench.run(f"{case}, gensim", gensim, rounds=1, warm_up=False)
    mine, other = found.median("wordvec"), theirs.median("gensim")
    right, other_right = found.median("wordvec", "right"), theirs.median("gensim", "right")
    if other_right is not None and right != other_right:
        raise SystemExit(f"gensim counts {other_right} right answers, wordvec {right}")
    speed = other / mine if mine and other else None
    bench.figure("Evaluation", f"{case}: speed / gensim", speed, "×", "≥ 20")
    speed = found.ratio("bare product", "wordvec")
    bench.figure("Evaluation", f"{case}: speed / product", speed, "×", "≥ 0.7")


def by_wordvec(questions: str) -> Callable[[int], object]:
    import wordvec

    table = wordvec.open("made:static")

    def run(_: int) -> dict[str, float]:
        [found] = table.evaluate(questions)
        return {"right": found.overall.left_out.hits[0]}

    return run


def by_product(vectors: str, questions: str) -> Callable[[int], object]:
    """Multiply as many queries with all rows."""
    rows = np.load(vectors)
    count = len(Path(questions).read_text("utf-8").splitlines()) - 1
    queries = np.random.default_rng(1).standard_normal((BLOCK, rows.shape[1]), dtype=np.float32)

    def run(_: int) -> None:
        for start in range(0, count, BLOCK):
            queries[: min(BLOCK, count - start)] @ rows.T

    return run


def by_gensim(vectors: str, questions: str) -> Callable[[int], object]:
    from gensim.models import KeyedVectors

    rows: Any = np.load(vectors)
    keyed = KeyedVectors(rows.shape[1])
    keyed.add_vectors(made_tokens(len(rows)), rows)
    keyed.fill_norms()

    def run(_: int) -> dict[str, float]:
        _, sections = keyed.evaluate_word_analogies(questions, case_insensitive=False)
        return {"right": len(sections[-1]["correct"])}

    return run


def made_vectors(tokens: int, dimensions: int) -> NDArray[np.float32]:
    """Return rows of which row V/2 + i is row i moved along one direction, with noise."""
    V, D, rng = tokens, dimensions, np.random.default_rng(0)
    rows = rng.standard_normal((V, D), dtype=np.float32)
    rows += 2 * rng.standard_normal(D, dtype=np.float32) / D**0.5  # most real tables are off centre
    direction = rng.standard_normal(D, dtype=np.float32)
    noise = rng.standard_normal((V // 2, D), dtype=np.float32)
    rows[V // 2 :] = 0.35 * rows[: V // 2] + 0.6 * direction + 0.9 * noise
    rows *= rng.uniform(0.5, 2, (V, 1)).astype(np.float32)  # norms differ
    return rows


def combined(tokens: int, count: int) -> list[tuple[int, int, int, int]]:
    """Return the questions of categories of 40 pairs, one after another."""
    pairs = [(row, tokens // 2 + row) for row in range(tokens // 2)]
    questions = [
        (*one, *other)
        for start in range(0, PAIRS * (count // (PAIRS * (PAIRS - 1)) + 1), PAIRS)
        for one in pairs[start : start + PAIRS]
        for other in pairs[start : start + PAIRS]
        if one != other
    ]
    return questions[:count]


def scattered(tokens: int, count: int) -> list[tuple[int, int, int, int]]:
    """Return questions of two pairs drawn at random."""
    rng = np.random.default_rng(2)
    drawn = [rng.choice(tokens // 2, 2, replace=False).tolist() for _ in range(count)]
    return [(one, tokens // 2 + one, other, tokens // 2 + other) for one, other in drawn]

#!/usr/bin/env python3
"""Why does 王-男+女 not reach 女王? Measure every table of a model: the numbers of docs/why.md.

    .venv/bin/python scripts/answer.py [--model mini] [--store DIR] [--png why.png]

First extract the tables; those that are not there are left out:

    wordvec extract --model mini --mode dynamic --layers all
    wordvec extract --model mini --mode contextual --layers all --corpus FILE

The table is Markdown. Analogies are counted over the questions whose words all tables have.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wordvec.api import OpenTables, evaluate
from wordvec.errors import WordvecError
from wordvec.expression.parser import parse
from wordvec.map.figure import DPI, new_figure
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from wordvec.table import Table

QUESTION, ANSWER = "王-男+女", "女王"
TRANSFORMS = ("none", "center", "standardize", "abtt:1", "abtt:3", "whiten")
RAW, CENTRED = 0, 1  # places in TRANSFORMS
PAIRS = 10_000  # random pairs of tokens


@dataclass(frozen=True)
class Row:
    """One table after one transform.

    accuracy: share of analogies whose first answer is right (3CosAdd, query words left out).
    kept, left_out: rank of the answer by L2 distance with the words of the question, and by cosine
    without them. cosine: mean of random pairs.
    """

    table: str
    transform: str
    accuracy: float
    kept: int | None
    left_out: int | None
    cosine: float


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description="measure every table of a model")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--store", help="the folder of tables")
    parser.add_argument("--png", type=Path, help="draw the curves in this file")
    arguments = parser.parse_args()
    try:
        opener = OpenTables(Store(arguments.store))
        tables = opener.open_all(opener.refs([], arguments.model))
        rows, questions = measure(tables)
    except WordvecError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print_rows(rows, questions)
    if arguments.png:
        draw(rows, arguments.png)
    return 0


def measure(tables: list[Table]) -> tuple[list[list[Row]], int]:
    """Return for each table a row for each transform, and the number of common questions."""
    results = evaluate(tables, methods=["add"], transforms=";".join(TRANSFORMS))
    ranks = np.array([one.ranks.left_out for one in results])  # (tables × transforms, questions)
    common = (ranks > 0).all(axis=0)
    shares = iter((ranks[:, common] == 1).mean(axis=1).tolist())
    rows = [[row_of(table, name, next(shares)) for name in TRANSFORMS] for table in tables]
    return rows, int(common.sum())


def row_of(table: Table, transform: str, accuracy: float) -> Row:
    """Measure one table after one transform."""
    steps = [] if transform == "none" else [transform]
    layer = table.data.provenance.layer
    last = table.data.provenance.layers
    kind = table.name.kind if layer is not None or last is None else f"{table.name.kind}@{last}"
    return Row(
        kind,
        transform,
        accuracy,
        rank(table, steps, metric="l2", exclude=False),
        rank(table, steps, metric="cosine", exclude=True),
        mean_cosine(table, steps),
    )


def rank(table: Table, steps: list[str], *, metric: str, exclude: bool) -> int | None:
    """Return the rank of the answer, or None if the table has no vector for a word."""
    engine = table.engine(metric=metric, exclude=exclude, transforms=steps)
    try:
        question = engine.prepare(parse(QUESTION))
        answer = engine.prepare(parse(ANSWER)).resolved.terms[0].ids[0]
    except WordvecError:
        return None
    return engine.rank_of(question, answer)


def mean_cosine(table: Table, steps: list[str]) -> float:
    """Return the mean cosine similarity of random pairs of different tokens."""
    data = table.transformed(steps)
    special = np.zeros(len(data), dtype=bool)
    special[list(data.vocabulary.special_ids)] = True
    usable = np.flatnonzero((data.norms > 0) & ~special)
    pairs = np.random.default_rng(0).choice(usable, (PAIRS, 2))
    first, second = (data.vectors[pairs[pairs[:, 0] != pairs[:, 1], i]] for i in (0, 1))
    dots = np.einsum("nd,nd->n", first, second, dtype=np.float64)
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float((dots / norms).mean())


def print_rows(rows: list[list[Row]], questions: int) -> None:
    """Print the raw, the centred and the most accurate row of each table."""
    print(f"{questions:,} analogies whose words all tables have\n")
    print("| Table | Vectors | Analogies | 女王, L2 | 女王, cosine | Random pairs |")
    print("|---|---|---|---|---|---|")
    for of_table in rows:
        best = max(of_table, key=lambda row: row.accuracy)
        for row in (
            of_table[RAW],
            of_table[CENTRED],
            replace(best, transform=f"best: {best.transform}"),
        ):
            numbers = (row.kept, row.left_out)
            kept, left_out = ("–" if one is None else f"{one:,}" for one in numbers)
            vectors = "raw" if row.transform == "none" else row.transform
            print(
                f"| {row.table} | {vectors} | {row.accuracy:.1%} | {kept} | {left_out} "
                f"| {row.cosine:.2f} |"
            )


def draw(rows: list[list[Row]], file: Path) -> None:
    """Draw accuracy and mean cosine by layer, raw and best."""
    with new_figure((9.0, 4.0)) as (figure, _):
        left, right = figure.subplots(1, 2)
        for place, mode in enumerate(("static", "dynamic", "contextual")):
            series = [one for one in rows if one[RAW].table.partition("@")[0] == mode]
            best = [max(row.accuracy for row in one) for one in series]
            raw = [one[RAW].accuracy for one in series]
            cosine = [one[RAW].cosine for one in series]
            for axes, values, label, style in (
                (left, raw, f"{mode}, raw", "--"),
                (left, best, f"{mode}, best transform", "-"),
                (right, cosine, f"{mode}, raw", "-"),
            ):
                if len(values) == 1:
                    axes.axhline(values[0], color=f"C{place}", linestyle=style, label=label)
                elif values:
                    axes.plot(values, color=f"C{place}", linestyle=style, marker="o", label=label)
        left.set_ylabel("analogies solved")
        right.set_ylabel("mean cosine of random pairs")
        for axes in (left, right):
            axes.set_xlabel("layer")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend(fontsize=7)
        figure.savefig(file, format="png", dpi=DPI)


if __name__ == "__main__":
    sys.exit(main())

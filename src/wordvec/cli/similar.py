"""`wordvec similar`: how near words are to one another, all pairs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.cli.options import (
    DashCommand,
    changing_options,
    metric_option,
    output_options,
    table_options,
)
from wordvec.cli.output import (
    Cell,
    Column,
    Format,
    OutputStyle,
    header_lines,
    note,
    number,
    table_lines,
    tsv_line,
    write_json,
    write_lines,
)
from wordvec.cli.query import METRIC_NAMES, rows_fact, table_facts
from wordvec.errors import UsageError
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.analysis.similar import Similarities
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec similar 王 女王 男 女
  wordvec similar 王 "##王" "#296" --mode dynamic   quote what begins with #
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("tokens", nargs=-1, required=True, metavar="TOKEN TOKEN...")
@metric_option(
    Metric.COSINE,
    Metric.L2,
    Metric.DOT,
    default=Metric.COSINE,
    text="Cosine similarity, L2 distance or inner product.",
)
@changing_options
@table_options
@output_options
def command(
    *,
    tokens: tuple[str, ...],
    metric: str,
    transforms: tuple[str, ...],
    ref: TableRef,
    store: Store,
    form: Format,
) -> None:
    """Show how near words are to one another, all pairs of them.

    Tokens as they stand, or # and an id.
    """
    from wordvec.analysis.similar import similar
    from wordvec.api import open_table
    from wordvec.search.transforms import transform

    if len(tokens) < 2:
        raise UsageError("similar needs two words or more")
    opened = open_table(ref, store)
    table = transform(opened.table, transforms, derived=store.derived(opened.table))
    found = similar(table, tokens, metric=Metric(metric))
    for remark in (*opened.notes, *found.notes):
        note(remark)
    if form in (Format.JSON, Format.JSONL):
        write_json([found.to_json()], form)
    else:
        write_lines(_tsv(found) if form is Format.TSV else _text(found, OutputStyle.of(sys.stdout)))


def _pairs(found: Similarities) -> Iterator[tuple[int, int]]:
    count = len(found.words)
    return ((i, j) for i in range(count) for j in range(i + 1, count))


def _tsv(found: Similarities) -> Iterator[str]:
    yield tsv_line(["token", "id", "other", "other_id", found.metric.score_name])
    for i, j in _pairs(found):
        one, other = found.words[i], found.words[j]
        yield tsv_line([one.token, one.id, other.token, other.id, found.scores[i][j]])


def _text(found: Similarities, look: OutputStyle) -> Iterator[str]:
    facts = [METRIC_NAMES[found.metric], rows_fact(found.table.transforms)]
    yield from header_lines([*table_facts(found.table), *facts], look)
    yield ""
    matrix = _matrix(found, OutputStyle())
    fits = look.cells is None or max(map(text.width, matrix)) <= look.cells
    yield from _matrix(found, look) if fits else _list(found, look)


def _matrix(found: Similarities, look: OutputStyle) -> list[str]:
    columns = [Column(""), *(Column(word.token, right=True) for word in found.words)]
    rows = [
        [
            Cell(word.token),
            *(
                Cell(number(score), "dim" if i == j else None)
                for j, score in enumerate(found.scores[i])
            ),
        ]
        for i, word in enumerate(found.words)
    ]
    return table_lines(columns, rows, look)


def _list(found: Similarities, look: OutputStyle) -> list[str]:
    """Pair by pair, where the matrix is too wide for the screen."""
    columns = [
        Column("token", shrinks=True),
        Column("other", shrinks=True),
        Column(found.metric.score_name, right=True),
    ]
    rows = [
        [found.words[i].token, found.words[j].token, number(found.scores[i][j])]
        for i, j in _pairs(found)
    ]
    return table_lines(columns, rows, look)

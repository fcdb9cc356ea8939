"""`wordvec similar`: the similarity of every pair of words."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.analysis.display import (
    METRIC_NAMES,
    Cell,
    Column,
    OutputStyle,
    header_lines,
    number,
    table_fields,
    table_lines,
    transforms_field,
)
from wordvec.cli.arguments import DashCommand
from wordvec.cli.errors import print_notes
from wordvec.cli.options import metric_option, output_options, table_options, transform_options
from wordvec.cli.output import Format, print_report
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
  wordvec similar 王 "##王" "#296" --mode dynamic   quote what starts with #
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
@transform_options
@table_options
@output_options
def command(
    *,
    tokens: tuple[str, ...],
    metric: str,
    transforms: tuple[str, ...],
    ref: TableRef,
    store: Store,
    output_format: Format,
) -> None:
    """Show the similarity of every pair of words.

    TOKEN is a token of the vocabulary, or # and its id.
    """
    from wordvec.analysis.similar import similar
    from wordvec.cli.opening import open_table

    if len(tokens) < 2:
        raise UsageError("similar needs at least two words")
    opened = open_table(ref, store)
    table = opened.transformed(transforms)
    similarities = similar(table, tokens, metric=Metric(metric))
    print_notes(similarities.notes)
    print_report(
        output_format,
        json=[similarities.to_dict()],
        tsv=_tsv_rows(similarities),
        text=lambda style: _text_lines(similarities, style),
    )


def _tsv_rows(similarities: Similarities) -> Iterator[list[object]]:
    yield ["token", "id", "other", "other_id", similarities.metric.score_name]
    for (i, one), (j, other) in combinations(enumerate(similarities.words), 2):
        yield [one.token, one.id, other.token, other.id, similarities.scores[i][j]]


def _text_lines(similarities: Similarities, style: OutputStyle) -> Iterator[str]:
    fields = [METRIC_NAMES[similarities.metric], transforms_field(similarities.table.transforms)]
    yield from header_lines([*table_fields(similarities.table), *fields], style)
    yield ""
    matrix = _matrix(similarities, OutputStyle())
    fits = style.cells is None or max(map(text.width, matrix)) <= style.cells
    yield from _matrix(similarities, style) if fits else _pair_lines(similarities, style)


def _matrix(similarities: Similarities, style: OutputStyle) -> list[str]:
    words = similarities.words
    columns = [Column(""), *(Column(word.token, right=True) for word in words)]
    rows = [
        [
            Cell(word.token),
            *(
                Cell(number(score), "dim" if i == j else None)
                for j, score in enumerate(similarities.scores[i])
            ),
        ]
        for i, word in enumerate(words)
    ]
    return table_lines(columns, rows, style)


def _pair_lines(similarities: Similarities, style: OutputStyle) -> list[str]:
    """Return one line per pair, for a screen that is too narrow for the matrix."""
    columns = [
        Column("token", shrinks=True),
        Column("other", shrinks=True),
        Column(similarities.metric.score_name, right=True),
    ]
    rows = [
        [one.token, other.token, number(similarities.scores[i][j])]
        for (i, one), (j, other) in combinations(enumerate(similarities.words), 2)
    ]
    return table_lines(columns, rows, style)

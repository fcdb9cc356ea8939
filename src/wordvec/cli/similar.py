"""`wordvec similar`: the similarity of every pair of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec.cli.arguments import DashCommand
from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    metric_option,
    output_options,
    pieces_option,
    table_options,
    transform_options,
)
from wordvec.cli.output import Format, print_report
from wordvec.errors import UsageError
from wordvec.search.settings import Metric

if TYPE_CHECKING:
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
@pieces_option
@table_options
@output_options
def command(
    *,
    tokens: tuple[str, ...],
    metric: str,
    transforms: tuple[str, ...],
    pieces: bool,
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
    similarities = similar(table, tokens, metric=Metric(metric), pieces=pieces)
    print_notes(similarities.notes)
    print_report(output_format, [similarities])

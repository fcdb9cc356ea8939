"""`wordvec contexts`: the occurrences of a word in a corpus, as keyword in context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wordvec.cli.arguments import DashCommand
from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    corpus_option,
    field_option,
    metric_option,
    output_options,
    sentences_option,
    table_options_of,
    transform_options,
)
from wordvec.cli.output import print_report
from wordvec.cli.progress_bar import ProgressBar
from wordvec.errors import UsageError
from wordvec.search.settings import Metric
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from wordvec.cli.output import Format
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec contexts 王 --corpus aozora.txt.xz
  wordvec contexts 王 --corpus aozora.txt.xz --mode dynamic@2 -n 50 --sort distance
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("token", metavar="TOKEN")
@corpus_option("Corpus to read")
@click.argument("more", nargs=-1, metavar="")
@field_option
@sentences_option
@click.option(
    "-n",
    default=20,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of occurrences.",
)
@click.option(
    "--sort",
    type=click.Choice(["corpus", "distance"]),
    default="corpus",
    show_default=True,
    help="The first occurrences, or those nearest to the word's vector in the table, of all or of "
    "a random sample of 1,000.",
)
@click.option(
    "-k",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of nearest tokens.",
)
@metric_option(
    Metric.L2,
    Metric.COSINE,
    Metric.DOT,
    default=Metric.L2,
    text="Compare by L2 distance, cosine similarity or inner product.",
)
@transform_options
@table_options_of(Mode.DYNAMIC)
@output_options
def command(
    *,
    token: str,
    corpus: tuple[str, ...],
    more: tuple[str, ...],
    ref: TableRef,
    store: Store,
    output_format: Format,
    **options: Any,
) -> None:
    """List the occurrences of a word in a corpus, aligned on the word.

    The vector of an occurrence is the hidden state of the word in its sentence, at the layer of
    the table. Each has the tokens nearest to it, and its distance from the word's own vector in the
    table.
    """
    from wordvec.cli.opening import open_table

    if not corpus:
        raise UsageError("contexts needs a corpus", hint='corpus="FILE"')
    table = open_table(ref, store)
    with ProgressBar("bytes") as reading, ProgressBar("occurrences") as computing:
        found = table.contexts(
            token, (*corpus, *more), progress=reading, computing=computing, **options
        )
    print_notes(found.notes)
    print_report(output_format, [found])

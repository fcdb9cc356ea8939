"""`wordvec evaluate`: how many analogies a table solves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    method_option,
    metric_option,
    output_options,
    pieces_option,
    table_options,
    transform_options,
)
from wordvec.cli.output import print_report
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.search.settings import Method, Metric, QuerySettings

if TYPE_CHECKING:
    from wordvec.cli.output import Format
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec evaluate                        the included Japanese analogies
  wordvec evaluate my.tsv --method mul    category, word, word, with tabs
  wordvec evaluate questions-words.txt    ": category" or four words
"""


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@method_option(Method.ADD)
@metric_option(*Metric, text="Metric to rank by (default: cosine, or l2 for sum).")
@transform_options
@pieces_option
@table_options
@progress_option
@output_options
def command(
    *,
    file: Path | None,
    method: str,
    metric: str | None,
    transforms: tuple[str, ...],
    pieces: bool,
    ref: TableRef,
    store: Store,
    progress: bool | None,
    output_format: Format,
) -> None:
    """Measure how many analogies a table solves.

    FILE lists pairs of words by category: every two pairs of a category make two questions
    a:b=c:?, one in each order. Or it lists questions, as word2vec's questions-words.txt does. The
    words of a question are left out of its answers. top-1 is the share of questions whose first
    answer is right; top-10 is the share with the right answer among the first ten.
    """
    from wordvec.analysis.evaluate import bundled_analogies, evaluate, read_analogies
    from wordvec.cli.opening import open_table

    settings = QuerySettings.of(method=method, metric=metric, transforms=transforms, pieces=pieces)
    analogies = read_analogies(file or bundled_analogies())
    opened = open_table(ref, store)
    with ProgressBar("questions", shown=progress) as bar:
        evaluation = evaluate(
            opened.space(settings.all_transforms), analogies, settings, progress=bar
        )
    print_notes(evaluation.notes)
    print_report(output_format, [evaluation])

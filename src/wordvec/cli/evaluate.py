"""`wordvec evaluate`: how many analogies a table solves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.analysis.display import (
    Cell,
    Column,
    header_lines,
    settings_fields,
    table_fields,
    table_lines,
)
from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    method_option,
    metric_option,
    output_options,
    table_options,
    transform_options,
)
from wordvec.cli.output import print_report
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.search.settings import Method, Metric, QuerySettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.analysis.display import OutputStyle
    from wordvec.analysis.evaluate import Evaluation
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
@table_options
@progress_option
@output_options
def command(
    *,
    file: Path | None,
    method: str,
    metric: str | None,
    transforms: tuple[str, ...],
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

    settings = QuerySettings.of(method=method, metric=metric, transforms=transforms)
    analogies = read_analogies(file or bundled_analogies())
    opened = open_table(ref, store)
    with ProgressBar("questions", shown=progress) as bar:
        evaluation = evaluate(
            opened.space(settings.all_transforms), analogies, settings, progress=bar
        )
    print_notes(_notes(evaluation))
    print_report(
        output_format,
        json=[evaluation.to_dict()],
        tsv=_tsv_rows(evaluation),
        text=lambda style: _text_lines(evaluation, style),
    )


def _notes(evaluation: Evaluation) -> Iterator[str]:
    count = len(evaluation.unknown)
    if count:
        words = " ".join(text.clip(text.escape(word), 20) for word in evaluation.unknown[:5])
        verb = "word is" if count == 1 else "words are"
        pairs = "pair" if evaluation.dropped == 1 else "pairs"
        yield (
            f"{count} {verb} not in this vocabulary, {evaluation.dropped} {pairs} left out: "
            f"{words}{' …' if count > 5 else ''}"
        )
    if evaluation.empty:
        yield f"no questions left in {', '.join(map(text.escape, evaluation.empty))}"


def _tsv_rows(evaluation: Evaluation) -> Iterator[list[object]]:
    yield ["category", "pairs", "questions", "top1", "top10"]
    for score in evaluation.categories:
        yield [score.name, score.pairs, score.questions, score.top1, score.top10]


def _text_lines(evaluation: Evaluation, style: OutputStyle) -> Iterator[str]:
    fields = [*table_fields(evaluation.table), *settings_fields(evaluation.settings)]
    yield from header_lines(fields, style)
    yield ""
    columns = [
        Column("category", shrinks=True),
        Column("questions", right=True),
        Column("top-1", right=True),
        Column("top-10", right=True),
    ]
    rows = [
        [text.escape(score.name), f"{score.questions:,}", *map(_percent, (score.top1, score.top10))]
        for score in evaluation.categories
    ]
    means = [
        ["mean of categories", str(len(evaluation.categories)), *map(_percent, evaluation.mean)],
        ["all questions", f"{evaluation.questions:,}", *map(_percent, evaluation.overall)],
    ]
    bold = [[Cell(cell, "bold") for cell in row] for row in means]
    yield from table_lines(columns, [*rows, *bold], style)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"

"""`wordvec evaluate`: how many analogies a table solves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.cli.bar import Bar, progress_option
from wordvec.cli.options import (
    changing_options,
    method_option,
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
    table_lines,
    tsv_line,
    write_json,
    write_lines,
)
from wordvec.cli.query import settings_facts, table_facts
from wordvec.search.settings import Method, Metric, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.analysis.evaluate import Evaluation
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec evaluate                        the Japanese analogies that come with wordvec
  wordvec evaluate my.tsv --method mul    category, word and word a line, tabs between
  wordvec evaluate questions-words.txt    : category, and four words a line below
"""


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@method_option(Method.ADD)
@metric_option(*Metric, text="What is near; by default what the method is made for.")
@changing_options
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
    form: Format,
) -> None:
    """Count the analogies that a table solves.

    Every two pairs of a category in FILE make a question a:b=c:?, whose words are left out of its
    answers; or FILE lists questions, as word2vec's questions-words.txt does. top-1 is the share of
    questions answered right at once, top-10 that of right answers among the first ten.
    """
    from wordvec.analysis.evaluate import bundled_analogies, evaluate, read_analogies
    from wordvec.api import open_table

    settings = Settings(
        method=Method(method),
        metric=None if metric is None else Metric(metric),
        transforms=transforms,
    )
    analogies = read_analogies(file or bundled_analogies())
    opened = open_table(ref, store)
    derived = store.derived(opened.table)
    with Bar("questions", shown=progress) as bar:
        found = evaluate(opened.table, analogies, settings, derived=derived, progress=bar)
    for remark in (*opened.notes, *_notes(found)):
        note(remark)
    if form in (Format.JSON, Format.JSONL):
        write_json([found.to_json()], form)
    else:
        write_lines(_tsv(found) if form is Format.TSV else _text(found, OutputStyle.of(sys.stdout)))


def _notes(found: Evaluation) -> Iterator[str]:
    if found.unknown:
        some = " ".join(text.clip(text.escape(word), 20) for word in found.unknown[:5])
        words = "word is no token" if len(found.unknown) == 1 else "words are no tokens"
        more = " …" if len(found.unknown) > 5 else ""
        pairs = "pair is" if found.dropped == 1 else "pairs are"
        yield f"{len(found.unknown)} {words}, so {found.dropped} {pairs} left out: {some}{more}"
    if found.empty:
        yield f"no question is left of {', '.join(map(text.escape, found.empty))}"


def _tsv(found: Evaluation) -> Iterator[str]:
    yield tsv_line(["category", "pairs", "questions", "top1", "top10"])
    for score in found.categories:
        yield tsv_line([score.name, score.pairs, score.questions, score.top1, score.top10])


def _text(found: Evaluation, look: OutputStyle) -> Iterator[str]:
    yield from header_lines([*table_facts(found.table), *settings_facts(found.settings)], look)
    yield ""
    columns = [
        Column("category", shrinks=True),
        Column("questions", right=True),
        Column("top-1", right=True),
        Column("top-10", right=True),
    ]
    rows = [
        [text.escape(score.name), f"{score.questions:,}", _share(score.top1), _share(score.top10)]
        for score in found.categories
    ]
    means = [
        ["mean of categories", str(len(found.categories)), *map(_share, found.mean)],
        ["all questions", f"{found.questions:,}", *map(_share, found.overall)],
    ]
    bold = [[Cell(cell, "bold") for cell in row] for row in means]
    yield from table_lines(columns, [*rows, *bold], look)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"

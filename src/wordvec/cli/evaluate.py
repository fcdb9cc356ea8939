"""`wordvec evaluate`: how many analogies tables solve, and how they judge similarity."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    check_folder,
    metric_option,
    output_options,
    pieces_option,
    report_option,
    table_options,
    table_refs,
    tables_option,
    words_option,
)
from wordvec.cli.output import print_report, size_text, write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.errors import UsageError
from wordvec.search.settings import Method, Metric
from wordvec.text import quote

if TYPE_CHECKING:
    from wordvec.cli.output import Format
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec evaluate                               the included Japanese analogies
  wordvec evaluate --tables static,dynamic --methods add,mul,lrcos
  wordvec evaluate --transforms "none;center;abtt:3;center,unit" --report space.html
  wordvec evaluate --failures 10                 ten questions with a wrong answer
  wordvec evaluate questions-words.txt BATS_3.0/ jsim/*.csv --by category
"""


@click.command(epilog=EPILOG)
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, metavar="[FILES…]")
@tables_option("Tables to measure, or all saved tables (all)")
@words_option(
    "--methods",
    words=[*Method, "lrcos"],
    checked=True,
    metavar="METHOD,METHOD",
    help=f"Methods: {', '.join([*Method, 'lrcos'])}.  [default: add]",
)
@metric_option(*Metric, text="Metric to rank by (default: cosine, or l2 for sum).")
@click.option(
    "--transforms",
    "transform_lists",
    default="none",
    metavar="LIST;LIST",
    help='Transforms to try, as in "none;center;abtt:3;center,unit": unit, center, standardize, '
    "abtt:N or whiten.",
)
@words_option(
    "--at", metavar="K,K", help="Count right answers among the first K.  [default: 1,5,10]"
)
@click.option("--by", type=click.Choice(["category"]), help="Show every category.")
@click.option(
    "--failures",
    type=click.IntRange(min=1),
    metavar="N",
    help="List N questions with a wrong first answer, spread over all of them, for each row.",
)
@pieces_option
@table_options
@report_option
@progress_option
@output_options
def command(
    *,
    files: tuple[Path, ...],
    tables: tuple[str, ...],
    methods: tuple[str, ...],
    metric: str | None,
    transform_lists: str,
    at: tuple[str, ...],
    by: str | None,
    failures: int | None,
    pieces: bool,
    ref: TableRef,
    store: Store,
    report: Path | None,
    progress: bool | None,
    output_format: Format,
) -> None:
    """Measure how many analogies tables solve, and how they judge similarity.

    FILES list pairs of words by category, questions of four words, or pairs of words with a score;
    a folder is read as BATS. Every two pairs of a category make two questions a:b=c:?. top-k is the
    share of questions with a right answer among the first k, with the words of the question left
    out; MRR is the mean of 1/rank. "kept" leaves these words in, and "own first" is how often one
    of them is the first answer: a, b or c. Pairs with a score give Spearman's ρ of the cosines.
    """
    from wordvec.cli.opening import open_tables
    from wordvec.table import evaluate_tables

    counted_at = _numbers(at)
    check_folder(report)
    names = saved_tables(store) if tables == ("all",) else tables
    opened = open_tables(table_refs(names, ref), store)
    with ProgressBar("questions", shown=progress) as bar:
        evaluation = evaluate_tables(
            opened,
            files,
            methods=methods or ("add",),
            metric=metric,
            transforms=transform_lists,
            at=counted_at,
            pieces=pieces,
            by=by,
            failures=failures or 0,
            progress=bar,
        )
    print_notes(evaluation.notes)
    if report is None:
        print_report(output_format, [evaluation])
        return
    from wordvec.analysis.evaluation_page import evaluation_page
    from wordvec.tables.files import write_file

    page = evaluation_page(evaluation).encode()
    write_file(report, lambda file: file.write(page))
    print_report(output_format, [evaluation])
    if output_format == "text":
        write_lines(["", f"{report}  {size_text(report.stat().st_size)}"])


def _numbers(words: tuple[str, ...]) -> tuple[int, ...]:
    for word in words:
        if not re.fullmatch("[0-9]{1,18}", word):
            raise UsageError(f"--at takes whole numbers with commas, got {quote(word)}")
    return tuple(map(int, words)) or (1, 5, 10)


def saved_tables(store: Store) -> tuple[str, ...]:
    """Return the names of all saved tables that can be opened."""
    names = tuple(
        str(info.name)
        for info in store.tables()
        if info.shape and info.done is None and info.problem is None
    )
    if not names:
        raise UsageError("there are no saved tables", hint="wordvec extract mini")
    return names

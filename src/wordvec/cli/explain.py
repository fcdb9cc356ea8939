"""`wordvec explain`: the score of an answer, split into parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.analysis.display import table_name
from wordvec.cli.arguments import DashCommand, refuse_lone_operators
from wordvec.cli.errors import print_notes, warn
from wordvec.cli.options import (
    output_options,
    query_options,
    table_options,
    table_refs,
    tables_option,
)
from wordvec.cli.output import print_report
from wordvec.errors import UsageError
from wordvec.search.settings import split_transforms

if TYPE_CHECKING:
    from wordvec.analysis.explanation import Explanation
    from wordvec.cli.output import Format
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec explain 王-男+女                         the first answer
  wordvec explain 王-男+女 女王 --metric cosine
  wordvec explain 王+女 女王 --metric cosine --calibrate
  wordvec explain 王-男+女 女王 --over 妃          why one is nearer than the other
  wordvec explain 王-男+女 女王 --tables static,dynamic    in both
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("arguments", nargs=-1, required=True, metavar="EXPR [TOKEN]")
@click.option("--over", metavar="TOKEN", help="Compare the answer with this token, of any rank.")
@click.option(
    "--calibrate", is_flag=True, help="Compare the score with those of 10,000 random expressions."
)
@query_options
@tables_option("Explain the same answer in several tables, one after another", transforms=True)
@table_options
@output_options
def command(
    *,
    arguments: tuple[str, ...],
    over: str | None,
    calibrate: bool,
    tables: tuple[str, ...],
    settings: QuerySettings,
    ref: TableRef,
    store: Store,
    output_format: Format,
) -> None:
    """Say why an answer has its rank, and split its score over words and dimensions.

    Each word of the query contributes a part of the score. The parts add up to the similarity, or
    to the square of the L2 distance. The parts of the dimensions do so too; the largest are listed
    if one of them stands out, each with its share of the sum of their sizes.

    TOKEN is the answer to explain: a token, or # and its id. By default it is the first answer that
    is not a word of the query. If that answer ranks above TOKEN, its score is split too, and the
    differences show which words favour it; --over names another token to compare with.
    """
    from wordvec.analysis.explain import explain_in_each
    from wordvec.cli.opening import open_tables
    from wordvec.expression.parser import parse

    refuse_lone_operators("explain", arguments)
    if len(arguments) > 2:
        got = text.clip(" ".join(map(text.escape, arguments)), 60)
        raise UsageError(f"explain takes an expression and a token, got {len(arguments)}: {got}")
    expression = parse(arguments[0])
    token = arguments[1] if len(arguments) > 1 else None
    named = [split_transforms(name) for name in tables] or [("", ())]
    opened = open_tables(table_refs([name for name, _ in named if name], ref), store)
    engines = [
        table.engine_for(settings, steps) for table, (_, steps) in zip(opened, named, strict=True)
    ]
    explanations = explain_in_each(engines, expression, token, over=over, calibrated=calibrate)
    print_notes(note for engine in engines for note in engine.notes)
    print_notes(note for explanation in explanations for note in explanation.notes)
    names = [table_name(explanation.table) for explanation in explanations] if tables else []
    print_report(output_format, explanations, tables=names)
    for explanation in explanations:
        _warn_of_few_dimensions(explanation, name_table=bool(tables))


def _warn_of_few_dimensions(explanation: Explanation, *, name_table: bool) -> None:
    from wordvec.analysis.explain import FEW

    count = explanation.dims_for_half
    if 0 < count <= FEW < explanation.table.dimensions:
        few = "one dimension makes" if count == 1 else f"{count} dimensions make"
        prefix = f"{table_name(explanation.table)}: " if name_table else ""
        warn(f"{prefix}{few} up over half of the score: try --transform standardize")

"""`wordvec compare`: the answers of several tables to one expression, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from wordvec.cli.arguments import DashCommand, refuse_lone_operators
from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    k_option,
    model_option,
    output_options,
    query_options,
    store_option,
    tables_option,
)
from wordvec.cli.output import Format, print_report
from wordvec.cli.progress_bar import ProgressBar
from wordvec.errors import UsageError
from wordvec.search.settings import split_transforms
from wordvec.tables.name import TableRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.search.settings import QuerySettings
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec compare 王-男+女
  wordvec compare 男:女=王:? --metric cosine -k 20
  wordvec compare 王 --tables mini:static,mini:dynamic
  wordvec compare 王-男+女 --tables static,static+unit,static+center+unit
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("expressions", nargs=-1, required=True, metavar="EXPR")
@tables_option("Tables to compare", default="static,dynamic", transforms=True)
@model_option(
    "Model of the tables that name none (default: WORDVEC_MODEL, else the reference model)."
)
@store_option
@k_option
@query_options
@output_options
def command(
    *,
    expressions: tuple[str, ...],
    tables: tuple[str, ...],
    model: str | None,
    settings: QuerySettings,
    store: Store,
    output_format: Format,
) -> None:
    """Compare the answers of several tables to one expression.

    Each answer is shown with its rank in the other tables, even if it is beyond -k. The last line
    shows how many answers two tables share, and the rank-biased overlap of the two lists (1 for
    equal lists; p = 0.9). A table can be compared with itself under transforms, named after a plus:
    static,static+unit.
    """
    from wordvec.analysis.compare import compare
    from wordvec.analysis.display import table_name
    from wordvec.cli.opening import open_tables
    from wordvec.expression.parser import parse

    refuse_lone_operators("compare", expressions)
    if len(expressions) > 1:
        raise UsageError(
            f"compare takes one expression, got {len(expressions)}",
            hint="separate tables by a comma: --tables static,dynamic",
        )
    expression = parse(expressions[0])
    named = [split_transforms(name) for name in tables or ("static", "dynamic")]
    refs = [TableRef.parse(name) for name, _ in named]
    if len(refs) < 2:
        raise UsageError("a comparison needs at least two tables", hint="--tables static,dynamic")
    with ProgressBar("tokens") as bar:
        opened = open_tables([replace(ref, model=ref.model or model) for ref in refs], store)
        engines = [
            table.engine_for(settings, steps, progress=bar)
            for table, (_, steps) in zip(opened, named, strict=True)
        ]
        _refuse_duplicates([table_name(engine.description) for engine in engines])
        comparison = compare(engines, expression)
    print_notes(note for engine in engines for note in engine.notes)
    print_notes(comparison.notes)
    print_report(output_format, [comparison])


def _refuse_duplicates(names: Sequence[str]) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise UsageError(f"{name} is named twice: choose different tables")

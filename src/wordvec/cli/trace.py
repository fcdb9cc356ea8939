"""`wordvec trace`: the rank of an answer in the static table and in every layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.cli.arguments import DashCommand, refuse_lone_operators
from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    model_option,
    output_options,
    query_options,
    store_option,
    tables_option,
)
from wordvec.cli.output import print_report
from wordvec.cli.progress_bar import ProgressBar
from wordvec.errors import UsageError
from wordvec.search.settings import split_transforms

if TYPE_CHECKING:
    from wordvec.cli.output import Format
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec extract --mode dynamic --layers all    once, so that there are layers to trace
  wordvec trace 王-男+女 女王
  wordvec trace 王-男+女 女王 --metric cosine --exclude --png trace.png
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("arguments", nargs=-1, required=True, metavar="EXPR TOKEN")
@click.option(
    "--png",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw the curves too (with matplotlib).",
)
@query_options
@tables_option("Tables to trace (default: all tables of the model)", transforms=True)
@model_option("Model whose tables are traced (default: WORDVEC_MODEL, else the reference model).")
@store_option
@output_options
def command(
    *,
    arguments: tuple[str, ...],
    png: Path | None,
    tables: tuple[str, ...],
    model: str | None,
    settings: QuerySettings,
    store: Store,
    output_format: Format,
) -> None:
    """Show the rank and the similarity of an answer in the static table and in every layer.

    TOKEN is the answer to follow: a token, or # and its id. Each table has its rank and its
    similarity, and the answer that is first. A sparkline shows how they change from layer to layer.
    """
    from wordvec.analysis.trace import trace
    from wordvec.cli.opening import open_tables, tables_of
    from wordvec.expression.parser import parse

    refuse_lone_operators("trace", arguments)
    if len(arguments) != 2:
        got = text.clip(" ".join(map(text.escape, arguments)), 60)
        raise UsageError(
            f"trace takes an expression and a token, got {len(arguments)}: {got}",
            hint="wordvec trace 王-男+女 女王",
        )
    expression = parse(arguments[0])
    named = [split_transforms(name) for name in tables]
    opened = open_tables(tables_of(store).refs([name for name, _ in named], model), store)
    steps = [steps for _, steps in named] or [()] * len(opened)
    with ProgressBar("tokens") as bar:
        engines = [
            table.engine_for(replace(settings, k=1), own, progress=bar)
            for table, own in zip(opened, steps, strict=True)
        ]
        traced = trace(engines, expression, arguments[1])
    print_notes(note for engine in engines for note in engine.notes)
    print_notes(traced.notes)
    print_report(output_format, [traced])
    if png is not None:
        from wordvec.map.curves import draw_trace

        print_notes(draw_trace(traced, png))

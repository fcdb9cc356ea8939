"""`wordvec axis`: words ordered along an axis between two poles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from wordvec.cli.arguments import DashCommand, refuse_lone_operators
from wordvec.cli.errors import print_notes
from wordvec.cli.options import (
    check_folder,
    filter_options,
    metric_option,
    output_options,
    picture_option,
    pieces_option,
    table_options,
    table_refs,
    tables_option,
    transform_options,
)
from wordvec.cli.output import print_report
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from wordvec.analysis.axis_settings import AxisOptions
    from wordvec.cli.output import Format
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec axis 女-男 医者 看護 王 女王 母 父
  wordvec axis "(女+母+姉)/3-(男+父+兄)/3" --top 20 --only kanji
  wordvec axis 女-男 --y 王-民 王 女王 姫 農民 --png axes.png
  wordvec axis 女-男 --file words.txt --tables static,dynamic
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("arguments", nargs=-1, required=True, metavar="AXIS [WORD]...")
@click.option("--y", metavar="AXIS", help="Place the words on a second axis too, as a scatter.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Add the N tokens at each end of the axis.",
)
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Add the words of a file, one per line.",
)
@metric_option(
    Metric.COSINE,
    Metric.DOT,
    default=Metric.COSINE,
    text="Order by the cosine to the axis, or by the projection (dot), which grows with norms.",
)
@transform_options
@filter_options
@pieces_option
@picture_option("--png", "Draw the words too (with matplotlib).")
@picture_option("--svg", "The same as SVG.")
@tables_option("Tables to place the words in, side by side")
@table_options
@output_options
def command(
    *,
    arguments: tuple[str, ...],
    y: str | None,
    png: Path | None,
    svg: Path | None,
    tables: tuple[str, ...],
    ref: TableRef,
    store: Store,
    output_format: Format,
    **options: Unpack[AxisOptions],
) -> None:
    """Order words along an axis, such as 女-男, which points from 男 to 女.

    AXIS is a sum of words; for a pole of several words, take their mean. A word has its projection
    on the axis and its cosine to it (SemAxis). z is the number of standard deviations of its score
    from the mean of all tokens, which the bars show, and rank 1 of all tokens is nearest to the
    positive pole. Several tables show where each word moves, by z.
    """
    from wordvec.cli.opening import open_tables
    from wordvec.table import place_on_axis

    axis, *words = arguments
    refuse_lone_operators("axis", arguments[:3])
    for file in (png, svg):
        check_folder(file)
    opened = open_tables(table_refs(tables, ref), store)
    report = place_on_axis(opened, axis, words, y=y, **options)
    print_notes(report.notes)
    print_report(output_format, [report])
    for kind, file in (("png", png), ("svg", svg)):
        if file is not None:
            from wordvec.map.axes import draw_axis

            print_notes(draw_axis(report, file, file_format=kind))

"""`wordvec doctor`: a check-up of the space of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.errors import print_notes
from wordvec.cli.evaluate import saved_tables
from wordvec.cli.options import (
    check_folder,
    output_options,
    report_option,
    table_options,
    table_refs,
    tables_option,
)
from wordvec.cli.output import print_report, size_text, write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option

if TYPE_CHECKING:
    from wordvec.cli.output import Format
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

EPILOG = """\b
Examples:
  wordvec doctor
  wordvec doctor --tables static,dynamic --report doctor.html
  wordvec doctor --table chive:static --files my-analogies.tsv
"""


@click.command(epilog=EPILOG)
@tables_option("Tables to check, or all saved tables (all)")
@click.option(
    "--files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Ask these analogies instead of the included Japanese ones, in a form that evaluate "
    "reads. Can be repeated.",
)
@table_options
@report_option
@progress_option
@output_options
def command(
    *,
    tables: tuple[str, ...],
    files: tuple[Path, ...],
    ref: TableRef,
    store: Store,
    report: Path | None,
    progress: bool | None,
    output_format: Format,
) -> None:
    """Check the space of a table up: what can mislead, and which option mends it.

    Measured are: the cosine of random tokens, the variance in the first components, dimensions that
    decide alone, norms, hubs, subwords and twins among neighbours, and analogies before and after
    each transform. "!" marks what can mislead; the last line says what to use. The neighbours take
    most of the time: V² · D, with V the number of tokens and D of dimensions. They are saved for
    the next time. Of more than 40,000 tokens, a sample is measured.
    """
    from wordvec.cli.opening import open_tables
    from wordvec.table import check_up_tables

    check_folder(report)
    names = saved_tables(store) if tables == ("all",) else tables
    opened = open_tables(table_refs(names, ref), store)
    with ProgressBar("steps", shown=progress) as bar:
        checked = check_up_tables(opened, files, progress=bar)
    print_notes(checked.notes)
    print_report(output_format, [checked])
    if report is not None:
        from wordvec.analysis.check_up_page import check_up_page
        from wordvec.tables.files import write_file

        page = check_up_page(checked).encode()
        write_file(report, lambda file: file.write(page))
        if output_format == "text":
            write_lines(["", f"{report}  {size_text(report.stat().st_size)}"])

"""`wordvec map`: the vocabulary on one page, or as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.bar import Bar, progress_option
from wordvec.cli.options import DashCommand, Several, flat, refs_of, table_options, tables_option
from wordvec.cli.output import note, write_lines
from wordvec.errors import UsageError
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from wordvec.map.build import TokenMap
    from wordvec.progress import Progress
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

    F = TypeVar("F", bound=Callable[..., Any])

EPILOG = """\b
Examples:
  wordvec map                                 every token, in map.html
  wordvec map --expression 王-男+女           with its terms as arrows
  wordvec map --mode dynamic --tokens 3000    ids 0 to 2,999, as in the article
  wordvec map --tables static,dynamic         both, with a slider between them
  wordvec map --vectors                       with a box that takes any expression
  wordvec map --png map.png                   a picture, without a browser
"""


class TokenCount(click.ParamType[int | None]):
    """How many tokens, from id 0: a number, or `all` (None)."""

    name = "tokens"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Read `3000`, `3,000` or `all`."""
        text = str(value).replace(",", "")
        if text == "all":
            return None
        if not text.isascii() or not text.isdigit() or int(text) == 0:
            self.fail(f"{value!r} is neither a number of tokens nor all", param, ctx)
        return int(text)


def _file(*names: str, what: str) -> Callable[[F], F]:
    return click.option(
        *names, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=what
    )


@click.command(cls=DashCommand, epilog=EPILOG)
@table_options
@tables_option("the one table", text="Two tables with one vocabulary on one page")
@click.option(
    "--tokens", type=TokenCount(), default="all", metavar="N|all", help="How many, from id 0 (all)."
)
@click.option(
    "--transform",
    "transforms",
    type=Several("transform", ("unit", "center", "standardize", "abtt:", "whiten"), checked=False),
    multiple=True,
    metavar="STEP",
    help="Change the rows first: unit, center, standardize, abtt:N or whiten; several in order.",
)
@click.option(
    "--metric",
    type=click.Choice([Metric.L2.value, Metric.COSINE.value]),
    default=Metric.L2.value,
    show_default=True,
    help="What is near: L2 distance or cosine similarity.",
)
@click.option(
    "--perplexity",
    type=click.FloatRange(min=2),
    default=30,
    show_default=True,
    help="About how many neighbours a token is drawn to.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True,
    help="The same seed gives the same picture.")  # fmt: skip
@click.option(
    "--expression",
    "sources",
    multiple=True,
    metavar="EXPR",
    help="Draw an expression's terms as arrows and list its answer; repeat for several.",
)
@click.option(
    "--vectors", is_flag=True, help="Put the vectors in the page, for a box that takes expressions."
)
@_file("-o", "--output", what="The page (map.html, unless only a picture is asked for).")
@_file("--png", what="A picture by matplotlib.")
@_file("--svg", what="The same, as SVG.")
@click.option("--force", is_flag=True, help="Compute the places anew.")
@progress_option
def command(
    *,
    ref: TableRef,
    store: Store,
    tables: tuple[tuple[str, ...], ...],
    tokens: int | None,
    transforms: tuple[tuple[str, ...], ...],
    metric: str,
    perplexity: float,
    seed: int,
    sources: tuple[str, ...],
    vectors: bool,
    output: Path | None,
    png: Path | None,
    svg: Path | None,
    force: bool,
    progress: bool | None,
) -> None:
    """Draw the vocabulary as a map, on one HTML page that needs no network.

    t-SNE on exact neighbours. The places are kept in the store, so that the second time takes a
    moment. The page has search, neighbours, a lasso and a legend; ? in it lists its keys.
    """
    from wordvec.cli.opening import open_tables
    from wordvec.expression.parser import parse
    from wordvec.map.build import build_map
    from wordvec.map.projection import ProjectionSettings

    page_file = output or (None if png or svg else Path("map.html"))
    _check_folders(page_file, png, svg)
    refs = refs_of(tables, ref)
    if tables and len(refs) != 2:
        named = ",".join(flat(tables))
        raise UsageError(f"--tables takes two tables, got {len(refs)}: {named}",
            hint="--tables static,dynamic")  # fmt: skip
    expressions = [parse(source) for source in sources]
    settings = ProjectionSettings(Metric(metric), perplexity, seed)
    steps = [step for several in transforms for step in several]
    opened, derived = [], []
    for found in open_tables(refs, store):
        opened.append(found.transformed(steps))
        derived.append(found.derived)
    with Bar("steps", shown=progress) as bar:

        def report(table: str) -> Progress:
            note(f"placing {table} (t-SNE)") if bar.shown else None
            return bar

        the_map = build_map(
            opened,
            tokens=tokens,
            settings=settings,
            expressions=expressions,
            derived=derived,
            force=force,
            progress=report,
        )
    if the_map.left_out:
        note(f"{the_map.left_out} tokens have no place: their vectors are not finite, or zero")
    _write(the_map, page_file, png, svg, vectors=vectors)


def _check_folders(*files: Path | None) -> None:
    """Say at once, and not after minutes of work, that a file has no folder to go to."""
    for file in files:
        if file and not file.parent.is_dir():
            raise UsageError(f"no folder {file.parent} for {file.name}",
                hint=f"mkdir -p {file.parent}")  # fmt: skip


def _write(
    the_map: TokenMap, page_file: Path | None, png: Path | None, svg: Path | None, *, vectors: bool
) -> None:
    from wordvec.map.figure import draw_picture
    from wordvec.map.page import build_page, estimate_vector_bytes
    from wordvec.tables.files import write_atomically

    if page_file:
        if vectors:
            note(f"the vectors make the page about {_size(estimate_vector_bytes(the_map))} larger")
        content = build_page(the_map, vectors=vectors).encode("utf-8")
        write_atomically(page_file, lambda file: file.write(content))
        write_lines([_written(page_file, the_map)])
    for form, picture in (("png", png), ("svg", svg)):
        if picture:
            for remark in draw_picture(the_map, picture, file_format=form):
                note(remark)
            write_lines([_written(picture, the_map)])


def _written(file: Path, the_map: TokenMap) -> str:
    return f"{file}  {_size(file.stat().st_size)}  {len(the_map.rows):,} tokens"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"

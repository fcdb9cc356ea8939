"""`wordvec map`: the vocabulary as an interactive page or a picture."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wordvec.cli.arguments import DashCommand
from wordvec.cli.errors import note, print_notes, warn
from wordvec.cli.interrupts import kept_on_interrupt
from wordvec.cli.options import (
    metric_option,
    table_options,
    table_refs,
    tables_option,
    transform_option,
)
from wordvec.cli.output import size_text, write_lines
from wordvec.cli.progress_bar import ProgressBar, progress_option
from wordvec.encoding import refuse_argument
from wordvec.errors import UsageError
from wordvec.search.settings import Metric
from wordvec.text import TokenClass, escape, quote

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from wordvec.map.build import TokenMap
    from wordvec.map.labels import TokenLabels
    from wordvec.map.projection import ProjectionSettings
    from wordvec.progress import Progress
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store
    from wordvec.vocabulary.lookup import Vocabulary

    F = TypeVar("F", bound=Callable[..., Any])

_DEFAULT_ZOOM = 12.0  # as on the page, when a token is chosen there
EPILOG = """\b
Examples:
  wordvec map                                 every token, in map.html
  wordvec map --expression 王-男+女           with its terms as arrows
  wordvec map --mode dynamic --tokens 3000    ids 0 to 2,999
  wordvec map --tables static,dynamic         both, with a slider between them
  wordvec map --tables all                    every table of the model, to play through
  wordvec map --vectors                       with a box for expressions
  wordvec map --png map.png                   a picture, without a browser
  wordvec map --around フランス --png f.png   the part around a token
  wordvec map --only number --png n.png       the tokens of one class
  wordvec map --colour region --png r.png     coloured by region
"""


class TokenCount(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.4, not in 8.1
    """A number of tokens, from id 0, or `all` (None)."""

    name = "tokens"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Read `3000`, `3,000` or `all`."""
        digits = str(value).replace(",", "")
        if digits == "all":
            return None
        if not re.fullmatch("0*[1-9][0-9]{0,17}", digits):
            self.fail(f"{quote(value)} is neither a number of tokens nor all", param, ctx)
        return int(digits)


def _file_option(*names: str, text: str) -> Callable[[F], F]:
    return click.option(
        *names, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=text
    )


@click.command(cls=DashCommand, epilog=EPILOG)
@table_options
@tables_option("Show several tables on one page, or all tables of the model (all)")
@click.option(
    "--tokens",
    type=TokenCount(),
    default="all",
    metavar="N|all",
    help="Number of tokens, from id 0 (default: all).",
)
@transform_option
@metric_option(
    Metric.L2,
    Metric.COSINE,
    default=Metric.L2,
    text="Metric of the neighbours: L2 distance or cosine similarity.",
)
@click.option(
    "--projection",
    type=click.Choice(["tsne", "umap", "pca"]),
    default="tsne",
    show_default=True,
    help="How tokens are placed: t-SNE, UMAP (needs the extra umap), or the first two principal "
    "components.",
)
@click.option(
    "--perplexity",
    type=click.FloatRange(min=2),
    metavar="N",
    help="Perplexity of t-SNE: about how many neighbours a token is attracted to (default: 30).",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Random seed. The same seed gives the same map.",
)
@click.option(
    "--expression",
    "sources",
    multiple=True,
    metavar="EXPR",
    help="Draw the terms of an expression as arrows and list its answer. Can be repeated.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE.tsv",
    help="Colour tokens by labels: a token, a tab and its label on each line.",
)
@click.option(
    "--vectors", is_flag=True, help="Include the vectors, so that the page answers expressions."
)
@click.option("--around", metavar="TOKEN", help="Show the part of the map around a token.")
@click.option(
    "--zoom",
    type=click.FloatRange(min=1, max=400),
    metavar="N",
    help="How much --around enlarges the map (default: 12).",
)
@click.option(
    "--only",
    type=click.Choice([each.value for each in TokenClass]),
    metavar="CLASS",
    help="Show the tokens of one class alone, at their places on the whole map: "
    f"{', '.join(TokenClass)}.",
)
@click.option(
    "--colour",
    type=click.Choice(["class", "region", "row", "norm", "moved", "labels", "tables"]),
    metavar="WHAT",
    help="What the colours show: class, region, row, norm, moved, labels or tables (default: "
    "class; labels if there are any).",
)
@_file_option(
    "-o",
    "--output",
    text="The page, or a picture if it ends in .png or .svg (default: map.html).",
)
@_file_option("--png", text="Write a picture (with matplotlib).")
@_file_option("--svg", text="Write a picture as SVG.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option("--force", is_flag=True, help="Compute the positions again.")
@progress_option
def command(
    *,
    ref: TableRef,
    store: Store,
    tables: tuple[str, ...],
    tokens: int | None,
    transforms: tuple[str, ...],
    metric: str,
    projection: str,
    perplexity: float | None,
    seed: int,
    sources: tuple[str, ...],
    labels: Path | None,
    vectors: bool,
    around: str | None,
    zoom: float | None,
    only: str | None,
    colour: str | None,
    output: Path | None,
    png: Path | None,
    svg: Path | None,
    opens: bool,
    force: bool,
    progress: bool | None,
) -> None:
    """Draw the vocabulary as a map, on one HTML page that needs no network.

    Positions are computed by t-SNE from exact neighbours, and saved for the next time. The page has
    search, neighbours, a lasso and a legend, and a slider between tables; press ? for its keys.
    """
    from wordvec.cli.opening import open_tables
    from wordvec.expression.parser import parse
    from wordvec.map.build import Window, build_map
    from wordvec.map.colours import ColourBy
    from wordvec.map.joint_vocabulary import join_vocabularies

    page, png, svg = _files_to_write(output, png, svg)
    _check_writable(page, png, svg)
    _check_together(zoom=zoom, around=around, opens=opens, page=page)
    for source in sources:
        refuse_argument(source)
    expressions = [parse(source) for source in sources]
    settings = _settings(metric, projection, perplexity, seed)
    opened = open_tables(_refs(tables, ref, store), store)
    vocabulary = join_vocabularies([table.data.vocabulary for table in opened]).vocabulary
    row = _find_row(around, vocabulary) if around else None
    files = " and ".join(escape(str(file)) for file in (page, png, svg) if file)
    with (
        kept_on_interrupt(lambda: f"stopped; {files} not written"),
        ProgressBar("steps", shown=progress) as bar,
    ):

        def progress_of(table: str) -> Progress:
            if bar.shown:
                note(f"computing the positions of {table} ({projection})")
            return bar

        token_map = build_map(
            [table.transformed(transforms) for table in opened],
            tokens=tokens,
            settings=settings,
            expressions=expressions,
            labels=_read_labels(labels, vocabulary) if labels else None,
            window=Window(
                row,
                zoom or _DEFAULT_ZOOM,
                TokenClass(only) if only else None,
                ColourBy(colour) if colour else None,
            ),
            derived=[table.derived for table in opened],
            force=force,
            progress=progress_of,
        )
    if token_map.left_out:
        from wordvec.map.page import left_out_text

        note(left_out_text(token_map))
    if page:
        _write_page(token_map, page, vectors=vectors)
        _show_page(page, opens=opens)
    for file_format, picture in (("png", png), ("svg", svg)):
        if picture:
            _write_picture(token_map, picture, file_format)


def _settings(
    metric: str, projection: str, perplexity: float | None, seed: int
) -> ProjectionSettings:
    from wordvec.map.projection import ProjectionMethod, ProjectionSettings

    method = ProjectionMethod(projection)
    if perplexity is None:
        return ProjectionSettings(Metric(metric), seed=seed, method=method)
    if method is not ProjectionMethod.TSNE:
        raise UsageError(f"--perplexity is a setting of t-SNE, not of {projection}")
    return ProjectionSettings(Metric(metric), perplexity, seed)


def _refs(names: tuple[str, ...], ref: TableRef, store: Store) -> list[TableRef]:
    """Return the named tables; `all` is the static table and every other saved one of the model."""
    from wordvec.cli.opening import tables_of

    if names == ("all",):
        table_refs(("static",), ref)  # refuses --table beside --tables
        return tables_of(store).refs((), ref.model)
    return table_refs(names, ref)


def _read_labels(file: Path, vocabulary: Vocabulary) -> TokenLabels:
    from wordvec.map.labels import read_labels

    found = read_labels(file, vocabulary)
    if found.unknown:
        count, first = len(found.unknown), " ".join(map(quote, found.unknown[:3]))
        words, are, have = ("word", "is", "has") if count == 1 else ("words", "are", "have")
        note(
            f"{count:,} {words} of {file} {are} not in this vocabulary and {have} no label: {first}"
        )
    return found


def _check_together(
    *, zoom: float | None, around: str | None, opens: bool, page: Path | None
) -> None:
    if zoom is not None and around is None:
        raise UsageError("--zoom needs --around TOKEN")
    if opens and page is None:
        raise UsageError("--open needs a page, and only a picture is written", hint="-o map.html")


def _find_row(around: str, vocabulary: Vocabulary) -> int:
    from wordvec.search.resolve import resolve_token

    refuse_argument(around)
    row, how = resolve_token(around, vocabulary)
    print_notes([how] if how else [])
    return row


def _show_page(page: Path, *, opens: bool) -> None:
    """Open the page in the browser, or say how to open it."""
    address = page.resolve().as_uri()
    if opens and click.launch(address) == 0:
        return
    if opens:
        warn(f"no browser could be started; open {address}")
    else:
        note(f"open it in a browser: {address} (or add --open)")


def _files_to_write(
    output: Path | None, png: Path | None, svg: Path | None
) -> tuple[Path | None, Path | None, Path | None]:
    """Return the files of the page, the PNG and the SVG; a suffix says what a file is."""
    for option, file, suffixes in (
        ("--png", png, (".png", "")),
        ("--svg", svg, (".svg", "")),
        ("--output", output, (".html", ".htm", ".png", ".svg", "")),
    ):
        if file and file.suffix.lower() not in suffixes:
            raise UsageError(
                f"{option} {file}: {file.suffix} is not a suffix of what is written, "
                f"which is {' or '.join(filter(None, suffixes))}"
            )
    suffix = output.suffix.lower() if output else ""
    if output and suffix == ".png" and png is None:
        return None, output, svg
    if output and suffix == ".svg" and svg is None:
        return None, png, output
    if output and suffix in (".png", ".svg"):
        raise UsageError(f"both -o {output} and {png if suffix == '.png' else svg} are pictures")
    return output or (None if png or svg else Path("map.html")), png, svg


def _check_writable(*files: Path | None) -> None:
    """Fail before minutes of work if a file cannot be written."""
    from tempfile import TemporaryFile

    from wordvec.tables.files import wrap_os_errors

    for file in filter(None, files):
        folder, shown = file.parent, escape(str(file.parent))
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{shown} is a file, not a folder")
        if not folder.is_dir():
            raise UsageError(f"there is no folder {shown}", hint=f"mkdir -p {shlex.quote(shown)}")
        with wrap_os_errors(file, hint="name another file: -o FILE"), TemporaryFile(dir=folder):
            pass


def _write_page(token_map: TokenMap, page: Path, *, vectors: bool) -> None:
    from wordvec.map.page import build_page, estimate_vector_bytes
    from wordvec.tables.files import write_file

    if vectors:
        note(
            f"the vectors make the page about {size_text(estimate_vector_bytes(token_map))} larger"
        )
    content = build_page(token_map, vectors=vectors).encode("utf-8")
    write_file(page, lambda file: file.write(content))
    _print_file(page, token_map)


def _write_picture(token_map: TokenMap, picture: Path, file_format: str) -> None:
    from wordvec.map.figure import draw_picture

    print_notes(draw_picture(token_map, picture, file_format=file_format))
    _print_file(picture, token_map)


def _print_file(file: Path, token_map: TokenMap) -> None:
    write_lines([f"{file}  {size_text(file.stat().st_size)}  {len(token_map.rows):,} tokens"])

"""`wordvec explain`: why an answer came."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.cli.options import (
    DashCommand,
    asking_options,
    output_options,
    refuse_lone_operators,
    table_options,
)
from wordvec.cli.output import (
    Cell,
    Column,
    Format,
    Look,
    header_lines,
    note,
    number,
    one_line,
    table_lines,
    tsv_line,
    warn,
    write_json,
    write_lines,
)
from wordvec.cli.query import settings_facts, table_facts
from wordvec.errors import UsageError
from wordvec.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wordvec.calibration import Calibration
    from wordvec.diagnosis import Explanation
    from wordvec.settings import Settings
    from wordvec.store import Store
    from wordvec.table import TableRef

EPILOG = """\b
Examples:
  wordvec explain 王-男+女              of the first answer that is no word of the query
  wordvec explain 王-男+女 女王 --metric cosine
  wordvec explain 王+女 女王 --metric cosine --calibrate
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("arguments", nargs=-1, required=True, metavar="EXPR [TOKEN]")
@click.option(
    "--calibrate",
    "calibrated",
    is_flag=True,
    help="Place the score among those of 10,000 random expressions.",
)
@asking_options
@table_options
@output_options
def command(
    *,
    arguments: tuple[str, ...],
    calibrated: bool,
    settings: Settings,
    ref: TableRef,
    store: Store,
    form: Format,
) -> None:
    """Take the score of an answer apart.

    Every word of the query gives a part; the parts add up to the similarity, or to the square of
    the L2 distance. So do the dimensions of the vectors: the largest are listed, with their share
    of the sizes of all. TOKEN is the answer to explain: a token, or # and an id.
    """
    from wordvec.diagnosis import FEW, explain
    from wordvec.expression import parse
    from wordvec.opening import open_table
    from wordvec.query import Asker

    refuse_lone_operators("explain", arguments)
    if len(arguments) > 2:
        raise UsageError(f"explain takes an expression and a token, got {len(arguments)} arguments")
    expression = parse(arguments[0])
    opened = open_table(ref, store)
    derived = store.derived(opened.table.name)
    asker = Asker(opened.table, settings, derived=derived)
    token = arguments[1] if len(arguments) > 1 else None
    found = explain(asker, expression, token, calibrated=calibrated)
    for remark in (*opened.notes, *asker.notes, *found.notes):
        note(remark)
    if form in (Format.JSON, Format.JSONL):
        write_json([found.to_json()], form)
    else:
        write_lines(_tsv(found) if form is Format.TSV else _text(found, Look.of(sys.stdout)))
    if 0 < found.carriers <= FEW < found.table.dimensions:
        few = "one dimension is" if found.carriers == 1 else f"{found.carriers} dimensions are"
        warn(f"{few} over half of the score: try --transform standardize")


def _tsv(found: Explanation) -> Iterator[str]:
    """One line a part; what is no word's part has no weight."""
    yield tsv_line(["query", "token", "word", "weight", "norm", "cosine", "part"])
    for part in found.parts:
        yield tsv_line(
            [found.query, found.token, part.word, part.weight, part.norm, part.cosine, part.part]
        )
    if found.own is not None:
        yield tsv_line([found.query, found.token, found.token, "", found.norm, "", found.own])


def _text(found: Explanation, look: Look) -> Iterator[str]:
    plain = Look(cells=look.cells)
    yield from header_lines([*table_facts(found.table), *settings_facts(found.settings)], look)
    yield ""
    yield look.paint(f"{one_line(found.query)} → {found.token}", "bold")
    rank = "no answer here" if found.rank is None else f"rank {found.rank:,}"
    score = f"{found.metric.score_name} {number(found.score)}"
    if found.metric is Metric.L2:
        score += f", squared {number(found.score**2)}"
    yield from header_lines([rank, score, f"norm {number(found.norm)}"], plain)
    yield ""
    yield from _parts(found, look)
    if found.lengths is not None:
        yield ""
        yield from header_lines(_length_facts(found), plain)
    if found.dimensions:
        yield ""
        yield from _dimensions(found, look)
    if found.calibration is not None:
        yield ""
        yield from header_lines(_calibration_facts(found.calibration, found.metric), plain)


def _parts(found: Explanation, look: Look) -> list[str]:
    columns = [
        Column("word", shrinks=True),
        Column("weight", right=True),
        Column("norm", right=True),
        Column("cosine", right=True),
        Column("part", right=True),
    ]
    rows = [
        [
            Cell(text.escape(part.word)),
            Cell(f"{part.weight:g}"),
            Cell(number(part.norm)),
            Cell("–" if part.cosine is None else number(part.cosine)),
            Cell(number(part.part)),
        ]
        for part in found.parts
    ]
    if found.own is not None:
        rows.append([Cell(f"‖{found.token}‖²"), *[Cell("")] * 3, Cell(number(found.own))])
    total = ["sum", "", "", "", number(found.total)]
    return table_lines(columns, [*rows, [Cell(cell, "bold") for cell in total]], look)


def _length_facts(found: Explanation) -> list[str]:
    """Whether the longest word decides."""
    lengths = found.lengths
    if lengths is None:
        return []
    if lengths.longest == lengths.largest_part:
        whose = [f"{lengths.longest} is longest and has the largest part"]
    else:
        whose = [f"longest word {lengths.longest}", f"largest part {lengths.largest_part}"]
    rank = "no rank" if lengths.rank is None else f"rank {lengths.rank:,}"
    return [*whose, f"{rank} if all words had one length"]


def _dimensions(found: Explanation, look: Look) -> list[str]:
    columns = [
        Column("dimension", right=True),
        Column("part", right=True),
        Column("share", right=True),
    ]
    rows = [
        [str(dimension.index), number(dimension.part), f"{100 * dimension.share:.1f} %"]
        for dimension in found.dimensions
    ]
    return table_lines(columns, rows, look)


def _calibration_facts(found: Calibration, metric: Metric) -> list[str]:
    better = "nearer than" if metric is Metric.L2 else "above"
    share = "all" if found.percentile == 100 else f"{found.percentile:.2f} %"
    z = [] if found.z is None else [f"z = {found.z:.2f}"]
    return [
        f"{better} {share} of {found.sample:,} at random",
        f"theirs {number(found.mean)} ± {number(found.deviation)}",
        *z,
    ]

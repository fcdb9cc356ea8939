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
    refs_of,
    refuse_lone_operators,
    table_options,
    tables_option,
)
from wordvec.cli.output import (
    Cell,
    Column,
    Format,
    OutputStyle,
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
from wordvec.cli.query import settings_facts, table_facts, table_name
from wordvec.errors import UsageError
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.calibration import Calibration
    from wordvec.analysis.explain import Competitor, Explanation
    from wordvec.search.settings import Settings
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

_OWN = "‖x‖²"  # what an answer's own length gives under l2

EPILOG = """\b
Examples:
  wordvec explain 王-男+女              of the first answer that is no word of the query
  wordvec explain 王-男+女 女王 --metric cosine
  wordvec explain 王+女 女王 --metric cosine --calibrate
  wordvec explain 王-男+女 女王 --tables static,dynamic    here and there
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
@tables_option("the one table", text="Tables to explain the same answer in, one after another")
@table_options
@output_options
def command(
    *,
    arguments: tuple[str, ...],
    calibrated: bool,
    tables: tuple[tuple[str, ...], ...],
    settings: Settings,
    ref: TableRef,
    store: Store,
    form: Format,
) -> None:
    """Take the score of an answer apart.

    Every word of the query gives a part; the parts add up to the similarity, or to the square of
    the L2 distance. So do the dimensions of the vectors: the largest are listed, with their share
    of the sizes of all. TOKEN is the answer to explain: a token, or # and an id. Where it is not
    the first, the first is taken apart beside it: what sets that one ahead is then seen word by
    word.
    """
    from wordvec.analysis.explain import explain_in_each
    from wordvec.analysis.query import QueryEngine
    from wordvec.api import open_tables
    from wordvec.expression.parser import parse

    refuse_lone_operators("explain", arguments)
    if len(arguments) > 2:
        got = text.clip(" ".join(map(text.escape, arguments)), 60)
        raise UsageError(f"explain takes an expression and a token, got {len(arguments)}: {got}")
    expression = parse(arguments[0])
    opened = open_tables(refs_of(tables, ref), store)
    engines = [QueryEngine(one.table, settings, derived=store.derived(one.table)) for one in opened]
    token = arguments[1] if len(arguments) > 1 else None
    found = explain_in_each(engines, expression, token, calibrated=calibrated)
    remarks = [*(n for one in opened for n in one.notes), *(n for a in engines for n in a.notes)]
    for remark in dict.fromkeys([*remarks, *(n for one in found for n in one.notes)]):
        note(remark)
    if form in (Format.JSON, Format.JSONL):
        write_json([one.to_json() for one in found], form)
    else:
        look = OutputStyle.of(sys.stdout)
        write_lines(_tsv(found, by_table=bool(tables)) if form is Format.TSV else _all(found, look))
    for one in found:
        _warn_of_few(one, by_table=bool(tables))


def _warn_of_few(found: Explanation, *, by_table: bool) -> None:
    from wordvec.analysis.explain import FEW

    if 0 < found.carriers <= FEW < found.table.dimensions:
        few = "one dimension is" if found.carriers == 1 else f"{found.carriers} dimensions are"
        where = f"{table_name(found.table)}: " if by_table else ""
        warn(f"{where}{few} over half of the score: try --transform standardize")


def _tsv(found: Sequence[Explanation], *, by_table: bool) -> Iterator[str]:
    """One line a part; what is no word's part has no weight."""
    table = ["table"] if by_table else []
    yield tsv_line(["query", *table, "token", "word", "weight", "norm", "cosine", "part"])
    for one in found:
        begin = [one.query, *([table_name(one.table)] if by_table else []), one.token]
        for p in one.parts:
            yield tsv_line([*begin, p.word, p.weight, p.norm, p.cosine, p.part])
        if one.own is not None:
            yield tsv_line([*begin, one.token, "", one.norm, "", one.own])


def _all(found: Sequence[Explanation], look: OutputStyle) -> Iterator[str]:
    for i, one in enumerate(found):
        yield from [""] if i else []
        yield from _text(one, look)


def _text(found: Explanation, look: OutputStyle) -> Iterator[str]:
    plain = OutputStyle(cells=look.cells)
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
    if found.ahead is not None:
        yield ""
        yield from _ahead(found, found.ahead, look)
    if found.dimensions:
        yield ""
        yield from _dimensions(found, look)
    if found.calibration is not None:
        yield ""
        yield from header_lines(_calibration_facts(found.calibration, found.metric), plain)


def _parts(found: Explanation, look: OutputStyle) -> list[str]:
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
    total = [Cell(cell, "bold") for cell in ("sum", "", "", "", number(found.total))]
    if found.own is None:
        return table_lines(columns, [*rows, total], look)
    own = [f"‖{found.token}‖²", "", "", "", number(found.own)]
    whole = table_lines(columns, [*rows, own, total], OutputStyle())
    if look.cells is not None and max(map(text.width, whole)) > look.cells:
        own[0] = _OWN  # cut, the token would lose the sign of its length
    return table_lines(columns, [*rows, own, total], look)


def _ahead(found: Explanation, ahead: Competitor, look: OutputStyle) -> Iterator[str]:
    """What the first answer gets more than this one, word by word."""
    apart = abs(sum(gain for _, gain in found.gains))
    squared = " in the square" if found.metric is Metric.L2 else ""
    facts = [
        f"ahead of it {ahead.token} at rank {ahead.rank:,}",
        f"{found.metric.score_name} {number(ahead.score)}",
        f"better by {number(apart)}{squared}",
        f"most by {_OWN if found.decisive is None else text.escape(found.decisive)}",
    ]
    yield from header_lines(facts, OutputStyle(cells=look.cells))
    yield ""
    columns = [
        Column("word", shrinks=True),
        Column(ahead.token, right=True, shrinks=True),
        Column(found.token, right=True, shrinks=True),
        Column("difference", right=True),
    ]
    mine = [part.part for part in found.parts] + ([] if found.own is None else [found.own])
    rows: list[list[Cell | str]] = [
        [
            _OWN if word is None else text.escape(word),
            number(part + gain),
            number(part),
            number(gain),
        ]
        for (word, gain), part in zip(found.gains, mine, strict=True)
    ]
    total = sum(gain for _, gain in found.gains)
    sums = ["sum", number(found.total + total), number(found.total), number(total)]
    yield from table_lines(columns, [*rows, [Cell(cell, "bold") for cell in sums]], look)


def _length_facts(found: Explanation) -> list[str]:
    """Whether the longest word decides."""
    lengths = found.lengths
    if lengths is None:
        return []
    if lengths.longest == lengths.largest_part:
        whose = [f"{lengths.longest} is longest and has the largest part"]
    else:
        whose = [f"longest word {lengths.longest}", f"largest part {lengths.largest_part}"]
    if found.rank is None:  # it may be no answer, whatever the lengths
        return whose
    rank = "no rank" if lengths.rank is None else f"rank {lengths.rank:,}"
    return [*whose, f"{rank} if all words had one length"]


def _dimensions(found: Explanation, look: OutputStyle) -> list[str]:
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

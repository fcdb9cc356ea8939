"""`wordvec explain`: the score of an answer, split into parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wordvec import text
from wordvec.analysis.display import (
    Cell,
    Column,
    OutputStyle,
    header_lines,
    number,
    one_line,
    settings_fields,
    table_fields,
    table_lines,
    table_name,
)
from wordvec.cli.arguments import DashCommand, refuse_lone_operators
from wordvec.cli.errors import print_notes, warn
from wordvec.cli.options import (
    output_options,
    query_options,
    table_options,
    table_refs,
    tables_option,
)
from wordvec.cli.output import Format, print_report
from wordvec.errors import UsageError
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.calibration import Calibration
    from wordvec.analysis.explain import Competitor, Explanation, NormEffect
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

_OWN_PART = "‖x‖²"  # under l2: the part of the answer's own norm

EPILOG = """\b
Examples:
  wordvec explain 王-男+女                         the first answer
  wordvec explain 王-男+女 女王 --metric cosine
  wordvec explain 王+女 女王 --metric cosine --calibrate
  wordvec explain 王-男+女 女王 --tables static,dynamic    in both
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("arguments", nargs=-1, required=True, metavar="EXPR [TOKEN]")
@click.option(
    "--calibrate", is_flag=True, help="Compare the score with those of 10,000 random expressions."
)
@query_options
@tables_option("Explain the same answer in several tables, one after another")
@table_options
@output_options
def command(
    *,
    arguments: tuple[str, ...],
    calibrate: bool,
    tables: tuple[str, ...],
    settings: QuerySettings,
    ref: TableRef,
    store: Store,
    output_format: Format,
) -> None:
    """Split the score of an answer over words and dimensions.

    Each word of the query contributes a part of the score. The parts add up to the similarity, or
    to the square of the L2 distance. The parts of the dimensions do so too; the largest are listed,
    with its share of the sum of their sizes.

    TOKEN is the answer to explain: a token, or # and its id. By default it is the first answer that
    is not a word of the query. If that answer ranks above TOKEN, its score is split too, and the
    differences show which words favour it.
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
    opened = open_tables(table_refs(tables, ref), store)
    engines = [table.engine_for(settings) for table in opened]
    explanations = explain_in_each(engines, expression, token, calibrated=calibrate)
    print_notes(note for engine in engines for note in engine.notes)
    print_notes(note for explanation in explanations for note in explanation.notes)
    print_report(
        output_format,
        json=[explanation.to_dict() for explanation in explanations],
        tsv=_tsv_rows(explanations, name_tables=bool(tables)),
        text=lambda style: _all_text_lines(explanations, style),
    )
    for explanation in explanations:
        _warn_of_few_dimensions(explanation, name_table=bool(tables))


def _warn_of_few_dimensions(explanation: Explanation, *, name_table: bool) -> None:
    from wordvec.analysis.explain import FEW

    count = explanation.dims_for_half
    if 0 < count <= FEW < explanation.table.dimensions:
        few = "one dimension makes" if count == 1 else f"{count} dimensions make"
        prefix = f"{table_name(explanation.table)}: " if name_table else ""
        warn(f"{prefix}{few} up over half of the score: try --transform standardize")


def _tsv_rows(explanations: Sequence[Explanation], *, name_tables: bool) -> Iterator[list[object]]:
    """Yield one row per part; the own part of an answer has no weight."""
    titles = ["query", *(["table"] if name_tables else []), "token"]
    yield [*titles, "word", "weight", "norm", "cosine", "part"]
    for explanation in explanations:
        token = explanation.token
        name = [table_name(explanation.table)] if name_tables else []
        start = [explanation.query, *name, token]
        for part in explanation.parts:
            yield [*start, part.word, part.weight, part.norm, part.cosine, part.part]
        if explanation.own_part is not None:
            yield [*start, token, "", explanation.norm, "", explanation.own_part]


def _all_text_lines(explanations: Sequence[Explanation], style: OutputStyle) -> Iterator[str]:
    for i, explanation in enumerate(explanations):
        yield from [""] if i else []
        yield from _text_lines(explanation, style)


def _text_lines(explanation: Explanation, style: OutputStyle) -> Iterator[str]:
    plain = OutputStyle(cells=style.cells)
    fields = [*table_fields(explanation.table), *settings_fields(explanation.settings)]
    yield from header_lines(fields, style)
    yield ""
    yield style.paint(f"{one_line(explanation.query)} → {explanation.token}", "bold")
    yield from header_lines(_score_fields(explanation), plain)
    yield ""
    yield from _part_lines(explanation, style)
    if explanation.norm_effect is not None:
        yield ""
        yield from header_lines(_norm_fields(explanation, explanation.norm_effect), plain)
    if explanation.ahead is not None:
        yield ""
        yield from header_lines(_competitor_fields(explanation, explanation.ahead), plain)
        yield ""
        yield from _difference_lines(explanation, explanation.ahead, style)
    if explanation.dimensions:
        yield ""
        yield from _dimension_lines(explanation, style)
    if explanation.calibration is not None:
        yield ""
        yield from header_lines(
            _calibration_fields(explanation.calibration, explanation.metric), plain
        )


def _score_fields(explanation: Explanation) -> list[str]:
    rank = "no rank: left out" if explanation.rank is None else f"rank {explanation.rank:,}"
    score = f"{explanation.metric.score_name} {number(explanation.score)}"
    if explanation.metric is Metric.L2:
        score += f", squared {number(explanation.score**2)}"
    return [rank, score, f"norm {number(explanation.norm)}"]


def _part_lines(explanation: Explanation, style: OutputStyle) -> list[str]:
    columns = [
        Column("word", shrinks=True),
        Column("weight", right=True),
        Column("norm", right=True),
        Column("cosine", right=True),
        Column("part", right=True),
    ]
    rows: list[list[Cell | str]] = [
        [
            text.escape(part.word),
            f"{part.weight:g}",
            number(part.norm),
            "–" if part.cosine is None else number(part.cosine),
            number(part.part),
        ]
        for part in explanation.parts
    ]
    total = [Cell(cell, "bold") for cell in ("sum", "", "", "", number(explanation.total))]
    if explanation.own_part is None:
        return table_lines(columns, [*rows, total], style)
    own: list[Cell | str] = [f"‖{explanation.token}‖²", "", "", "", number(explanation.own_part)]
    whole = table_lines(columns, [*rows, own, total], OutputStyle())
    if style.cells is not None and max(map(text.width, whole)) > style.cells:
        own[0] = _OWN_PART  # a long token would be cut before the ‖²
    return table_lines(columns, [*rows, own, total], style)


def _norm_fields(explanation: Explanation, effect: NormEffect) -> list[str]:
    """Return whether the word with the largest norm decides."""
    if effect.largest_norm == effect.largest_part:
        fields = [f"largest norm and part: {effect.largest_norm}"]
    else:
        fields = [f"largest norm: {effect.largest_norm}", f"largest part: {effect.largest_part}"]
    if explanation.rank is None:  # the token may not be an answer, whatever the norms
        return fields
    rank = "no rank" if effect.rank is None else f"rank {effect.rank:,}"
    return [*fields, f"{rank} with equal norms"]


def _competitor_fields(explanation: Explanation, ahead: Competitor) -> list[str]:
    difference = abs(sum(gain for _, gain in explanation.gains))
    squared = " (squared)" if explanation.metric is Metric.L2 else ""
    word = explanation.decisive
    return [
        f"ranked higher: {ahead.token} at rank {ahead.rank:,}",
        f"{explanation.metric.score_name} {number(ahead.score)}",
        f"better by {number(difference)}{squared}",
        f"largest advantage: {_OWN_PART if word is None else text.escape(word)}",
    ]


def _difference_lines(explanation: Explanation, ahead: Competitor, style: OutputStyle) -> list[str]:
    """Return the parts of both answers, word by word, and their differences."""
    columns = [
        Column("word", shrinks=True),
        Column(ahead.token, right=True, shrinks=True),
        Column(explanation.token, right=True, shrinks=True),
        Column("difference", right=True),
    ]
    parts = [part.part for part in explanation.parts]
    if explanation.own_part is not None:
        parts.append(explanation.own_part)
    rows: list[list[Cell | str]] = [
        [_OWN_PART if word is None else text.escape(word), *map(number, (part + gain, part, gain))]
        for (word, gain), part in zip(explanation.gains, parts, strict=True)
    ]
    gain = sum(gain for _, gain in explanation.gains)
    sums = ["sum", *map(number, (explanation.total + gain, explanation.total, gain))]
    return table_lines(columns, [*rows, [Cell(cell, "bold") for cell in sums]], style)


def _dimension_lines(explanation: Explanation, style: OutputStyle) -> list[str]:
    columns = [
        Column("dimension", right=True),
        Column("part", right=True),
        Column("share", right=True),
    ]
    rows = [
        [str(dimension.index), number(dimension.part), f"{100 * dimension.share:.1f} %"]
        for dimension in explanation.dimensions
    ]
    return table_lines(columns, rows, style)


def _calibration_fields(calibration: Calibration, metric: Metric) -> list[str]:
    better = "nearer than" if metric.smaller_is_nearer else "above"
    share = "all" if calibration.percentile == 100 else f"{calibration.percentile:.2f} %"
    return [
        f"compared with {calibration.sample:,} random expressions",
        f"{better} {share}",
        f"mean {number(calibration.mean)} ± {number(calibration.deviation)}",
        *([] if calibration.z is None else [f"z = {calibration.z:.2f}"]),
    ]

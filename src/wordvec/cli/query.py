"""`wordvec query`: the tokens nearest to an expression."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

import click

from wordvec.cli.bar import Bar
from wordvec.cli.options import (
    DashCommand,
    asking_options,
    k_option,
    output_options,
    refuse_lone_operators,
    table_options,
)
from wordvec.cli.output import (
    Cell,
    Column,
    Format,
    OutputStyle,
    header_lines,
    json_text,
    note,
    number,
    one_line,
    show_error,
    table_lines,
    tsv_line,
    write_lines,
)
from wordvec.errors import WordvecError
from wordvec.search.settings import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.analysis.query import Answer, Neighbour, QueryEngine, Question
    from wordvec.search.settings import Settings
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store
    from wordvec.tables.table import TableDescription

    Line = tuple[int, bytes]  # its number, from 1, and what it holds

EPILOG = """\b
Examples:
  wordvec query 王-男+女             nearest to the sum of the vectors
  wordvec query 男:女=王:?           the same, as an analogy
  wordvec query -王+女 -k 5          may begin with a minus
  wordvec query "(王+女王)/2 - 男"   quote what has spaces or parentheses
  wordvec query '"C++" - "#1"'       words with operators in them, in quotes
  wordvec query - < lines.txt        one expression a line
  wordvec query 男:女=王:? --method mul --exclude --only kanji
  wordvec query 王-男+女 --transform center,unit --metric csls
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("expressions", nargs=-1, required=True, metavar="EXPR...")
@k_option
@asking_options
@table_options
@output_options
def command(
    *,
    expressions: tuple[str, ...],
    settings: Settings,
    ref: TableRef,
    store: Store,
    form: Format,
) -> int:
    """Find the tokens nearest to each expression.

    The words of an expression are tokens of the model; they are among the answers, marked with *,
    unless --exclude is given. A lone - reads expressions from standard input, one a line.
    """
    from wordvec.analysis.query import QueryEngine
    from wordvec.api import open_table
    from wordvec.expression.parser import parse

    refuse_lone_operators("query", expressions)
    by_line = expressions == ("-",)
    parsed = [] if by_line else [parse(source) for source in expressions]
    opened = open_table(ref, store)
    writer = AnswerWriter(form, OutputStyle.of(sys.stdout))
    with Bar("tokens") as bar:  # drawn while a graph of neighbours is made, once a table
        derived = store.derived(opened.table)
        asker = QueryEngine(opened.table, settings, derived=derived, progress=bar)
        for remark in (*opened.notes, *asker.notes):
            note(remark)
        if by_line:
            fine = _answer_lines(asker, sys.stdin.buffer, writer)
        else:
            for answer in asker.answer([asker.prepare(expression) for expression in parsed]):
                writer.write(answer)
            fine = True
    writer.close()
    return 0 if fine else 1


def _answer_lines(asker: QueryEngine, stream: BinaryIO, writer: AnswerWriter) -> bool:
    """Answer each line of a stream, in order; say whether every line could be."""
    fine = True
    for block in _blocks(stream):
        prepared = [_prepare_line(asker, *line) for line in block]
        questions = [question for question in prepared if not isinstance(question, WordvecError)]
        answers = iter(asker.answer(questions))
        for (line, _), question in zip(block, prepared, strict=True):
            if isinstance(question, WordvecError):
                show_error(question, where=f"line {line}: ")
                fine = False
            else:
                writer.write(next(answers))
        sys.stdout.flush()
    return fine


def _blocks(stream: BinaryIO) -> Iterator[list[Line]]:
    """Lines as they come, together with those that are there already: many at once are faster."""
    rest, count = b"", 0
    while chunk := stream.read1(1 << 16):  # type: ignore[attr-defined]  # of buffered streams
        *lines, rest = (rest + chunk).split(b"\n")
        yield [line for line in enumerate(lines, start=count + 1) if line[1].strip()]
        count += len(lines)
    if rest.strip():
        yield [(count + 1, rest)]


def _prepare_line(asker: QueryEngine, line: int, content: bytes) -> Question | WordvecError:
    from wordvec.expression.parser import parse

    try:
        source = content.decode("utf-8-sig" if line == 1 else "utf-8").rstrip("\r")
        return asker.prepare(parse(source))
    except UnicodeDecodeError:
        return WordvecError("is not UTF-8")
    except WordvecError as error:
        return error


class AnswerWriter:
    """Prints answers as they come: one header line, then each answer under its question."""

    def __init__(self, form: Format, look: OutputStyle) -> None:
        self.form = form
        self.look = look
        self.count = 0

    def write(self, answer: Answer) -> None:
        """Print one answer, and what its reader should know."""
        for remark in answer.notes:
            note(remark)
        write_lines(self._lines(answer))
        self.count += 1

    def close(self) -> None:
        """End what the answers were part of: a JSON list."""
        if self.form is Format.JSON:
            write_lines(["]" if self.count else "[]"])

    def _lines(self, answer: Answer) -> Iterator[str]:
        if self.form is Format.JSONL:
            yield json_text(answer.to_json())
        elif self.form is Format.JSON:
            yield ("," if self.count else "[") + json_text(answer.to_json())
        elif self.form is Format.TSV:
            if not self.count:
                yield tsv_line(
                    ["query", "rank", "token", "id", answer.metric.score_name, "in_query"]
                    + (["twins"] if answer.settings.merge_twins else [])
                )
            for n in answer.neighbours:
                twins = [" ".join(n.twins)] if answer.settings.merge_twins else []
                yield tsv_line([answer.query, n.rank, n.token, n.id, n.score, n.in_query, *twins])
        else:
            if not self.count:
                yield from header_lines(answer_facts(answer), self.look)
            yield ""
            yield from answer_lines(answer, self.look)


def answer_facts(answer: Answer) -> list[str]:
    """What the header line says: table, metric, what was done to the rows, filters."""
    return [*table_facts(answer.table), *settings_facts(answer.settings)]


METRIC_NAMES = {
    "l2": "L2 distance",
    "cosine": "cosine similarity",
    "dot": "inner product",
    "csls": "CSLS",
}
_METHOD_NAMES = {"add": "3CosAdd", "mul": "3CosMul", "direction": "PairDirection"}


def settings_facts(settings: Settings) -> list[str]:
    """What a header line says of how expressions are answered."""
    method, metric = _METHOD_NAMES.get(settings.method), METRIC_NAMES[settings.ranked_by]
    return [
        *([method] if method else []),
        *([metric] if not method or settings.metric is Metric.CSLS else []),
        rows_fact(settings.steps),
        *(["query words left out"] if settings.exclude else []),
        *settings.filters.facts(),
        *(["twins merged"] if settings.merge_twins else []),
    ]


def rows_fact(transforms: Sequence[str]) -> str:
    """What a header line says of what was done to the rows."""
    return f"{', '.join(transforms) or 'raw'} vectors"


def table_facts(table: TableDescription) -> list[str]:
    """What the header line of any command says of a table."""
    return [table_name(table), f"{table.tokens:,} × {table.dimensions}"]


def table_name(table: TableDescription) -> str:
    """What the table is called: `mini:static`."""
    return f"{table.model}:{table.mode}" + ("" if table.layer is None else f"@{table.layer}")


def answer_lines(answer: Answer, look: OutputStyle) -> list[str]:
    """One answer under its question; the words of the question are marked and dimmed."""
    twins = answer.settings.merge_twins
    columns = _columns(answer.metric.score_name, twins=twins)
    rows = [_row(neighbour, twins=twins) for neighbour in answer.neighbours]
    return [look.paint(one_line(answer.query), "bold"), *table_lines(columns, rows, look)]


@cache
def _columns(score_name: str, *, twins: bool) -> list[Column]:
    return [
        Column("rank", right=True),
        Column("token", shrinks=True),
        Column(""),
        *([Column("twins", shrinks=True)] if twins else []),
        Column("id", right=True),
        Column(score_name, right=True),
    ]


def _row(neighbour: Neighbour, *, twins: bool) -> Sequence[Cell | str]:
    rank, token, id_, score, in_query, same = neighbour
    cells = [str(rank), token, "*" if in_query else "", str(id_), number(score)]
    if twins:
        cells.insert(3, f"= {' '.join(same)}" if same else "")
    return [Cell(cell, "dim") for cell in cells] if in_query else cells

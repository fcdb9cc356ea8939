"""`wordvec query`: the tokens nearest to an expression."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from wordvec.cli.arguments import DashCommand, refuse_lone_operators
from wordvec.cli.errors import MOST_HINTS, print_notes, show_error
from wordvec.cli.options import k_option, output_options, query_options, table_options
from wordvec.cli.output import print_report
from wordvec.cli.progress_bar import ProgressBar
from wordvec.encoding import InputText, check_length, read_lines
from wordvec.errors import EncodingError, WordvecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wordvec.analysis.query import Answer, QueryEngine
    from wordvec.cli.output import Format
    from wordvec.search.methods import Question
    from wordvec.search.settings import QuerySettings
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

    Line = tuple[int, bytes]  # its number, from 1, and its content

EPILOG = """\b
Examples:
  wordvec query 王-男+女             nearest to the sum of the vectors
  wordvec query 男:女=王:?           the same, as an analogy: without its own words
  wordvec query -王+女 -k 5          may start with a minus
  wordvec query "(王+女王)/2 - 男"   quote spaces and parentheses
  wordvec query '"C++" - "#1"'       quote words that contain operators
  wordvec query - < lines.txt        one expression per line
  wordvec query 男:女=王:? --method mul --only kanji
  wordvec query 王-男+女 --transform center,unit --metric csls
"""


@click.command(cls=DashCommand, epilog=EPILOG)
@click.argument("expressions", nargs=-1, required=True, metavar="EXPR...")
@k_option
@query_options
@table_options
@output_options
def command(
    *,
    expressions: tuple[str, ...],
    settings: QuerySettings,
    ref: TableRef,
    store: Store,
    output_format: Format,
) -> int:
    """Find the tokens nearest to each expression.

    The words of an expression are tokens of the model. Those of a sum can be answers too, marked
    with *; those of an analogy are left out (--exclude, --no-exclude). A lone - reads expressions
    from standard input, one per line.
    """
    from wordvec.cli.opening import open_table
    from wordvec.expression.parser import parse

    refuse_lone_operators("query", expressions)
    reads_lines = expressions == ("-",)
    parsed = [] if reads_lines else [parse(source) for source in expressions]
    opened = open_table(ref, store)
    with ProgressBar("tokens") as bar:  # shown while the neighbour graph of CSLS is computed
        engine = opened.engine_for(settings, progress=bar)
        print_notes(engine.notes)
        if reads_lines:
            lines = LineAnswers(engine, sys.stdin.buffer)
            print_answers(lines, output_format)
            return 1 if lines.failed else 0
        answers = engine.answer([engine.prepare(expression) for expression in parsed])
    print_answers(answers, output_format)
    return 0


class LineAnswers:
    """Answers the lines of a stream in order, in blocks. `failed` counts the lines with errors.

    A stream in another encoding, or a binary one, is an error that ends the answers.
    """

    def __init__(self, engine: QueryEngine, stream: BinaryIO) -> None:
        self.failed = 0
        self._engine = engine
        self._stream = stream
        self._text = InputText()

    def __iter__(self) -> Iterator[Answer]:
        for block in _numbered(read_lines(self._stream)):
            try:
                self._text.check(b"\n".join(content for _, content in block))
            except EncodingError as error:
                show_error(error)
                self.failed += 1
                return
            prepared = [self._prepare(*line) for line in block]
            questions = [one for one in prepared if not isinstance(one, WordvecError)]
            answers = iter(self._engine.answer(questions))
            for (line, _), question in zip(block, prepared, strict=True):
                if isinstance(question, WordvecError):
                    show_error(question, prefix=f"line {line}: ", hints=self.failed < MOST_HINTS)
                    self.failed += 1
                else:
                    yield next(answers)
            sys.stdout.flush()

    def _prepare(self, line: int, content: bytes) -> Question | WordvecError:
        from wordvec.expression.parser import parse

        try:
            check_length(content)
            source = content.decode("utf-8-sig" if line == 1 else "utf-8").rstrip("\r")
            return self._engine.prepare(parse(source))
        except UnicodeDecodeError:
            return WordvecError("not UTF-8")
        except WordvecError as error:
            return error


def _numbered(blocks: Iterable[list[bytes]]) -> Iterator[list[Line]]:
    """Number the lines of a stream from 1, and leave out the blank ones."""
    count = 0
    for lines in blocks:
        yield [line for line in enumerate(lines, start=count + 1) if line[1].strip()]
        count += len(lines)


def print_answers(answers: Iterable[Answer], output_format: Format) -> None:
    """Print answers as they come, each after its notes."""
    print_report(output_format, _after_notes(answers))


def _after_notes(answers: Iterable[Answer]) -> Iterator[Answer]:
    shown: dict[str, None] = {}  # one note may be about every line
    for answer in answers:
        print_notes(note for note in answer.notes if note not in shown)
        shown |= dict.fromkeys(answer.notes)
        yield answer

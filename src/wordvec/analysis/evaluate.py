"""Evaluate a table on analogies: a is to b as c is to …?

A question a:b=c:? comes from two pairs (a, b) and (c, d) of a category. Its only right answer is d,
and the words of the question are left out of the answers. A file lists pairs, every ordered two of
which make a question, or it lists questions, like word2vec's questions-words.txt (Mikolov et al.
2013). A question whose answer is one of its own words is not asked (many cities are the capital of
two names of a country).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from importlib.resources import files
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from wordvec.analysis.display import (
    Cell,
    Column,
    TextTable,
    number_columns,
    settings_fields,
    table_fields,
)
from wordvec.analysis.query import QueryEngine
from wordvec.analysis.result import Result
from wordvec.encoding import decode
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.tree import Analogy, Term, TokenId
from wordvec.progress import Progress, no_progress
from wordvec.search.resolve import ResolvedExpression
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wordvec.search.ranking import RowIds
    from wordvec.search.settings import QuerySettings
    from wordvec.search.space import Space
    from wordvec.tables.table import TableDescription
    from wordvec.vocabulary.lookup import Vocabulary

DEPTH = 10  # top-10 counts right answers among the first ten
_BLOCK = 256  # questions ranked at once


@dataclass(frozen=True, slots=True)
class Category:
    """Pairs of words with one relation, and the questions that they make.

    questions: for each question the places in `pairs` of (a, b) and of (c, d); None for every
    ordered two of the pairs.
    """

    pairs: Sequence[tuple[str, str]]
    questions: Sequence[tuple[int, int]] | None = None


Analogies = dict[str, Category]
Rows = tuple[int, ...]  # of a token, or of the pieces of a word
_Analogy = tuple[Rows, Rows, Rows, int]  # a, b, c and the row of d


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """The result of one category.

    pairs: how many pairs are in the vocabulary. first, among: how many questions have the right
    answer first, or among the first ten.
    """

    name: str
    pairs: int
    questions: int
    first: int
    among: int

    @property
    def top1(self) -> float:
        """The share of questions whose first answer is right."""
        return self.first / self.questions

    @property
    def top10(self) -> float:
        """The share of questions with the right answer among the first ten."""
        return self.among / self.questions


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Result[CategoryScore]):
    """The results of all categories. Iterates over them.

    unknown: words that are not in the vocabulary. dropped: how many pairs were left out because of
    them. empty: categories without any question left.
    """

    _listed: ClassVar = "categories"

    table: TableDescription
    settings: QuerySettings
    categories: tuple[CategoryScore, ...]
    unknown: tuple[str, ...]
    dropped: int
    empty: tuple[str, ...] = field(default=())

    @property
    def questions(self) -> int:
        """The number of all questions."""
        return sum(score.questions for score in self.categories)

    @property
    def mean(self) -> tuple[float, float]:
        """Top-1 and top-10 as the mean over categories."""
        count = len(self.categories)
        return (
            sum(score.top1 for score in self.categories) / count,
            sum(score.top10 for score in self.categories) / count,
        )

    @property
    def overall(self) -> tuple[float, float]:
        """Top-1 and top-10 over all questions."""
        return (
            sum(score.first for score in self.categories) / self.questions,
            sum(score.among for score in self.categories) / self.questions,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Which words and categories were left out."""
        notes = []
        if count := len(self.unknown):
            words = " ".join(clip(escape(word), 20) for word in self.unknown[:5])
            verb = "word is" if count == 1 else "words are"
            pairs = "pair" if self.dropped == 1 else "pairs"
            notes.append(
                f"{count} {verb} not in this vocabulary, {self.dropped} {pairs} left out: "
                f"{words}{' …' if count > 5 else ''}"
            )
        if self.empty:
            notes.append(f"no questions left in {', '.join(map(escape, self.empty))}")
        return tuple(notes)

    def _header_fields(self) -> list[str]:
        return [*table_fields(self.table), *settings_fields(self.settings)]

    def _blocks(self) -> list[TextTable]:
        columns = [
            Column("category", shrinks=True),
            *number_columns("questions", "top-1", "top-10"),
        ]
        scores = [
            _cells(escape(one.name), f"{one.questions:,}", (one.top1, one.top10))
            for one in self.categories
        ]
        means = [
            _cells("mean of categories", str(len(self.categories)), self.mean, "bold"),
            _cells("all questions", f"{self.questions:,}", self.overall, "bold"),
        ]
        return [TextTable(columns, [*scores, *means])]

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        yield ["category", "pairs", "questions", "top1", "top10"]
        for one in self.categories:
            yield [one.name, one.pairs, one.questions, one.top1, one.top10]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "table": self.table.to_dict(),
            **self.settings.to_dict(),
            "categories": [
                {
                    "category": score.name,
                    "pairs": score.pairs,
                    "questions": score.questions,
                    "top1": score.top1,
                    "top10": score.top10,
                }
                for score in self.categories
            ],
            "mean": dict(zip(("top1", "top10"), self.mean, strict=True)),
            "overall": dict(zip(("top1", "top10"), self.overall, strict=True)),
            "questions": self.questions,
            "dropped_pairs": self.dropped,
            "unknown": list(self.unknown),
        }


def _cells(
    name: str, count: str, shares: tuple[float, float], attribute: str | None = None
) -> list[Cell]:
    cells = [name, count, *(f"{100 * share:.1f} %" for share in shares)]
    return [Cell(cell, attribute) for cell in cells]


def bundled_analogies() -> Path:
    """Return the file of Japanese analogies that is part of the package."""
    return Path(str(files("wordvec").joinpath("data", "analogies.tsv")))


def read_analogies(path: Path) -> Analogies:
    """Read category → pairs or questions, in the order of the file; empty lines are skipped.

    A file whose first line begins with a colon lists questions: `: category`, then four words per
    line. Other files have a category and the two words of a pair per line, separated by tabs.

    Raises:
        WordvecError: for a file that is empty or not UTF-8, or a line that cannot be read.
    """
    written = decode(path.read_bytes(), path).split("\n")
    lines = [(number, line.strip()) for number, line in enumerate(written, 1) if line.strip()]
    if not lines:
        raise WordvecError(f"{path} is empty")
    return _read_questions(path, lines) if lines[0][1][0] == ":" else _read_pairs(path, lines)


def _read_pairs(path: Path, lines: Sequence[tuple[int, str]]) -> Analogies:
    pairs: dict[str, list[tuple[str, str]]] = {}
    for number, line in lines:
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != 3 or not all(cells):
            raise _bad_line(path, number, line, "category, word and word, separated by tabs")
        pairs.setdefault(cells[0], []).append((cells[1], cells[2]))
    return {name: Category(some) for name, some in pairs.items()}


def _read_questions(path: Path, lines: Sequence[tuple[int, str]]) -> Analogies:
    places: dict[str, dict[tuple[str, str], int]] = {}  # pair → where it first occurred
    questions: dict[str, list[tuple[int, int]]] = {}
    name = ""
    for number, line in lines:
        if line[0] == ":":
            name = line[1:].strip()
            continue
        words = line.split()
        if len(words) != 4:
            raise _bad_line(path, number, line, "four words, or a colon and a category")
        known = places.setdefault(name, {})
        two = [known.setdefault((a, b), len(known)) for a, b in (words[:2], words[2:])]
        questions.setdefault(name, []).append((two[0], two[1]))
    return {name: Category(list(places[name]), some) for name, some in questions.items()}


def _bad_line(path: Path, number: int, line: str, expected: str) -> WordvecError:
    return WordvecError(f"{path}, line {number}: expected {expected}, got {clip(escape(line), 40)}")


def evaluate(
    space: Space,
    analogies: Analogies,
    settings: QuerySettings,
    *,
    progress: Progress = no_progress,
) -> Evaluation:
    """Ask every question and count the right answers.

    The words of a question are left out of its answers, whatever `settings.exclude` says. With
    `settings.pieces` an unknown word of a question is the mean of its pieces; the right answer
    must be a token.

    Args:
        progress: called with the number of questions done.

    Raises:
        UsageError: with `merge_twins`, since analogies are counted by token.
        WordvecError: if the vocabulary has too few of the words for any question.
    """
    if settings.merge_twins:
        raise UsageError("analogies are counted by token: merge_twins=True is not supported here")
    engine = QueryEngine(space, replace(settings, exclude=True))
    words, rows_of = _rows_of_words(analogies, space.table.vocabulary, pieces=settings.pieces)
    pairs = {name: _known_pairs(category, rows_of) for name, category in analogies.items()}
    questions = {name: _questions(category, rows_of) for name, category in analogies.items()}
    total = sum(map(len, questions.values()))
    if not total:
        raise WordvecError("no question can be asked: the vocabulary has too few of the words")
    scores, done = [], 0
    for name, some in questions.items():
        if some:
            ranks = _ranks(engine, some, partial(_report, progress, done, total))
            first, among = int((ranks == 1).sum()), int((ranks <= DEPTH).sum())
            scores.append(CategoryScore(name, pairs[name], len(some), first, among))
        done += len(some)
    progress(total, total)
    return Evaluation(
        engine.description,
        engine.settings,
        tuple(scores),
        tuple(word for word in words if word not in rows_of),
        sum(len(category.pairs) - pairs[name] for name, category in analogies.items()),
        tuple(name for name, some in questions.items() if not some),
    )


def _report(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _rows_of_words(
    analogies: Analogies, vocabulary: Vocabulary, *, pieces: bool
) -> tuple[list[str], dict[str, Rows]]:
    """Return every word once, in the order of the file, and the rows of those that are known."""
    words = list(
        dict.fromkeys(word for some in analogies.values() for pair in some.pairs for word in pair)
    )
    rows_of = {}
    for word in words:
        match = vocabulary.find(word)
        rows = (match.id,) if match else tuple(vocabulary.pieces(word) or ()) if pieces else ()
        if rows and not vocabulary.rare.keys() & set(rows):
            rows_of[word] = rows
    return words, rows_of


def _known_pairs(category: Category, rows_of: Mapping[str, Rows]) -> int:
    """Return how many pairs are known."""
    return sum(a in rows_of and b in rows_of for a, b in category.pairs)


def _questions(category: Category, rows_of: Mapping[str, Rows]) -> list[_Analogy]:
    """Return every question that can be asked: its words are known, and d is another token."""
    pairs = [(rows_of.get(a), rows_of.get(b)) for a, b in category.pairs]
    places = category.questions
    two = permutations(range(len(pairs)), 2) if places is None else places
    questions = ((*pairs[i], *pairs[j]) for i, j in two)
    return [
        (a, b, c, d[0])
        for a, b, c, d in questions
        if a and b and c and d and len(d) == 1 and c != a and d not in (a, b, c)
    ]


def _ranks(
    engine: QueryEngine, questions: Sequence[_Analogy], progress: Callable[[int], None]
) -> RowIds:
    """Return the rank of each right answer, V + 1 if it may not be an answer: (Q,)."""
    ranks = np.empty(len(questions), dtype=np.int64)
    for start in range(0, len(questions), _BLOCK):
        progress(start)
        block = questions[start : start + _BLOCK]
        prepared = [engine.prepare_resolved(_resolved(a, b, c)) for a, b, c, _ in block]
        for i, ranking in enumerate(engine.rankings(prepared)):
            rank = ranking.rank_of(block[i][3], engine.allowed(prepared[i]))
            ranks[start + i] = len(engine.table) + 1 if rank is None else rank
    return ranks


def _resolved(a: Rows, b: Rows, c: Rows) -> ResolvedExpression:
    """Return the analogy a:b=c:? in rows."""
    one, other, third = (Term(TokenId(rows[0]), 1.0, rows) for rows in (a, b, c))
    # b and c are not merged where they are the same, so that mul can take the word twice
    terms = (third, replace(one, weight=-1.0), other)
    return ResolvedExpression(
        f"#{a[0]}:#{b[0]}=#{c[0]}:?", terms, Analogy((one,), (other,), (third,))
    )

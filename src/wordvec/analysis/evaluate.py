"""How many analogies a table solves: a is to b as c is to …?

A question a:b=c:? comes of two pairs (a, b) and (c, d) of a category; its one right answer is d,
and the words of the question are left out. A file lists pairs, every ordered two of which make a
question, or it lists questions, as word2vec's questions-words.txt does (Mikolov et al. 2013). A
question whose answer is one of its own words is no question (many a city is the capital of two
names of a country).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.resources import files
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wordvec.analysis.query import QueryEngine, settings_json
from wordvec.errors import UsageError, WordvecError
from wordvec.expression.parser import parse
from wordvec.progress import Progress, no_progress
from wordvec.search.methods import EPSILON
from wordvec.search.resolve import Resolved, ResolvedAnalogy, Term
from wordvec.search.settings import Method, Metric, Settings
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from wordvec.search.engine import Engine, Floats, Mask
    from wordvec.tables.derived import Derived
    from wordvec.tables.table import TableDescription, VectorTable
    from wordvec.vocabulary.lookup import Vocabulary

    Rows = NDArray[np.int64]
    Narrow = NDArray[np.float32]

DEPTH = 10  # the right answer counts if it is the first, and if it is among the first ten
_BLOCK = 256  # questions scored at once


@dataclass(frozen=True, slots=True)
class Category:
    """Pairs of words that are alike in one way, and the questions that they make.

    asked: the places in `pairs` of (a, b) and of (c, d), for each question; None for every ordered
    two of the pairs.
    """

    pairs: Sequence[tuple[str, str]]
    asked: Sequence[tuple[int, int]] | None = None


Analogies = dict[str, Category]


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """One category: how many questions, and of how many the right answer is at the top."""

    name: str
    pairs: int
    questions: int
    first: int  # right at once
    among: int  # right among the first ten

    @property
    def top1(self) -> float:
        """Share of questions answered right at once."""
        return self.first / self.questions

    @property
    def top10(self) -> float:
        """Share of questions with the right answer among the first ten."""
        return self.among / self.questions


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores by category. unknown: words of the file that are no tokens; their pairs are left out.

    dropped: how many pairs that is. empty: categories that no question is left in.
    """

    table: TableDescription
    settings: Settings
    categories: tuple[CategoryScore, ...]
    unknown: tuple[str, ...]
    dropped: int
    empty: tuple[str, ...] = field(default=())

    @property
    def questions(self) -> int:
        """All questions."""
        return sum(score.questions for score in self.categories)

    @property
    def mean(self) -> tuple[float, float]:
        """Top-1 and top-10, each category counting alike."""
        count = len(self.categories)
        return (
            sum(score.top1 for score in self.categories) / count,
            sum(score.top10 for score in self.categories) / count,
        )

    @property
    def overall(self) -> tuple[float, float]:
        """Top-1 and top-10, each question counting alike."""
        return (
            sum(score.first for score in self.categories) / self.questions,
            sum(score.among for score in self.categories) / self.questions,
        )

    def to_json(self) -> dict[str, object]:
        """Give what `--json` prints of it."""
        return {
            "table": self.table.to_json(),
            **settings_json(self.settings),
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


def bundled_analogies() -> Path:
    """The file of Japanese analogies that comes with the package."""
    return Path(str(files("wordvec").joinpath("data", "analogies.tsv")))


def read_analogies(path: Path) -> Analogies:
    """Read category → pairs or questions, in the order of the file; empty lines are skipped.

    A file whose first line begins with a colon is one of questions: `: category`, and four words a
    line below. Another has a category and the two words of a pair a line, tabs between.
    """
    try:
        written = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise WordvecError(f"{path} is not UTF-8") from error
    lines = [(number, line.strip()) for number, line in enumerate(written, 1) if line.strip()]
    if not lines:
        raise WordvecError(f"{path} is empty")
    return _read_questions(path, lines) if lines[0][1][0] == ":" else _read_pairs(path, lines)


def _read_pairs(path: Path, lines: Sequence[tuple[int, str]]) -> Analogies:
    pairs: dict[str, list[tuple[str, str]]] = {}
    for number, line in lines:
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != 3 or not all(cells):
            raise _unread(path, number, line, "category, word and word with tabs between")
        pairs.setdefault(cells[0], []).append((cells[1], cells[2]))
    return {name: Category(some) for name, some in pairs.items()}


def _read_questions(path: Path, lines: Sequence[tuple[int, str]]) -> Analogies:
    places: dict[str, dict[tuple[str, str], int]] = {}  # a pair is known by where it first stood
    asked: dict[str, list[tuple[int, int]]] = {}
    name = ""
    for number, line in lines:
        if line[0] == ":":
            name = line[1:].strip()
            continue
        words = line.split()
        if len(words) != 4:
            raise _unread(path, number, line, "four words, or a colon and a category")
        known = places.setdefault(name, {})
        two = [known.setdefault((a, b), len(known)) for a, b in (words[:2], words[2:])]
        asked.setdefault(name, []).append((two[0], two[1]))
    return {name: Category(list(places[name]), some) for name, some in asked.items()}


def _unread(path: Path, number: int, line: str, expected: str) -> WordvecError:
    return WordvecError(f"{path}, line {number}: expected {expected}, got {clip(escape(line), 40)}")


def evaluate(
    table: VectorTable,
    analogies: Analogies,
    settings: Settings,
    *,
    derived: Derived | None = None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Ask every question, and count the right answers.

    The words of a question are left out of its answers, whatever `settings.exclude` says.
    progress: counts questions.
    """
    if settings.merge_twins:
        raise UsageError("analogies are counted by token: --merge-twins has no place here")
    settings = replace(settings, exclude=True)
    asker = QueryEngine(table, settings, derived=derived)
    words, row_of = _rows_of_words(analogies, table.vocabulary)
    known = {name: _known(some, row_of) for name, some in analogies.items()}
    asked = {name: _questions(some, row_of) for name, some in analogies.items()}
    total = sum(map(len, asked.values()))
    if not total:
        raise WordvecError("no question is left: too few of the words are tokens")
    scores, done = [], 0
    for name, questions in asked.items():
        if len(questions):
            places = _places(asker, questions, _from(progress, done, total))
            first, among = int((places < 1).sum()), int((places < DEPTH).sum())
            scores.append(CategoryScore(name, known[name], len(questions), first, among))
        done += len(questions)
    progress(total, total)
    return Evaluation(
        asker.description,
        settings,
        tuple(scores),
        tuple(word for word in words if word not in row_of),
        sum(len(some.pairs) - known[name] for name, some in analogies.items()),
        tuple(name for name, questions in asked.items() if not len(questions)),
    )


def _from(progress: Progress, before: int, whole: int) -> Progress:
    def shifted(done: int, total: int) -> None:
        del total
        progress(before + done, whole)

    return shifted


def _rows_of_words(
    analogies: Analogies, vocabulary: Vocabulary
) -> tuple[list[str], dict[str, int]]:
    """Every word once, in the order of the file, and the rows of those that are tokens."""
    words = list(
        dict.fromkeys(word for some in analogies.values() for pair in some.pairs for word in pair)
    )
    found = {word: vocabulary.find(word) for word in words}
    return words, {word: token.id for word, token in found.items() if token is not None}


def _known(category: Category, row_of: Mapping[str, int]) -> int:
    """How many pairs are of tokens."""
    return sum(a in row_of and b in row_of for a, b in category.pairs)


def _questions(category: Category, row_of: Mapping[str, int]) -> Rows:
    """The rows of a, b, c and d of every question that is of tokens: (Q, 4)."""
    pairs = [(row_of.get(a), row_of.get(b)) for a, b in category.pairs]
    two = permutations(range(len(pairs)), 2) if category.asked is None else category.asked
    questions = [(*pairs[i], *pairs[j]) for i, j in two]
    asked = [
        (a, b, c, d)
        for a, b, c, d in questions
        if None not in (a, b, c, d) and c != a and d not in (a, b, c)
    ]
    return np.array(asked, dtype=np.int64).reshape(-1, 4)


def _places(asker: QueryEngine, questions: Rows, progress: Progress) -> Rows:
    """How many tokens are before the right answer, exact below and at the depths counted: (Q,)."""
    settings = asker.settings
    quick = settings.method in (Method.ADD, Method.MUL) and settings.ranked_by is Metric.COSINE
    places = np.full(len(questions), -1, dtype=np.int64)
    for start in range(0, len(questions), _BLOCK):
        progress(start, len(questions))
        block = questions[start : start + _BLOCK]
        if quick and not settings.filters:
            places[start : start + len(block)] = _quick_places(asker, block)
        for i in np.flatnonzero(places[start : start + len(block)] < 0) + start:
            places[i] = _place(asker, questions[i].tolist())
    return places


def _place(asker: QueryEngine, question: Sequence[int]) -> int:
    """How many tokens are before the right answer, as the asker itself ranks them."""
    a, b, c, d = question
    prepared = asker.prepared(_resolved(a, b, c))
    rank = asker.ranking(prepared).rank_of(d, asker.allowed(prepared))
    return len(asker.table) if rank is None else rank - 1


def _resolved(a: int, b: int, c: int) -> Resolved:
    """The analogy #a:#b=#c:? in rows."""
    one, other, third = (Term(f"#{row}", (row,), 1.0, 0, 0) for row in (a, b, c))
    # not merged where b is c, so that mul, too, can take it twice
    terms = (third, replace(one, weight=-1.0), other)
    sides = ResolvedAnalogy((one,), (other,), (third,))
    return Resolved(parse(f"#{a}:#{b}=#{c}:?"), terms, sides, ())


def _quick_places(asker: QueryEngine, questions: Rows) -> Rows:
    """The same for 3CosAdd and 3CosMul, for a block at once; −1 where float32 might decide."""
    norms = asker.engine.table.norms
    searchable = asker.engine.searchable(Metric.COSINE)
    involved, at = np.unique(questions, return_inverse=True)
    longest = np.max(norms, where=searchable, initial=0)
    if not searchable[involved].all() or longest > 1e18:  # its products overflow float32
        return np.full(len(questions), -1, dtype=np.int64)
    unit = asker.engine.table.vectors[involved].astype(np.float64) / norms[involved, None]
    bounds = _sum_bounds if asker.settings.method is Method.ADD else _product_bounds
    least, most, sure = bounds(asker.engine, unit, at.reshape(questions.shape))
    each, right = np.arange(len(questions)), questions[:, 3]
    lowest, highest = least[each, right][:, None], most[each, right][:, None]
    for scores in (least, most):
        scores[:, ~searchable] = -np.inf
        for word in questions.T[:3]:
            scores[each, word] = -np.inf
    surely, maybe = (least > highest).sum(axis=1), (most >= lowest).sum(axis=1) - 1
    settled = sure & np.isfinite(lowest[:, 0]) & np.isfinite(highest[:, 0])
    for depth in (1, DEPTH):
        settled &= (surely < depth) == (maybe < depth)
    return np.where(settled, surely, -1)


def _cosines(engine: Engine, queries: Floats) -> tuple[Narrow, np.float32]:
    """Cosines of (n, D) vectors of length 1 to all rows, (n, V) float32; how far off they may be.

    What has no cosine is NaN or infinite.
    """
    table = engine.table
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        cosines: Narrow = queries.astype(np.float32) @ np.asarray(table.vectors).T
        cosines /= table.norms.astype(np.float32)
    return cosines, np.float32((table.dimensions + 16) * 2.0**-24)


def _sum_bounds(engine: Engine, unit: Floats, at: Rows) -> tuple[Narrow, Narrow, Mask]:
    """Bounds of cos(x, b − a + c), (Q, V) each; and which questions have a direction: (Q,).

    unit: (n, D). at: (Q, 4), the places of a, b, c and d there.
    """
    a, b, c, _ = at.T
    queries = unit[b] - unit[a] + unit[c]
    lengths = np.linalg.norm(queries, axis=1, keepdims=True)
    queries = np.divide(queries, lengths, out=np.zeros_like(queries), where=lengths > 0)
    cosines, off = _cosines(engine, queries)
    return cosines - off, cosines + off, lengths[:, 0] > 1e-3


def _product_bounds(engine: Engine, unit: Floats, at: Rows) -> tuple[Narrow, Narrow, Mask]:
    """Bounds of s(x, b) s(x, c) / (s(x, a) + ε), s = (1 + cos)/2; the rest as above."""
    cosines, off = _cosines(engine, unit)
    room = np.float32(2.0**-21)  # for the rounding of what follows
    low = np.maximum((1 - room + cosines - off) / 2, 0)  # (n, V)
    high = np.minimum((1 + room + cosines + off) / 2, 1)
    a, b, c, _ = at.T
    epsilon = np.float32(EPSILON)
    least = low[b] * low[c] / (high[a] + epsilon) * (1 - room)
    most = high[b] * high[c] / (low[a] + epsilon) * (1 + room)
    return least, most, np.ones(len(at), dtype=bool)

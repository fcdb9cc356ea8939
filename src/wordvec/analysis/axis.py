"""Place words on an axis between two poles, such as 女-男 (SemAxis, An, Kwak and Ahn 2018).

The axis is the vector a of an expression: the difference of two words, or of the means of several,
as in the paper. A word with the vector x has the cosine x·a/(‖x‖‖a‖), the score of the paper, and
the projection x·a/‖a‖. Its rank is that among all tokens with a direction; z says how many standard
deviations its score is from their mean, so that tables of different dimensions can be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wordvec.analysis.axis_report import AxisColumn, AxisReport, AxisSummary, AxisWord, Place
from wordvec.encoding import read_text
from wordvec.errors import ExpressionError, UsageError, WordvecError
from wordvec.expression.tree import Word
from wordvec.search.engine import norms_of
from wordvec.search.filters import candidates
from wordvec.search.resolve import combine, resolve, resolve_word, row_means
from wordvec.search.settings import Metric
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wordvec.analysis.axis_settings import AxisSettings
    from wordvec.expression.tree import Expression, Term
    from wordvec.search.ranking import Floats, RowIds
    from wordvec.search.resolve import ResolvedWord
    from wordvec.search.space import Space
    from wordvec.vocabulary.lookup import Vocabulary

    Found = list[ResolvedWord | None]  # one word in each table; None where it has no place

_ROWS_AT_ONCE = 4096


def axis(
    spaces: Sequence[Space],
    expressions: Sequence[Expression],
    words: Sequence[str | int],
    settings: AxisSettings,
) -> AxisReport:
    """Place words on one axis or two, in each of some tables.

    A word that only some of the tables have is placed there, and a note names the others.

    Args:
        spaces: one for each table, after the transforms of the settings.
        expressions: the axis, or two for a scatter.
        words: as typed, as `#id` or as ids.
        settings: what else is placed, and by which metric.

    Raises:
        ExpressionError: for an analogy, or an axis that is zero.
        WordvecError: for a word that no table can place.
        UsageError: if there is no word to place.
    """
    if not words and settings.file is None and not settings.top:
        raise UsageError("an axis needs words to place, or the tokens of its ends", hint="top=20")
    poles = _poles(expressions)
    tables = [_AxisTable(space, expressions, settings.metric) for space in spaces]
    notes = [note for table in tables for note in table.notes]
    found = [_in_each(word, tables, settings, notes) for word in words]
    found += _of_file(tables, settings, notes)
    found += _ends(tables, settings, notes)
    if not found:
        raise WordvecError("no word of the file is in this vocabulary")
    placed = {_key(one): one for one in reversed(found)}  # each once, as it was named first
    reports = [_word(one, tables) for one in reversed(placed.values())]
    reports.sort(key=lambda one: _order(one, settings.metric))
    return AxisReport(
        tuple(expression.source for expression in expressions),
        settings,
        tuple(table.column() for table in tables),
        tuple(reports),
        poles,
        tuple(dict.fromkeys(notes)),
    )


class _AxisTable:
    """The axes in one table, and the scores of all its rows: (A, V), NaN without a direction."""

    def __init__(self, space: Space, expressions: Sequence[Expression], metric: Metric) -> None:
        self.engine, self.metric = space.engine, metric
        self.vocabulary: Vocabulary = space.table.vocabulary
        self.description = TableDescription.of(space.table)
        resolved = [resolve(expression, self.vocabulary) for expression in expressions]
        self.notes = [note for one in resolved for note in one.notes]
        self.in_axis = frozenset(id_ for one in resolved for id_ in one.query_ids)
        self.axes = np.array([self._vector(one.terms, one.source) for one in resolved])  # (A, D)
        self.rows: RowIds = np.flatnonzero(self.engine.searchable(Metric.COSINE))
        projections = np.full((len(expressions), len(self.vocabulary)), np.nan)
        cosines = projections.copy()
        for start in range(0, len(self.rows), _ROWS_AT_ONCE):
            ids = self.rows[start : start + _ROWS_AT_ONCE]
            projections[:, ids], cosines[:, ids] = self.scores(self.engine.rows(ids))
        self.all_scores = cosines if metric is Metric.COSINE else projections
        self.ascending = np.sort(self.all_scores[:, self.rows], axis=1)
        known = self.all_scores[:, self.rows]
        self.mean, self.deviation = known.mean(axis=1), known.std(axis=1)

    def _vector(self, terms: Sequence[Term], source: str) -> Floats:
        vector = combine(terms, self.engine.rows)
        if not vector.any() or not np.isfinite(vector).all():
            problem = "is zero" if np.isfinite(vector).all() else "is not finite"
            name = self.description.kind
            raise ExpressionError(
                f"the axis {problem} in {name}: it has no direction",
                source=source, start=0, end=len(source),
            )  # fmt: skip
        return vector

    def scores(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Return projections and cosines of vectors, (n, D), on each axis: (A, n) both.

        Summed row by row, so that equal rows have equal scores.
        """
        unit = self.axes / norms_of(self.axes)[:, None]
        along = np.array([(vectors * one).sum(axis=1) for one in unit])
        return along, np.clip(along / norms_of(vectors), -1, 1)

    def places(self, word: ResolvedWord) -> tuple[Place, ...]:
        """Return the place of a word on each axis.

        Raises:
            WordvecError: if its vector has no direction.
        """
        ids = list(word.ids)
        vector = row_means([word.ids], self.engine.rows) if self._usable(ids) else None
        if vector is None or not vector.any():
            raise WordvecError(f"the vector of {word.token} has no direction")
        return tuple(
            self._place(i, float(projection[0]), float(cosine[0]), word.id)
            for i, (projection, cosine) in enumerate(zip(*self.scores(vector), strict=True))
        )

    def _usable(self, ids: list[int]) -> bool:
        return bool(self.engine.searchable(Metric.COSINE)[ids].all())

    def _place(self, i: int, projection: float, cosine: float, row: int | None) -> Place:
        score = cosine if self.metric is Metric.COSINE else projection
        ascending, deviation = self.ascending[i], float(self.deviation[i])
        smaller = int(np.searchsorted(ascending, score, side="left"))
        greater = len(ascending) - int(np.searchsorted(ascending, score, side="right"))
        equal_above = 0 if row is None else int((self.all_scores[i, :row] == score).sum())
        return Place(
            projection,
            cosine,
            (score - float(self.mean[i])) / deviation if deviation > 0 else None,
            greater + equal_above + 1,
            100 * smaller / len(ascending),
        )

    def column(self) -> AxisColumn:
        """Return what the report says about the table."""
        lengths = norms_of(self.axes)
        return AxisColumn(
            self.description,
            tuple(
                AxisSummary(*map(float, values))
                for values in zip(lengths, self.mean, self.deviation, strict=True)
            ),
            len(self.rows),
            self.all_scores,
        )

    def ends(self, rows: RowIds, top: int) -> Iterator[int]:
        """Yield the first and the last `top` of some rows, (n,) ascending, on each axis."""
        for scores in self.all_scores[:, rows]:
            order = np.argsort(-scores, kind="stable")
            yield from rows[order[:top]].tolist()
            yield from rows[order[-top:]].tolist()


def _in_each(
    word: str | int, tables: Sequence[_AxisTable], settings: AxisSettings, notes: list[str]
) -> Found:
    """Look up a word in each table; raise the first error if none can place it."""
    found: Found = []
    errors: list[WordvecError] = []
    new_notes: list[str] = []
    for table in tables:
        try:
            one = resolve_word(word, table.vocabulary, pieces=settings.pieces)
            table.places(one)
        except UsageError:
            raise
        except WordvecError as error:
            errors.append(error)
            found.append(None)
            new_notes.append(f"{table.description.kind}: {error.message}")
        else:
            found.append(one)
            new_notes += [one.note] if one.note else []
    if len(errors) == len(tables):
        raise errors[0]
    notes += new_notes
    return found


def _of_file(
    tables: Sequence[_AxisTable], settings: AxisSettings, notes: list[str]
) -> Iterator[Found]:
    """Yield the words of a file that some table can place, and note how many are left out."""
    if settings.file is None:
        return
    lines = read_text(settings.file, "file").split("\n")
    words = dict.fromkeys(line.strip() for line in lines if line.strip())
    unknown = 0
    for word in words:
        try:
            yield _in_each(word, tables, settings, notes)
        except WordvecError:
            unknown += 1
    if unknown:
        name = settings.file.name
        notes.append(
            f"{unknown:,} of the {len(words):,} words in {name} are not in this vocabulary"
        )


def _ends(
    tables: Sequence[_AxisTable], settings: AxisSettings, notes: list[str]
) -> Iterator[Found]:
    """Yield the tokens at the ends of the axes in the first table, in every table."""
    first, *others = tables
    if not settings.top:
        return
    passed = candidates(first.vocabulary, settings.filters)
    rows = first.rows
    if passed is not None:
        notes += passed.notes
        rows = rows[passed.mask[rows]]
        if not len(rows):
            raise WordvecError("0 tokens pass the filters", hint=f"drop {passed.to_drop}")
    for row in dict.fromkeys(first.ends(rows, settings.top)):
        token = resolve_word(row, first.vocabulary)
        yield [token, *(_same_token(row, first.vocabulary, other) for other in others)]


def _same_token(row: int, vocabulary: Vocabulary, other: _AxisTable) -> ResolvedWord | None:
    """Find a token of one vocabulary in that of another table; None if it has no place there."""
    known = other.vocabulary
    same = row < len(known) and known.tokens[row] == vocabulary.tokens[row]
    word: str | int = row if same else vocabulary.surface(row)
    try:
        found = resolve_word(word, known)
        other.places(found)
    except WordvecError:
        return None
    return found


def _key(found: Found) -> tuple[tuple[int, ...] | None, ...]:
    return tuple(None if one is None else one.ids for one in found)


def _word(found: Found, tables: Sequence[_AxisTable]) -> AxisWord:
    known = [one for one in found if one is not None]
    return AxisWord(
        known[0].token,
        tuple(None if one is None else one.id for one in found),
        any(
            one is not None and one.id in table.in_axis
            for one, table in zip(found, tables, strict=True)
        ),
        tuple(
            None if one is None else table.places(one)
            for one, table in zip(found, tables, strict=True)
        ),
    )


def _order(word: AxisWord, metric: Metric) -> tuple[bool, float, int]:
    """Sort by the score on the first axis of the first table, the highest first."""
    places = word.places[0]
    if places is None:
        return True, 0.0, 0
    return False, -places[0].score(metric), word.ids[0] or 0


def _poles(expressions: Iterable[Expression]) -> tuple[tuple[str, str], ...]:
    """Return the words with negative and with positive weights of each axis."""
    poles = []
    for expression in expressions:
        if expression.analogy is not None:
            source = expression.source
            raise ExpressionError(
                "an axis is a sum, not an analogy",
                source=source, start=0, end=len(source), hint="such as 女-男",
            )  # fmt: skip
        named = [(_name(term), term.weight) for term in expression.terms]
        negative = " ".join(name for name, weight in named if weight < 0)
        positive = " ".join(name for name, weight in named if weight > 0)
        poles.append((negative, positive))
    return tuple(poles)


def _name(term: Term) -> str:
    return term.operand.text if isinstance(term.operand, Word) else str(term.operand)

"""The tokens nearest to an expression.

By default as in the article: raw vectors, L2 distance, and the words of a sum among the answers,
where they are marked. The words of an analogy (`a:b=c:?`) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from wordvec.analysis.display import (
    Cell,
    Column,
    TextTable,
    number,
    number_columns,
    one_line,
    settings_fields,
    table_fields,
)
from wordvec.analysis.result import Result
from wordvec.errors import ExpressionError
from wordvec.progress import Progress, no_progress
from wordvec.search.filters import candidates, same_surface
from wordvec.search.methods import Question, prepare, rankings
from wordvec.search.ranking import Hits, without
from wordvec.search.resolve import refuse_sentence, resolve
from wordvec.search.settings import Method, Metric
from wordvec.tables.table import TableDescription

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wordvec.expression.tree import Expression
    from wordvec.search.ranking import Mask, Ranking
    from wordvec.search.resolve import ResolvedExpression, SentenceReader
    from wordvec.search.settings import QuerySettings
    from wordvec.search.space import Space


ANALOGY_NOTE = "the words of the analogy are left out of the answer: exclude=False keeps them"


class Neighbour(NamedTuple):  # thousands per block: created three times as fast as a dataclass
    """One line of an answer.

    token: as displayed. score: a distance or a similarity. twins: tokens with the same text (##王
    beside 王) that this line also stands for.
    """

    rank: int
    token: str
    id: int
    score: float
    in_query: bool
    twins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Answer(Result[Neighbour]):
    """The nearest tokens of one expression, best first. Iterates over its neighbours."""

    _listed: ClassVar = "neighbours"

    query: str
    table: TableDescription
    settings: QuerySettings
    neighbours: tuple[Neighbour, ...]
    notes: tuple[str, ...] = ()

    @property
    def _title(self) -> str:
        return one_line(self.query)

    def _header_fields(self) -> list[str]:
        return [*table_fields(self.table), *settings_fields(self.settings)]

    def _blocks(self) -> list[TextTable]:
        columns = _columns(self.metric.score_name, twins=self.settings.merge_twins)
        return [TextTable(columns, [self._cells(neighbour) for neighbour in self.neighbours])]

    def _cells(self, neighbour: Neighbour) -> Sequence[Cell | str]:
        rank, token, id_, score, in_query, same_text = neighbour
        cells = [str(rank), token, "*" if in_query else "", str(id_), number(score)]
        if self.settings.merge_twins:
            cells.insert(3, f"= {' '.join(same_text)}" if same_text else "")
        return [Cell(cell, "dim") for cell in cells] if in_query else cells

    @property
    def metric(self) -> Metric:
        """The metric that the neighbours are ranked by."""
        return self.settings.ranking_metric

    def tsv_rows(self) -> Iterator[list[object]]:
        """Yield what `--tsv` prints."""
        merged = self.settings.merge_twins
        titles = ["query", "rank", "token", "id", self.metric.score_name, "in_query"]
        yield [*titles, *(["twins"] if merged else [])]
        for n in self.neighbours:
            twins = [" ".join(n.twins)] if merged else []
            yield [self.query, n.rank, n.token, n.id, n.score, n.in_query, *twins]

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {
            "query": self.query,
            "table": self.table.to_dict(),
            **self.settings.to_dict(),
            "neighbours": [self.neighbour_dict(neighbour) for neighbour in self.neighbours],
        }

    def neighbour_dict(self, neighbour: Neighbour) -> dict[str, object]:
        """Return what `--json` prints for one neighbour."""
        return {
            "rank": neighbour.rank,
            "token": neighbour.token,
            "id": neighbour.id,
            self.metric.score_name: neighbour.score,
            "in_query": neighbour.in_query,
            **({"twins": list(neighbour.twins)} if self.settings.merge_twins else {}),
        }


@cache
def _columns(score_name: str, *, twins: bool) -> list[Column]:
    return [
        *number_columns("rank"),
        Column("token", shrinks=True),
        Column(""),
        *([Column("twins", shrinks=True)] if twins else []),
        *number_columns("id", score_name),
    ]


class QueryEngine:
    """Answers expressions from one space with one set of settings, one at a time or in blocks.

    named_transforms: whether the transforms were named with the table, which is then shown with
    them. progress: called while a neighbour graph is computed (CSLS alone needs one).
    read_sentence: see `resolve`; its vectors are in the space.
    notes: what the reader of any answer should know about the table and the filters.
    filters_to_drop: if no token passes the filters, those without which some would.
    """

    def __init__(
        self,
        space: Space,
        settings: QuerySettings,
        *,
        named_transforms: bool = False,
        read_sentence: SentenceReader | None = refuse_sentence,
        progress: Progress = no_progress,
    ) -> None:
        if space.transforms != settings.all_transforms:
            raise ValueError(
                f"the space has transforms {space.transforms}, and the settings have "
                f"{settings.all_transforms}"
            )
        self.space = space
        self.settings = settings
        self._decided = {
            analogy: settings.for_expression(analogy=analogy) for analogy in (False, True)
        }
        self.table = space.table
        self.engine = space.engine
        named = space.transforms if named_transforms else ()
        self.description = TableDescription.of(self.table, named)
        self._progress = progress
        self._read_sentence = read_sentence
        passed = candidates(self.table.vocabulary, settings.filters)
        self._passed = None if passed is None else passed.mask
        self.filters_to_drop = "" if passed is None else passed.to_drop
        self.notes = (
            *self._table_notes(),
            *self._filter_notes(),
            *(passed.notes if passed else ()),
        )

    def prepare(self, expression: Expression) -> Question:
        """Look up the words of an expression and compute its vectors.

        Raises:
            ExpressionError: for an unknown word, or a vector that cannot be ranked by; it marks
                the place.
        """
        return self.prepare_resolved(
            resolve(
                expression,
                self.table.vocabulary,
                pieces=self.settings.pieces,
                read_sentence=self._read_sentence,
            )
        )

    def prepare_resolved(self, resolved: ResolvedExpression) -> Question:
        """Compute the vectors of an expression whose words have been looked up."""
        self._check_terms(resolved)
        return prepare(resolved, self.engine, self.settings)

    def settings_for(self, question: Question) -> QuerySettings:
        """Return the settings of one question: `exclude` is True or False."""
        return self._decided[question.resolved.analogy is not None]

    def notes_on(self, question: Question) -> tuple[str, ...]:
        """Return what the reader of one answer should know: how words were read, or left out."""
        left_out = self.settings.exclude is None and self.settings_for(question).exclude
        return (*question.resolved.notes, *([ANALOGY_NOTE] if left_out else []))

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer questions in order; a block takes less time, and gives the same answers."""
        if self.settings.merge_twins:
            return [self._answer(question, *self._merged(question)) for question in questions]
        hits = self._search(questions, self.settings.k)
        return [
            self._answer(question, found) for question, found in zip(questions, hits, strict=True)
        ]

    def rankings(self, questions: Sequence[Question]) -> Iterator[Ranking]:
        """Yield how each question ranks the rows of the table."""
        return rankings(questions, self.space, self.settings, progress=self._progress)

    def ranking(self, question: Question) -> Ranking:
        """Return how one question ranks the rows of the table."""
        return next(self.rankings([question]))

    def allowed(self, question: Question) -> Mask | None:
        """Return which rows may be answers: (V,) bool, or None for all."""
        excluded = self._excluded(question)
        if not excluded:
            return self._passed
        everything = np.ones(len(self.table), dtype=bool) if self._passed is None else self._passed
        return without(everything, excluded)

    def rank_of(self, question: Question, row: int) -> int | None:
        """Return the exact rank of a row in the whole answer, or None if it may not be one.

        Merged twins have the rank of the better one.
        """
        if self.settings.merge_twins:
            return self.ranks(question).get(row)
        return self.ranking(question).rank_of(row, self.allowed(question))

    def ranks(self, question: Question) -> dict[int, int]:
        """Return the rank of every row that may be an answer, merged twins having the better one.

        One pass, for when more than a few ranks are needed.
        """
        order = self.ranking(question).best(len(self.table), self.allowed(question)).ids
        if not self.settings.merge_twins:
            return dict(zip(order.tolist(), range(1, len(order) + 1), strict=True))
        first = same_surface(self.table.vocabulary)
        _, places = np.unique(first[order], return_index=True)
        rank = {int(first[order[place]]): i for i, place in enumerate(np.sort(places), start=1)}
        return {int(row): rank[int(first[row])] for row in order}

    def _search(self, questions: Sequence[Question], k: int) -> list[Hits]:
        by_vector = self.settings.method in (Method.SUM, Method.ADD)
        if not questions:
            return []
        if not by_vector or self.settings.ranking_metric is Metric.CSLS:
            pairs = zip(questions, self.rankings(questions), strict=True)
            return [ranking.best(k, self.allowed(question)) for question, ranking in pairs]
        return self.engine.search(
            np.concatenate([question.vectors for question in questions]),
            k,
            metric=self.settings.ranking_metric,
            exclude=[self._excluded(question) for question in questions],
            candidates=self._passed,
        )

    def _merged(self, question: Question) -> tuple[Hits, dict[int, list[int]]]:
        """Return the k best texts of one question, a row each, and the rows each stands for."""
        k, first = self.settings.k, same_surface(self.table.vocabulary)
        asked = k
        while True:
            asked = min(2 * asked, len(self.table))
            [hits] = self._search([question], asked)
            _, places = np.unique(first[hits.ids], return_index=True)
            if len(places) >= k or len(hits.ids) < asked or asked == len(self.table):
                break
        places = np.sort(places)[:k]
        best = Hits(hits.ids[places], hits.scores[places])
        allowed = self.allowed(question)
        twins_of: dict[int, list[int]] = {}
        for row in best.ids.tolist():
            same = np.flatnonzero(first == first[row]).tolist()
            twins_of[row] = [
                twin for twin in same if twin != row and (allowed is None or allowed[twin])
            ]
        return best, twins_of

    def _excluded(self, question: Question) -> frozenset[int]:
        """Return the rows of the question's own words, if they may not be answers."""
        if not self.settings_for(question).exclude:
            return frozenset()
        named = question.resolved.query_ids
        if self.settings.merge_twins:
            first = same_surface(self.table.vocabulary)
            named = frozenset(np.flatnonzero(np.isin(first, first[list(named)])).tolist())
        return named

    def _answer(
        self, question: Question, hits: Hits, twins_of: dict[int, list[int]] | None = None
    ) -> Answer:
        named = question.resolved.query_ids
        display = self.table.vocabulary.display
        neighbours = []
        for rank, (row, score) in enumerate(
            zip(hits.ids.tolist(), hits.scores.tolist(), strict=True), start=1
        ):
            same = twins_of[row] if twins_of else []
            in_query = row in named or not named.isdisjoint(same)
            twins = tuple(map(display, same))
            neighbours.append(Neighbour(rank, display(row), row, score, in_query, twins))
        return Answer(
            query=question.resolved.source,
            table=self.description,
            settings=self.settings_for(question),
            neighbours=tuple(neighbours),
            notes=self.notes_on(question),
        )

    def _check_terms(self, resolved: ResolvedExpression) -> None:
        searchable = self.engine.searchable(Metric.L2)
        for term in resolved.terms:
            if term.vector is not None:
                continue
            bad = [id_ for id_ in term.ids if not searchable[id_]]
            if bad:
                raise ExpressionError(
                    self._problem_of(bad[0]),
                    source=resolved.source,
                    start=term.operand.start,
                    end=term.operand.end,
                )

    def _problem_of(self, row: int) -> str:
        if row in self.table.vocabulary.unused_ids:
            return f"row #{row} has no token"
        finite = np.isfinite(self.table.norms[row])
        problem = "has length zero, and so no direction" if finite else "is not finite"
        return f"the vector of {self.table.vocabulary.display(row)} (#{row}) {problem}"

    def _table_notes(self) -> list[str]:
        notes = []
        by_direction = self.settings.ranking_metric in (Metric.COSINE, Metric.CSLS)
        metric = Metric.COSINE if by_direction else Metric.L2
        unused = self.table.vocabulary.ids_without_vector
        left_out = np.setdiff1d(np.flatnonzero(~self.engine.searchable(metric)), unused)
        if len(left_out):
            display = self.table.vocabulary.display
            some = [f"{display(id_)} (#{id_})" for id_ in left_out[:5].tolist()]
            named = " ".join([*some, "…"] if len(left_out) > 5 else some)
            verb = "row is" if len(left_out) == 1 else "rows are"
            problem = "not finite or zero" if by_direction else "not finite"
            notes.append(f"{len(left_out):,} {verb} {problem}, left out: {named}")
        if self.settings.k > len(self.table):
            notes.append(f"k={self.settings.k} is more than the {len(self.table)} tokens there are")
        return notes

    def _filter_notes(self) -> list[str]:
        if self._passed is None:
            return []
        count = int(self._passed.sum())
        if self.filters_to_drop:
            return [f"0 tokens pass the filters: drop {self.filters_to_drop}"]
        tokens = "token passes" if count == 1 else "tokens pass"
        return [f"{count:,} {tokens} the filters"] if count < self.settings.k else []

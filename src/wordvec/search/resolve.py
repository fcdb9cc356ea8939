"""Words → rows: what each term of an expression names in one vocabulary.

A word is looked up as it stands, in its word-start form, after NFKC, and in lower case if the
model does that too; the form taken is noted when it differs. A word that is no token is an error
that says how to go on, or with `pieces` the mean of the tokens that it is made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from wordvec.errors import ExpressionError, UnknownWordError, WordvecError
from wordvec.expression.lexer import spell
from wordvec.expression.parser import parse
from wordvec.expression.tree import Analogy, Expression, Operand, TokenId, WeightedTerm, Word
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary

    # whatever gives rows by a list of their numbers: table.vectors, or a view of it
    Rows: TypeAlias = NDArray[np.floating]

_DASHES = "ー–—‐"  # what an input method gives for a minus; ー is a letter all the same
_MOST_DASHES = 8  # 2**8 readings of a word are tried, no more
_MOST_PIECES = 12  # of a word in a message
_WIDEST = 40  # cells of a word in a message


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a query in rows.

    text: as it was written. ids: its row, or several that it is the mean of.
    start, end: where it stands in the source.
    """

    text: str
    ids: tuple[int, ...]
    weight: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ResolvedAnalogy:
    """The sides of `a:b=c:?` in rows."""

    a: tuple[Term, ...]
    b: tuple[Term, ...]
    c: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """An expression in rows; `notes` says which words were not taken as they stand."""

    expression: Expression
    terms: tuple[Term, ...]
    analogy: ResolvedAnalogy | None
    notes: tuple[str, ...]

    @property
    def query_ids(self) -> frozenset[int]:
        """Every row that the query names."""
        return frozenset(id_ for term in self.terms for id_ in term.ids)


def resolve(expression: Expression, vocabulary: Vocabulary, *, pieces: bool = False) -> Resolved:
    """Find the row of each word and id; an unknown word is an `UnknownWordError` that marks it."""
    resolver = _Resolver(expression, vocabulary, pieces=pieces)
    terms = resolver.terms(expression.terms())
    analogy = resolver.analogy(expression.analogy)
    return Resolved(expression, terms, analogy, tuple(dict.fromkeys(resolver.notes)))


def resolve_token(token: str, vocabulary: Vocabulary) -> tuple[int, str | None]:
    """Find the row of a token as it stands or by `#id`; with a note if it is taken otherwise."""
    if token[:1] == "#" and token[1:].isascii() and token[1:].isdigit():
        if int(token[1:]) >= len(vocabulary):
            raise WordvecError(f"{token} is no row: the vocabulary has {len(vocabulary)} tokens")
        return int(token[1:]), None
    found = vocabulary.find(token)
    if found is None:
        close = " ".join(vocabulary.closest(token))
        raise UnknownWordError(
            f"{clip(escape(token), 40)} is no token of this vocabulary",
            source=token,
            start=0,
            end=len(token),
            hint=f"close to it: {close}" if close else None,
        )
    note = f"{clip(escape(token), 40)} is taken as {vocabulary.display(found.id)} ({found.form})"
    return found.id, note if found.form else None


def term_vectors(terms: Sequence[Term], rows: Rows) -> NDArray[np.float64]:
    """Give the vector of each of T terms, not weighted: (T, D) float64.

    rows: (V, D). A term of several rows is their mean.
    """
    import numpy as np

    vectors = rows[[term.ids[0] for term in terms]].astype(np.float64, copy=False)
    for place, term in enumerate(terms):
        if len(term.ids) > 1:
            vectors[place] = rows[list(term.ids)].astype(np.float64).mean(axis=0)
    return vectors


def combine(terms: Sequence[Term], rows: Rows) -> NDArray[np.float64]:
    """Add up weighted terms, in order and in float64: (D,).

    rows: (V, D). One addition after the other: the sum is the same on every machine.
    """
    import numpy as np

    total = np.zeros(rows.shape[1], dtype=np.float64)
    for term, vector in zip(terms, term_vectors(terms, rows), strict=True):
        total += term.weight * vector
    return total


class _Resolver:
    def __init__(self, expression: Expression, vocabulary: Vocabulary, *, pieces: bool) -> None:
        self.expression = expression
        self.vocabulary = vocabulary
        self.pieces = pieces
        self.notes: list[str] = []

    def terms(self, weighted: Sequence[WeightedTerm]) -> tuple[Term, ...]:
        return tuple(
            Term(
                text=str(term.operand),
                ids=self._rows(term.operand),
                weight=term.weight,
                start=term.operand.start,
                end=term.operand.end,
            )
            for term in weighted
        )

    def analogy(self, analogy: Analogy | None) -> ResolvedAnalogy | None:
        if analogy is None:
            return None
        return ResolvedAnalogy(*map(self.terms, (analogy.a, analogy.b, analogy.c)))

    def _rows(self, operand: Operand) -> tuple[int, ...]:
        return (self._by_id(operand),) if isinstance(operand, TokenId) else self._by_word(operand)

    def _by_id(self, operand: TokenId) -> int:
        if operand.id >= len(self.vocabulary):
            raise ExpressionError(
                f"{operand} is no row: the ids of this vocabulary go from #0 to "
                f"#{len(self.vocabulary) - 1}",
                source=self.expression.source,
                start=operand.start,
                end=operand.end,
            )
        return operand.id

    def _by_word(self, word: Word) -> tuple[int, ...]:
        found = self.vocabulary.find(word.text)
        if found is not None:
            if found.form is not None:
                shown = self.vocabulary.display(found.id)
                self.notes.append(f"{_shown(word)} is taken as {shown} ({found.form})")
            return (found.id,)
        pieces = self.vocabulary.pieces(word.text)
        if pieces is None or not self.pieces:
            raise self._unknown(word, pieces)
        self.notes.append(f"{_shown(word)} is taken as the mean of {self._written(pieces)}")
        return tuple(pieces)

    def _written(self, pieces: Sequence[int]) -> str:
        shown = [self.vocabulary.display(id_) for id_ in pieces[:_MOST_PIECES]]
        return " + ".join([*shown, "…"] if len(pieces) > _MOST_PIECES else shown)

    def _unknown(self, word: Word, pieces: list[int] | None) -> UnknownWordError:
        shown = _shown(word)
        hints = []
        with_minus = self._with_minus(word)
        if with_minus:
            hints.append(f"with a minus in place of the dash: {with_minus}")
        if pieces:
            hints.append(f"{shown} is {self._written(pieces)} here; --pieces takes their mean")
        closest = self.vocabulary.closest(word.text)
        if closest:
            hints.append(f"close to it: {' '.join(closest)}")
        return UnknownWordError(
            f"{shown} is no token of this vocabulary",
            source=self.expression.source,
            start=word.start,
            end=word.end,
            hint="\n".join(hints) or None,
        )

    def _with_minus(self, word: Word) -> str | None:
        """Give the query with minus for a dash, if that leaves known words alone."""
        places = [match.start() for match in re.finditer(f"[{_DASHES}]", word.text)]
        readings = (
            cuts
            for count in range(1, len(places[:_MOST_DASHES]) + 1)
            for cuts in combinations(places[:_MOST_DASHES], count)
        )
        for cuts in readings:
            parts = [
                word.text[start + 1 : end]
                for start, end in zip((-1, *cuts), (*cuts, len(word.text)), strict=True)
            ]
            if all(part and self.vocabulary.find(part) for part in parts):
                return self._replaced(word, "-".join(map(spell, parts)))
        return None

    def _replaced(self, word: Word, reading: str) -> str | None:
        source = self.expression.source
        query = source[: word.start] + reading + source[word.end :]
        try:
            parse(query)  # not so beside a coefficient's /, or as the side of an analogy
        except ExpressionError:
            return None
        return f'"{query}"' if '"' not in query else query


def _shown(word: Word) -> str:
    return clip(escape(word.text), _WIDEST)

"""Find the rows of the words of an expression in one vocabulary.

A word is looked up as the model itself would read it (see `Vocabulary.find`); a note says which
form was used if it differs. An unknown word is an error with a suggestion, or with `pieces` the
mean of the tokens that the model cuts it into. A word in a sentence is looked up by a function that
runs the model.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from wordvec.errors import ExpressionError, UnknownWordError, UsageError, WordvecError
from wordvec.expression.lexer import as_id, spell
from wordvec.expression.parser import parse
from wordvec.expression.tree import Analogy, Expression, Term, TokenId, Word
from wordvec.search.compounds import compound_notes
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from wordvec.expression.tree import Operand
    from wordvec.vocabulary.lookup import Vocabulary

    RowReader: TypeAlias = Callable[[list[int]], NDArray[np.float64]]  # n ids → (n, D) rows
    SentenceReader: TypeAlias = "Callable[[Word, str], WordInSentence]"  # of the whole expression

_DASHES = "ー–—‐"  # what an input method gives for a minus; ー is a letter as well
_MAX_DASHES = 8  # 2**8 readings of a word are tried, no more
_MAX_PIECES = 12  # of a word in a message
_MAX_CELLS = 40  # of a word in a message
RARE_HINT = 'use another table: mode="static", or extract with a larger corpus'
_LONGEST_HINTED = 2000  # characters of an expression; a longer one was not typed by a person


@dataclass(frozen=True, slots=True)
class ResolvedExpression:
    """An expression whose words have been looked up: every term has its `ids`.

    source: the expression as typed. notes: which words were not taken as typed.
    """

    source: str
    terms: tuple[Term, ...]
    analogy: Analogy | None = None
    notes: tuple[str, ...] = ()

    @property
    def query_ids(self) -> frozenset[int]:
        """Every row that the expression names."""
        return frozenset(id_ for term in self.terms for id_ in term.ids)


@dataclass(frozen=True, slots=True, eq=False)
class WordInSentence:
    """What a model says about a word in a sentence.

    ids: the tokens of the word there. vector: (D,) float64, the mean of their hidden states.
    note: how the word was read, if it has several tokens.
    """

    ids: tuple[int, ...]
    vector: NDArray[np.float64]
    note: str | None = None


def refuse_sentence(word: Word, source: str) -> WordInSentence:
    """Raise ExpressionError: there is no model at this place."""
    raise ExpressionError(
        "a word in a sentence cannot be used here",
        source=source,
        start=word.start,
        end=word.end,
        hint=f"the word alone: {spell(word.text)}",
    )


def resolve(
    expression: Expression,
    vocabulary: Vocabulary,
    *,
    pieces: bool = False,
    read_sentence: SentenceReader | None = refuse_sentence,
) -> ResolvedExpression:
    """Look up every word and id of an expression.

    Args:
        expression: the expression.
        vocabulary: of the table.
        pieces: replace an unknown word by the pieces that the vocabulary has for it.
        read_sentence: returns a word in its sentence, given the word and the source of the
            expression. None for a static table, where the sentence changes nothing.

    Raises:
        UnknownWordError: for a word that is not in the vocabulary; it marks the word.
    """
    resolver = _Resolver(expression, vocabulary, pieces=pieces, read_sentence=read_sentence)
    terms = resolver.terms(expression.terms)
    sides = expression.analogy
    if sides is not None:
        sides = Analogy(*map(resolver.terms, (sides.a, sides.b, sides.c)))
    notes = [*resolver.notes, *compound_notes(expression, vocabulary)]
    return ResolvedExpression(expression.source, terms, sides, tuple(dict.fromkeys(notes)))


@dataclass(frozen=True, slots=True)
class ResolvedWord:
    """A word that has been looked up.

    token: the token as displayed, or the word as typed if it was cut into several.
    ids: its row, or the rows of its pieces, whose mean it stands for.
    note: how it was read, if not as typed.
    """

    token: str
    ids: tuple[int, ...]
    note: str | None = None

    @property
    def id(self) -> int | None:
        """The row of the token; None for the mean of several."""
        return self.ids[0] if len(self.ids) == 1 else None

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints."""
        pieces = {} if self.id is not None else {"pieces": list(self.ids)}
        return {"token": self.token, "id": self.id, **pieces}


def resolve_word(word: str | int, vocabulary: Vocabulary, *, pieces: bool = False) -> ResolvedWord:
    """Look up one word, given as typed, as `#id` or as an id.

    Args:
        word: the word.
        vocabulary: the vocabulary.
        pieces: replace an unknown word by the pieces that the model cuts it into.

    Raises:
        UnknownWordError: if it is not in the vocabulary.
        WordvecError: for an id beyond the vocabulary.
        UsageError: for anything but text and whole numbers.
    """
    row = as_id(word) if isinstance(word, str) else _whole_number(word)
    if row is not None:
        if not 0 <= row < len(vocabulary):
            raise WordvecError(
                f"there is no row #{row}: the vocabulary has {len(vocabulary)} tokens"
            )
        if row in vocabulary.rare:
            message = f"{vocabulary.display(row)} {rare_message(row, vocabulary)}"
            raise WordvecError(message, hint=RARE_HINT)
        return ResolvedWord(vocabulary.display(row), (row,))
    word = str(word)
    form = Word(word, 0, len(word))
    resolver = _Resolver(Expression(word, form, ()), vocabulary, pieces=pieces)
    ids = resolver.rows_of_word(form)
    text = vocabulary.display(ids[0]) if len(ids) == 1 else _shown(word)
    return ResolvedWord(text, ids, next(iter(resolver.notes), None))


def resolve_token(token: str | int, vocabulary: Vocabulary) -> tuple[int, str | None]:
    """Look up one token as `resolve_word` does; return its row, and how it was read."""
    found = resolve_word(token, vocabulary)
    return found.ids[0], found.note


def _whole_number(value: object) -> int:
    try:
        if not isinstance(value, bool):
            return operator.index(value)  # type: ignore[arg-type]  # it may be anything
    except TypeError:
        pass
    raise UsageError(f"expected a word or an id, got {type(value).__name__}")


def term_vectors(terms: Sequence[Term], rows: RowReader) -> NDArray[np.float64]:
    """Return the vector of each of T resolved terms, without its weight: (T, D) float64.

    rows: gives rows by their ids. A term with several rows is their mean; a word in a sentence has
    its own vector.
    """
    vectors = row_means([term.ids for term in terms], rows)
    for place, term in enumerate(terms):
        if term.vector is not None:
            vectors[place] = term.vector
    return vectors


def row_means(ids_of: Sequence[tuple[int, ...]], rows: RowReader) -> NDArray[np.float64]:
    """Return one row for each tuple of ids, or the mean of its rows: (n, D)."""
    vectors = rows([ids[0] for ids in ids_of])
    for place, ids in enumerate(ids_of):
        if len(ids) > 1:
            vectors[place] = rows(list(ids)).mean(axis=0)
    return vectors


def combine(terms: Sequence[Term], rows: RowReader) -> NDArray[np.float64]:
    """Add up weighted terms in order, in float64: (D,).

    One addition after the other, so that the sum is the same on every machine.
    """
    vectors = term_vectors(terms, rows)
    total = np.zeros(vectors.shape[1], dtype=np.float64)
    for term, vector in zip(terms, vectors, strict=True):
        total += term.weight * vector
    return total


class _Resolver:
    """Looks up the words of one expression, and collects notes."""

    def __init__(
        self,
        expression: Expression,
        vocabulary: Vocabulary,
        *,
        pieces: bool,
        read_sentence: SentenceReader | None = None,
    ) -> None:
        self.expression = expression
        self.source = expression.source
        self.vocabulary = vocabulary
        self.pieces = pieces
        self.read_sentence = read_sentence
        self.notes: list[str] = []

    def terms(self, terms: Sequence[Term]) -> tuple[Term, ...]:
        return tuple(map(self._term, terms))

    def _term(self, term: Term) -> Term:
        operand = term.operand
        if isinstance(operand, TokenId) or operand.sentence is None:
            return Term(operand, term.weight, self._rows(operand))
        if self.read_sentence is None:
            rows = self._rows(operand)
            self.notes.append(
                f"{_shown(str(operand))} is the static vector of {_shown(operand.text)}: "
                "static vectors do not depend on sentences"
            )
            return Term(operand, term.weight, rows)
        word = self.read_sentence(operand, self.source)
        self.notes += [word.note] if word.note else []
        return Term(operand, term.weight, word.ids, word.vector)

    def _rows(self, operand: Operand) -> tuple[int, ...]:
        return (
            (self._by_id(operand),) if isinstance(operand, TokenId) else self.rows_of_word(operand)
        )

    def _by_id(self, operand: TokenId) -> int:
        if operand.id >= len(self.vocabulary):
            raise ExpressionError(
                f"there is no row {operand}: the ids of this vocabulary are #0 to "
                f"#{len(self.vocabulary) - 1}",
                source=self.source,
                start=operand.start,
                end=operand.end,
            )
        self._check_have_vectors(operand, [operand.id])
        return operand.id

    def _check_have_vectors(self, operand: Operand, ids: Sequence[int]) -> None:
        """Raise for a token that its contextual table leaves out."""
        for id_ in self.vocabulary.rare.keys() & set(ids):
            raise UnknownWordError(
                f"{self.vocabulary.display(id_)} {rare_message(id_, self.vocabulary)}",
                source=self.source,
                start=operand.start,
                end=operand.end,
                hint=RARE_HINT,
            )

    def rows_of_word(self, word: Word) -> tuple[int, ...]:
        match = self.vocabulary.find(word.text)
        if match is not None:
            if match.form is not None:
                shown = self.vocabulary.display(match.id)
                self.notes.append(f"{_shown(word.text)} is read as {shown} ({match.form})")
            self._check_have_vectors(word, [match.id])
            return (match.id,)
        pieces = self.vocabulary.pieces(word.text) if self.pieces else None
        if pieces is None:
            raise UnknownWordError(
                f'"{_shown(word.text)}" is not in this vocabulary',
                source=self.source,
                start=word.start,
                end=word.end,
                hint=lambda: self._hints(word),
            )
        self._check_have_vectors(word, pieces)
        self.notes.append(f"{_shown(word.text)} is read as the mean of {self._join(pieces)}")
        return tuple(pieces)

    def _join(self, pieces: Sequence[int]) -> str:
        shown = [self.vocabulary.display(id_) for id_ in pieces[:_MAX_PIECES]]
        return " + ".join([*shown, "…"] if len(pieces) > _MAX_PIECES else shown)

    def _hints(self, word: Word) -> str | None:
        """Return what may have been meant by an unknown word; slower than an answer."""
        if len(self.source) > _LONGEST_HINTED:
            return None
        hints = []
        with_minus = self._with_minus(word)
        if with_minus:
            hints.append(f"with a minus in place of the dash: {with_minus}")
        pieces = self.vocabulary.pieces(word.text)
        if pieces:
            verb = "is" if self.vocabulary.cuts_exactly else "could be"
            cut = f"{_shown(word.text)} {verb} cut into {self._join(pieces)}"
            hints.append(f"{cut}; for their mean use pieces=True")
        hints += compound_notes(self.expression, self.vocabulary, at=word.start)
        similar = self.vocabulary.closest(word.text)
        if similar:
            hints.append(f"similar tokens: {' '.join(similar)}")
        return "\n".join(hints) or None

    def _with_minus(self, word: Word) -> str | None:
        """Return the expression with minus signs for dashes, if that leaves only known words."""
        places = [match.start() for match in re.finditer(f"[{_DASHES}]", word.text)]
        readings = (
            cuts
            for count in range(1, len(places[:_MAX_DASHES]) + 1)
            for cuts in combinations(places[:_MAX_DASHES], count)
        )
        for cuts in readings:
            parts = [
                word.text[start + 1 : end]
                for start, end in zip((-1, *cuts), (*cuts, len(word.text)), strict=True)
            ]
            if all(part and self.vocabulary.find(part) for part in parts):
                return self._replace(word, "-".join(map(spell, parts)))
        return None

    def _replace(self, word: Word, reading: str) -> str | None:
        expression = self.source[: word.start] + reading + self.source[word.end :]
        try:
            parse(expression)  # fails beside a / or in a side of an analogy
        except ExpressionError:
            return None
        return f'"{expression}"' if '"' not in expression else expression


def rare_message(row: int, vocabulary: Vocabulary) -> str:
    """Say how often a rare token was seen, for a message that begins with its name."""
    count = vocabulary.rare[row]
    seen = {0: "never seen", 1: "seen once"}.get(count, f"seen {count:,} times")
    return f"was {seen} in the corpus of this table, too rarely to have a vector"


def _shown(word: str) -> str:
    return clip(escape(word), _MAX_CELLS)

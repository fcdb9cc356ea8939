"""The syntax tree of an expression, and the weighted terms that it reduces to.

Positions (`start`, `end`, in characters of the source) are ignored in comparisons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from wordvec.errors import ExpressionError
from wordvec.expression.lexer import spell, spell_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence that a word is read in: `王{王がいた}`.

    occurrence: which of the word's places in the sentence is meant, from 1; None if there must be
    only one.
    """

    text: str
    occurrence: int | None = None

    def __str__(self) -> str:
        which = "" if self.occurrence is None else f"#{self.occurrence}"
        return f"{spell_sentence(self.text)}{which}"


@dataclass(frozen=True, slots=True)
class Word:
    """A word to look up, alone or in a sentence.

    start, end: of the word without its sentence. quoted: written with quotes or a backslash.
    """

    text: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    quoted: bool = field(default=False, compare=False)
    sentence: Sentence | None = None

    def __str__(self) -> str:
        return f"{spell(self.text)}{self.sentence or ''}"


@dataclass(frozen=True, slots=True)
class TokenId:
    """A row of the vocabulary, given by its id: `#1234`."""

    id: int
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"#{self.id}"


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a product.

    operator: the sign before it; the first factor has `*`.
    number: its value if it is a plain number, else None.
    form: what was written there.
    """

    operator: Literal["*", "/"]
    number: float | None
    form: Form = field(compare=False)
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Product:
    """A vector and its coefficients: `1/2*王*3` has 1 and /2 before 王 and *3 after it."""

    before: tuple[Factor, ...]
    vector: Form
    after: tuple[Factor, ...]

    def __str__(self) -> str:
        before, after = (
            "".join(f"{factor.operator}{_format_number(factor.number or 0.0)}" for factor in some)
            for some in (self.before, self.after)
        )
        before = before.removeprefix("*")
        return f"{before}{'*' if before else ''}{self._vector_text()}{after}"

    def _vector_text(self) -> str:
        if isinstance(self.vector, Word) and not self.vector.sentence:
            return spell(self.vector.text, quote_numbers=True)
        return _parenthesise(self.vector)

    @property
    def weight(self) -> float:
        """The product of the coefficients, computed in the order in which they were written."""
        weight = 1.0
        for factor in (*self.before, *self.after):
            number = factor.number or 0.0
            weight = weight * number if factor.operator == "*" else weight / number
        return weight


@dataclass(frozen=True, slots=True)
class Summand:
    """One summand of a sum, with its sign: 1 or -1."""

    sign: int
    form: Form

    def __str__(self) -> str:
        text = f"({self.form})" if isinstance(self.form, Sum) else str(self.form)
        return f"{'-' if self.sign < 0 else '+'}{text}"


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum. A single summand with a plus is represented by its form alone, not by a Sum."""

    summands: tuple[Summand, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.summands)).removeprefix("+")


Operand: TypeAlias = Word | TokenId
Form: TypeAlias = Word | TokenId | Product | Sum


@dataclass(frozen=True, slots=True)
class AnalogyForm:
    """`a:b=c:?`: what is to c as b is to a."""

    a: Form
    b: Form
    c: Form

    def __str__(self) -> str:
        a, b, c = map(_parenthesise, (self.a, self.b, self.c))
        return f"{a}:{b}={c}:?"


@dataclass(frozen=True, slots=True)
class Term:
    """A weighted word or id of an expression.

    ids: the rows that it stands for once its word has been looked up (see `search.resolve`): one
    row, or several whose mean is taken; empty before.
    vector: (D,) of a word in a sentence, whose tokens there are `ids`; None for all others.
    """

    operand: Operand
    weight: float
    ids: tuple[int, ...] = ()
    vector: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The word or id as one would type it."""
        return str(self.operand)


@dataclass(frozen=True, slots=True)
class Analogy:
    """The three sides of `a:b=c:?`, each reduced to weighted terms."""

    a: tuple[Term, ...]
    b: tuple[Term, ...]
    c: tuple[Term, ...]


@dataclass(frozen=True)
class Expression:
    """A parsed expression. Two expressions are equal if they have the same syntax tree.

    `str` gives its shortest spelling, which parses to an equal expression.

    words: every word of the source in its order, the numbers that turned out to be weights too.
    """

    source: str = field(compare=False)
    form: Form | AnalogyForm
    words: tuple[Word, ...] = field(compare=False)

    def __str__(self) -> str:
        return str(self.form)

    @property
    def analogy(self) -> Analogy | None:
        """The sides of an analogy, or None for a sum."""
        if not isinstance(self.form, AnalogyForm):
            return None
        a, b, c = (self._reduce(((1.0, side),)) for side in (self.form.a, self.form.b, self.form.c))
        return Analogy(a, b, c)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The weighted terms in the order of the source, repeated words merged into one.

        `a:b=c:?` is c - a + b. A word whose weights add up to 0 is kept, with weight 0.
        """
        if isinstance(self.form, AnalogyForm):
            return self._reduce(((1.0, self.form.c), (-1.0, self.form.a), (1.0, self.form.b)))
        return self._reduce(((1.0, self.form),))

    def _reduce(self, parts: tuple[tuple[float, Form], ...]) -> tuple[Term, ...]:
        merged: dict[Operand, Term] = {}
        for weight, form in parts:
            for term in _weighted_terms(form, weight):
                known = merged.get(term.operand)
                total = Term(known.operand, term.weight + known.weight) if known else term
                if not math.isfinite(total.weight):
                    raise self._weight_overflow(term.operand)
                merged[term.operand] = total
        return tuple(merged.values())

    def _weight_overflow(self, operand: Operand) -> ExpressionError:
        return ExpressionError(
            f"the weight of {operand} overflows float64",
            source=self.source,
            start=operand.start,
            end=operand.end,
        )


def _weighted_terms(form: Form, weight: float) -> Iterator[Term]:
    """Multiply `weight` down to each word or id of `form`, in order."""
    if isinstance(form, Sum):
        for summand in form.summands:
            yield from _weighted_terms(summand.form, weight * summand.sign)
    elif isinstance(form, Product):
        yield from _weighted_terms(form.vector, weight * form.weight)
    else:
        yield Term(form, weight + 0.0)  # -0.0 becomes 0.0


def _parenthesise(form: Form) -> str:
    return f"({form})" if isinstance(form, Sum | Product) else str(form)


def _format_number(number: float) -> str:
    """Write every digit and no exponent, whose `+` or `-` would be read as an operator."""
    from decimal import Decimal  # imported only if the expression has a coefficient

    return format(Decimal(repr(number)), "f").removesuffix(".0")

"""What an expression says: the form as written, and the weighted terms that it lowers to.

Spans (`start`, `end`, in characters of the source) take no part in equality.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from wordvec.errors import ExpressionError
from wordvec.expression.lexer import spell

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Word:
    """A word to look up. `quoted`: written with quotes or a backslash."""

    text: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    quoted: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return spell(self.text)


@dataclass(frozen=True, slots=True)
class TokenId:
    """A row of the vocabulary, named by its id: `#1234`."""

    id: int
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"#{self.id}"


@dataclass(frozen=True, slots=True)
class Factor:
    """A coefficient beside a vector: `operator` is what stands before it (the first has `*`)."""

    operator: Literal["*", "/"]
    number: float

    def __str__(self) -> str:
        return f"{self.operator}{_plain(self.number)}"


@dataclass(frozen=True, slots=True)
class Product:
    """A vector between its coefficients: `1/2*王*3` has 1 and /2 before 王 and *3 after it."""

    before: tuple[Factor, ...]
    vector: Form
    after: tuple[Factor, ...]

    def __str__(self) -> str:
        before = "".join(map(str, self.before)).removeprefix("*")
        return f"{before}{'*' if before else ''}{self._vector()}{''.join(map(str, self.after))}"

    def _vector(self) -> str:
        if isinstance(self.vector, Word):
            return spell(self.vector.text, quote_numbers=True)
        return _parenthesised(self.vector)

    @property
    def weight(self) -> float:
        """The coefficients multiplied, in the order they were written."""
        weight = 1.0
        for factor in (*self.before, *self.after):
            weight = weight * factor.number if factor.operator == "*" else weight / factor.number
        return weight


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a sum, with its sign, 1 or -1."""

    sign: int
    form: Form

    def __str__(self) -> str:
        written = f"({self.form})" if isinstance(self.form, Sum) else str(self.form)
        return f"{'-' if self.sign < 0 else '+'}{written}"


@dataclass(frozen=True, slots=True)
class Sum:
    """Parts added up. A single part with a plus is never a Sum: it is the part itself."""

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts)).removeprefix("+")


Operand: TypeAlias = Word | TokenId
Form: TypeAlias = Word | TokenId | Product | Sum


@dataclass(frozen=True, slots=True)
class AnalogyForm:
    """`a:b=c:?`: what is to c as b is to a."""

    a: Form
    b: Form
    c: Form

    def __str__(self) -> str:
        a, b, c = map(_parenthesised, (self.a, self.b, self.c))
        return f"{a}:{b}={c}:?"


@dataclass(frozen=True, slots=True)
class WeightedTerm:
    """A word or an id, times a number."""

    operand: Operand
    weight: float


@dataclass(frozen=True, slots=True)
class Analogy:
    """The three sides of `a:b=c:?`, each lowered to weighted terms."""

    a: tuple[WeightedTerm, ...]
    b: tuple[WeightedTerm, ...]
    c: tuple[WeightedTerm, ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression as it was written; two are equal if they have the same form.

    `str` writes it in its shortest spelling, which parses back to an equal one.
    """

    source: str = field(compare=False)
    form: Form | AnalogyForm

    def __str__(self) -> str:
        return str(self.form)

    @property
    def analogy(self) -> Analogy | None:
        """The sides of an analogy, or None for a sum."""
        if not isinstance(self.form, AnalogyForm):
            return None
        a, b, c = (self._lower(((1.0, side),)) for side in (self.form.a, self.form.b, self.form.c))
        return Analogy(a, b, c)

    def terms(self) -> tuple[WeightedTerm, ...]:
        """Weighted terms in the order they were written, the same word or id merged into one.

        `a:b=c:?` is c - a + b. A word whose weights cancel stays, with weight 0.
        """
        if isinstance(self.form, AnalogyForm):
            return self._lower(((1.0, self.form.c), (-1.0, self.form.a), (1.0, self.form.b)))
        return self._lower(((1.0, self.form),))

    def _lower(self, parts: tuple[tuple[float, Form], ...]) -> tuple[WeightedTerm, ...]:
        merged: dict[Operand, WeightedTerm] = {}
        for weight, form in parts:
            for term in _weighted(form, weight):
                known = merged.get(term.operand)
                total = WeightedTerm(known.operand, term.weight + known.weight) if known else term
                if not math.isfinite(total.weight):
                    raise self._too_large(term.operand)
                merged[term.operand] = total
        return tuple(merged.values())

    def _too_large(self, operand: Operand) -> ExpressionError:
        return ExpressionError(
            f"the weight of {operand} is too large a number",
            source=self.source,
            start=operand.start,
            end=operand.end,
        )


def _weighted(form: Form, weight: float) -> Iterator[WeightedTerm]:
    """Multiply `weight` down to each word or id of `form`, in order."""
    if isinstance(form, Sum):
        for part in form.parts:
            yield from _weighted(part.form, weight * part.sign)
    elif isinstance(form, Product):
        yield from _weighted(form.vector, weight * form.weight)
    else:
        yield WeightedTerm(form, weight + 0.0)  # -0.0 becomes 0.0


def _parenthesised(form: Form) -> str:
    return f"({form})" if isinstance(form, Sum | Product) else str(form)


def _plain(number: float) -> str:
    """Every digit and no exponent: a `+` or `-` in it would be an operator."""
    from decimal import Decimal  # only where a coefficient is written

    return format(Decimal(repr(number)), "f").removesuffix(".0")

r"""Expressions over words: `王-男+女`, `(王+女王)/2 - 男`, `男:女=王:?`, `王{王がいた}-男`.

    expression = analogy | sum
    analogy    = side ":" side ("=" | "::") side ":" "?"
    side       = vector
    sum        = { sign } product { sign { sign } product }
    product    = { number ("*" | "/") } vector { "*" number | "/" number }
    vector     = word | id | "(" sum ")"
    word       = plain word [ "{" sentence "}" [ id ] ]
    sign       = "+" | "-"

Any factor of a product may also have a sign (`2*-王`). `＋ － − ＊ × ／ ÷ （ ） ： ＝ ？ ” ＃ ｛`,
the full-width digits of numbers and ids, and the ideographic space U+3000 are read as their ASCII
forms; `ー` is a letter. White space is ignored.

A *plain word* is a run of characters without white space, operators, parentheses, `:`, `=`, `{`,
quotes or `\`. A `\` escapes one character, quotes escape a whole word: `C\+\+`, `"C++"`, `「C++」`.
Where no word is before it, `{` is a letter. In a *sentence*, `\}` is a brace. The id after it says
which occurrence of the word is meant: `王{王は王だ}#2` is the second.
An *id* is `#` and digits. A number is a coefficient only next to `*` or after `/`, or before `/` if
the product has another word (`1/2*王`). Anywhere else it is a token, so `1999-1998+2000` adds three
tokens, `2*3` is twice the token 3, and `1/2` is half the token 1. Next to `*` or `/`, the sign of
an exponent belongs to the number: `1e-3*王` is a thousandth of 王, but `1e-3` is the token 1e minus
the token 3.

Each method of the parser reads one rule, which is its docstring.
"""

from __future__ import annotations

import math
from typing import Literal, NoReturn

from wordvec.errors import ExpressionError, UsageError
from wordvec.expression.lexer import (
    LONGEST_ID,
    SCALERS,
    SENTENCE_HINT,
    SIGNS,
    Kind,
    Token,
    spell,
    tokenize,
)
from wordvec.expression.tree import (
    AnalogyForm,
    Expression,
    Factor,
    Form,
    Product,
    Sentence,
    Sum,
    Summand,
    TokenId,
    Word,
)

LONGEST = 1 << 18
"""Characters of an expression: more than anyone writes, and answered within seconds."""
DEEPEST = 50
"""Levels of parentheses: more than anyone writes, and well below Python's recursion limit."""

_QUOTE_HINT = 'put a word that contains operators in quotes: "C++"'
_ANALOGY_HINT = (
    'write an analogy as 男:女=王:?, and put a word that contains : or = in quotes: "10:30"'
)
_ANALOGY_SIGNS = (Kind.COLON, Kind.COLONS, Kind.EQUALS)


def parse(source: str) -> Expression:
    """Parse an expression.

    Raises:
        ExpressionError: for a syntax error; it marks the place in the source.
        UsageError: if the source is not text, or too long.

    >>> [(str(term.operand), term.weight) for term in parse("(王+女王)/2 − 男").terms]
    [('王', 0.5), ('女王', 0.5), ('男', -1.0)]
    """
    if not isinstance(source, str):
        raise UsageError(f"expected an expression as text, got {type(source).__name__}")
    if len(source) > LONGEST:
        raise UsageError(
            f"an expression of {len(source):,} characters is longer than the {LONGEST:,} allowed"
        )
    parser = _Parser(source)
    expression = Expression(source, parser.expression(), tuple(parser.words))
    _ = expression.terms  # reports a weight that overflows now, not later
    return expression


def parsed(expression: str | Expression) -> Expression:
    """Return an expression, parsed if it is text."""
    return expression if isinstance(expression, Expression) else parse(expression)


class _Parser:
    """Reads tokens from left to right; each method reads one rule and stops after it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = tokenize(source)
        self.at = 0
        self.opened: list[Token] = []  # the parentheses that are open
        self.words: list[Word] = []  # in the order of the source

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def sees(self, *kinds: Kind) -> bool:
        return self.tokens[self.at].kind in kinds

    @property
    def last(self) -> Token | None:
        return self.tokens[self.at - 1] if self.at else None

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def fail(self, message: str, start: int, end: int, hint: str | None = None) -> NoReturn:
        raise ExpressionError(message, source=self.source, start=start, end=end, hint=hint)

    def fail_at(self, token: Token, message: str, hint: str | None = None) -> NoReturn:
        self.fail(message, token.start, token.end, hint)

    def expression(self) -> Form | AnalogyForm:
        """`expression = analogy | sum`."""
        if self.sees(Kind.END):
            self.fail(
                "the query is empty", 0, len(self.source), 'type words, for example "王-男+女"'
            )
        if self._is_analogy():
            return self.analogy()
        form = self.sum()
        if not self.sees(Kind.END):
            self._fail_after_sum()
        return form

    def _is_analogy(self) -> bool:
        """Return whether there is a `:` or `=` outside all parentheses."""
        depth = 0
        for token in self.tokens:
            depth += (token.kind is Kind.OPEN) - (token.kind is Kind.CLOSE)
            if token.kind in _ANALOGY_SIGNS and depth <= 0:
                return True
        return False

    def analogy(self) -> AnalogyForm:
        """`analogy = side ":" side ("=" | "::") side ":" "?"`."""
        a = self.side()
        self._expect("':' between the first two words", Kind.COLON)
        b = self.side()
        self._expect("= or :: after the first pair", Kind.EQUALS, Kind.COLONS)
        c = self.side()
        self._expect("':?' after the third word", Kind.COLON)
        if not self.next.is_blank:
            self.fail_at(self.next, "expected ? as the last part of the analogy", _ANALOGY_HINT)
        self.take()
        if not self.sees(Kind.END):
            self.fail_at(self.next, "nothing may follow the ? of an analogy", _ANALOGY_HINT)
        return AnalogyForm(a, b, c)

    def _expect(self, what: str, *kinds: Kind) -> None:
        if self.sees(*kinds):
            self.take()
        elif self.sees(*SIGNS, *SCALERS):
            self._fail_on_bare_side()
        else:
            self.fail_at(self.next, f"expected {what}", _ANALOGY_HINT)

    def side(self) -> Form:
        """`side = vector`."""
        if self.sees(*SIGNS):
            self._fail_on_bare_side()
        return self.vector()

    def _fail_on_bare_side(self) -> NoReturn:
        self.fail_at(
            self.next,
            "a sum inside an analogy needs parentheses",
            "for example (王+女):女=男:?",
        )

    def sum(self) -> Form:
        """`sum = { sign } product { sign { sign } product }`."""
        parts = [self.part()]
        while self.sees(*SIGNS):
            parts.append(self.part())
        if len(parts) == 1 and parts[0].sign > 0:
            return parts[0].form
        return Sum(tuple(parts))

    def part(self) -> Summand:
        """`part = { sign } product`; the signs of its factors count too."""
        sign = self.signs()
        factors = [self.factor("*")]
        while self.sees(*SCALERS):
            operator: Literal["*", "/"] = "*" if self.take().kind is Kind.TIMES else "/"
            sign *= self.signs()
            factors.append(self.factor(operator))
        return Summand(sign, self._product(factors))

    def signs(self) -> int:
        """`signs = { "+" | "-" }`: -1 for an odd number of minuses, else 1."""
        sign = 1
        while self.sees(*SIGNS):
            sign *= -1 if self.take().kind is Kind.MINUS else 1
        return sign

    def factor(self, operator: Literal["*", "/"]) -> Factor:
        """`factor = number | vector`."""
        first = self.next
        form = self.vector()
        end = self.tokens[self.at - 1].end
        in_sentence = isinstance(form, Word) and form.sentence is not None
        return Factor(operator, None if in_sentence else first.number, form, first.start, end)

    def vector(self) -> Form:
        """`vector = word | id | "(" sum ")"`."""
        if self.sees(Kind.WORD):
            form: Form = self.word()
        elif self.sees(Kind.ID):
            form = self.id()
        elif self.sees(Kind.OPEN):
            form = self.group()
        else:
            self._fail_on_missing_word()
        if self.sees(Kind.SENTENCE):
            self.fail_at(self.next, "a sentence must follow a word", SENTENCE_HINT)
        return form

    def word(self) -> Word:
        """`word = plain word [ "{" sentence "}" [ id ] ]`."""
        token = self.take()
        sentence = self.sentence() if self.sees(Kind.SENTENCE) else None
        word = Word(token.text, token.start, token.end, token.quoted, sentence)
        self.words.append(word)
        return word

    def sentence(self) -> Sentence:
        """`"{" sentence "}" [ id ]`; no space may be before the id."""
        token = self.take()
        if not self.sees(Kind.ID) or self.next.start > token.end:
            return Sentence(token.text)
        number = self.id()
        if number.id == 0:
            self.fail("occurrences are counted from #1", number.start, number.end)
        return Sentence(token.text, number.id)

    def id(self) -> TokenId:
        """`id = "#" digit { digit }`."""
        token = self.take()
        digits = token.text.lstrip("0") or "0"
        if len(digits) > LONGEST_ID:
            self.fail_at(token, "this id is larger than any vocabulary")
        return TokenId(int(digits), token.start, token.end)

    def group(self) -> Form:
        """`group = "(" sum ")"`."""
        opened = self.take()
        if len(self.opened) == DEEPEST:
            self.fail_at(opened, f"more than {DEEPEST} levels of parentheses")
        self.opened.append(opened)
        form = self.sum()
        if not self.sees(Kind.CLOSE):
            self._fail_after_sum()
        self.take()
        self.opened.pop()
        return form

    def _product(self, factors: list[Factor]) -> Form:
        """`product = { number ("*" | "/") } vector { "*" number | "/" number }`."""
        if len(factors) == 1:
            return factors[0].form
        at = self._vector_of(factors)
        for factor in (*factors[:at], *factors[at + 1 :]):
            self._check_coefficient(factor)
        return Product(tuple(factors[:at]), factors[at].form, tuple(factors[at + 1 :]))

    def _vector_of(self, factors: list[Factor]) -> int:
        """Return the place of the factor that is the vector."""
        words = [place for place, factor in enumerate(factors) if factor.number is None]
        for place in words:
            if factors[place].operator == "/":
                self._fail_on_factor(factors[place], "only a number may follow /")
        if len(words) > 1:
            self._fail_on_factor(factors[words[1]], "two words cannot be multiplied")
        if words:
            return words[0]
        if len(factors) > 1 and factors[1].operator == "/":
            return 0  # the first is neither next to * nor after /: it is a token
        return max(place for place, factor in enumerate(factors) if factor.operator == "*")

    def _fail_on_factor(self, factor: Factor, message: str) -> NoReturn:
        self.fail(
            message,
            factor.start,
            factor.end,
            "a coefficient is a plain number, for example 2*王 or 王/2 or 1/2*王",
        )

    def _check_coefficient(self, factor: Factor) -> None:
        number = factor.number
        if number is None or not math.isfinite(number):
            self.fail("this number overflows float64", factor.start, factor.end)
        if factor.operator == "/" and number == 0:
            self.fail("division by zero", factor.start, factor.end)

    def _fail_on_missing_word(self) -> NoReturn:
        """Report what is there in place of a word, an id or a parenthesis."""
        token, last = self.next, self.last
        if token.kind is Kind.CLOSE and last and last.kind is Kind.OPEN:
            self.fail("these parentheses are empty", last.start, token.end)
        if token.kind is Kind.CLOSE and not self.opened:
            self.fail_at(token, "this parenthesis has no opening one", _QUOTE_HINT)
        if token.kind is Kind.END and last and last.kind is Kind.OPEN:
            self.fail_at(last, "this parenthesis is not closed", _QUOTE_HINT)
        if token.kind in (Kind.END, Kind.CLOSE) and last:
            self.fail_at(last, f"expected a word after {last.kind}", _QUOTE_HINT)
        self.fail_at(token, f"expected a word before {token.kind}", _QUOTE_HINT)

    def _fail_after_sum(self) -> NoReturn:
        """Report why a sum may not be followed by the next token."""
        token = self.next
        if token.kind is Kind.END:
            self.fail_at(self.opened[-1], "this parenthesis is not closed", _QUOTE_HINT)
        if token.kind is Kind.CLOSE:
            self.fail_at(token, "this parenthesis has no opening one", _QUOTE_HINT)
        if token.kind in _ANALOGY_SIGNS:
            self.fail_at(token, "an analogy cannot be inside parentheses", _ANALOGY_HINT)
        if token.kind is Kind.OPEN:
            self.fail_at(token, "expected an operator before (", self._times_hint(token))
        self.fail_at(token, "expected + or - between two words", self._times_hint(token))

    def _times_hint(self, token: Token) -> str:
        """Suggest what two adjacent words mean: a coefficient, or one word with a space."""
        last = self.last
        if last and last.number is not None:
            following = "(…)" if token.kind is Kind.OPEN else spell(token.text)
            return f"a coefficient needs a *: {last.text}*{following}"
        return 'put a word that contains white space or operators in quotes: "C++"'

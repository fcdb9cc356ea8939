"""The grammar of expressions: what is read, what is refused and where, and what is written back."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wordvec.errors import ExpressionError
from wordvec.expression.parser import parse
from wordvec.expression.tree import Expression, Term, TokenId, Word
from wordvec.text import width

Terms: TypeAlias = list[tuple[str, float]]


def lowered(terms: tuple[Term, ...]) -> Terms:
    """Terms as (what names the row, weight): a word's text, or # and an id."""
    return [
        (f"#{term.operand.id}", term.weight)
        if isinstance(term.operand, TokenId)
        else (term.operand.text, term.weight)
        for term in terms
    ]


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("王", [("王", 1)]),
        ("王-男+女", [("王", 1), ("男", -1), ("女", 1)]),
        ("王 － 男 ＋ 女", [("王", 1), ("男", -1), ("女", 1)]),
        ("王−男\u3000+\u3000女", [("王", 1), ("男", -1), ("女", 1)]),
        ("-王+女", [("王", -1), ("女", 1)]),
        ("--女+王", [("女", 1), ("王", 1)]),
        ("王+-男", [("王", 1), ("男", -1)]),
        ("+王", [("王", 1)]),
        ("王+王", [("王", 2)]),
        ("王-王", [("王", 0)]),
        ("女+王-女", [("女", 0), ("王", 1)]),
        ('"王"+王', [("王", 2)]),
        ("コーヒー", [("コーヒー", 1)]),
        ("##王", [("##王", 1)]),
        ("[MASK]-##王", [("[MASK]", 1), ("##王", -1)]),
    ],
)
def test_words_are_joined_by_signs(source: str, terms: Terms) -> None:
    assert lowered(parse(source).terms) == terms


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("2*王", [("王", 2)]),
        ("王*2", [("王", 2)]),
        ("王×2", [("王", 2)]),
        ("２＊王", [("王", 2)]),
        ("王／２", [("王", 0.5)]),
        ("王÷2", [("王", 0.5)]),
        ("1÷2×王", [("王", 0.5)]),
        (".5*王", [("王", 0.5)]),
        ("2.*王", [("王", 2)]),
        ("1e2*王", [("王", 100)]),
        ("1e-3*王", [("王", 0.001)]),
        ("1E+2 * 王", [("王", 100)]),
        ("1.5e−1×王", [("王", 0.15)]),
        ("１ｅ－３＊王", [("王", 0.001)]),
        ("王*1e-3", [("王", 0.001)]),
        ("王/1e-3+女", [("王", 1000), ("女", 1)]),
        ("1e-1/2*王", [("王", 0.05)]),
        ("女-1e-3*王", [("女", 1), ("王", -0.001)]),
        ("-2*王", [("王", -2)]),
        ("2*-王", [("王", -2)]),
        ("王/-2", [("王", -0.5)]),
        ("2*王*3/4", [("王", 1.5)]),
        ("1/2*王", [("王", 0.5)]),
        ("2*(王+女)", [("王", 2), ("女", 2)]),
        ("(王+女王)/2 - 男", [("王", 0.5), ("女王", 0.5), ("男", -1)]),
        ("-(王-男)", [("王", -1), ("男", 1)]),
        ("2*(王-(男-女)/2)", [("王", 2), ("男", -1), ("女", 1)]),
        ("0*王", [("王", 0)]),
        ("-0*王", [("王", 0)]),
    ],
)
def test_numbers_weigh_words_and_parentheses(source: str, terms: Terms) -> None:
    assert lowered(parse(source).terms) == terms


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("1999", [("1999", 1)]),
        ("1999-1998+2000", [("1999", 1), ("1998", -1), ("2000", 1)]),
        ("1e-3", [("1e", 1), ("3", -1)]),
        ("1e-3+王", [("1e", 1), ("3", -1), ("王", 1)]),
        ("1e-3*4", [("4", 0.001)]),
        ("1e -3*王", [("1e", 1), ("王", -3)]),
        ("a1e-3*王", [("a1e", 1), ("王", -3)]),
        ("1e-3rd", [("1e", 1), ("3rd", -1)]),
        ('"1e"-3*王', [("1e", 1), ("王", -3)]),
        ("2*3", [("3", 2)]),
        ("2*3*4", [("4", 6)]),
        ("1/2", [("1", 0.5)]),
        ("2/4*3", [("2", 0.75)]),
        ("2*3/4", [("3", 0.5)]),
        ('"2"*3', [("2", 3)]),
        ("\\2*3", [("2", 3)]),
        ("(2)*3", [("2", 3)]),
        ("2*(3)", [("3", 2)]),
        ("２*３", [("３", 2)]),
        ("王+2", [("王", 1), ("2", 1)]),
        ("王+2*女", [("王", 1), ("女", 2)]),
    ],
)
def test_a_number_is_a_coefficient_only_beside_its_operator(source: str, terms: Terms) -> None:
    assert lowered(parse(source).terms) == terms


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ('"C++"-C', [("C++", 1), ("C", -1)]),
        ("”C++“", [("C++", 1)]),
        (r"C\+\+", [("C++", 1)]),
        (r"\+", [("+", 1)]),
        (r'"\"\\"', [('"\\', 1)]),
        (r"a\ b", [("a b", 1)]),
        ('"new york"', [("new york", 1)]),
        ('""', [("", 1)]),
        ("#1234", [("#1234", 1)]),
        ("#007", [("#7", 1)]),
        ("2*#3-#3", [("#3", 1)]),
        ("＃527", [("#527", 1)]),
        ("#５２７+＃007", [("#527", 1), ("#7", 1)]),
        ('"＃527"', [("＃527", 1)]),
        ("＃", [("＃", 1)]),
        ("「王」-『男』", [("王", 1), ("男", -1)]),
        ('「"C++"」', [('"C++"', 1)]),
        ('"「"+"÷"', [("「", 1), ("÷", 1)]),
        (r"\「-\÷", [("「", 1), ("÷", -1)]),
        (r"「a\」b」", [("a」b", 1)]),
        ("』", [("』", 1)]),
        ("「王』」", [("王』", 1)]),
        ("#", [("#", 1)]),
        ("#a", [("#a", 1)]),
        ("a#1", [("a#1", 1)]),
        (r"\#12", [("#12", 1)]),
        ("?", [("?", 1)]),
        ("what?", [("what?", 1)]),
        ("a.b,c'd", [("a.b,c'd", 1)]),
    ],
)
def test_quotes_backslashes_and_ids(source: str, terms: Terms) -> None:
    assert lowered(parse(source).terms) == terms


def test_a_quoted_word_that_looks_like_an_id_is_a_word() -> None:
    assert parse('"#12"').terms[0].operand == Word("#12")
    assert parse('"＃12"').terms[0].operand == Word("＃12")
    assert parse("#12").terms[0].operand == TokenId(12)
    assert parse("＃１２").terms[0].operand == TokenId(12)


@pytest.mark.parametrize(
    "source",
    ["男:女=王:?", "男:女::王:?", "男：女＝王：？", "男 ： 女 ：： 王 : ？", '"男":(女)=王:?'],
)
def test_an_analogy_is_c_minus_a_plus_b_and_keeps_its_sides(source: str) -> None:
    expression = parse(source)
    analogy = expression.analogy
    assert analogy is not None
    assert [lowered(side) for side in (analogy.a, analogy.b, analogy.c)] == [
        [("男", 1)],
        [("女", 1)],
        [("王", 1)],
    ]
    assert expression.terms == parse("王-男+女").terms
    assert expression == parse("男:女=王:?")
    assert expression != parse("王-男+女")


def test_the_sides_of_an_analogy_may_be_expressions_in_parentheses() -> None:
    expression = parse("((王+男)/2):#3=(-女):?")
    assert lowered(expression.terms) == [("女", -1), ("王", -0.5), ("男", -0.5), ("#3", 1)]
    assert str(expression) == "((王+男)/2):#3=(-女):?"


def test_numbers_in_an_analogy_are_tokens() -> None:
    assert lowered(parse("1998:1999=2000:?").terms) == [("2000", 1), ("1998", -1), ("1999", 1)]


def test_a_sum_is_not_an_analogy() -> None:
    assert parse("王-男+女").analogy is None


def test_operands_have_their_place_in_the_source() -> None:
    source = ' 王 - "C++" + #12'
    places = [source[t.operand.start : t.operand.end] for t in parse(source).terms]
    assert places == ["王", '"C++"', "#12"]


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("王 － 男 ＋ 女", "王-男+女"),
        ("＋王", "王"),
        ("--女+王", "女+王"),
        ("((王+男))", "王+男"),
        ("王+(男-女)", "王+(男-女)"),
        ("-(王+男)", "-(王+男)"),
        ("王×２", "王*2"),
        ("２×王", "2*王"),
        ("1/2*王", "1/2*王"),
        ("2*-(王-男)*3.50", "-2*(王-男)*3.5"),
        ("2*(3*王)", "2*(3*王)"),
        ("2*3", '2*"3"'),
        ("1e-3*王", "0.001*王"),
        ("2*1e-3", '2*"1e-3"'),
        ("「a b」÷2", '"a b"/2'),
        ('"＃5"-"÷"', '"＃5"-"÷"'),
        ("＃５", "#5"),
        ("1/2", '"1"/2'),
        ("1999-1998", "1999-1998"),
        ("王/1e20", "王/100000000000000000000"),
        (r"C\+\+", '"C++"'),
        ("“a”", "a"),
        ('"a b"', '"a b"'),
        ('""', '""'),
        (r'"\"\\"', r'"\"\\"'),
        ("#007", "#7"),
        ('"#7"', '"#7"'),
        ("##7", "##7"),
        ("男：女：：王：？", "男:女=王:?"),
        ('"":"?"="a:b":?', '"":?="a:b":?'),
    ],
)
def test_an_expression_is_written_in_its_shortest_spelling(source: str, written: str) -> None:
    expression = parse(source)
    assert str(expression) == written
    assert parse(written) == expression


def drawing(source: str) -> str:
    """The error that `source` makes: message, source and marks by terminal cells, and hint."""
    with pytest.raises(ExpressionError, match=r".") as caught:
        parse(source)
    error = caught.value
    marked = source[error.start : error.end]
    marks = " " * width(source[: error.start]) + "^" * max(1, width(marked))
    return "\n".join(filter(None, (error.message, source, marks, error.hint)))


QUOTES = 'put a word that contains operators in quotes: "C++"'
SPACES = 'put a word that contains white space or operators in quotes: "C++"'
ANALOGY = 'write an analogy as 男:女=王:?, and put a word that contains : or = in quotes: "10:30"'
COEFFICIENT = "a coefficient is a plain number, for example 2*王 or 王/2 or 1/2*王"
LIKE_AN_ID = 'put a word that begins with # and a digit in quotes: "#12a"'
SIDE = "for example (王+女):女=男:?"
SENTENCE = "a sentence is in braces after its word, for example 王{王がいた}"


@pytest.mark.parametrize(
    "drawn",
    [
        f"expected a word after +\n王+\n  ^\n{QUOTES}",
        f"expected a word after -\n王+-\n   ^\n{QUOTES}",
        f"expected a word after *\n2*\n ^\n{QUOTES}",
        f"expected a word after +\nC++\n  ^\n{QUOTES}",
        f"expected a word after +\n(王+)\n   ^\n{QUOTES}",
        f"expected a word before *\n王+*男\n   ^\n{QUOTES}",
        f"expected a word before /\n／男\n^^\n{QUOTES}",
        f"this parenthesis is not closed\n男-(王+女\n   ^\n{QUOTES}",
        f"this parenthesis is not closed\n((王)\n^\n{QUOTES}",
        f"this parenthesis is not closed\n王-(\n   ^\n{QUOTES}",
        f"this parenthesis has no opening one\n王)\n  ^\n{QUOTES}",
        f"this parenthesis has no opening one\n王-)\n   ^\n{QUOTES}",
        "these parentheses are empty\n王-()\n   ^^",
        'this quote is not closed\n王-"男\n   ^',
        'this quote is not closed\n「\n^^\nto look up 「 itself, put it in quotes: "「"',
        "expected a character after \\\n王\\\n  ^",
        f"expected + or - between two words\n王 男\n   ^^\n{SPACES}",
        f'expected + or - between two words\n"a"b\n   ^\n{SPACES}',
        "expected + or - between two words\n2 王\n  ^^\na coefficient needs a *: 2*王",
        "expected an operator before (\n2(王+男)\n ^\na coefficient needs a *: 2*(…)",
        f"expected an operator before (\n王（男）\n  ^^\n{SPACES}",
        "division by zero\n王/0\n   ^",
        "division by zero\n王/-0.0\n    ^^^",
        f"two words cannot be multiplied\n王*男\n   ^^\n{COEFFICIENT}",
        f"two words cannot be multiplied\n(1/2)*王\n      ^^\n{COEFFICIENT}",
        f"only a number may follow /\n王/(2)\n   ^^^\n{COEFFICIENT}",
        f"only a number may follow /\n2/王\n  ^^\n{COEFFICIENT}",
        "this number overflows float64\n1e999*王\n^^^^^",
        "this number overflows float64\n王/1e999\n   ^^^^^",
        "the weight of 王 overflows float64\n1e300*(1e300*王)\n             ^^",
        "the weight of 王 overflows float64\n1e308*王+1e308*王\n               ^^",
        f"an id is # followed by digits only\n#12a\n^^^^\n{LIKE_AN_ID}",
        "division by zero\n王÷0\n   ^",
        "this number overflows float64\n1e+999*王\n^^^^^^",
        "this id is larger than any vocabulary\n#9999999999999\n^^^^^^^^^^^^^^",
        f"an analogy cannot be inside parentheses\n(男:女=王:?)\n   ^\n{ANALOGY}",
        f"expected ':' between the first two words\n王=男\n  ^\n{ANALOGY}",
        f"expected = or :: after the first pair\n10:30\n     ^\n{ANALOGY}",
        f"expected ':?' after the third word\n男:女=王\n        ^\n{ANALOGY}",
        f"expected ? as the last part of the analogy\n男:女=王:姫\n         ^^\n{ANALOGY}",
        f'expected ? as the last part of the analogy\n男:女=王:"?"\n         ^^^\n{ANALOGY}',
        f"nothing may follow the ? of an analogy\n男:女=王:? 姫\n           ^^\n{ANALOGY}",
        f"a sum inside an analogy needs parentheses\n王+男:女=姫:?\n  ^\n{SIDE}",
        f"a sum inside an analogy needs parentheses\n男:女=-王:?\n      ^\n{SIDE}",
        f"a sum inside an analogy needs parentheses\n男:女=王*2:?\n        ^\n{SIDE}",
        f"expected a word before =\n男:=王:?\n   ^\n{QUOTES}",
        f"this brace is not closed\n王{{王がいた-男\n  ^\n{SENTENCE}",
        f"this sentence is empty\n王｛　｝\n  ^^^^^^\n{SENTENCE}",
        f"a sentence must follow a word\n#5{{王}}\n  ^^^^\n{SENTENCE}",
        f"a sentence must follow a word\n(王+男){{王}}\n       ^^^^\n{SENTENCE}",
        f"a sentence must follow a word\n王{{王}}{{王}}\n      ^^^^\n{SENTENCE}",
        "occurrences are counted from #1\n王{王}#0\n      ^^",
        f"expected + or - between two words\n王{{王}} #2\n       ^^\n{SPACES}",
        f"expected + or - between two words\n王{{王}}男\n      ^^\n{SPACES}",
    ],
    ids=lambda drawn: drawn.splitlines()[1],
)
def test_an_error_names_the_problem_and_marks_the_place(drawn: str) -> None:
    assert drawing(drawn.splitlines()[1]) == drawn


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("王{昔、王がいた}-男+女", [("王{昔、王がいた}", 1), ("男", -1), ("女", 1)]),
        ("王｛a-b=c:?｝#2", [("王{a-b=c:?}#2", 1)]),
        ("王 {王}＃３", [("王{王}#3", 1)]),
        ("王{王}+王{王}-王+王{王}#1", [("王{王}", 2), ("王", -1), ("王{王}#1", 1)]),
        ("2*3{3 }/4", [("3{3 }", 0.5)]),
        (r'"C++"{a \} \\ b}', [(r'"C++"{a \} \\ b}', 1)]),
        ("男{男}:女=王{王}:?", [("王{王}", 1), ("男{男}", -1), ("女", 1)]),
        ("{+王-{{a", [('"{"', 1), ("王", 1), ('"{{a"', -1)]),
        (r"王\{王+}", [('"王{王"', 1), ("}", 1)]),
    ],
)
def test_a_word_may_have_a_sentence(source: str, terms: list[tuple[str, float]]) -> None:
    assert [(str(term.operand), term.weight) for term in parse(source).terms] == terms


@pytest.mark.parametrize("source", ["", "   ", "\u3000", "\n\t"])
def test_an_empty_query_says_so(source: str) -> None:
    with pytest.raises(ExpressionError, match=r"^the query is empty$"):
        parse(source)


@pytest.mark.parametrize("depth", [51, 100_000])
def test_the_depth_of_parentheses_is_limited(depth: int) -> None:
    assert lowered(parse("-(" * 50 + "王" + ")" * 50).terms) == [("王", 1)]
    with pytest.raises(ExpressionError, match=r"^more than 50 levels of parentheses$"):
        parse("(" * depth + "王" + ")" * depth)


def test_a_long_expression_is_parsed_quickly() -> None:
    assert lowered(parse("王" + "-王" * 9_999).terms) == [("王", -9_998)]
    assert lowered(parse("-" * 10_000 + "王").terms) == [("王", 1)]
    assert lowered(parse("王" + "*1" * 10_000).terms) == [("王", 1)]
    with pytest.raises(ExpressionError, match="this id is larger than any vocabulary"):
        parse("#" + "9" * 10_000)


OPERATORS = '+-*/()?:= "\\#{}＋－−×÷＊／（）：＝？”「」『』＃｛｝\u3000'


@settings(deadline=None, max_examples=2000)
@given(st.one_of(st.text(), st.text(st.sampled_from(OPERATORS + "王ー12.e３"), max_size=30)))
@example("\ud800")
@example("\x00")
@example("*" * 3000)
@example(":" * 3000)
@example("「" * 3000)
@example("1e-3" * 1000)
def test_any_text_at_all_is_an_expression_or_an_error_that_marks_a_place(source: str) -> None:
    try:
        expression = parse(source)
    except ExpressionError as error:
        assert 0 <= error.start < error.end <= max(len(source), error.start) + 1  # noqa: PT017
        assert error.source == source  # noqa: PT017
    else:
        again = parse(str(expression))
        assert again == expression
        assert again.terms == expression.terms
        assert str(again) == str(expression)


@dataclass(frozen=True)
class Written:
    """An expression as some user might write it, and the terms that it means, worked out apart."""

    source: str
    terms: dict[str, float]

    def times(self, number: float) -> dict[str, float]:
        return {name: weight * number for name, weight in self.terms.items()}


SPACE = st.sampled_from(["", "", "", " ", "\u3000", "\t"])
PLAIN = ["王", "女王", "コーヒー", "##王", "[MASK]", "king", "a.b", "12", "3", "#", "?"]
NUMBERS = {
    "2": 2.0,
    "0.5": 0.5,
    "４": 4.0,
    "1": 1.0,
    ".25": 0.25,
    "-2": -2.0,
    "5e-1": 0.5,
}  # exact in binary


def written_word(text: str, *, bare: bool) -> Written:
    quoted = '"' + "".join("\\" + char if char in '\\"”“＂' else char for char in text) + '"'
    return Written(text if bare else quoted, {text: 1.0})


def weighed(left: list[str], inner: Written, right: list[tuple[str, str]]) -> Written:
    weight = 1.0
    for number in left:
        weight *= NUMBERS[number]
    for operator, number in right:
        weight = weight / NUMBERS[number] if operator in "/÷／" else weight * NUMBERS[number]
    source = "".join(f"{n}*" for n in left) + inner.source + "".join(o + n for o, n in right)
    return Written(source, inner.times(weight))


def added(parts: list[tuple[str, Written]], space: str) -> Written:
    terms: dict[str, float] = {}
    source = ""
    for place, (sign, part) in enumerate(parts):
        for name, weight in part.times(-1.0 if sign in "-−－" else 1.0).items():
            terms[name] = terms.get(name, 0.0) + weight
        source += space + ("" if not place and sign in "+＋" else sign) + space + part.source
    return Written(source, terms)


def parenthesised(inner: Written) -> Written:
    return Written(f"({inner.source})", inner.terms)


WORDS = st.one_of(
    st.builds(written_word, st.sampled_from(PLAIN), bare=st.just(value=True)),
    st.builds(written_word, st.text(max_size=4), bare=st.just(value=False)),
    st.builds(
        written_word, st.text(string.punctuation + "王 1", max_size=4), bare=st.just(value=False)
    ),
)
QUOTED = st.builds(written_word, st.text(max_size=4), bare=st.just(value=False))


def extend(inner: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    """Sums in parentheses, of words and of such sums, some of them weighed."""
    vector = st.one_of(QUOTED, inner)
    left = st.lists(st.sampled_from(list(NUMBERS)), max_size=2)
    right = st.lists(
        st.tuples(st.sampled_from("*/×÷／"), st.sampled_from(list(NUMBERS))), max_size=2
    )
    parts = st.tuples(
        st.sampled_from("+-＋－−"), st.one_of(WORDS, inner, st.builds(weighed, left, vector, right))
    )
    return st.builds(
        parenthesised, st.builds(added, st.lists(parts, min_size=1, max_size=4), SPACE)
    )


GROUPS = st.recursive(st.builds(parenthesised, WORDS), extend, max_leaves=6)


@settings(deadline=None, max_examples=1000)
@given(GROUPS)
def test_an_expression_has_the_expected_terms(group: Written) -> None:
    expression = parse(group.source)
    assert lowered(expression.terms) == list(group.terms.items())
    assert parse(str(expression)) == expression
    assert lowered(parse(str(expression)).terms) == list(group.terms.items())
    assert parse(group.source[1:-1]) == expression


@settings(deadline=None, max_examples=100)
@given(GROUPS, WORDS, GROUPS, st.sampled_from(["=", "::", "＝", "：："]), SPACE)
def test_any_analogy_parses_back_from_its_text(
    a: Written, b: Written, c: Written, equals: str, space: str
) -> None:
    source = space.join((a.source, ":", b.source, equals, c.source, "：", "？"))
    expression = parse(source)
    assert expression.analogy is not None
    assert lowered(expression.analogy.a) == list(a.terms.items())
    assert lowered(expression.analogy.b) == list(b.terms.items())
    assert lowered(expression.analogy.c) == list(c.terms.items())
    assert parse(str(expression)) == expression
    assert_same_sum(expression, f"{c.source}-{a.source}+{b.source}")


def assert_same_sum(expression: Expression, source: str) -> None:
    """An analogy means the sum that it stands for, to the last bit."""
    assert expression.terms == parse(source).terms

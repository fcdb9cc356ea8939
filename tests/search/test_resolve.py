"""Words → rows: what an expression names in a vocabulary, and what to do about unknown words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wordvec.errors import ExpressionError, UnknownWordError
from wordvec.expression.parser import parse
from wordvec.expression.tree import Term, TokenId, Word
from wordvec.search.resolve import combine, resolve, term_vectors
from wordvec.vocabulary.lookup import Vocabulary
from wordvec.vocabulary.spelling import Scheme

VOCABULARY = Vocabulary(
    (
        *("[CLS]", "[SEP]", "王", "男", "女", "女王", "騎士", "##騎士", "##ー", "##男"),
        *("コーヒー", "king", "C", "+", "-", "2", "##子"),
    ),
    special_ids=(0, 1),
)
BYTE_LEVEL = Vocabulary(("king", "Ġqueen", "<s>"), scheme=Scheme.BYTE_LEVEL, special_ids=(2,))


PIECES = """\
女騎士 could be cut into 女 + ##騎士; for their mean use pieces=True
similar tokens: 騎士 ##騎士 女"""
WITH_MINUS = """\
with a minus in place of the dash: "王-男"
王ー男 could be cut into 王 + ##ー + ##男; for their mean use pieces=True
similar tokens: 王 男 ##男"""


def ids_and_weights(source: str, *, pieces: bool = False) -> list[tuple[tuple[int, ...], float]]:
    resolved = resolve(parse(source), VOCABULARY, pieces=pieces)
    return [(term.ids, term.weight) for term in resolved.terms]


def test_each_word_and_id_becomes_a_row_with_its_weight_and_place() -> None:
    resolved = resolve(parse("2*王 - #3/2 + 女"), VOCABULARY)
    assert resolved.terms == (
        Term(Word("王"), 2.0, (2,)),
        Term(TokenId(3), -0.5, (3,)),
        Term(Word("女"), 1.0, (4,)),
    )
    places = [(term.operand.start, term.operand.end) for term in resolved.terms]
    assert places == [(2, 3), (6, 8), (13, 14)]
    assert resolved.analogy is None
    assert resolved.notes == ()
    assert resolved.query_ids == {2, 3, 4}


def test_an_analogy_is_resolved_as_a_sum_and_side_by_side() -> None:
    resolved = resolve(parse("男:女=(王+#5):?"), VOCABULARY)
    assert [(t.ids, t.weight) for t in resolved.terms] == [
        ((2,), 1.0),
        ((5,), 1.0),
        ((3,), -1.0),
        ((4,), 1.0),
    ]
    assert resolved.analogy is not None
    assert [t.ids for t in resolved.analogy.a] == [(3,)]
    assert [t.ids for t in resolved.analogy.b] == [(4,)]
    assert [t.ids for t in resolved.analogy.c] == [(2,), (5,)]


def test_a_word_read_in_another_form_has_one_note() -> None:
    resolved = resolve(parse("queen-king"), BYTE_LEVEL)
    assert resolved.notes == ()  # Ġqueen is what the model reads
    analogy = resolve(parse("ｋｉｎｇ:王=女:?"), VOCABULARY)
    assert analogy.notes == ("ｋｉｎｇ is read as king (NFKC)",)


def test_an_id_beyond_the_vocabulary_is_an_error_that_marks_it() -> None:
    with pytest.raises(
        ExpressionError, match=r"^there is no row #17: the ids of this vocabulary are #0 to #16$"
    ) as caught:
        resolve(parse("王+#17"), VOCABULARY)
    assert (caught.value.start, caught.value.end) == (2, 5)


def test_pieces_replace_a_word_only_if_requested() -> None:
    assert ids_and_weights("女騎士-女", pieces=True) == [((4, 7), 1.0), ((4,), -1.0)]
    resolved = resolve(parse("女騎士-女"), VOCABULARY, pieces=True)
    assert resolved.notes == ("女騎士 is read as the mean of 女 + ##騎士",)
    assert resolved.query_ids == {4, 7}
    with pytest.raises(UnknownWordError, match=r'^"女騎士" is not in this vocabulary$'):
        resolve(parse("女騎士-女"), VOCABULARY)


@pytest.mark.parametrize(
    ("source", "marked", "hint"),
    [
        (
            "女-女騎士",
            "女騎士",
            PIECES,
        ),
        ("kingg+女", "kingg", "similar tokens: king"),
        ('"C++"', '"C++"', None),
        ("ゑ", "ゑ", None),
        (
            "王ー男",
            "王ー男",
            WITH_MINUS,
        ),
    ],
)
def test_an_unknown_word_is_marked_with_suggestions(
    source: str, marked: str, hint: str | None
) -> None:
    with pytest.raises(UnknownWordError, match=r"is not in this vocabulary$") as caught:
        resolve(parse(source), VOCABULARY)
    error = caught.value
    assert source[error.start : error.end] == marked
    assert error.hint == hint


@pytest.mark.parametrize(
    ("source", "offered"),
    [
        ("王ー男+女", '"王-男+女"'),
        ("王–男", '"王-男"'),
        ("王—男‐女", '"王-男-女"'),
        ("2*王ー男", '"2*王-男"'),
        ("コーヒーー王", '"コーヒー-王"'),  # the first ー is a letter
        ("王ーコーヒーー男", '"王-コーヒー-男"'),
        ("王ーｋｉｎｇ", '"王-ｋｉｎｇ"'),
        ("王ー王子", None),
        ("ー王", None),
        ("ーーーーーーーーーーーーーーーー王", None),
        ("王ー男:女=王:?", None),  # a sum cannot be a side without parentheses
    ],
)
def test_a_dash_between_known_words_is_offered_as_a_minus(source: str, offered: str | None) -> None:
    with pytest.raises(UnknownWordError, match=r"is not in this") as caught:
        resolve(parse(source), VOCABULARY)
    first = (caught.value.hint or "").splitlines()[0]
    assert first.partition("with a minus in place of the dash: ")[2] == (offered or "")


def test_messages_stay_short_whatever_the_word() -> None:
    with pytest.raises(UnknownWordError, match="…") as caught:
        resolve(parse("女" + "騎士" * 500), VOCABULARY)
    assert len(caught.value.message) < 80
    assert len(caught.value.hint or "") < 300


def test_what_cannot_be_printed_is_escaped_in_messages() -> None:
    with pytest.raises(UnknownWordError, match=r'^"a\\u001b" is not in this'):
        resolve(parse("a\x1b"), VOCABULARY)


def test_terms_are_added_in_float64_and_pieces_are_averaged() -> None:
    rows = np.arange(17 * 3, dtype=np.float32).reshape(17, 3) / 7
    resolved = resolve(parse("2*女騎士-王/3"), VOCABULARY, pieces=True)
    wide = rows.astype(np.float64)
    plain = 2 * (wide[4] + wide[7]) / 2 - wide[2] / 3
    vector = combine(resolved.terms, wide.__getitem__)
    assert vector.dtype == np.float64
    np.testing.assert_allclose(vector, plain, rtol=1e-15)
    np.testing.assert_array_equal(
        term_vectors(resolved.terms, wide.__getitem__), [(wide[4] + wide[7]) / 2, wide[2]]
    )


@settings(deadline=None, max_examples=300)
@given(source=st.text('王女騎士男ー–kingC#25+-*/() :=?"\\', max_size=12), pieces=st.booleans())
def test_any_query_is_resolved_or_an_error_that_marks_a_place(
    source: str,
    *,
    pieces: bool,
) -> None:
    try:
        resolved = resolve(parse(source), VOCABULARY, pieces=pieces)
    except ExpressionError as error:
        assert error.source == source  # noqa: PT017
        assert error.start < error.end  # noqa: PT017
    else:
        assert all(0 <= id_ < 17 for id_ in resolved.query_ids)
        assert all(term.ids for term in resolved.terms)

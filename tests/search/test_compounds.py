"""Hyphenated words, which the grammar reads as subtractions."""

from __future__ import annotations

import pytest

from wordvec.errors import UnknownWordError
from wordvec.expression.parser import parse
from wordvec.search.compounds import compound_notes
from wordvec.search.resolve import resolve, resolve_word
from wordvec.vocabulary.lookup import Vocabulary

VOCABULARY = Vocabulary(
    (
        *(
            "well",
            "known",
            "well-known",
            "king",
            "man",
            "woman",
            "e",
            "##-",
            "##mail",
            "##e",
            "a",
            "b",
        ),
        *("state", "of", "the", "art", "state-of-the-art", "王-男", "王", "男"),
    )
)
WELL_KNOWN = (
    "well-known is read as well minus known; for the token well-known, type "
    '"well-known" (in a command line \'"well-known"\')'
)
E_MAIL = (
    "e-mail is read as e minus mail; for the mean of the pieces of e-mail, use pieces=True and "
    'type "e-mail" (in a command line \'"e-mail"\')'
)


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("well-known", ["well-known"]),
        ("2*well-known+王", ["well-known"]),
        ("king+(well-known)", ["well-known"]),
        ("king-well-known", ["well-known"]),
        ("state-of-the-art+well-known-man", ["state-of-the-art", "well-known"]),
        ("王-男+king", ["王-男"]),
        (" e-mail ", ["e-mail"]),
        ("king-man", []),  # neither a token nor pieces
        ("king-man+woman", []),
        ("king - man", []),
        ("well - known", []),
        ('"well-known"', []),
        ('"well"-known', []),
        ("well−known", []),
        ("-well+known", []),
        ("王-女", []),
        ("well", []),
        ("a-e", []),
        ("-".join(["well", "known"] * 2000) + "+王", []),
    ],
)
def test_a_hyphenated_word_is_noted(source: str, read: list[str]) -> None:
    notes = compound_notes(parse(source), VOCABULARY)
    assert [note.partition(" is read as ")[0] for note in notes] == read


def test_a_note_says_how_to_type_the_word() -> None:
    assert resolve(parse("2*well-known"), VOCABULARY).notes == (WELL_KNOWN,)
    assert compound_notes(parse("e-mail"), VOCABULARY) == [E_MAIL]


def test_the_error_for_an_unknown_part_says_so_too() -> None:
    with pytest.raises(UnknownWordError, match='"mail" is not in this vocabulary') as caught:
        resolve(parse("e-mail"), VOCABULARY)
    assert (caught.value.hint or "").splitlines()[0] == E_MAIL
    with pytest.raises(UnknownWordError, match='"zzz" is not in this vocabulary') as caught:
        resolve(parse("king-zzz"), VOCABULARY)
    assert caught.value.hint == (
        "king-zzz is read as king minus zzz; "
        "this vocabulary has neither the token king-zzz nor its pieces"
    )
    with pytest.raises(UnknownWordError, match='"zzz" is not in this vocabulary') as caught:
        resolve(parse("well-known+zzz"), VOCABULARY)
    assert caught.value.hint is None


def test_only_the_words_around_a_place_are_noted() -> None:
    source = "well-known+state-of-the-art"
    assert compound_notes(parse(source), VOCABULARY, at=0) == [WELL_KNOWN]
    [note] = compound_notes(parse(source), VOCABULARY, at=source.index("art"))
    assert note.startswith("state-of-the-art is read as state minus of minus the minus art")


def test_a_word_that_is_no_expression_is_not_called_a_subtraction() -> None:
    with pytest.raises(UnknownWordError) as caught:
        resolve_word("king-zzz", VOCABULARY)
    assert "minus" not in (caught.value.hint or "")

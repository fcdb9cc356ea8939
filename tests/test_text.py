"""Tokens as people see them: class, width, escapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from wordvec.text import _PLAIN, TokenClass, classify, clip, escape, nfkc, quote, width, wrap


@pytest.mark.parametrize(
    ("surface", "token_class"),
    [
        ("王", "kanji"),
        ("々", "kanji"),
        ("𠮷", "kanji"),
        ("﨑", "kanji"),
        ("女王", "kanji-word"),
        ("市ヶ谷", "kanji-word"),
        ("する", "hiragana"),
        ("らーめん", "hiragana"),
        ("コーヒー", "katakana"),
        ("ジャン・ポール", "katakana"),
        ("ｶﾅ", "katakana"),
        ("ー", "katakana"),
        ("BERT", "latin"),
        ("Ｋｉｎｇ", "latin"),
        ("café", "latin"),
        ("Việt", "latin"),
        ("U.S.A.", "latin"),
        ("1999", "number"),
        ("３", "number"),
        ("1,000", "number"),
        ("50%", "number"),
        ("行う", "other"),
        ("・", "other"),
        ("×", "other"),
        ("÷", "other"),
        ("C++", "other"),
        ("한국", "other"),
        ("", "other"),
    ],
)
def test_each_script_has_its_class(surface: str, token_class: str) -> None:
    assert classify(surface) == token_class


def test_special_and_subword_come_before_the_script() -> None:
    assert classify("[CLS]", special=True, subword=True) is TokenClass.SPECIAL
    assert classify("王", subword=True) is TokenClass.SUBWORD


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("王", "王"),
        ("new york", "new york"),
        ("", '""'),
        ("##\u200b", r"##\u200b"),
        ("a\tb\n", r"a\u0009b\u000a"),
        ("\x1b[31m", r"\u001b[31m"),  # a terminal would obey it
        ("\u3000", r"\u3000"),
        ("\u202e", r"\u202e"),  # would turn the line around
        ("\ufe0f", r"\ufe0f"),
        ("\u3164", r"\u3164"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_hidden_and_control_characters_are_escaped(token: str, shown: str) -> None:
    assert escape(token) == shown


@given(st.text())
def test_an_escaped_token_is_one_line_that_can_be_printed(token: str) -> None:
    shown = escape(token)
    assert len(shown.splitlines()) == 1
    assert shown.encode("utf-8")
    assert escape(shown) == shown


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("abc", 3),
        ("王-男", 5),
        ("コーヒー", 8),
        ("ｶﾅ", 2),
        ("（王）", 6),
        ("café", 4),
        ("e\u0301", 1),
        ("か\u3099", 2),
        ("\x1b", 1),  # no width of its own: escaped before it is shown
    ],
)
def test_width_counts_terminal_cells(text: str, cells: int) -> None:
    assert width(text) == cells


def test_the_characters_whose_width_is_known_agree_with_the_tables() -> None:
    known = [char for char in map(chr, range(0x10000)) if _PLAIN.fullmatch(char)]
    assert len(known) > 20_000
    assert [char for char in known if width(char) != wcswidth(char)] == []


@pytest.mark.parametrize(
    ("text", "cells", "clipped"),
    [
        ("王国", 4, "王国"),
        ("王国民", 5, "王国…"),
        ("王国民", 4, "王…"),
        ("abc", 2, "a…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_clipping_leaves_room_for_the_ellipsis(text: str, cells: int, clipped: str) -> None:
    assert clip(text, cells) == clipped


@given(st.text(), st.integers(0, 12))
def test_clipped_text_never_takes_more_cells_than_it_may(text: str, cells: int) -> None:
    shown = escape(text)
    assert width(clip(shown, cells)) <= cells


def test_nfkc_folds_forms_but_neither_minus_nor_the_long_vowel_mark() -> None:
    assert nfkc("ｋｉｎｇ㍿＋") == "king株式会社+"
    assert nfkc("−ー") == "−ー"


def test_a_value_in_a_message_is_escaped_and_cut() -> None:
    assert quote("王\x1b[31m\u200b") == r"'王\x1b[31m\u200b'"
    assert width(quote("王" * 10_000)) <= 64
    assert width(quote(["a" * 10_000])) <= 60


def test_a_percentage_stays_on_one_line() -> None:
    assert wrap("the first has 38.1 % of it", 18) == ["the first has", "38.1 % of it"]

"""The spelling of tokens in formats that split at white space: lossless, and read by gensim."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordvec.formats.escaped_tokens import escape_line, escape_token, respelled, unescape_token
from wordvec.formats.token_lines import read_token_lines, write_token_lines

# characters that are escaped or could be mistaken for an escape
HARD = st.text(
    st.sampled_from([*"\\u0025dcempty \t\n\r\v\f", *"\x1c\x1f\x85\u2028\u2029\0\ud800\udfff王"])
)
TOKENS = st.one_of(
    HARD, st.text(st.characters()), st.sampled_from(["", r"\empty", r"\u0020", "\\"])
)


@given(TOKENS)
def test_a_spelling_gives_the_token_back(token: str) -> None:
    assert unescape_token(escape_token(token)) == token
    assert unescape_token(escape_line(token)) == token


@given(TOKENS)
def test_a_spelling_can_be_split_by_no_reader(token: str) -> None:
    spelling = escape_token(token)
    assert spelling
    assert spelling.encode().split() == [spelling.encode()]
    assert spelling.splitlines() == [spelling]
    assert len(escape_line(token).splitlines()) <= 1


@given(st.sets(TOKENS, min_size=2))
def test_different_tokens_have_different_spellings(tokens: set[str]) -> None:
    assert len(set(map(escape_token, tokens))) == len(tokens)


@pytest.mark.parametrize("char", ["\u00ad", "\ufe0f", "\u202c", "\u3000", "\u00a0", "\u200b"])
def test_what_gensim_can_hold_stays_as_it_is(char: str, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    token = f"a{char}b"
    assert escape_token(token) == token
    (tmp_path / "x").write_bytes(f"1 2\n{token} 1 2\n".encode())
    assert KeyedVectors.load_word2vec_format(tmp_path / "x").index_to_key == [token]


@pytest.mark.parametrize("char", [" ", "\n", "\t", "\v", "\f", "\r", "\x85", "\u2028", "\0"])
def test_what_splits_a_line_somewhere_is_escaped(char: str) -> None:
    assert escape_token(f"a{char}b") == f"a\\u{ord(char):04x}b"


def test_backslashes_stay_unless_they_would_be_read_as_an_escape() -> None:
    for token in ("\\", "\\\\", r"\n", r"\frac", r"\u0041", r"\u", "\\empty!", "a\\empty"):
        assert escape_token(token) == token
    assert escape_token(r"\u0020") == r"\u005cu0020"
    assert escape_token(r"\empty") == r"\u005cempty"


def test_the_reference_vocabulary_needs_one_respelling_per_hard_token() -> None:
    tokens = ["王", "", '""', "a b", "\u00ad"]
    assert respelled(tokens) == {1: r"\empty", 3: r"a\u0020b"}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens") / "tokens.txt"


@given(tokens=st.lists(TOKENS, min_size=1, max_size=5))
def test_a_file_of_tokens_gives_them_back(scratch: Path, tokens: list[str]) -> None:
    file = BytesIO()
    write_token_lines(tokens, file)
    scratch.write_bytes(file.getvalue())
    # a byte order mark at the start of a file is not a part of its first token
    expected = [tokens[0].removeprefix("\ufeff"), *tokens[1:]]
    assert read_token_lines(scratch) == expected


def test_a_windows_file_of_tokens_has_no_carriage_returns(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("王\r\n女\r\n".encode())
    assert read_token_lines(tmp_path / "x") == ["王", "女"]

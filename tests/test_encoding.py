"""Input that is not UTF-8 is named, and valid input is never refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordvec.encoding import InputText, decode, guess_encoding, refuse_argument
from wordvec.errors import EncodingError

TEXT = "王-男+女\n東京 - 日本 + フランス\n一、二\u3000三\n"
BINARY = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\4\0\0\0\3\x20\x08\6\0\0\0"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16LE"),
        (TEXT.encode("utf-16-be"), "UTF-16BE"),
        (b"k\0i\0n\0g\0-\0m\0a\0n\0\n", "UTF-16LE"),  # the first line, cut at its \n
        (b"\0k\0i\0n\0g\0\n", "UTF-16BE"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (TEXT.encode("cp932"), "CP932"),
        ("王".encode("cp932"), "CP932"),
        ("コーヒー\n".encode("cp932"), "CP932"),
        (b"king\n" + TEXT.encode("cp932"), "CP932"),
        (TEXT.encode("euc_jp"), "EUC-JP"),
        ("王".encode("euc_jp"), "EUC-JP"),
        (TEXT.encode("iso2022_jp"), "ISO-2022-JP"),
        (BINARY, "binary"),
        (b"king-man\0+queen\n", "binary"),
        (bytes(range(256)), "binary"),
        (TEXT.encode(), None),
        (TEXT.encode("utf-8-sig"), None),
        ((TEXT * 2000).encode(), None),
        (b"king\n\xff\n\xe7\x8e\x8b\n", None),  # one broken line
        ("王".encode()[:2], None),
        ("café\nnaïvely\n".encode("latin-1"), None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_the_encoding_of_some_bytes_is_guessed(data: bytes, encoding: str | None) -> None:
    assert guess_encoding(data) == encoding


@given(st.text(st.characters(exclude_characters="\0\x1b", exclude_categories=["Cs"])))
def test_text_in_utf8_is_never_refused(text: str) -> None:
    assert guess_encoding(text.encode()) is None
    assert decode(text.encode(), "x") == text.removeprefix("\ufeff")
    refuse_argument(text)


@given(st.binary())
def test_any_bytes_are_text_or_an_error(data: bytes) -> None:
    try:
        decode(data, Path("x.txt"))
    except EncodingError as error:
        assert error.message.startswith("x.txt ")  # noqa: PT017


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (
            TEXT.encode("utf-16"),
            "my words.tsv looks like UTF-16, not UTF-8",
            "convert it: iconv -f UTF-16 -t UTF-8 'my words.tsv'",
        ),
        (
            TEXT.encode("cp932"),
            "my words.tsv looks like Shift-JIS (cp932), not UTF-8",
            "convert it: iconv -f CP932 -t UTF-8 'my words.tsv'",
        ),
        (BINARY, "my words.tsv is not text: it contains NUL bytes", None),
        (b"\xff\n", "my words.tsv is not UTF-8", None),
    ],
)
def test_the_error_of_a_file_names_it_and_how_to_convert_it(
    data: bytes, message: str, hint: str | None
) -> None:
    with pytest.raises(EncodingError, match="words") as caught:
        decode(data, Path("my words.tsv"))
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_stream_is_refused_once_it_shows_another_encoding() -> None:
    InputText().check(b"king\n")
    with pytest.raises(EncodingError, match=r"^standard input looks like EUC-JP, not UTF-8$"):
        InputText().check(b"king\n" + TEXT.encode("euc_jp"))
    stream = InputText()
    stream.check(TEXT.encode())
    stream.check(TEXT.encode("cp932"))  # broken lines of a stream that is UTF-8
    with pytest.raises(EncodingError, match=r"^standard input is not text: it contains NUL bytes$"):
        stream.check(BINARY)


def test_an_argument_in_another_encoding_is_refused() -> None:
    refuse_argument("王")
    refuse_argument("\ud800")  # no byte, but half a character
    for encoding, name in (("cp932", r"Shift-JIS \(cp932\)"), ("euc_jp", "EUC-JP")):
        argument = "王-男".encode(encoding).decode("utf-8", "surrogateescape")
        with pytest.raises(EncodingError, match=f"^an argument is not UTF-8: it looks like {name}"):
            refuse_argument(argument)
    with pytest.raises(EncodingError, match=r"^an argument is not UTF-8$"):
        refuse_argument("\udcff")

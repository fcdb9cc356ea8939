"""Text and binary of word2vec, GloVe and fastText: what gensim writes is read, and back."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.tables import table_of
from wordvec.errors import StoreError
from wordvec.formats.export import export_table
from wordvec.formats.import_table import ImportResult, import_vectors
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wordvec.tables.table import VectorTable

WORDS = {"王": [1.0, -0.5], "女": [0.25, 2.0], "男": [3.0, 1e-9]}


def imported(data: bytes, tmp_path: Path, suffix: str = ".txt", **options: Any) -> ImportResult:
    """Import a file with this content."""
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    return import_vectors(path, Store(tmp_path / "tables"), force=True, **options)


def rows_of(table: VectorTable) -> dict[str, list[float]]:
    """Return token → row."""
    return dict(zip(table.vocabulary.tokens, table.vectors.tolist(), strict=True))


def text_of(words: Mapping[str, list[float]], header: str = "") -> bytes:
    """Return the lines of some words."""
    lines = [f"{word} {' '.join(map(repr, row))}\n" for word, row in words.items()]
    return (header + "".join(lines)).encode()


def expected(words: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """Return the rows in float32."""
    return {word: np.array(row, dtype=np.float32).tolist() for word, row in words.items()}


@pytest.mark.parametrize("header", ["", "3 2\n"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", " \n", " \r\n", "\t\n"])
def test_text_is_read_with_and_without_a_header(header: str, ends: str, tmp_path: Path) -> None:
    data = text_of(WORDS, header).replace(b"\n", ends.encode())
    for content in (data, data.removesuffix(ends.encode()), b"\xef\xbb\xbf" + data):
        result = imported(content, tmp_path)
        assert rows_of(result.table) == expected(WORDS)
        assert result.notes == ()
        assert result.file_format == "word2vec"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_text_and_binary_are_read(pack: object, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    assert callable(pack)
    assert rows_of(imported(pack(text_of(WORDS)), tmp_path).table) == expected(WORDS)
    vectors = KeyedVectors(2)
    vectors.add_vectors(list(WORDS), np.array(list(WORDS.values()), dtype=np.float32))
    vectors.save_word2vec_format(tmp_path / "y", binary=True)
    result = imported(pack((tmp_path / "y").read_bytes()), tmp_path)
    assert rows_of(result.table) == expected(WORDS)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("dimensions", [1, 7, 300])
def test_what_gensim_writes_is_read_bit_for_bit(
    *, binary: bool, dimensions: int, tmp_path: Path
) -> None:
    from gensim.models import KeyedVectors

    rows = np.random.default_rng(0).standard_normal((500, dimensions)).astype(np.float32)
    tokens = [f"語{i}" for i in range(496)] + ["</s>", "a\u3000b", "12", "-1.5"]
    vectors = KeyedVectors(dimensions)
    vectors.add_vectors(tokens, rows)
    vectors.save_word2vec_format(tmp_path / "y", binary=binary)
    result = imported((tmp_path / "y").read_bytes(), tmp_path)
    assert result.file_format == ("word2vec-binary" if binary else "word2vec")
    assert result.table.vocabulary.tokens == tuple(tokens)
    assert result.table.vectors.tobytes() == rows.tobytes()


HARD = [
    "王",
    "a b",
    "",
    '""',
    r"\u0020",
    r"\empty",
    "\u2028",
    "\t",
    "\n",
    "\u00ad",
    "\u202c",
    "x\ufe0f",
]


@pytest.mark.parametrize("name", ["y.txt", "y.vec.gz", "y.bin"])
def test_gensim_reads_every_row_that_is_written_and_import_gives_it_back(
    name: str, tmp_path: Path
) -> None:
    from gensim.models import KeyedVectors

    rows = np.random.default_rng(1).standard_normal((len(HARD), 5)).astype(np.float32)
    table = table_of(dict(zip(HARD, rows.tolist(), strict=True)))
    result = export_table(table, tmp_path / name)
    assert len(result.notes) == 1
    vectors = KeyedVectors.load_word2vec_format(tmp_path / name, binary=name.endswith("bin"))
    assert len(vectors) == len(HARD)
    assert vectors.vectors.tobytes() == rows.tobytes()
    for row in (0, 3, 9, 10, 11):
        assert vectors.index_to_key[row] == HARD[row]
    back = import_vectors(tmp_path / name, Store(tmp_path / "tables"))
    assert back.table.vocabulary.tokens == tuple(HARD)
    assert back.table.vectors.tobytes() == rows.tobytes()
    assert back.notes == ("7 tokens are read with escapes (\\u0020 is a space)",)


def test_gloves_tokens_with_spaces_are_read(tmp_path: Path) -> None:
    words = {
        "the": [1.0, 2.0, 3.0],
        ". . .": [4.0, 5.0, 6.0],
        "at name@domain.com": [7.0, 8.0, 9.0],
    }
    assert rows_of(imported(text_of(words), tmp_path).table) == expected(words)


def test_the_c_programs_binary_with_line_breaks_is_read(tmp_path: Path) -> None:
    rows = np.arange(6, dtype="<f4").reshape(3, 2)
    records = [w.encode() + b" " + r.tobytes() + b"\n" for w, r in zip("王女男", rows, strict=True)]
    result = imported(b"3 2\n" + b"".join(records), tmp_path)
    assert rows_of(result.table) == {"王": [0, 1], "女": [2, 3], "男": [4, 5]}


@pytest.mark.parametrize("count", [2, 4])
def test_a_header_with_another_number_is_a_note(count: int, tmp_path: Path) -> None:
    result = imported(text_of(WORDS, f"{count} 2\n"), tmp_path)
    assert result.notes == (f"the header says {count} vectors, the file has 3",)
    assert len(result.table) == 3


def test_equal_tokens_and_invalid_bytes_are_counted(tmp_path: Path) -> None:
    result = imported(b"a 1 2\nb\xff 3 4\na 5 6\nc\xe3\x81 7 8\n", tmp_path)
    assert rows_of(result.table) == {"a": [1, 2], "b\ufffd": [3, 4], "c\ufffd": [7, 8]}
    assert result.notes == (
        (
            "2 tokens are not valid UTF-8: their invalid bytes are read as U+FFFD "
            "(a file in Latin-1 can be converted: iconv -f LATIN1 -t UTF-8)"
        ),
        '1 vectors are left out, because their tokens occur before: "a"',
    )


def test_a_broken_line_is_an_error_with_its_number_or_is_counted(tmp_path: Path) -> None:
    data = b"3 2\na 1 2\nb 1\nc 1 x\nd 5 6\n"
    with pytest.raises(
        StoreError, match=r'x.txt: line 3 is not a token and 2 numbers: "b 1"$'
    ) as e:
        imported(data, tmp_path)
    assert e.value.hint == "skip_bad=True leaves such lines out"
    assert Store(tmp_path / "tables").tables() == []
    result = imported(data, tmp_path, skip_bad=True)
    assert rows_of(result.table) == {"a": [1, 2], "d": [5, 6]}
    assert result.notes == (
        "2 lines are left out: they are not a token and 2 numbers (the first is line 3)",
        "the header says 3 vectors, the file has 2",
    )


def test_the_limit_takes_the_first_rows(tmp_path: Path) -> None:
    data = b"".join(b"w%d %d 1\n" % (i, i) for i in range(1000)) + b"broken\n"
    calls: list[tuple[int, int]] = []
    result = imported(data, tmp_path, limit=7, progress=lambda *call: calls.append(call))
    assert result.table.vectors[:, 0].tolist() == list(range(7))
    assert calls[-1] == (7, 7)


def test_numbers_in_other_spellings_are_read(tmp_path: Path) -> None:
    data = b"a 1e-05 +2 nan\nb -inf 1E3 .5\nc  1   2 3\nd\t4\t5\t6\n"
    table = imported(data, tmp_path).table
    assert table.vectors[0, :2].tolist() == [np.float32(1e-05), 2]
    assert table.vectors[1].tolist() == [-np.inf, 1000, 0.5]
    assert table.vectors[2:].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert table.provenance.non_finite_rows == (0, 1)


def test_long_lines_and_many_blocks_are_read(tmp_path: Path) -> None:
    wide = np.random.default_rng(0).standard_normal((3, 30_000)).astype(np.float32)
    data = text_of({f"w{i}": row.tolist() for i, row in enumerate(wide)})
    assert imported(data, tmp_path).table.vectors.tobytes() == wide.tobytes()
    tall = b"".join(b"w%d %d.25 -1\n" % (i, i) for i in range(500_000))
    table = imported(tall, tmp_path).table
    assert table.vectors[:, 0].tolist() == [i + 0.25 for i in range(500_000)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1000000000000 2\na 1\n", r"line 2 is not a token and 2 numbers"),
        (b"3 1000000000000\na 1 2\n", r"its header says 1,000,000,000,000 dimensions, and at m"),
        (b"5 300\na \x01\x02", r"is truncated: a vector of 300 numbers has 1,200 bytes"),
        (b"2 2\na \0\0\0\0\0\0\0\0b \0\0\0", r"is damaged at vector 2: the file ends inside it"),
        (b"a\0b", r"is binary data of a format that is not known"),
        (b"\0" * 1000, r"is binary data of a format that is not known"),
        (b"a 1 2\n" * 200 + b"b \0 2\n", r"line 201 is not a token and 2 numbers: \"b "),
        (gzip.compress(b"a 1 2\n" * 9)[:-9], r"is damaged: it ends early"),
        (
            b"It was a dark night\nin 1999, it seems\n",
            r'is not vectors: line 1 is "It was a dark n',
        ),
        ("吾輩は猫である。\n名前はまだ無い。\n".encode(), r'is not vectors: line 1 is "吾輩は猫'),
        (b"", r"x.txt is empty"),
        (b"\n\n\n", r"is not vectors: line 1 is"),
    ],
)
def test_hostile_files_end_in_one_clear_line(data: bytes, message: str, tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(StoreError, match=message) as error:
            imported(data, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in error.value.message
    assert Store(tmp_path / "tables").tables() == []


def test_a_line_of_a_gigabyte_takes_little_memory(tmp_path: Path) -> None:
    store = Store(tmp_path / "tables")
    for start in (b"", b"a 1 2\nb 1 2\n"):
        with (tmp_path / "x").open("wb") as file:
            file.write(start)
            file.truncate(1 << 30)  # zeros that take no space
        tracemalloc.start()
        try:
            with pytest.raises(StoreError, match=r"binary data|is longer than 4 MiB"):
                import_vectors(tmp_path / "x", store, file_format="word2vec")
            assert tracemalloc.get_traced_memory()[1] < 80_000_000
        finally:
            tracemalloc.stop()


def test_tokens_of_a_file_are_used_for_numbers_without_tokens(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_text("王\n女\n", encoding="utf-8")
    options: dict[str, Any] = {"tokens": tmp_path / "tokens.txt", "file_format": "word2vec"}
    assert rows_of(imported(b"0.5 1\n2 3\n", tmp_path, **options).table) == {
        "王": [0.5, 1],
        "女": [2, 3],
    }
    with pytest.raises(StoreError, match=r"x.txt has at least 3 vectors for 2 tokens"):
        imported(b"0.5 1\n2 3\n4 5\n", tmp_path, **options)
    with pytest.raises(StoreError, match=r"x.txt has 1 vectors for 2 tokens"):
        imported(b"0.5 1\n", tmp_path, **options)

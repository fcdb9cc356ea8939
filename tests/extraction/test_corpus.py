"""Corpora of every kind are read to the same text."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.corpora import SENTENCES, write
from wordvec.errors import EncodingError, StoreError, UsageError
from wordvec.extraction import corpus as module
from wordvec.extraction.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "".join(f"{sentence}\n" for sentence in SENTENCES).encode()


def read(*names: Path | str, field: str | None = None) -> bytes:
    return b"".join(block.data for block in Corpus.of([*names], field).blocks())


def zstd(data: bytes) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    return bytes(pyarrow.compress(data, codec="zstd", asbytes=True))


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
def test_a_compressed_file_is_read_by_its_content(compress: Any, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(compress(TEXT))
    assert read(tmp_path / "text") == TEXT


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_a_truncated_compressed_file_is_an_error_that_names_it(
    compress: Any, tmp_path: Path
) -> None:
    (tmp_path / "text").write_bytes(compress(TEXT)[:-5])
    with pytest.raises(StoreError, match=r"text"):
        read(tmp_path / "text")


def test_files_and_folders_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, text in (("b.txt", "b"), ("a/z.txt", "z"), (".hidden", "h"), ("a/.git/x", "x")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    assert read(tmp_path) == b"z\nb\n"
    assert read(tmp_path / "b.txt", tmp_path / "a") == b"b\nz\n"
    corpus = Corpus.of([tmp_path])
    assert corpus.size == 4
    assert [block.end for block in corpus.blocks()] == [2, 4]


def test_standard_input_is_read_compressed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (TEXT, lzma.compress(TEXT), zstd(TEXT)):
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(data)))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert read("-") == TEXT


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ([], UsageError, "contextual vectors need a corpus"),
        (["-", "-"], UsageError, "standard input can be read only once"),
        (["{tmp}/absent.txt"], StoreError, r"cannot read .*absent.txt \(No such file"),
        (["{tmp}/empty"], StoreError, r"empty has no files"),
        (["hf:"], UsageError, r"expected hf:OWNER/NAME\[:CONFIG\]"),
    ],
)
def test_a_corpus_that_cannot_be_found_is_an_error(
    names: list[str], error: type[Exception], message: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(error, match=message):
        read(*(name.format(tmp=tmp_path) for name in names))


def test_text_in_another_encoding_is_an_error_that_converts_it(tmp_path: Path) -> None:
    (tmp_path / "sjis.txt").write_bytes("".join(SENTENCES).encode("cp932", "ignore"))
    with pytest.raises(EncodingError, match=r"sjis.txt looks like Shift-JIS") as caught:
        read(tmp_path / "sjis.txt")
    assert "iconv -f CP932" in str(caught.value.hint)


@pytest.mark.parametrize("size", [64, 100, 1 << 18])
def test_blocks_end_at_the_ends_of_lines(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", size)
    file = write(tmp_path / "text")
    blocks = list(Corpus.of([file]).blocks())
    assert b"".join(block.data for block in blocks) == TEXT
    short = [block for block in blocks if block.data.count(b"\n") or size > 100]
    assert all(block.data.endswith(b"\n") for block in short if len(block.data) > size)
    for block in blocks:
        block.data.decode()  # no character is cut
        before = TEXT[: TEXT.index(block.data)]
        assert block.line == before.count(b"\n") + 1


@pytest.mark.parametrize("text", ["あ" * 5_000_000, "王。" * 2_000_000, "a " * 5_000_000])
def test_a_line_of_10_mb_is_read_in_blocks(text: str, tmp_path: Path) -> None:
    (tmp_path / "line").write_text(text, encoding="utf-8")
    blocks = list(Corpus.of([tmp_path / "line"]).blocks())
    assert max(len(block.data) for block in blocks) <= 2 * module.BLOCK_BYTES
    assert "".join(block.data.decode() for block in blocks) == text
    if "。" in text:
        assert all(block.data.decode().endswith("。") for block in blocks)


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbf" + TEXT)
    assert read(tmp_path / "text") == TEXT


def test_a_pipe_has_no_size_and_cannot_be_read_again(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    corpus = Corpus.of([tmp_path / "pipe"])
    assert (corpus.size, corpus.can_be_read_again) == (None, False)
    file = Corpus.of([write(tmp_path / "text")])
    assert (file.size, file.can_be_read_again) == (len(TEXT), True)


def test_parquet_is_read_by_datasets(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"id": list(range(7)), "text": list(SENTENCES), "body": ["b"] * 7})
    parquet.write_table(table, tmp_path / "text[1].parquet")
    assert read(tmp_path / "text[1].parquet") == TEXT
    assert read(tmp_path / "text[1].parquet", field="body") == b"b\n" * 7
    with pytest.raises(StoreError, match="no text in the field 'id'; its fields with text: text"):
        read(tmp_path / "text[1].parquet", field="id")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=r"cannot read .*bad.parquet"):
        read(tmp_path / "bad.parquet")


def test_json_lines_are_known_by_their_name_or_by_the_field(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": sentence}) + "\n" for sentence in SENTENCES)
    for name, field in (("a.jsonl", None), ("a.ndjson.gz", None), ("wiki_00", "text")):
        data = lines.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        [block] = Corpus.of([tmp_path / name], field).blocks()
        assert (block.field, block.data) == ("text", data)

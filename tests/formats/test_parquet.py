"""Parquet and Arrow files: pandas and pyarrow read what is written, and the other way round."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from support.readings import (
    TOKENS,
    assert_same,
    check_damage,
    collect,
    named,
    odd_table,
    read_all,
    vectors,
)
from wordvec.errors import MissingExtraError, StoreError
from wordvec.formats.detect import detect_format
from wordvec.formats.file_format import FileFormat
from wordvec.formats.parquet import (
    read_arrow,
    read_parquet,
    write_parquet,
)
from wordvec.formats.reading import ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["王", "女 王", "k"]
ROWS = vectors(3, 4)
FIXED = pa.array(list(ROWS), pa.list_(pa.float32(), 4))
PLAIN = np.arange(12, dtype=np.float32).reshape(3, 4)


def write(path: Path, table: Any) -> Path:
    with path.open("wb") as file:
        write_parquet(table, file)
        assert not file.closed  # it is synced after this
    return path


def save(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_what_is_written_comes_back_bit_for_bit(tmp_path: Path) -> None:
    table = odd_table()
    path = write(tmp_path / "x.parquet", table)
    assert_same(read_all(read_parquet, path), TOKENS, table.vectors)
    assert_same(read_all(read_parquet, path, limit=2), TOKENS[:2], table.vectors[:2])


def test_pandas_reads_what_is_written(tmp_path: Path) -> None:
    table = odd_table()
    frame = pd.read_parquet(write(tmp_path / "x.parquet", table))
    assert list(frame["token"]) == list(TOKENS)
    assert np.stack(list(frame["vector"])).tobytes() == table.vectors.tobytes()
    schema = pq.read_schema(tmp_path / "x.parquet")
    assert schema.field("vector").type.list_size == table.dimensions


def test_many_blocks_and_row_groups_come_back(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(9000, 1000)).astype(np.float32)
    words = [f"t{row}" for row in range(9000)]
    calls: list[tuple[int, int]] = []
    path = tmp_path / "x.parquet"
    with path.open("wb") as file:
        write_parquet(named(words, rows), file, lambda *call: calls.append(call))
    assert pq.ParquetFile(path).num_row_groups == 2
    assert calls == [(8384, 9000), (9000, 9000)]
    reading = read_parquet(path, ReadOptions())
    blocks = list(reading.blocks)
    assert reading.total == 9000
    assert len(blocks) > 5
    assert np.concatenate([block.rows for block in blocks]).tobytes() == rows.tobytes()


def test_a_large_row_group_takes_little_memory(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(40_000, 500)).astype(np.float32)
    path = save(tmp_path / "x", {"token": [str(i) for i in range(40_000)], "vector": list(rows)})
    assert pq.ParquetFile(path).num_row_groups == 1
    taken = []
    for block in read_parquet(path, ReadOptions()).blocks:
        taken.append(pa.total_allocated_bytes())
        assert block.rows.tobytes() == rows[int(block.tokens[0]) :][: len(block.tokens)].tobytes()
    assert max(taken) < rows.nbytes / 2


@pytest.mark.parametrize(
    "columns",
    [
        {"token": WORDS, "vector": list(ROWS)},
        {"id": [1, 2, 3], "Word": pa.array(WORDS).dictionary_encode(), "embedding": list(ROWS)},
        {"other": WORDS, "numbers": pa.array(list(ROWS), pa.large_list(pa.float32()))},
        {"text": pa.array(WORDS, pa.large_string()), "vec": FIXED},
        {"word": WORDS, "note": ["a", "b", "c"], **{f"d{i}": ROWS[:, i] for i in range(4)}},
        {"word": WORDS, "count": [1, 2, 3], **{f"d{i}": ROWS[:, i] for i in range(4)}},
    ],
)  # fmt: skip
def test_columns_are_found_by_name_or_type(columns: dict[str, Any], tmp_path: Path) -> None:
    path = save(tmp_path / "x.parquet", columns)
    assert_same(read_all(read_parquet, path), WORDS, ROWS)
    pa.feather.write_feather(pa.table(columns), tmp_path / "x.feather")
    assert_same(read_all(read_arrow, tmp_path / "x.feather"), WORDS, ROWS)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint16", "int64"])
def test_each_type_of_numbers_is_read(dtype: str, tmp_path: Path) -> None:
    rows = PLAIN.astype(dtype)
    path = save(tmp_path / "x", {"token": WORDS, "vector": list(rows)})
    assert_same(read_all(read_parquet, path), WORDS, PLAIN)
    path = save(tmp_path / "x", {"token": WORDS, **{str(i): rows[:, i] for i in range(4)}})
    assert_same(read_all(read_parquet, path), WORDS, PLAIN)


def test_what_pandas_users_save_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pd.DataFrame(PLAIN, index=pd.Index(WORDS)).rename(columns=str).to_parquet(path)
    assert_same(read_all(read_parquet, path), WORDS, PLAIN)
    pd.DataFrame({"word": WORDS, "embedding": list(PLAIN.astype(float))}).to_parquet(path)
    assert_same(read_all(read_parquet, path), WORDS, PLAIN)


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    path = save(tmp_path / "x", {"count": [1, 2, 3], "token": WORDS, "vector": list(ROWS)})
    reading = read_parquet(path, ReadOptions())
    collect(reading)
    assert reading.notes == ["columns that were not read: count"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"vector": list(ROWS)}, r"expected a text column named token, got vector \(list<"),
        ({"a": WORDS, "b": WORDS, "v": list(ROWS)}, r"named token, got a \(string\), b \(string\)"),
        ({"token": WORDS}, r"expected a column of lists named vector, got token \(string\)$"),
        ({"token": WORDS, "flag": [True] * 3}, r"got token \(string\), flag \(bool\)"),
        ({"token": WORDS, "vector": [[1.0], [1.0, 2.0], [3.0]]}, "row 1 has 2 numbers, expected 1"),
        ({"token": WORDS, "vector": [[1.0], None, [3.0]]}, "row 1 has no vector"),
        ({"token": WORDS, "vector": [[1.0], [None], [3.0]]}, "row 1 has no token, or a vector wi"),
        ({"token": ["a", None, "b"], "vector": list(ROWS)}, "row 1 has no token, or"),
        ({"token": WORDS, "x": [1.0, None, 2.0]}, "row 1 has no token, or a vector with a missing"),
        (
            {"token": WORDS, "vector": pa.array([[]] * 3, pa.list_(pa.float32()))},
            "row 0 has 0 numbers",
        ),
        (
            {"token": ["a"], "vector": pa.array([[0.0] * (2**20 + 1)])},
            "expected vectors of at most 1,048,576 dimensions, got 1,048,577",
        ),
        ({"token": pa.array([], pa.string()), "x": pa.array([], pa.float32())}, "has no rows"),
    ],
)
def test_other_columns_are_refused(columns: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = save(tmp_path / "x", columns)
    with pytest.raises(StoreError, match=message):
        collect(read_parquet(path, ReadOptions()))


def test_bad_rows_are_left_out_and_counted_on_request(tmp_path: Path) -> None:
    columns = {
        "token": ["a", "b", None, "d", "e"],
        "vector": [[1.0, 2.0], [1.0], [3.0, 4.0], [None, 5.0], [6.0, 7.0]],
    }
    reading = read_parquet(save(tmp_path / "x", columns), ReadOptions(skip_bad=True))
    tokens, rows = collect(reading)
    assert (tokens, rows.tolist()) == (["a", "e"], [[1, 2], [6, 7]])
    assert reading.total is None
    assert reading.notes == ["rows without a token or a vector of length D: 3"]


def test_tokens_can_come_from_a_text_file(tmp_path: Path) -> None:
    path = save(tmp_path / "x", {"vector": list(ROWS)})
    (tmp_path / "t").write_text("a\nb\nc\n", encoding="utf-8")
    assert_same(read_all(read_parquet, path, tokens=tmp_path / "t"), ["a", "b", "c"], ROWS)
    for text in ("a\nb\n", "a\nb\nc\nd\n"):
        (tmp_path / "t").write_text(text, encoding="utf-8")
        with pytest.raises(StoreError, match=r"got \d tokens and 3 vectors"):
            read_all(read_parquet, path, tokens=tmp_path / "t")


def test_arrow_streams_are_read(tmp_path: Path) -> None:
    table = pa.table({"token": WORDS, "vector": list(ROWS)})
    path = tmp_path / "x.arrow"
    with path.open("wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    assert detect_format(path) is FileFormat.ARROW
    assert_same(read_all(read_arrow, path), WORDS, ROWS)
    assert_same(read_all(read_arrow, path, limit=1), WORDS[:1], ROWS[:1])


def test_a_large_batch_of_an_arrow_file_is_read_in_parts(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20_000, 500)).astype(np.float32)
    table = pa.table({"token": [str(i) for i in range(20_000)], "vector": list(rows)})
    pa.feather.write_feather(table, tmp_path / "x", "uncompressed", chunksize=20_000)
    reading = read_arrow(tmp_path / "x", ReadOptions())
    blocks = list(reading.blocks)
    assert max(len(block.tokens) for block in blocks) < 3000
    assert np.concatenate([block.rows for block in blocks]).tobytes() == rows.tobytes()


def test_damaged_parquet_files_are_refused_or_read(tmp_path: Path) -> None:
    check_damage(read_parquet, write(tmp_path / "x", named(WORDS, ROWS)))
    check_damage(read_parquet, save(tmp_path / "x", {"word": WORDS, "a": ROWS[:, 0]}))


def test_damaged_arrow_files_are_refused_or_read(tmp_path: Path) -> None:
    for compression in ("uncompressed", "lz4"):
        table = pa.table({"token": WORDS, "vector": list(ROWS)})
        pa.feather.write_feather(table, tmp_path / "x", compression=compression)
        check_damage(read_arrow, tmp_path / "x")


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="a Parquet file needs pyarrow") as error:
        read_parquet(tmp_path / "x", ReadOptions())
    assert error.value.hint == "pip install 'wordvec[parquet]'"


def test_the_formats_are_detected_by_their_first_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "x", odd_table())
    assert detect_format(path) is FileFormat.PARQUET
    pa.feather.write_feather(pa.table({"a": [1]}), path)
    assert detect_format(path) is FileFormat.ARROW

"""The safetensors format: the package reads what is written, and what it writes is read."""

from __future__ import annotations

import io
import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_torch

from support.readings import TOKENS, assert_same, check_damage, named, odd_table, read_all, vectors
from wordvec.errors import StoreError
from wordvec.formats import safetensors_file
from wordvec.formats.detect import detect_format
from wordvec.formats.file_format import FileFormat
from wordvec.formats.reading import ReadOptions
from wordvec.formats.safetensors_file import (
    read_safetensors,
    write_safetensors,
)

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["王", "女 王", "k"]
ROWS = vectors(3, 4)
METADATA = {"tokens": json.dumps(WORDS)}


def write(path: Path, table: Any) -> Path:
    with path.open("wb") as file:
        write_safetensors(table, file)
    return path


def test_what_is_written_comes_back_bit_for_bit(tmp_path: Path) -> None:
    table = odd_table()
    path = write(tmp_path / "x.safetensors", table)
    assert_same(read_all(read_safetensors, path), TOKENS, table.vectors)
    assert_same(read_all(read_safetensors, path, limit=2), TOKENS[:2], table.vectors[:2])


def test_the_safetensors_package_reads_what_is_written(tmp_path: Path) -> None:
    table = odd_table()
    path = write(tmp_path / "x.safetensors", table)
    assert load_file(path)["vectors"].tobytes() == table.vectors.tobytes()
    with safe_open(path, framework="numpy") as file:
        assert file.metadata().keys() == {"format", "tokens"}
        assert json.loads(file.metadata()["tokens"]) == list(TOKENS)
    [length] = struct.unpack("<Q", path.read_bytes()[:8])
    assert length % 8 == 0


@pytest.mark.parametrize("name", ["vectors", "embeddings", "embedding.weight", "weight", "other"])
def test_what_the_package_writes_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({name: ROWS, "ids": np.arange(3)}, path, METADATA)
    assert_same(read_all(read_safetensors, path), WORDS, ROWS)


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "bfloat16", "int8", "uint8", "int16", "int32", "int64"]
)
def test_each_type_is_read(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    rows = torch.arange(12).reshape(3, 4).to(getattr(torch, dtype))
    save_torch({"vectors": rows}, path, METADATA)
    reading = read_safetensors(path, ReadOptions())
    [block] = reading.blocks
    assert block.rows.tolist() == rows.float().tolist()
    assert len(reading.notes) == ("int" in dtype)


def test_a_type_of_eight_bits_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_torch({"vectors": torch.ones(3, 4).to(torch.float8_e4m3fn)}, path, METADATA)
    with pytest.raises(StoreError, match="vectors has type F8_E4M3, expected one of F64, F32, F16"):
        read_safetensors(path, ReadOptions())


def test_tokens_can_come_from_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"vectors": ROWS}, path)
    with pytest.raises(StoreError, match="has vectors but no tokens"):
        read_safetensors(path, ReadOptions())
    (tmp_path / "x.safetensors.tokens.txt").write_text("a\nb\nc\n", encoding="utf-8")
    assert read_all(read_safetensors, path)[0] == ["a", "b", "c"]


def file_of(header: object, data: bytes = bytes(48), length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(shape: list[Any], stop: int = 48, dtype: str = "F32") -> dict[str, Any]:
    return {"vectors": {"dtype": dtype, "shape": shape, "data_offsets": [0, stop]}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (file_of({}, length=2**60), "a header of 1,152,921,504,606,846,976 bytes in a file of"),
        (file_of({}, length=2**63), "a header of"),
        (file_of(entry([2**60, 4])), "truncated or damaged: numbers of shape"),
        (file_of(entry([3, 4], stop=2**60)), "truncated or damaged: vectors ends at byte"),
        (file_of(entry([3, 4]), data=bytes(47)), "truncated or damaged: vectors ends at byte"),
        (file_of(entry([-3, -4])), "is damaged or not a safetensors file"),
        (file_of(entry([3.0, 4])), "is damaged or not a safetensors file"),
        (file_of(entry([0, 4], stop=0)), r"expected \(V, D\) vectors, got \(0, 4\)"),
        (file_of({"a": 1}), "is damaged or not a safetensors file"),
        (file_of([]), "is damaged or not a safetensors file"),
        (file_of(b"[" * 100_000), "is damaged or not a safetensors file"),
        (file_of(b'{"a": ' + b"9" * 5000 + b"}"), "is damaged or not a safetensors file"),
        (file_of({}), r"expected a matrix named vectors, got 0 among its tensors \(nothing\)"),
        (b"\x01", "is damaged or not a safetensors file"),
        (b"", "is empty"),
    ],
)
def test_a_hostile_header_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(StoreError, match=message):
        read_safetensors(tmp_path / "x", ReadOptions())


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ('["a", "b"]', "got 2 tokens and 3 vectors"),
        ('{"a": 1}', "tokens is {'a': 1}, expected a list"),
        ("[1, 2, 3]", "the token of row 0 is not text"),
        ('["a", "\\ud800", "b"]', r"the token of row 1 is not valid Unicode: \\ud800"),
        ("[", "is damaged or not a safetensors file with a JSON list"),
    ],
)
def test_wrong_tokens_are_refused(tokens: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"vectors": ROWS}, path, {"tokens": tokens})
    with pytest.raises(StoreError, match=message):
        read_all(read_safetensors, path)


def test_tokens_that_do_not_fit_the_header_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safetensors_file, "_MAX_HEADER", 100)
    with pytest.raises(StoreError, match=r"the tokens take 1.* bytes, and a safetensors") as error:
        write_safetensors(named(WORDS, ROWS), io.BytesIO())
    assert error.value.hint == "use another format, such as npz"


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    check_damage(read_safetensors, write(tmp_path / "x", named(WORDS, ROWS)))


def test_the_format_is_detected_by_its_header(tmp_path: Path) -> None:
    path = write(tmp_path / "x", odd_table())
    assert detect_format(path) is FileFormat.SAFETENSORS
    path.write_bytes(b'12345678{"a": 1}')

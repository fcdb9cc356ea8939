"""The .npz format: numpy reads what is written, and what numpy users save is read."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.readings import TOKENS, assert_same, check_damage, named, odd_table, read_all, vectors
from wordvec.errors import StoreError
from wordvec.formats import npz
from wordvec.formats.detect import detect_format
from wordvec.formats.file_format import FileFormat
from wordvec.formats.npz import read_npz, write_npz
from wordvec.formats.reading import ReadOptions

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["王", "女 王", "k"]
ROWS = vectors(3, 4)


def write(path: Path, table: Any) -> Path:
    with path.open("wb") as file:
        write_npz(table, file)
    return path


def test_what_is_written_comes_back_bit_for_bit(tmp_path: Path) -> None:
    table = odd_table()
    path = write(tmp_path / "x.npz", table)
    assert_same(read_all(read_npz, path), TOKENS, table.vectors)
    assert_same(read_all(read_npz, path, limit=2), TOKENS[:2], table.vectors[:2])
    assert path.read_bytes() == write(tmp_path / "y.npz", table).read_bytes()


def test_numpy_reads_what_is_written(tmp_path: Path) -> None:
    table = odd_table()
    with np.load(write(tmp_path / "x.npz", table), allow_pickle=False) as archive:
        assert archive["vectors"].tobytes() == table.vectors.tobytes()
        assert archive["tokens"].tolist() == [token.rstrip("\0") for token in TOKENS]
        text, ends = archive["tokens_utf8"].tobytes(), archive["token_ends"].tolist()
    starts = [0, *ends[:-1]]
    assert [text[a:b].decode() for a, b in zip(starts, ends, strict=True)] == list(TOKENS)


def test_a_long_token_does_not_make_the_file_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "_MAX_TEXT_ARRAY", 1000)
    table = named(["a", "b" * 500, "c"], ROWS)
    path = write(tmp_path / "x.npz", table)
    with np.load(path, allow_pickle=False) as archive:
        assert "tokens" not in archive
    assert_same(read_all(read_npz, path), table.vocabulary.tokens, ROWS)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "arrays",
    [
        {"vectors": ROWS, "tokens": np.array(WORDS)},
        {"embeddings": ROWS, "vocab": np.array(WORDS), "ids": np.arange(3)},
        {"arr_0": ROWS, "arr_1": np.array(WORDS)},
        {"e": np.asfortranarray(ROWS), "words": np.array([word.encode() for word in WORDS])},
        {"e": ROWS.astype(">f4"), "labels": np.array(WORDS)},
    ],
)
def test_what_numpy_users_save_is_read(save: Any, arrays: dict[str, Any], tmp_path: Path) -> None:
    save(tmp_path / "x.npz", **arrays)
    assert_same(read_all(read_npz, tmp_path / "x.npz"), WORDS, ROWS)


def test_tokens_can_come_from_a_text_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", vectors=ROWS)
    with pytest.raises(StoreError, match="has vectors but no tokens"):
        read_npz(tmp_path / "x.npz", ReadOptions())
    (tmp_path / "x.npz.tokens.txt").write_text("a\nb\nc\n", encoding="utf-8")
    assert read_all(read_npz, tmp_path / "x.npz")[0] == ["a", "b", "c"]
    (tmp_path / "t").write_text("d\ne\nf\n", encoding="utf-8")
    assert read_all(read_npz, tmp_path / "x.npz", tokens=tmp_path / "t")[0] == ["d", "e", "f"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"tokens": np.array(WORDS)}, r"got 0 among its arrays \(tokens\)"),
        ({"a": ROWS, "b": ROWS}, r"got 2 among its arrays \(a, b\)"),
        ({"vectors": ROWS, "tokens": np.array(WORDS[:2])}, "got 2 tokens and 3 vectors"),
        ({"vectors": ROWS[0], "tokens": np.array(WORDS)}, r"expected \(V, D\) vectors, got \(4,\)"),
        (
            {"vectors": ROWS, "tokens": np.array(WORDS, dtype=object)},
            "tokens are Python objects, which are not read: loading them can run code",
        ),
        (
            {"vectors": np.array(ROWS.tolist(), dtype=object), "tokens": np.array(WORDS)},
            "vectors are Python objects",
        ),
        ({"vectors": ROWS, "tokens": np.array([WORDS])}, r"expected \(V,\) tokens, got \(1, 3\)"),
        (
            {"vectors": ROWS, "tokens": np.array(["a", "\ud800", "b"])},
            r"the token of row 1 is not valid Unicode: \\ud800",
        ),
        (
            {
                "vectors": ROWS,
                "tokens": np.array(["a", "b", "c"]),
                "tokens_utf8": np.frombuffer(b"aBc", "u1"),
                "token_ends": np.array([1, 2, 3]),
            },
            "tokens and tokens_utf8 disagree at row 1",
        ),
        (
            {
                "vectors": ROWS,
                "tokens_utf8": np.frombuffer(b"abc", "u1"),
                "token_ends": np.array([1, 2**60, 3]),
            },
            "token_ends decrease",
        ),
    ],
)
def test_other_archives_are_refused(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(StoreError, match=message):
        read_all(read_npz, tmp_path / "x.npz")


def test_sizes_are_checked_before_memory_is_taken(tmp_path: Path) -> None:
    for descr, shape in (("<f4", (2**60, 4)), ("<f4", (1, 2**60)), (f"<U{2**30}", (2**20,))):
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            header = io.BytesIO()
            fields = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(header, fields)
            archive.writestr("vectors.npy", header.getvalue() + bytes(100))
        with pytest.raises(StoreError, match=r"x\.npz"):
            read_npz(tmp_path / "x.npz", ReadOptions())


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_archives_are_refused_or_read(save: Any, tmp_path: Path) -> None:
    save(tmp_path / "x.npz", vectors=ROWS, tokens=np.array(WORDS))
    check_damage(read_npz, tmp_path / "x.npz")


def test_damaged_archives_of_ours_are_refused_or_read(tmp_path: Path) -> None:
    check_damage(read_npz, write(tmp_path / "x.npz", named(WORDS, ROWS)))


def test_the_format_is_detected_by_its_first_entry(tmp_path: Path) -> None:
    path = write(tmp_path / "x.npz", odd_table())
    assert detect_format(path) is FileFormat.NPZ
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("archive/data.pkl", b"")

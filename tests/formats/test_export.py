"""Tables written for other programs, read back by those programs."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.tables import table_of
from wordvec.errors import StoreError, UsageError
from wordvec.formats.export import ExportResult, FileFormat, export_table

if TYPE_CHECKING:
    from pathlib import Path

ROWS = np.random.default_rng(0).standard_normal((600, 3)).astype(np.float32)


@pytest.mark.parametrize("file_format", ["pickle", FileFormat.PICKLE])
def test_a_pickle_contains_a_dict_of_vectors(file_format: str, tmp_path: Path) -> None:
    result = export_table(table_of(ROWS), tmp_path / "x", file_format)
    assert result == ExportResult(tmp_path / "x", (tmp_path / "x").stat().st_size)
    vectors = pickle.loads((tmp_path / "x").read_bytes())  # noqa: S301  # our own
    assert list(vectors) == list(range(600))
    assert np.stack(list(vectors.values())).tobytes() == ROWS.tobytes()


@pytest.mark.parametrize("file_format", ["npy", FileFormat.NPY])
def test_an_npy_file_contains_the_array(file_format: str, tmp_path: Path) -> None:
    export_table(table_of(ROWS), tmp_path / "x", file_format)
    assert np.load(tmp_path / "x", allow_pickle=False).tobytes() == ROWS.tobytes()


@pytest.mark.parametrize("file_format", ["word2vec", FileFormat.WORD2VEC])
def test_word2vecs_text_contains_tokens_and_numbers(file_format: str, tmp_path: Path) -> None:
    table = table_of({"王": [1.0, -0.1], "a b": [0.0, 2.0], "": [3.0, 4e-9]})
    result = export_table(table, tmp_path / "x", file_format)
    assert result.respelled == 2
    assert (tmp_path / "x").read_text("utf-8") == (
        '3 2\n王 1 -0.100000001\na\\u0020b 0 2\n"" 3 3.99999989e-09\n'
    )


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_progress_counts_the_rows_to_the_last(file_format: FileFormat, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    export_table(
        table_of(ROWS), tmp_path / "x", file_format, progress=lambda *call: calls.append(call)
    )
    assert calls == sorted(calls)
    assert calls[-1] == (600, 600)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^unknown file format 'csv': expected pickle, npy or"):
        export_table(table_of(ROWS), tmp_path / "x", "csv")
    assert not (tmp_path / "x").exists()


def test_an_existing_file_is_replaced_only_with_force(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match=r"x already exists$") as error:
        export_table(table_of(ROWS), tmp_path / "x", "npy")
    assert error.value.hint == "force=True replaces it"
    assert (tmp_path / "x").read_text("utf-8") == "mine"
    export_table(table_of(ROWS), tmp_path / "x", "npy", force=True)
    assert np.load(tmp_path / "x").shape == (600, 3)

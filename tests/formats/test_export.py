"""Tables written for other programs, read back by those programs."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.tables import table_of
from wordvec.errors import StoreError, UsageError
from wordvec.formats.export import ExportResult, export_table
from wordvec.formats.file_format import FileFormat
from wordvec.formats.registry import writable_formats
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance, VectorTable
from wordvec.vocabulary.lookup import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

# written by modules that are not part of this version yet
ROWS = np.random.default_rng(0).standard_normal((600, 3)).astype(np.float32)


@pytest.mark.parametrize("file_format", ["pickle", FileFormat.PICKLE])
def test_a_pickle_contains_a_dict_of_vectors(file_format: str, tmp_path: Path) -> None:
    result = export_table(table_of(ROWS), tmp_path / "x", file_format)
    size, tokens = (tmp_path / "x").stat().st_size, tmp_path / "x.tokens.txt"
    notes = (f"the tokens are in {tokens}",)
    assert result == ExportResult(tmp_path / "x", size, FileFormat.PICKLE, tokens, notes)
    assert tokens.read_text("utf-8").split() == [f"t{row}" for row in range(600)]
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
    assert result.notes == (
        (
            "2 tokens are respelled, because word2vec cannot hold spaces, line breaks or an empty "
            'token: #1 "a b" as a\\u0020b, #2 "" as \\empty'
        ),
    )
    assert (tmp_path / "x").read_text("utf-8") == (
        "3 2\n王 1 -0.100000001\na\\u0020b 0 2\n\\empty 3 3.99999989e-09\n"
    )


@pytest.mark.parametrize("file_format", writable_formats())
def test_progress_counts_the_rows_to_the_last(file_format: FileFormat, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    export_table(
        table_of(ROWS), tmp_path / "x", file_format, progress=lambda *call: calls.append(call)
    )
    assert calls == sorted(calls)
    assert calls[-1] == (600, 600)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^unknown file format 'hdf5': expected word2vec, glove"):
        export_table(table_of(ROWS), tmp_path / "x", "hdf5")
    with pytest.raises(UsageError, match=r"^spacy is not written: expected word2vec, glove, "):
        export_table(table_of(ROWS), tmp_path / "x", "spacy")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("name", "file_format"),
    [
        ("x.txt", "word2vec"),
        ("x.vec", "word2vec"),
        ("x.VEC.GZ", "word2vec"),
        ("x.bin", "word2vec-binary"),
        ("x.csv", "csv"),
        ("x.tsv.gz", "tsv"),
        ("x.npy", "npy"),
        ("x.pkl", "pickle"),
        ("x.pickle", "pickle"),
    ],
)
def test_the_suffix_says_the_format(name: str, file_format: str, tmp_path: Path) -> None:
    result = export_table(table_of(ROWS), tmp_path / name)
    assert result.file_format == file_format
    head = (tmp_path / name).read_bytes()[:2]
    assert (head == b"\x1f\x8b") == name.lower().endswith(".gz")


@pytest.mark.parametrize(
    ("name", "file_format", "message"),
    [
        ("x.foo", None, r"the suffix of .*x.foo is that of no format: expected .txt, .vec, .bin, "),
        ("x", None, r"the suffix of .*x is that of no format"),
        ("x.gz", None, r"the suffix of .*x.gz is that of no format"),
        ("x.npy", "csv", r"x.npy has the suffix of npy, not of csv"),
        ("x.txt", "word2vec-binary", r"x.txt has the suffix of word2vec, not of word2vec-binary"),
        ("x.bin.gz", None, r"word2vec-binary is not written with .gz: only text formats are"),
        ("-", None, r"standard output has no suffix that names the format"),
    ],
)
def test_a_suffix_that_does_not_fit_is_refused(
    name: str, file_format: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        export_table(
            table_of(ROWS), name if name == "-" else tmp_path / name, file_format, force=True
        )
    assert list(tmp_path.iterdir()) == []


def test_any_suffix_can_be_used_with_a_format(tmp_path: Path) -> None:
    result = export_table(table_of(ROWS), tmp_path / "x.foo", "glove")
    assert result.file_format is FileFormat.GLOVE
    assert (tmp_path / "x.foo").read_text("utf-8").startswith("t0 ")


def test_of_equal_tokens_only_the_first_is_written(tmp_path: Path) -> None:
    vocabulary = Vocabulary(("a", "b", "a", "c"))
    rows = np.arange(8, dtype=np.float32).reshape(4, 2)
    table = VectorTable.from_vectors(vocabulary, rows, Provenance("x", Mode.STATIC))
    for name in ("x.txt", "x.csv"):
        result = export_table(table, tmp_path / name)
        assert result.notes == ('1 rows are left out, because their tokens occur before: #2 "a"',)
    assert (tmp_path / "x.txt").read_text("utf-8") == "3 2\na 0 1\nb 2 3\nc 6 7\n"
    assert (tmp_path / "x.csv").read_text("utf-8") == "token,0,1\na,0,1\nb,2,3\nc,6,7\n"
    result = export_table(table, tmp_path / "x.npy")
    assert (tmp_path / "x.npy.tokens.txt").read_text("utf-8") == "a\nb\na\nc\n"


def test_a_path_that_cannot_be_written_is_an_error_about_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"the folder .*no/such does not exist") as error:
        export_table(table_of(ROWS), tmp_path / "no" / "such" / "x.txt")
    assert error.value.hint == f"mkdir -p {tmp_path}/no/such"
    with pytest.raises(StoreError, match=r"file is a file, not a folder$") as e:
        export_table(table_of(ROWS), tmp_path / "file" / "x.txt")
    assert "store" not in str(e.value.hint)


def test_an_existing_file_is_replaced_only_with_force(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match=r"x already exists$") as error:
        export_table(table_of(ROWS), tmp_path / "x", "npy")
    assert error.value.hint == "force=True replaces it"
    assert (tmp_path / "x").read_text("utf-8") == "mine"
    export_table(table_of(ROWS), tmp_path / "x", "npy", force=True)
    assert np.load(tmp_path / "x").shape == (600, 3)

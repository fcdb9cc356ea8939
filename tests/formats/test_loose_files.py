"""Files as people have them: each was once read into a wrong table without a word."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.tables import table_of
from wordvec.errors import StoreError, WordvecError
from wordvec.formats.export import export_table
from wordvec.formats.import_table import ImportResult, import_vectors
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

Rows = dict[str, list[float]]


def imported(data: str | bytes, tmp_path: Path, name: str, **options: Any) -> ImportResult:
    """Import a file with this content."""
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return import_vectors(path, Store(tmp_path / "tables"), force=True, **options)


def rows_of(result: ImportResult) -> Rows:
    """Return token → row, in three decimals."""
    table = result.table
    rows = np.asarray(table.vectors, dtype=np.float64).round(3).tolist()
    return dict(zip(table.vocabulary.tokens, rows, strict=True))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", "2 2\nking 0,1 0,2\nqueen 0,3 0,4\n", "a decimal comma, such as 0,1"),
        ("a.txt", "king 0,1 0,2\nqueen 0,3 0,4\n", "a decimal comma, such as 0,3"),
        ("a.csv", "token;x;y\nking;0,1;-0,2\nq;3,5;1\n", "a decimal comma, such as 0,1"),
        ("a.tsv", "king\t0,1\t0,2\nqueen\t0,3\t0,4\n", "numbers with a decimal comma"),
        ("a.txt", "3 2\nking\nqueen 3 4\nboy 1 2\n", 'line 2 is not a token and 2 numbers: "king"'),
        ("a.txt", "2 2\nking 1 x\nqueen 3 4\n", 'line 2 is not a token and 2 numbers: "king 1 x"'),
        ("a.txt", "2 2\nking − 1\nqueen − 2\n", "line 2 is not a token and 2 numbers"),
        ("a.txt", "2 2\na 1 2 3\nb 4 5 6\n", "says 2 dimensions, and most lines have 3 numbers"),
        ("a.txt", "0 4\n", "has no vectors: its header says so"),
        ("a.txt", "a 1 2\rb 3 4\r", "carriage returns in place of line breaks"),
        ("a.txt", "王 1 2\n女王 3 4\n".encode("cp932"), "looks like Shift-JIS"),
        ("a.csv", "token,x,y\nking,1,2\nqueen,,4\n", 'line 3 is not a token and 2 numbers: "queen'),
        ("a.csv", "token,x,y\nking,NA,2\nqueen,3,4\n", "line 2 is not a token and 2 numbers"),
        ("a.csv", "token,0,1\na,1,2\nking,1,2,3\n", 'line 3 is not a token and 2 numbers: "king'),
        ("a.csv", "pos,token,x,y\nn,x,1,2\ny,3,4\nn,z,5,6\n", "line 3 is not a token and"),
        ("a.tsv", "\t4\n5\t\t6\n", "line 1 is not a token and 1 numbers"),
        ("a.csv", b"toke\xd5,0,1\nNaN,\xdd,2\ni", "line 3 is not a token and 1 numbers"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_vectors_as_they_should_be_is_an_error(
    name: str, data: str | bytes, message: str, tmp_path: Path
) -> None:
    with pytest.raises(WordvecError) as caught:
        imported(data, tmp_path, name)
    assert message in caught.value.message
    assert not list(Store(tmp_path / "tables").tables())


@pytest.mark.parametrize(
    ("name", "data", "rows"),
    [
        ("a.txt", "3 2\nking\nqueen 3 4\nboy 1 2\n", {"queen": [3, 4], "boy": [1, 2]}),
        ("a.txt", "2 3\n\na 1 2 3\n", {"a": [1, 2, 3]}),
        ("a.csv", "token,x,y\nking,1,2\nqueen,,4\nboy,5,6\n", {"king": [1, 2], "boy": [5, 6]}),
        ("a.csv", "a;0.5;1\nb;2;3\n", {"a": [0.5, 1], "b": [2, 3]}),
        ("a.csv", "index,0,1\nking,1,2\n", {"king": [1, 2]}),
        ("a.csv", "単語,0,1\n王,1,2\n", {"王": [1, 2]}),
        ("a.csv", "anything,0,1,2\nking,1,2,3\n", {"king": [1, 2, 3]}),
        ("a.csv", "Wort,id,x\nAffe,Q1,1\nBär,Q2,2\n", {"Affe": [1], "Bär": [2]}),
        ("a.txt", "a  0.1 -0.2\nb -0.1  0.2\n", {"a": [0.1, -0.2], "b": [-0.1, 0.2]}),
        ("a.txt", "2 2\nking\t1\t2\nqueen\t3\t4\n", {"king": [1, 2], "queen": [3, 4]}),
        ("a.csv", 'token,0,1\n"a\0b",1,2\n', {"a\0b": [1, 2]}),
        ("a.bin", b"2 1\na \0\0\x80\x3f\r\nb \0\0\0\x40\r\n", {"a": [1], "b": [2]}),
    ],
)  # fmt: skip
def test_what_can_be_read_is_read_right(
    name: str, data: str | bytes, rows: Rows, tmp_path: Path
) -> None:
    assert rows_of(imported(data, tmp_path, name, skip_bad=True)) == rows


def test_a_line_with_a_number_too_many_is_noted(tmp_path: Path) -> None:
    result = imported("3 2\na 1 2\ncat 5 4 5\nb 1 3\n", tmp_path, "a.txt")
    assert list(rows_of(result)) == ["a", "cat 5", "b"]
    (note,) = result.notes
    assert note.startswith('1 tokens end in a number, such as "cat 5":')


def test_what_follows_the_vectors_of_the_header_is_noted(tmp_path: Path) -> None:
    result = imported(b"1 1\na \0\0\x80\x3fb \0\0\0\x40", tmp_path, "a.bin")
    assert rows_of(result) == {"a": [1]}
    (note,) = result.notes
    assert note.startswith("the header says 1 vectors of 1 numbers, and the file goes on after")


def test_numpy_arrays_in_the_cells_of_pandas_are_read(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    vectors = np.random.default_rng(0).normal(size=(3, 500)).astype(np.float32)
    with np.printoptions(threshold=1000):  # 84 lines a cell
        frame = pandas.DataFrame({"word": list("abc"), "vector": list(vectors)})
        text = frame.to_csv(index=False)
    rows = rows_of(imported(text, tmp_path, "a.csv"))
    assert list(rows) == ["a", "b", "c"]
    np.testing.assert_allclose(list(rows.values()), vectors, atol=1e-3)


@pytest.mark.parametrize(
    ("vectors", "limit", "rows"),
    [
        ("0\t1\n1\t0\n0.5\t0.5\n", 2, {"a": [0, 1], "b": [1, 0]}),
        ("0\t1\n1\t0\n0.5\t0.5\n", None, {"a": [0, 1], "b": [1, 0], "c": [0.5, 0.5]}),
        ("0\t1\n1\t0\n2\t3\n4\t5\n", None, {"a": [1, 0], "b": [2, 3], "c": [4, 5]}),  # a header
        ("x\ty\n1\t0\n2\t3\n4\t5\n", None, {"a": [1, 0], "b": [2, 3], "c": [4, 5]}),
        ("\t0\t1\n0\t1\t0\n1\t2\t3\n2\t4\t5\n", None, {"a": [1, 0], "b": [2, 3], "c": [4, 5]}),
    ],
)  # fmt: skip
def test_the_first_line_of_numbers_is_a_header_only_if_there_is_no_token_for_it(
    vectors: str, limit: int | None, rows: Rows, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("a\nb\nc\n")
    for name in ("v.tsv", "v.csv"):
        data = vectors.replace("\t", "\t" if name == "v.tsv" else ",")
        assert rows_of(imported(data, tmp_path, name, tokens=tokens, limit=limit)) == rows


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"2 1\nking 1\nqueen 2\n"),
        ("a.bin", b"1 1\na \0\0\x80\x3f"),
        ("a.csv", b"token,0\nking,1\n"),
        ("a.csv", b'token,vector\nking,"[1, 2]"\n'),
    ],
)
def test_a_list_of_tokens_is_refused_where_the_file_has_them(
    name: str, content: bytes, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("a\n")
    with pytest.raises(StoreError, match=r"has tokens of its own|is not 1 numbers"):
        imported(content, tmp_path, name, tokens=tokens)


def test_npz_and_safetensors_with_tokens_refuse_a_list_of_them(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("a\n")
    for name in ("a.npz", "a.safetensors"):
        export_table(table_of({"王": [1, 2]}), tmp_path / name)
        with pytest.raises(StoreError, match="has tokens of its own"):
            import_vectors(tmp_path / name, Store(tmp_path / "tables"), tokens=tokens)


def test_the_only_matrix_of_an_archive_is_its_vectors(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.savez(file, weights=np.ones(3), vectors_=np.eye(2), tokens=np.array(["a", "b"]))
    assert rows_of(imported(file.getvalue(), tmp_path, "a.npz")) == {"a": [1, 0], "b": [0, 1]}


def test_skipped_rows_do_not_move_the_others_in_arrow(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    tokens = [f"w{i}" for i in range(40)]
    lists = [None if i == 3 else [float(i), 1.0] for i in range(40)]
    table = pa.table({"token": tokens, "vector": pa.array(lists, pa.list_(pa.float32()))})
    path = tmp_path / "a.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=20)
    result = import_vectors(path, Store(tmp_path / "tables"), limit=25, skip_bad=True)
    assert rows_of(result) == {f"w{i}": [i, 1] for i in range(26) if i != 3}


@pytest.mark.parametrize("suffix", [".vec", ".tsv"])
def test_a_first_token_that_starts_with_a_byte_order_mark_comes_back(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"vectors{suffix}"
    table = table_of({"\ufeffa": [1, 2], "b": [3, 4]})
    export_table(table, path, file_format="glove" if suffix == ".vec" else "projector")
    result = import_vectors(path, Store(tmp_path / "tables"))
    assert list(rows_of(result)) == ["\ufeffa", "b"]


def test_an_error_about_a_pipe_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(StoreError, match=r"^standard input is empty$"):
        import_vectors("-", Store(tmp_path / "tables"), name="x")

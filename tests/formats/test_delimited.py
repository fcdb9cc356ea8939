"""CSV, TSV and the TensorBoard projector's pair: what pandas and csv write is read, and back."""

from __future__ import annotations

import csv
import io
import string
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tables import table_of
from wordvec.errors import StoreError
from wordvec.formats import text_rows
from wordvec.formats.delimited import read_csv, read_tsv
from wordvec.formats.export import export_table
from wordvec.formats.import_table import ImportResult, import_vectors
from wordvec.formats.reading import ReadOptions
from wordvec.tables.store import Store

ROWS = {"王": [1.0, -0.5], "a,b": [0.25, 2.0], 'say "x"': [3.0, 4.0]}


def imported(
    text: str | bytes, tmp_path: Path, name: str = "x.csv", **options: Any
) -> ImportResult:
    """Import a file with this content."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_vectors(path, Store(tmp_path / "tables"), force=True, **options)


def rows_of(result: ImportResult) -> dict[str, list[float]]:
    """Return token → row."""
    return dict(zip(result.table.vocabulary.tokens, result.table.vectors.tolist(), strict=True))


FRAME = pd.DataFrame(ROWS.values(), index=list(ROWS))


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.rename_axis("word"),
        FRAME.reset_index(names="word"),  # with a column of row numbers
        FRAME.rename(columns={0: "x", 1: "y"}),
    ],
    ids=["index", "named index", "row numbers", "named columns"],
)
def test_what_pandas_writes_is_read(
    frame: pd.DataFrame, separator: str, quoting: int, ends: str, tmp_path: Path
) -> None:
    text = frame.to_csv(sep=separator, quoting=quoting, lineterminator=ends)
    result = imported(text, tmp_path)
    assert rows_of(result) == ROWS
    assert result.file_format == ("csv" if separator == "," else "tsv")


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_file_without_a_header_is_read(separator: str, tmp_path: Path) -> None:
    text = FRAME.to_csv(sep=separator, header=False)
    assert rows_of(imported(text, tmp_path)) == ROWS
    assert rows_of(imported("\ufeff" + text, tmp_path)) == ROWS
    assert rows_of(imported(text.removesuffix("\n"), tmp_path)) == ROWS


def test_columns_of_other_content_before_the_numbers_are_left_out(tmp_path: Path) -> None:
    text = "id,lang,word,d0,d1\n7,ja,王,1,2\n8,ja,女,3,4\n"
    assert rows_of(imported(text, tmp_path)) == {"王": [1, 2], "女": [3, 4]}


@pytest.mark.parametrize("header", ["word,vector\n", ""])
@pytest.mark.parametrize("form", ["{0}", "[0.5 2.0]", "[ 0.5\n 2.0]"])
def test_one_column_of_lists_is_read(header: str, form: str, tmp_path: Path) -> None:
    cell = form.format([0.5, 2.0])
    text = f'{header}王,"{cell}"\n女,"[1, -3e-1]"\n'
    assert rows_of(imported(text, tmp_path)) == {"王": [0.5, 2], "女": [1, float(np.float32(-0.3))]}
    with pytest.raises(StoreError, match=r"line \d is not a token and a list of 2 numbers: \"子,"):
        imported(f'{text}子,"[1]"\n', tmp_path)


@pytest.mark.parametrize("name", ["y.csv", "y.tsv", "y.csv.gz"])
def test_pandas_reads_what_is_written_and_import_gives_it_back(name: str, tmp_path: Path) -> None:
    tokens = [
        "王",
        "a,b",
        'say "x"',
        "",
        '""',
        '"',
        "a\nb",
        "a\r\nb",
        "\t",
        " a ",
        "NA",
        "1",
        "\u2028",
    ]
    rows = np.random.default_rng(0).standard_normal((len(tokens), 3)).astype(np.float32)
    result = export_table(table_of(dict(zip(tokens, rows.tolist(), strict=True))), tmp_path / name)
    assert result.notes == ()
    frame = pd.read_csv(
        tmp_path / name,
        sep="\t" if "tsv" in name else ",",
        index_col=0,
        keep_default_na=False,
        dtype={"token": str},
    )
    assert list(frame.index) == tokens
    assert frame.to_numpy(np.float32).tobytes() == rows.tobytes()
    back = import_vectors(tmp_path / name, Store(tmp_path / "tables"))
    assert back.table.vocabulary.tokens == tuple(tokens)
    assert back.table.vectors.tobytes() == rows.tobytes()


CELLS = st.text(st.sampled_from([*'",\t\n\r ', *string.ascii_lowercase[:3], "王"]), max_size=8)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn") / "drawn.csv"


@settings(max_examples=300, deadline=None)
@given(
    tokens=st.lists(CELLS, min_size=1, max_size=12),
    separator=st.sampled_from([",", "\t"]),
    block=st.integers(20, 200),
)
def test_any_tokens_that_the_csv_module_writes_are_read(
    scratch: Path, tokens: list[str], separator: str, block: int
) -> None:
    """Blocks of few bytes cut records at each place."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)  # with "\n", it leaves "\r" unquoted
    writer.writerow(["token", "x", "y"])
    writer.writerows([[token, i, -0.5] for i, token in enumerate(tokens)])
    scratch.write_bytes(text.getvalue().encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_rows, "BLOCK", block)
        read = read_csv if separator == "," else read_tsv
        blocks = list(read(scratch, ReadOptions()).blocks)
    assert [token for block in blocks for token in block.tokens] == tokens
    rows = [row for block in blocks for row in block.rows.tolist()]
    assert rows == [[i, -0.5] for i in range(len(tokens))]


def test_a_stray_quote_in_tsv_is_a_letter(tmp_path: Path) -> None:
    text = '王\t1\t2\n"\t3\t4\n"a\t5\t6\nb"c\t7\t8\n"\t9\t9\n'
    result = imported(text, tmp_path, "x.tsv")
    assert rows_of(result) == {"王": [1, 2], '"': [3, 4], '"a': [5, 6], 'b"c': [7, 8]}


def test_broken_records_have_the_number_of_their_line(tmp_path: Path) -> None:
    text = 'w,x,y\n"a\nb",1,2\nc,3,4\nd,5\ne,6,7\n'
    with pytest.raises(StoreError, match=r'line 5 is not a token and 2 numbers: "d,5"'):
        imported(text, tmp_path)
    result = imported(text, tmp_path, skip_bad=True)
    assert list(rows_of(result)) == ["a\nb", "c", "e"]


def test_numbers_without_tokens_need_a_file_of_tokens(tmp_path: Path) -> None:
    text = "0.5\t1.5\n2.5\t3.5\n"
    with pytest.raises(StoreError, match=r"x.tsv has no column of tokens") as error:
        imported(text, tmp_path, "x.tsv")
    assert error.value.hint == 'tokens="FILE" names a file with one token per line'
    (tmp_path / "words").write_text("王\n女\n", encoding="utf-8")
    result = imported(text, tmp_path, "x.tsv", tokens=tmp_path / "words")
    assert rows_of(result) == {"王": [0.5, 1.5], "女": [2.5, 3.5]}


# The projector


@pytest.mark.parametrize(
    "metadata",
    ["王\n女\n", "王\n女", "word\tcount\n王\t3\n女\t2\n", "count\tToken\r\n3\t王\r\n2\t女\r\n"],
)
@pytest.mark.parametrize("given_path", [".", "vectors.tsv"])
def test_the_projectors_pair_is_read(metadata: str, given_path: str, tmp_path: Path) -> None:
    (tmp_path / "pair").mkdir()
    (tmp_path / "pair/vectors.tsv").write_text("0.5\t1\n2\t3\n", encoding="utf-8")
    (tmp_path / "pair/metadata.tsv").write_bytes(metadata.encode())
    result = import_vectors(tmp_path / "pair" / given_path, Store(tmp_path / "tables"))
    assert rows_of(result) == {"王": [0.5, 1], "女": [2, 3]}
    assert result.file_format == "projector"


def test_the_projectors_pair_comes_back(tmp_path: Path) -> None:
    table = table_of({"王": [1.5, 2], "a b": [3, 4], "": [5, 6], "\t": [7, 8]})
    result = export_table(table, tmp_path / "my_vectors.tsv", "projector")
    assert result.tokens_path == tmp_path / "my_metadata.tsv"
    back = import_vectors(tmp_path / "my_vectors.tsv", Store(tmp_path / "tables"))
    assert back.table.vocabulary.tokens == table.vocabulary.tokens
    assert back.table.vectors.tobytes() == table.vectors.tobytes()


def test_metadata_of_another_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vectors.tsv").write_text("0.5\t1\n2\t3\n", encoding="utf-8")
    (tmp_path / "metadata.tsv").write_text("王\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"vectors.tsv has at least 2 vectors for 1 tokens"):
        import_vectors(tmp_path / "vectors.tsv", Store(tmp_path / "tables"))

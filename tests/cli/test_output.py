"""The formats of answers: text with aligned columns, JSON, JSON lines and TSV."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordvec.analysis.display import Cell, Column, OutputStyle, header_lines, number, table_lines
from wordvec.cli.output import Format, caret_lines, print_formatted, size_text, tsv_line
from wordvec.errors import ExpressionError


@pytest.mark.parametrize(
    ("output_format", "printed"),
    [
        (Format.JSON, '[{"token": "王"}\n,{"token": "女"}\n]\n'),
        (Format.JSONL, '{"token": "王"}\n{"token": "女"}\n'),
        (Format.TSV, "token\n王\n女\n"),
        (Format.TEXT, "cells None\n"),
    ],
)
def test_a_report_is_printed_in_the_chosen_format(
    output_format: Format, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_formatted(
        output_format,
        json=({"token": token} for token in "王女"),
        tsv=[["token"], ["王"], ["女"]],
        text=lambda style: [f"cells {style.cells}"],
    )
    assert capsys.readouterr().out == printed


def test_json_of_no_objects_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    print_formatted(Format.JSON, json=[], tsv=[], text=lambda _: [])
    assert capsys.readouterr().out == "[]\n"


@pytest.mark.parametrize(
    ("source", "start", "end", "drawn"),
    [
        ("王 男", 2, 3, "王 男\n   ^^"),
        ("王+", 2, 2, "王+\n   ^"),
        ("", 0, 0, "\n^"),
        ("a\tb", 2, 3, "a b\n  ^"),
        ("王\u3000男", 2, 3, "王\u3000男\n    ^^"),
        ("a\x1b[2Jb", 5, 6, "a\\u001b[2Jb\n          ^"),
        ("か\u3099+x", 3, 4, "か\u3099+x\n   ^"),  # a combining mark
    ],
)
def test_carets_mark_the_place_by_terminal_cells(
    source: str, start: int, end: int, drawn: str
) -> None:
    error = ExpressionError("x", source=source, start=start, end=end)
    assert "\n".join(caret_lines(error, 80)) == drawn


def test_a_long_source_is_cut_around_the_place() -> None:
    source = "王+" * 100 + "@" + "+女" * 100
    error = ExpressionError("x", source=source, start=200, end=201)
    shown, caret = caret_lines(error, 40)
    assert shown == "…+王+王+王+王+王+@+女+女+女+女+女+女…"
    assert caret == " " * 17 + "^"


def test_columns_are_aligned_with_wide_characters() -> None:
    columns = [Column("n", right=True), Column("token"), Column("id", right=True)]
    lines = table_lines(columns, [["1", "王", "296"], ["10", "abc", "7"]], OutputStyle())
    assert lines == [" n  token   id", " 1  王     296", "10  abc      7"]


def test_columns_that_shrink_are_cut_on_a_narrow_terminal() -> None:
    columns = [Column("token", shrinks=True), Column("id", right=True)]
    rows = [["ユースホステル", "26266"], ["王", "296"]]
    assert table_lines(columns, rows, OutputStyle(cells=16)) == [
        "token         id",
        "ユースホ…  26266",
        "王           296",
    ]


def test_styles_do_not_move_columns() -> None:
    columns = [Column("a"), Column("b", right=True)]
    rows = [[Cell("王", "dim"), Cell("1", "red")]]
    plain = table_lines(columns, rows, OutputStyle())
    painted = table_lines(columns, rows, OutputStyle(colour=True))
    assert painted != plain
    assert [re.sub(r"\x1b\[\d*m", "", line) for line in painted] == plain


def test_a_header_that_is_too_long_breaks_between_fields() -> None:
    facts = ["mini:static", "8 × 2", "L2 distance"]
    assert header_lines(facts, OutputStyle()) == ["mini:static · 8 × 2 · L2 distance"]
    assert header_lines(facts, OutputStyle(cells=24)) == ["mini:static · 8 × 2", "L2 distance"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0000"), (-0.5, "-0.5000"), (1e-5, "1.0000e-05"), (2e9, "2.0000e+09")],
)
def test_numbers_have_four_decimals_or_an_exponent(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (13_254, "13 kB"), (999_499, "999 kB"),
        (999_500, "1.0 MB"), (98_934_079, "98.9 MB"), (1_500_000_000, "1.5 GB"),
    ],
)  # fmt: skip
def test_sizes_are_short(size: int, text: str) -> None:
    assert size_text(size) == text


def test_tabs_and_line_breaks_in_tsv_values_are_escaped() -> None:
    assert tsv_line(["a\tb", "c\nd", None, True, 0.5]) == "a\\tb\tc\\nd\t\ttrue\t0.5"


@given(st.lists(st.text(st.one_of(st.sampled_from("\\\tn\ru'=+-@"), st.characters())), min_size=1))
def test_tsv_can_be_read_back_exactly(values: list[str]) -> None:
    line, safe = tsv_line(values), tsv_line(values, safe=True)
    assert not re.search(r"[\n\r\x00-\x08\x80-\x9f\u2028\u202e]", line + safe)
    assert [read_back(cell) for cell in line.split("\t")] == values
    assert [read_back(cell.removeprefix("'")) for cell in safe.split("\t")] == values


def read_back(cell: str) -> str:
    """Read a cell of TSV as docs/output.md says."""
    plain = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
    return re.sub(
        r"\\(?:u([0-9a-f]{4})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else plain[m[2]], cell
    )


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-王", "'-王"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"), ("＝1", "'＝1"), ("'a", "''a"), ("王=1", "王=1"), ("", ""),
        (-0.5, "-0.5"), (True, "true"), (None, ""),
    ],
)  # fmt: skip
def test_safe_csv_has_no_cell_that_a_spreadsheet_runs(value: object, cell: str) -> None:
    assert tsv_line([value], safe=True) == cell


def test_json_escapes_what_reorders_or_controls(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"token": "\x1b\x7f\x85\u202e\u2028王\\u2028"}
    print_formatted(Format.JSONL, json=[value], tsv=[], text=lambda _: [])
    out = capsys.readouterr().out
    assert out == '{"token": "\\u001b\\u007f\\u0085\\u202e\\u2028王\\\\u2028"}\n'
    assert json.loads(out) == value


def test_a_token_of_combining_marks_is_cut() -> None:
    marks = "e" + "\u0301" * 10_000
    _, row = table_lines([Column("token", shrinks=True)], [[marks]], OutputStyle())
    assert row == "e" + "\u0301" * 6 + "…"
    error = ExpressionError("x", source=f"{marks}+王", start=0, end=len(marks))
    shown, caret = caret_lines(error, 80)
    assert (len(shown), caret) == (10, "^^")  # the caret is below the ellipsis too

"""`wordvec compare` on tables that are checked by hand."""

from __future__ import annotations

import json

import pytest

import wordvec
from support.cli import run
from support.tables import fill
from wordvec import text
from wordvec.analysis.compare import compare, short_names
from wordvec.analysis.display import OutputStyle
from wordvec.analysis.query import QueryEngine
from wordvec.expression.parser import parse
from wordvec.search.settings import QuerySettings
from wordvec.search.space import Space
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store
from wordvec.tables.table import TableDescription


@pytest.fixture(autouse=True)
def _toy_store(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


def test_two_tables_are_shown_side_by_side() -> None:
    assert run("compare", "王-男+女", "-k", "3") == (
        0,
        """\
toy · static 12 × 3 · dynamic 12 × 3 · L2 distance · raw vectors

王-男+女
rank  static  distance  in dynamic  dynamic  distance  in static
   1  女王      0.0000          12  子         0.0000          3
   2  女 *      1.0000           2  女 *       1.0000          2
   3  子        1.2247           1  王 *       1.4142          4

static and dynamic share 2 of 3 · rank-biased overlap 0.58
random pairs: mean cosine · static 0.007 ± 0.553 · dynamic 0.009 ± 0.572
""",
        "",
    )


def lines_at(cells: int, *names: TableName, source: str = "王-男+女", k: int = 3) -> list[str]:
    engines = [QueryEngine(Space(Store().open(name)), QuerySettings(k=k)) for name in names]
    return compare(engines, parse(source)).text_lines(OutputStyle(cells=cells))


STATIC, DYNAMIC = TableName("toy", Mode.STATIC), TableName("toy", Mode.DYNAMIC)


def test_on_a_narrow_screen_tables_are_one_below_the_other() -> None:
    assert lines_at(40, STATIC, DYNAMIC) == [
        "toy · static 12 × 3 · dynamic 12 × 3",
        "L2 distance · raw vectors",
        "",
        "王-男+女",
        "rank  static  distance  in dynamic",
        "   1  女王      0.0000          12",
        "   2  女 *      1.0000           2",
        "   3  子        1.2247           1",
        "",
        "rank  dynamic  distance  in static",
        "   1  子         0.0000          3",
        "   2  女 *       1.0000          2",
        "   3  王 *       1.4142          4",
        "",
        "static and dynamic share 2 of 3",
        "rank-biased overlap 0.58",
        "random pairs: mean cosine",
        "static 0.007 ± 0.553",
        "dynamic 0.009 ± 0.572",
    ]


@pytest.mark.parametrize(("cells", "tables"), [(80, 3), (60, 3), (42, 3), (40, 2), (36, 2)])
def test_no_line_is_wider_than_the_screen(cells: int, tables: int) -> None:
    names = (STATIC, DYNAMIC, TableName("other", Mode.STATIC))[:tables]
    lines = lines_at(cells, *names, source="王", k=9)
    assert max(map(text.width, lines)) <= cells


def test_colour_does_not_count_as_width() -> None:
    engines = [
        QueryEngine(Space(Store().open(name)), QuerySettings(k=3)) for name in (STATIC, DYNAMIC)
    ]
    found = compare(engines, parse("王-男+女"))
    assert len(found.text_lines(OutputStyle(colour=True, cells=70))) == len(
        found.text_lines(OutputStyle(cells=70))
    )


def test_different_models_and_vocabularies_are_shown() -> None:
    code, out, _ = run("compare", "王", "-k", "2", "--tables", "static,other:static")
    assert code == 0
    share = "toy and other share 1 of 2 · rank-biased overlap 0.55"
    assert out.splitlines() == [
        "toy 12 × 3 · other 3 × 2 · L2 distance · raw vectors",
        "",
        "王",
        "rank  toy   distance  in other  other  distance  in toy",
        "   1  王 *    0.0000         1  王 *     0.0000       1",
        "   2  男      1.0000         –  后       1.0000       –",
        "",
        f"{share} · 10 tokens in toy alone · 1 token in other alone",
        "random pairs: mean cosine · toy 0.007 ± 0.553 · other 0.471 ± 0.334",
    ]


def test_json_has_a_column_for_each_table() -> None:
    code, out, _ = run(
        "compare", "王", "-k1", "--json", "--tables", "dynamic", "--tables", "static"
    )
    [found] = json.loads(out)
    assert code == 0
    assert [column["table"]["mode"] for column in found["columns"]] == ["dynamic", "static"]
    assert found["columns"][0]["neighbours"] == [
        {"rank": 1, "token": "王", "id": 0, "distance": 0.0, "in_query": True, "ranks": [1, 1]}
    ]
    assert [overlap["columns"] for overlap in found["overlaps"]] == [[0, 1]]


def test_tsv_has_a_rank_for_each_table() -> None:
    assert run("compare", "王", "-k2", "--tsv", "--tables", "other:static,static")[1] == (
        "query\ttable\trank\ttoken\tid\tdistance\tin_query\trank other:static\trank toy:static\n"
        "王\tother:static\t1\t王\t0\t0.0\ttrue\t1\t1\n"
        "王\tother:static\t2\t后\t2\t1.0\tfalse\t2\t\n"
        "王\ttoy:static\t1\t王\t0\t0.0\ttrue\t1\t1\n"
        "王\ttoy:static\t2\t男\t1\t1.0\tfalse\t\t2\n"
    )


def test_merged_twins_are_named_as_in_query() -> None:
    _, out, _ = run("compare", "王", "-k1", "--merge-twins", "--json")
    [found] = json.loads(out)
    [asked] = json.loads(run("query", "王", "-k1", "--merge-twins", "--json")[1])
    [first, _] = found["columns"]
    assert first["neighbours"] == [{**asked["neighbours"][0], "ranks": [1, 1]}]
    assert first["neighbours"][0]["twins"] == ["##王"]
    assert run("compare", "王", "-k1", "--merge-twins", "--tsv")[1].splitlines()[:2] == [
        "query table rank token id distance in_query twins".replace(" ", "\t")
        + "\trank toy:static\trank toy:dynamic",
        "王\ttoy:static\t1\t王\t0\t0.0\ttrue\t##王\t1\t1",
    ]


def test_a_shorter_list_is_filled_with_blanks() -> None:
    _, out, _ = run("compare", "王", "--tables", "other:static,static", "-k", "4")
    *_, third, fourth, _, _, _ = out.splitlines()
    assert third == "   3  女       1.4142       6  子      1.2247         –"
    assert fourth == "   4                           女王    1.4142         –"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (
            ["王", "--tables", "static"],
            2,
            "a comparison needs at least two tables\nHint: --tables",
        ),
        (["王", "--tables", "static,dynamic,toy:static"], 2, "toy:static is named twice"),
        (["王", "--tables", "static+unit,static+unit"], 2, "toy:static+unit is named twice"),
        (["王", "--tables", "static,static+units"], 2, "unknown transform 'units'"),
        (["王", "--tables", "static,static+"], 2, "unknown transform ''"),
        (
            ["王", "--tables", "static,static+unit", "--transform", "center"],
            2,
            "toy:static+unit has its own transforms: leave out center for all tables",
        ),
        (["王", "女"], 2, "Error: compare takes one expression, got 2"),
        (["王", "-", "女"], 2, 'Hint: quote the expression: wordvec compare "王 - 女"'),
        (["王", "--tables", "static,moving"], 2, "'moving' is not a table name"),
        (
            ["男", "--tables", "static,other:static"],
            1,
            'other:static: "男" is not in this vocabulary',
        ),
        (["王", "--model", "other"], 1, "there is no table other:dynamic"),
        (["王+", "--model", "other"], 1, "王+"),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run("compare", *args)
    assert (found, out) == (code, "")
    assert message in err


def described(model: str, mode: str) -> TableDescription:
    return TableDescription(model, mode, None, 1, 1)


@pytest.mark.parametrize(
    ("tables", "names"),
    [
        ([("org/bert", "static"), ("org/bert", "dynamic")], ["static", "dynamic"]),
        ([("org/bert", "static"), ("org/mini", "static")], ["bert", "mini"]),
        ([("a/bert", "static"), ("mini", "dynamic")], ["bert", "mini"]),
        (
            [("a/bert", "static"), ("a/bert", "dynamic"), ("mini", "static")],
            ["bert:static", "bert:dynamic", "mini:static"],
        ),
        ([("a/bert", "static"), ("b/bert", "static")], ["a/bert:static", "b/bert:static"]),
    ],
)
def test_short_names_differ(tables: list[tuple[str, str]], names: list[str]) -> None:
    assert short_names([described(*table) for table in tables]) == names


def test_tables_whose_names_do_not_fit_are_numbered() -> None:
    names = (STATIC, DYNAMIC, TableName("other", Mode.STATIC))
    assert lines_at(40, *names, source="王", k=2) == [
        "1 toy:static 12 × 3",
        "2 toy:dynamic 12 × 3",
        "3 other:static 3 × 2 · L2 distance",
        "raw vectors",
        "",
        "王",
        "rank  1     distance  in 2  in 3",
        "   1  王 *    0.0000     1     1",
        "   2  男      1.0000     2     –",
        "",
        "rank  2     distance  in 1  in 3",
        "   1  王 *    0.0000     1     1",
        "   2  男      1.0000     2     –",
        "",
        "rank  3     distance  in 1  in 2",
        "   1  王 *    0.0000     1     1",
        "   2  后      1.0000     –     –",
        "",
        "1 and 2 share 2 of 2",
        "rank-biased overlap 1.00",
        "1 and 3 share 1 of 2",
        "rank-biased overlap 0.55",
        "10 tokens in 1 alone",
        "1 token in 3 alone",
        "2 and 3 share 1 of 2",
        "rank-biased overlap 0.55",
        "10 tokens in 2 alone",
        "1 token in 3 alone",
        "random pairs: mean cosine",
        "1 0.007 ± 0.553 · 2 0.009 ± 0.572",
        "3 0.471 ± 0.334",
    ]


def test_a_table_is_compared_with_itself_under_transforms() -> None:
    tables = "static,static+unit,dynamic+center+abtt:1"
    code, out, _ = run("compare", "王-男+女", "-k", "3", "--tables", tables, "--json")
    assert code == 0
    [found] = json.loads(out)
    assert found["transforms"] == []
    named = [column["table"].get("transforms") for column in found["columns"]]
    assert named == [None, ["unit"], ["center", "abtt:1"]]
    alone = [
        json.loads(run("query", "王-男+女", "-k3", "--jsonl", *how)[1])["neighbours"]
        for how in ((), ("--unit",), ("--mode", "dynamic", "--transform", "center,abtt:1"))
    ]
    columns = [column["neighbours"] for column in found["columns"]]
    assert [[{**near, "ranks": 0} for near in column] for column in alone] == [
        [{**near, "ranks": 0} for near in column] for column in columns
    ]
    assert columns[0][0]["ranks"][1] == next(
        near["rank"] for near in alone[1] if near["token"] == columns[0][0]["token"]
    )


def test_transforms_that_differ_are_in_the_names_of_the_tables() -> None:
    _, out, _ = run("compare", "王", "-k", "1", "--tables", "static,static+center+unit")
    assert out.splitlines()[:4] == [
        "toy · static 12 × 3 · static+center+unit 12 × 3 · L2 distance",
        "",
        "王",
        "rank  static  distance  in static+center+unit  static+center+unit  distance  in static",
    ]
    _, out, _ = run("compare", "王", "-k", "1", "--tables", "static,static+unit", "--tsv")
    assert out.splitlines()[0].endswith("rank toy:static\trank toy:static+unit")
    assert [line.split("\t")[1] for line in out.splitlines()[1:]] == [
        "toy:static",
        "toy:static+unit",
    ]


def test_explain_and_trace_take_transforms_too() -> None:
    _, out, _ = run("explain", "王+女", "子", "--tables", "static,static+unit", "--jsonl")
    raw, unit = map(json.loads, out.splitlines())
    [alone] = json.loads(run("explain", "王+女", "子", "--unit", "--json")[1])
    assert "transforms" not in raw["table"]
    assert unit["table"].pop("transforms") == ["unit"]
    assert {**unit, "transforms": [], "unit": True} == {**alone, "transforms": []}
    _, out, _ = run("trace", "王+女", "子", "--tables", "static,static+unit", "--json")
    [traced] = json.loads(out)
    assert [point["rank"] for point in traced["points"]] == [raw["rank"], unit["rank"]]
    _, out, _ = run("trace", "王+女", "子", "--tables", "static,static+unit")
    assert [line.split()[0] for line in out.splitlines()[4:6]] == ["static", "static+unit"]


def test_the_api_takes_the_same_names() -> None:
    found = wordvec.compare(["toy:static", "toy:static+unit"], "王+女", k=2)
    again = [wordvec.open("toy:static").query("王+女", k=2, unit=unit) for unit in (False, True)]
    assert [[near.score for near in column.answer] for column in found] == [
        [near.score for near in answer] for answer in again
    ]
    traced = wordvec.trace("王+女", "子", tables=["toy:static+unit", "toy:static"])
    assert [point.table.kind for point in traced] == ["static+unit", "static"]

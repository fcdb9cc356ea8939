"""The Python API: the documented examples, plain strings, and gensim and numpy beside it."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from gensim.models import KeyedVectors

import wordvec
from support.tables import MOVED, TOKENS, dynamic_table, fill, table_of, toy_table
from wordvec import (
    Filters,
    Method,
    Metric,
    QuerySettings,
    Store,
    Table,
    UnknownWordError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLE = Table(toy_table())
ROWS = {token: np.array(row, dtype=np.float64) for token, row in TOKENS.items()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with three small tables."""
    store = Store(tmp_path / "store")
    fill(store)
    return store


def cosine(one: Any, other: Any) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.timeout(300)
def test_the_block_of_the_issue_runs_as_written(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    store = tmp_path / "store"
    t = wordvec.open("mini:static", store=store)
    assert t["王"].shape == (256,)
    assert t["王"].dtype == np.float32
    assert "王" in t
    assert "騎士団長殺し" not in t
    assert len(t) == len(t.tokens) == len(t.vectors) == 32_000
    assert isinstance(t.tokens, list)
    assert t.norm("王") == pytest.approx(float(np.linalg.norm(t["王"].astype(np.float64))))
    wide = t["王"].astype(np.float64), t["女王"].astype(np.float64)
    assert t.similarity("王", "女王") == pytest.approx(cosine(*wide), abs=1e-12)
    answer = t.query(
        "王-男+女", k=10, metric="cosine", method="add", exclude=True, transforms=["center"]
    )
    assert len(answer) == len(answer.neighbours) == 10
    assert [word for word, _ in t.most_similar(positive=["王", "女"], negative=["男"], topn=10)][
        :3
    ] == ["太子", "姫", "女王"]
    assert t.explain("王-男+女", "女王").rank == 4
    assert t.odd(["王", "女王", "自動車"]).odd.word.token == "自動車"  # noqa: S105
    assert wordvec.extract("mini", mode="dynamic", store=store).vectors.shape == (32_000, 256)
    both = wordvec.compare(["mini:static", "mini:dynamic"], "王-男+女", store=store)
    assert [column.answer.table.mode for column in both.columns] == ["static", "dynamic"]
    assert str(wordvec.parse("王 - 男 + 女")) == "王-男+女"


def test_evaluate_counts_the_analogies_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("royal\t男\t王\nroyal\t女\t女王\n", encoding="utf-8")
    [found] = TABLE.evaluate(file)
    scores = [(one.name, one.questions, one.left_out.hits) for one in found.categories]
    assert scores == [("royal", 2, (2, 2, 2))]
    both = wordvec.evaluate([TABLE, TABLE], [file], methods=["mul"], at=[1])
    assert [(one.method, one.overall.left_out.questions) for one in both] == [("mul", 2)] * 2
    with pytest.raises(UsageError, match="expected a list of tables"):
        wordvec.evaluate("mini:static", file)


def test_several_expressions_are_answered_in_order() -> None:
    answers = TABLE.query(["王-男+女", "子"], k=2)
    assert [answer.query for answer in answers] == ["王-男+女", "子"]
    assert answers[0] == TABLE.query("王-男+女", k=2)
    assert TABLE.query([]) == []


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
@pytest.mark.parametrize("exclude", [True, False])
def test_strings_and_enums_give_the_answer_of_plain_numpy(metric: str, *, exclude: bool) -> None:
    query = ROWS["王"] - ROWS["男"] + ROWS["女"]
    scores = {
        "l2": {token: float(np.linalg.norm(row - query)) for token, row in ROWS.items()},
        "cosine": {token: cosine(row, query) for token, row in ROWS.items()},
        "dot": {token: float(row @ query) for token, row in ROWS.items()},
    }[metric]
    order = sorted(
        (token for token in scores if not exclude or token not in ("王", "男", "女")),
        key=lambda token: (round(scores[token], 9) * (1 if metric == "l2" else -1),
                           list(TOKENS).index(token)),
    )  # fmt: skip
    by_string = TABLE.query("王-男+女", k=12, metric=metric, exclude=exclude)
    by_enum = TABLE.query("王-男+女", k=12, metric=Metric(metric), exclude=exclude)
    assert by_string == by_enum
    assert [neighbour.token for neighbour in by_string] == order
    for neighbour in by_string:
        assert neighbour.score == pytest.approx(scores[neighbour.token], abs=1e-12)


@pytest.mark.parametrize("method", ["sum", "add", "mul", "direction"])
def test_every_method_takes_its_string(method: str) -> None:
    by_string = TABLE.query("男:女=王:?", method=method, k=5)
    by_enum = TABLE.query("男:女=王:?", method=Method(method), k=5)
    assert by_string == by_enum
    assert by_string.settings.method is Method(method)
    by_default = TABLE.query("男:女=王:?", k=5)
    assert (by_string.neighbours == by_default.neighbours) == (method == "sum")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "euclid"}, "unknown metric 'euclid': expected l2, cosine, dot or csls"),
        ({"method": "3cosadd"}, "unknown method '3cosadd': expected sum, add, mul or direction"),
        ({"k": -3}, "expected k of at least 1, got -3"),
        ({"k": 0}, "expected k of at least 1, got 0"),
        ({"k": 2.5}, "expected k of at least 1, got 2.5"),
        ({"k": True}, "expected k of at least 1, got True"),
        ({"transforms": ("nonsense",)}, "unknown transform 'nonsense'"),
        ({"transforms": "nonsense"}, "unknown transform 'nonsense'"),
        ({"transforms": ["abtt"]}, "abtt needs a number of components"),
        ({"only": "kanjis"}, "unknown kind of token 'kanjis': expected kanji, hiragana"),
        ({"match": "("}, "is not a regular expression"),
        ({"method": "mul", "metric": "l2"}, "method mul ranks by cosine, not by l2"),
    ],
)
def test_an_unknown_value_is_refused_wherever_it_is_given(
    options: dict[str, Any], message: str
) -> None:
    for call in (
        lambda: QuerySettings.of(**options),
        lambda: TABLE.query("王", **options),
        lambda: TABLE.explain("王+女", **options),
        lambda: wordvec.compare([TABLE, Table(dynamic_table())], "王", **options),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert message in str(caught.value)
        assert isinstance(caught.value, ValueError)


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"^unknown option 'metrics': expected k, method, metric"):
        TABLE.query("王", metrics="l2")  # type: ignore[call-overload]


@pytest.mark.parametrize("transforms", ["center", ["center"], ("center",)])
def test_one_transform_may_be_a_string_or_a_list(transforms: Any) -> None:
    answer = TABLE.query("王", transforms=transforms)
    assert answer.settings.transforms == ("center",)
    assert answer == TABLE.query("王", transforms=["center"])


def test_several_transforms_may_be_one_string() -> None:
    assert QuerySettings.of(transforms="center, abtt:1").transforms == ("center", "abtt:1")


def test_filters_take_plain_strings() -> None:
    assert QuerySettings.of(only="kanji,word", vocab="w.txt").filters == Filters(
        only=["kanji", "word"],  # type: ignore[arg-type]
        vocab="w.txt",  # type: ignore[arg-type]
    )
    found = TABLE.query("王", only="latin")
    assert {neighbour.token for neighbour in found} == {"k", "km", "m", "king"}


def test_similarity_of_pairs_and_norms_take_plain_values() -> None:
    assert TABLE.similar(["王", 1, "#2"], metric="dot").scores[0] == (2.0, 1.0, 0.0)
    with pytest.raises(UsageError, match="unknown metric 'near'"):
        TABLE.similar(["王", "女"], metric="near")
    assert [norm.token for norm in TABLE.norms(["王", 2], largest=1).norms] == ["王", "女", "1999"]


def test_an_unknown_word_is_a_key_error_too() -> None:
    with pytest.raises(KeyError):
        TABLE["犬"]
    with pytest.raises(UnknownWordError, match=r'^"犬" is not in this vocabulary$'):
        TABLE["犬"]
    assert "犬" not in TABLE


def test_csls_strings_give_what_the_enum_gives() -> None:
    table = Table(table_of(np.random.default_rng(0).normal(size=(40, 6))))
    by_string = table.query("t1+t2", metric="csls")
    assert by_string == table.query("t1+t2", metric=Metric.CSLS)
    assert by_string != table.query("t1+t2", metric="cosine")


@pytest.fixture(scope="module")
def gensims() -> tuple[Table, KeyedVectors]:
    """Return a thousand random vectors as our table and as gensim's."""
    rows = np.random.default_rng(3).normal(size=(1000, 24)).astype(np.float32) + np.float32(0.3)
    table = Table(table_of(rows))
    theirs = KeyedVectors(24)
    theirs.add_vectors(table.tokens, rows)
    return table, theirs


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")  # gensim's own
@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        (["t1", "t2"], ["t3"]),
        (["t5"], ["t6", "t7"]),
        (["t8", "t9"], []),
        ("t10", []),
        ([("t1", 2.0), ("t2", -0.5)], ["t3"]),
        (["t1", "t1"], ["t2"]),
    ],
)
def test_most_similar_is_that_of_gensim(
    gensims: tuple[Table, KeyedVectors], positive: Any, negative: Any
) -> None:
    ours, theirs = gensims
    found = ours.most_similar(positive=positive, negative=negative, topn=15)
    expected = theirs.most_similar(positive=positive, negative=negative, topn=15)
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert [score for _, score in found] == pytest.approx([s for _, s in expected], abs=1e-6)


def test_norm_and_similarity_are_those_of_gensim(gensims: tuple[Table, KeyedVectors]) -> None:
    ours, theirs = gensims
    assert ours.similarity("t1", "t2") == pytest.approx(theirs.similarity("t1", "t2"), abs=1e-6)
    assert ours.norm("t7") == pytest.approx(float(np.linalg.norm(theirs["t7"])), rel=1e-6)


def test_a_table_is_opened_by_its_name(store: Store) -> None:
    table = wordvec.open("toy:static", store=store)
    assert str(table.name) == "toy:static"
    assert repr(table) == "toy:static · 12 × 3"
    assert isinstance(table.vectors, np.ndarray)
    np.testing.assert_array_equal(table["女王"], [0, 1, 1])


def test_compare_takes_names_and_open_tables(store: Store) -> None:
    by_name = wordvec.compare(["toy:static", "toy:dynamic"], "王-男+女", k=3, store=store)
    tables = [wordvec.open(name, store=store) for name in ("toy:static", "toy:dynamic")]
    assert wordvec.compare(tables, "王-男+女", k=3) == by_name
    firsts = [column.answer.neighbours[0].token for column in by_name.columns]
    assert firsts == ["女王", "子"]
    assert MOVED["子"] == (0, 1, 1)


def test_what_was_computed_for_a_table_is_kept() -> None:
    assert TABLE.space("center") is TABLE.space(["center"])
    assert TABLE.with_notes(("a note",)).space("center") is TABLE.space("center")


def test_an_answer_is_a_table_in_a_notebook() -> None:
    shown = TABLE.query("王-男+女", k=2)._repr_html_()
    assert shown == (
        "<table><caption>王-男+女 · toy:static · 12 × 3 · L2 distance · raw vectors</caption>"
        "<tr><th>rank</th><th>token</th><th></th><th>id</th><th>distance</th></tr>"
        "<tr><td>1</td><td>女王</td><td></td><td>3</td><td>0.0000</td></tr>"
        "<tr><td>2</td><td>女</td><td>*</td><td>2</td><td>1.0000</td></tr></table>"
    )


STORE = wordvec.Store("nowhere")


def test_a_table_iterates_over_its_tokens_and_contains_words_and_ids() -> None:
    assert list(TABLE) == TABLE.tokens
    king = TABLE.tokens.index("王")
    assert all(word in TABLE for word in ("王", king, f"#{king}", np.int64(king)))
    assert all(word not in TABLE for word in ("猫犬", len(TABLE), -1, f"#{len(TABLE)}", 1.5, None))
    assert np.array_equal(TABLE[cast("Any", np.int64(king))], TABLE["王"])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda t: t.query("王", exclude=["太子"]), "expected exclude to be True or False, got"),
        (lambda t: t.query("王", unit="yes"), "expected unit to be True or False, got 'yes'"),
        (lambda t: t.query("王", no_special=1), "expected no_special to be True or False, got 1"),
        (lambda t: t.query("王", transforms=None), "expected transforms to be a list of names"),
        (lambda t: t.query("王", only=None), "expected only to be a list of kinds of tokens"),
        (lambda t: t.query("王", match=5), "expected match to be text, got 5"),
        (lambda t: t.query("王", vocab=["女王"]), "expected vocab to be the path of a file"),
        (lambda t: t.query(None), "expected an expression as text, got NoneType"),
        (lambda t: t.query(527), "expected an expression as text, got int"),
        (lambda t: t.query(t["王"]), "expected an expression as text, got float32"),
        (lambda t: t.explain(["王"]), "expected an expression as text, got list"),
        (lambda t: t.query("王", match=b"k"), "expected match to be text, got b'k'"),
        (lambda t: t.query("王", k=np.array([1, 2])), "expected k of at least 1, got array"),
        (lambda t: t[True], "expected a word or an id, got bool"),
        (lambda t: t.norms([True]), "expected a word or an id, got bool"),
        (lambda t: t.norms(largest=-1), "expected largest of at least 0, got -1"),
        (lambda t: t.norms(smallest="5"), "expected smallest of at least 0, got '5'"),
        (lambda t: t.most_similar(), "expected at least one word in positive or negative"),
        (lambda t: t.most_similar("王", topn=0), "expected topn of at least 1, got 0"),
        (
            lambda t: t.most_similar([("王", "5")]),
            "expected a word and its weight, got ('王', '5",
        ),
        (lambda t: t.most_similar([("王", 1, 2)]), "expected a word and its weight, got ('王', 1"),
        (
            lambda t: t.most_similar([("王", np.nan)]),
            "expected a word and its weight, got ('王', na",
        ),
        (lambda t: t[1.5], "expected a word or an id, got float"),
        (lambda t: t[["王", "女"]], "expected a word or an id, got list"),
        (lambda t: t[0:2], "expected a word or an id, got slice"),
        (lambda t: t.most_similar(positive=[t["王"]]), "expected a word or an id, got ndarray"),
        (lambda _: wordvec.open(cast("Any", None)), "expected the name of a table, got NoneType"),
        (lambda t: wordvec.compare("mini:static", t), "expected a list of tables, got 'mini:stat"),
        (
            lambda _: wordvec.evaluation_page(cast("Any", "x")),
            "expected evaluation of type Evaluat",
        ),
        (lambda t: t.engine_for("x"), "expected settings of type QuerySettings, got 'x'"),
        (lambda t: t.evaluate("9" * 300), "no file can have the name '999"),
        (lambda t: t.evaluate([5]), "expected files to be the path of a file, got 5"),
        (lambda _: wordvec.open("mini:static", store="9" * 300), "no file can have the name '999"),
        (lambda _: wordvec.extract("./" + "9" * 300), "no file can have the name './999"),
        (
            lambda _: wordvec.import_pickle(cast("Any", "x"), cast("Any", 5), "static", STORE),
            "expected model of type str, got 5",
        ),
        (lambda _: STORE.save(cast("Any", None)), "expected table of type VectorTable, got None"),
        (lambda _: STORE.derived(cast("Any", 1)), "expected table of type VectorTable, got 1"),
    ],
)
def test_arguments_of_a_wrong_type_are_refused(ask: Callable[[Any], object], message: str) -> None:
    with pytest.raises(wordvec.UsageError, match=re.escape(message)):
        ask(TABLE)


def test_a_string_is_one_word_where_words_are_expected() -> None:
    assert [norm.token for norm in TABLE.norms("女王").norms] == ["女王"]
    assert TABLE.similar("女王").scores == TABLE.similar(["女王"]).scores
    with pytest.raises(UsageError, match="at least three words, got 1"):
        TABLE.odd("王男女")


def test_an_extracted_table_has_the_notes_of_its_extraction(
    tiny_bert: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "short")
    (folder / "added_tokens.json").write_text('{"<a>": 82}')
    table = wordvec.extract(str(folder), store=tmp_path / "store")
    (note,) = table.notes
    assert note == (
        "1 token has no vector, because the model's matrix has only 82 rows for 83 tokens: "
        "left out from id 82 on (<a>)"
    )

"""The rank of one answer in many tables, compared with plain numpy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import wordvec
from support.cli import run
from support.tables import WORDS, table_of
from wordvec.analysis.trace import sparkline
from wordvec.errors import UnknownWordError, UsageError
from wordvec.tables.name import Mode
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.tables.table import VectorTable

LAYERS = 3
KINDS = ["static", "dynamic@0", "dynamic@1", "dynamic@2", "dynamic"]
A, B, C, ANSWER = (WORDS.index(word) for word in "王男女子")


def layer_table(
    number: int | None, *, variant: str | None = None, words: str = "".join(WORDS), seed: int = 0
) -> VectorTable:
    """Make the table of a layer, or the static one."""
    rng = np.random.default_rng([seed, LAYERS + 1 if number is None else number])
    rows = rng.normal(size=(len(words), 5)).astype(np.float32)
    mode = Mode.STATIC if number is None else Mode.DYNAMIC
    table = table_of(dict(zip(words, rows, strict=True)), model="made", mode=mode)
    if number is None:
        return table
    layer = None if number == LAYERS else number
    provenance = replace(table.provenance, layer=layer, layers=LAYERS, variant=variant)
    return replace(table, provenance=provenance)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Give the store of the commands, with a static table and four layers."""
    monkeypatch.setenv("WORDVEC_HOME", str(tmp_path / "tables"))
    monkeypatch.setenv("WORDVEC_MODEL", "made")
    store = Store()
    for number in (None, *range(LAYERS + 1)):
        store.save(layer_table(number))
    return store


def plain(rows: NDArray[np.float32], metric: str, *, exclude: bool) -> dict[str, Any]:
    """Return rank, score, cosine and the first answers of 王-男+女 → 子 by plain numpy."""
    x = rows.astype(np.float64)
    q = x[A] - x[B] + x[C]
    distances = np.linalg.norm(x - q, axis=1)
    cosines = x @ q / np.linalg.norm(x, axis=1) / np.linalg.norm(q)
    order = [int(row) for row in np.argsort(distances if metric == "l2" else -cosines)]
    others = [row for row in order if row not in (A, B, C)]
    listed = others if exclude else order
    scores = distances if metric == "l2" else cosines
    return {
        "rank": listed.index(ANSWER) + 1,
        "score": scores[ANSWER],
        "cosine": cosines[ANSWER],
        "first": listed[0],
        "first_other": others[0],
    }


@pytest.mark.parametrize("metric", ["l2", "cosine"])
@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.usefixtures("store")
def test_each_table_has_the_numbers_that_numpy_finds(
    metric: str,
    exclude: bool,  # noqa: FBT001
) -> None:
    traced = wordvec.trace("王-男+女", "子", metric=metric, exclude=exclude)
    names = [f"{point.table.kind}" for point in traced]
    assert names == KINDS
    assert [point.layer for point in traced] == [None, 0, 1, 2, 3]
    for kind, point in zip(KINDS, traced, strict=True):
        rows = wordvec.open(f"made:{kind}").vectors
        expected = plain(rows, metric, exclude=exclude)
        assert point.rank == expected["rank"]
        assert point.score == pytest.approx(expected["score"])
        assert point.cosine == pytest.approx(expected["cosine"])
        assert point.first is not None
        assert point.first_other is not None
        assert (point.first.id, point.first_other.id) == (
            expected["first"],
            expected["first_other"],
        )
        assert point.first.in_query == (expected["first"] in (A, B, C))


def test_the_layers_of_each_mode_and_variant_are_a_series(store: Store) -> None:
    for number in (2, 0):
        store.save(layer_table(number, variant="short", seed=1))
    traced = wordvec.trace("王-男+女", "子")
    assert [(name, [point.layer for point in points]) for name, points in traced.series] == [
        ("static", [None]),
        ("dynamic", [0, 1, 2, 3]),
        ("dynamic.short", [0, 2]),
    ]


def test_a_question_of_another_method_has_ranks_and_scores_but_no_cosine(store: Store) -> None:
    traced = wordvec.trace("男:女=王:?", "子", method="mul")
    for point, kind in zip(traced, KINDS, strict=True):
        answer = wordvec.open(f"made:{kind}").query("男:女=王:?", method="mul", k=99)
        [(rank, score)] = [(n.rank, n.score) for n in answer if n.id == ANSWER]
        assert (point.rank, point.cosine) == (rank, None)
        assert point.score == pytest.approx(score)
    assert store.root.exists()


def test_a_table_without_the_answer_is_kept_without_numbers(store: Store) -> None:
    store.save(layer_table(1, words="王男女"), force=True)
    traced = wordvec.trace("王-男+女", "子")
    assert [point.rank is None for point in traced] == [False, False, True, False, False]
    assert 'made:dynamic@1: "子" is not in this vocabulary' in traced.notes
    code, out, err = run("trace", "王-男+女", "子")
    assert code == 0
    assert err == 'Note: made:dynamic@1: "子" is not in this vocabulary\n'
    [line] = [line for line in out.splitlines() if line.startswith("dynamic      1")]
    assert line.split()[2:] == ["–"] * 6


def test_an_answer_that_no_table_has_is_an_error() -> None:
    table = wordvec.Table(layer_table(0))
    with pytest.raises(UnknownWordError, match='"犬" is not in this vocabulary'):
        wordvec.trace("王-男+女", "犬", tables=[table])


def test_the_command_prints_numbers_and_sparklines(store: Store) -> None:
    code, out, err = run("trace", "王-男+女", "子", "--metric", "cosine")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "made · cosine similarity · raw vectors"
    assert lines[2] == "王-男+女 → 子"
    traced = wordvec.trace("王-男+女", "子", metric="cosine")
    points = list(traced)[1:]
    ranks = sparkline([None if p.rank is None else -np.log(p.rank) for p in points])
    similarities = sparkline([p.score for p in points])
    assert lines[-2] == f"dynamic 0 to 3 · rank {ranks} · similarity {similarities}"
    assert lines[-1] == "a taller bar is a better rank"
    assert store.root.exists()


def test_tables_can_be_chosen(store: Store) -> None:
    code, out, _ = run("trace", "王-男+女", "子", "--tables", "dynamic@3,static", "--tsv")
    assert code == 0
    heading, *rows = [line.split("\t") for line in out.splitlines()]
    assert heading == ["query", "token", "table", "layer", "rank", "distance", "cosine", "first",
                       "first_other"]  # fmt: skip
    assert [row[2:4] for row in rows] == [["made:dynamic", "3"], ["made:static", ""]]
    assert store.root.exists()


def test_without_layers_a_note_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORDVEC_HOME", str(tmp_path / "tables"))
    Store().save(layer_table(None))
    code, _, err = run("trace", "王-男+女", "子", "--model", "made")
    assert code == 0
    assert err == (
        "Note: for every layer: wordvec extract --mode dynamic --layers all --model made\n"
    )


@pytest.mark.parametrize("arguments", [["王-男+女"], ["王-男+女", "子", "女"]])
def test_other_numbers_of_arguments_are_refused(arguments: list[str], store: Store) -> None:
    code, _, err = run("trace", *arguments)
    assert code == 2
    assert "trace takes an expression and a token, got" in err
    assert "Hint: wordvec trace 王-男+女 女王" in err
    assert store.root.exists()


def test_no_tables_are_refused() -> None:
    from wordvec.analysis.trace import trace

    with pytest.raises(UsageError, match="a trace needs at least one table"):
        trace([], wordvec.parse("王"), "子")


def test_the_curves_are_drawn(store: Store, tmp_path: Path) -> None:
    import matplotlib.image

    file = tmp_path / "trace.png"
    code, _, _ = run("trace", "王-男+女", "子", "--png", file)
    assert code == 0
    picture = matplotlib.image.imread(file)
    assert picture.shape[:2] == (800, 1800)
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 10
    other = tmp_path / "api.png"
    wordvec.trace("王-男+女", "子", png=other)
    assert other.read_bytes() == file.read_bytes()
    assert store.root.exists()


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([1.0], "▄"), ([2, 2], "▄▄"), ([0, 7, None, 3], "▁█ ▄"), ([-1, 0, 1], "▁▅█")],
)
def test_a_sparkline_goes_from_the_smallest_to_the_largest(
    values: list[float | None], bars: str
) -> None:
    assert sparkline(values) == bars


def test_the_bundled_model_is_traced_without_a_saved_table() -> None:
    traced = wordvec.trace("王-男+女", "女王", model="mini")
    assert [(point.table.kind, point.rank) for point in traced] == [("static", 4)]

"""What a map shows and how it is packed, beside plain numpy. tests/browser has the page itself."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.tables import query, table_of
from wordvec.errors import MissingExtraError, UnknownWordError, UsageError
from wordvec.expression.parser import parse
from wordvec.map import figure
from wordvec.map import page as page_module
from wordvec.map.arrows import ExpressionTracer, nearness
from wordvec.map.build import Layer, Map, build_map, exact_scores
from wordvec.map.colours import CLASSES, PAINTS
from wordvec.map.figure import draw
from wordvec.map.packing import in_eight_bits, pack, pack_array, pack_planes, quantised, score_unit
from wordvec.map.page import build_page, vector_bytes
from wordvec.map.projection import Projection, Settings
from wordvec.search.settings import Metric
from wordvec.tables.name import Mode
from wordvec.text import TokenClass

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.tables.table import VectorTable

WORDS = [
    "[PAD]",
    "王",
    "男",
    "女",
    "女王",
    "##王",
    "の",
    "カナ",
    "king",
    "1999",
    "<b>&",
    "山",
    "川",
]


def words_table(*, seed: int = 0, mode: Mode = Mode.STATIC) -> VectorTable:
    rows = np.random.default_rng(seed).normal(size=(len(WORDS), 6)).astype(np.float32)
    return table_of(dict(zip(WORDS, rows.tolist(), strict=True)), mode=mode, special=1)


def fixed_map(*tables: VectorTable, sources: tuple[str, ...] = ()) -> Map:
    """A map whose places are given: no t-SNE is run."""
    rows = np.arange(len(WORDS))
    layers = []
    for seed, table in enumerate(tables):
        graph = np.array([[j for j in range(len(WORDS)) if j != i][:3] for i in rows])
        guide = ExpressionTracer(table, Metric.L2, np.ones(len(WORDS), dtype=np.bool_))
        layers.append(
            Layer(
                table,
                np.random.default_rng(seed).normal(size=(len(WORDS), 2)).astype(np.float32),
                graph,
                exact_scores(table.vectors, rows, graph, Metric.L2),
                tuple(guide.path(parse(source)) for source in sources),
            )
        )
    vocabulary = tables[0].vocabulary
    classes = [CLASSES.index(vocabulary.token_class(i)) for i in range(len(WORDS))]
    return Map(vocabulary, Settings(), rows, np.array(classes, dtype=np.uint8), tuple(layers))


def unpacked(packed: str) -> bytes:
    return gzip.decompress(base64.b64decode(packed))


def about(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="about">(.*?)</script>', html)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def packed(html: str, name: str) -> bytes:
    found = re.search(f'<script type="text/plain" id="pack-{name}">(.*?)</script>', html)
    assert found, name
    return unpacked(found[1])


# ---- packing


def test_what_is_packed_comes_out_again_and_is_the_same_on_any_day() -> None:
    assert unpacked(pack("女王".encode())) == "女王".encode()
    assert pack(b"a" * 100) == pack(b"a" * 100)


def test_planes_hold_all_low_bytes_first() -> None:
    assert unpacked(pack_planes(np.array([1, 258, -1]))) == bytes(
        [1, 2, 255, 0, 1, 255, 0, 0, 255, 0, 0, 255]
    )


def test_arrays_are_written_little_end_first() -> None:
    assert unpacked(pack_array(np.array([1, 2], dtype=">u2"))) == b"\x01\x00\x02\x00"


def test_places_come_back_within_half_a_step() -> None:
    places = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32) * 70
    whole, floor, steps = quantised(places)
    back = whole.reshape(2, -1).T * np.array(steps) + np.array(floor)
    assert (np.abs(back - places) <= np.array(steps) * 0.51).all()


def test_a_map_without_width_is_packed_too() -> None:
    whole, _, _ = quantised(np.ones((3, 2), dtype=np.float32))
    assert whole.tolist() == [0] * 6


@pytest.mark.parametrize(
    ("largest", "unit"), [(20.0, 1e4), (1.0, 1e4), (0.02, 1e6), (1e7, 1e2), (0.0, 1e4)]
)
def test_scores_keep_four_decimals_and_small_ones_more(largest: float, unit: float) -> None:
    found = score_unit(np.array([[largest, np.nan]]))
    assert found == pytest.approx(unit)
    assert largest * found < 2**31


def test_eight_bits_are_within_half_a_step_of_each_row() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 7)).astype(np.float32)
    rows[3] = 0
    rows[4, 2] = np.nan
    numbers, scales = in_eight_bits(rows)
    back = numbers * scales[:, None]
    fine = [i for i in range(20) if i != 4]
    assert (np.abs(back - rows)[fine] <= scales[fine, None] * 0.501).all()
    assert not numbers[[3, 4]].any()


# ---- what is gathered


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
def test_scores_are_those_of_plain_numpy(metric: Metric) -> None:
    rows = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    ids = np.array([[1, 2], [0, -1], [5, 6]])
    found = exact_scores(rows, np.array([0, 1, 29]), ids, metric)
    wide = rows.astype(np.float64)

    def score(a: int, b: int) -> float:
        if metric is Metric.L2:
            return float(np.linalg.norm(wide[a] - wide[b]))
        return float(wide[a] @ wide[b] / np.linalg.norm(wide[a]) / np.linalg.norm(wide[b]))

    expected = [[score(0, 1), score(0, 2)], [score(1, 0), np.nan], [score(29, 5), score(29, 6)]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.fixture(scope="module")
def surveyed() -> Map:
    first, second = words_table(), words_table(seed=1, mode=Mode.DYNAMIC)
    return build_map([first, second], expressions=[parse("王-男+女")])


def test_neighbours_and_scores_are_those_that_query_lists(surveyed: Map) -> None:
    for layer in surveyed.layers:
        for slot, row in enumerate(surveyed.rows.tolist()):
            source = parse(f"#{row}")
            (answer,) = query(layer.table, [source], exclude=True)
            assert layer.neighbours[slot].tolist() == [hit.id for hit in answer.neighbours]
            np.testing.assert_allclose(
                layer.scores[slot], [hit.score for hit in answer.neighbours], rtol=1e-12
            )


def test_the_answer_of_an_expression_is_that_of_query(surveyed: Map) -> None:
    for layer in surveyed.layers:
        (path,) = layer.paths
        (answer,) = query(layer.table, [parse("王-男+女")])
        assert [row for row, _ in path.answers] == [hit.id for hit in answer.neighbours]
        np.testing.assert_allclose(
            [score for _, score in path.answers], [hit.score for hit in answer.neighbours]
        )
        assert path.words == (1, 2, 3)
        assert [step.label for step in path.steps] == ["王", "-男", "+女"]


def test_a_step_is_weighed_by_the_nearest_tokens_on_the_map() -> None:
    table = words_table()
    on_map = np.zeros(len(WORDS), dtype=np.bool_)
    on_map[2:8] = True
    path = ExpressionTracer(table, Metric.L2, on_map).path(parse("王-2*男"))
    wide = table.vectors.astype(np.float64)
    for step, total in zip(path.steps, [wide[1], wide[1] - 2 * wide[2]], strict=True):
        distances = np.linalg.norm(wide[2:8] - total, axis=1)
        order = np.argsort(distances)
        assert list(step.rows) == (order + 2).tolist()
        np.testing.assert_allclose(step.weights, 1 / distances[order], rtol=1e-5)
    assert path.steps[1].label == "-2*男"


def test_a_single_word_on_the_map_stands_where_it_stands() -> None:
    path = ExpressionTracer(words_table(), Metric.L2, np.ones(len(WORDS), dtype=np.bool_)).path(
        parse("王")
    )
    assert (path.steps[0].rows, path.steps[0].weights) == ((1,), (1.0,))


def test_weights_by_cosine_are_similarities_and_never_below_zero() -> None:
    assert nearness(np.array([0.9, 0.0, -0.4]), Metric.COSINE).tolist() == [0.9, 0, 0]
    assert nearness(np.array([0.5, 0.0]), Metric.L2).tolist() == [2, 1e6]


def test_an_unknown_word_in_an_expression_is_an_error() -> None:
    guide = ExpressionTracer(words_table(), Metric.L2, np.ones(len(WORDS), dtype=np.bool_))
    with pytest.raises(UnknownWordError, match="女帝"):
        guide.path(parse("女帝-男"))


def test_tables_of_different_vocabularies_share_no_map() -> None:
    other = table_of(np.eye(6), model="other")
    with pytest.raises(UsageError, match="different vocabularies") as caught:
        build_map([words_table(), other])
    assert caught.value.hint == "give two tables of one model"


def test_a_row_without_a_place_in_either_table_is_left_out() -> None:
    first = words_table()
    rows = first.vectors.copy()
    rows[11] = np.nan
    second = table_of(dict(zip(WORDS, rows.tolist(), strict=True)), mode=Mode.DYNAMIC, special=1)
    found = build_map([first, second])
    assert 11 not in found.rows
    assert found.left_out == 1
    assert "1 without a place left out" in page_module.facts(found)


def test_every_class_of_token_has_its_own_colour_on_either_ground() -> None:
    assert set(PAINTS) == set(TokenClass)
    for ground in ("light", "dark"):
        assert len({getattr(paint, ground) for paint in PAINTS.values()}) == len(PAINTS)


# Dichromats' vision in linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.0.
VISION = {
    "every cone": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lab(colour: str, vision: Any) -> NDArray[np.float64]:
    """CIELAB of #rrggbb as it is seen, under daylight."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(vision) @ linear, 0, 1)
    x, y, z = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ seen
        / [0.9505, 1, 1.089]
    )
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("ground", ["light", "dark"])
def test_no_two_classes_look_alike_to_any_eye(vision: str, ground: str) -> None:
    seen = [lab(getattr(paint, ground), VISION[vision]) for paint in PAINTS.values()]
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(one - other) > 12  # about 2 is the least that one sees


# ---- the page


@pytest.fixture(scope="module")
def html() -> str:
    return build_page(fixed_map(words_table(), sources=("王-男+女",)), vectors=True)


def test_the_page_needs_nothing_from_anywhere(html: str) -> None:
    assert "default-src 'none'" in html
    head = html[: html.index('id="pack-tokens"')]
    assert not re.search(r"(src|href)=\"(?!data:)", head)
    assert "http://" not in head
    assert "https://" not in head


def test_tokens_are_text_and_never_html() -> None:
    table = words_table()
    tokens = tuple("</script><b>" if t == "<b>&" else t for t in table.vocabulary.tokens)
    odd = replace(table, vocabulary=replace(table.vocabulary, tokens=tokens))
    html = build_page(fixed_map(odd, sources=('"</script><b>"',)))
    assert "</script><b>" not in html
    assert about(html)["expressions"][0]["source"] == '"</script><b>"'
    assert json.loads(packed(html, "tokens"))[10] == "</script><b>"


def test_the_page_carries_what_was_surveyed(html: str) -> None:
    the_map = fixed_map(words_table(), sources=("王-男+女",))
    assert json.loads(packed(html, "tokens")) == WORDS
    assert np.frombuffer(packed(html, "rows"), "<u4").tolist() == list(range(len(WORDS)))
    classes = [CLASSES[i].value for i in np.frombuffer(packed(html, "classes"), np.uint8)]
    assert classes[:6] == ["special", "kanji", "kanji", "kanji", "kanji-word", "subword"]
    planes = np.frombuffer(packed(html, "neighbours-0"), np.uint8).reshape(4, -1)
    ids = np.ascontiguousarray(planes.T).view("<u4").ravel()
    assert ids.tolist() == the_map.layers[0].neighbours.ravel().tolist()
    (layer,) = about(html)["layers"]
    assert layer["facts"] == "made:static, L2 distance, raw vectors"
    numbers = np.frombuffer(packed(html, "vectors-0"), np.int8).reshape(len(WORDS), 6)
    scales = np.frombuffer(packed(html, "scales-0"), "<f4")
    np.testing.assert_allclose(numbers * scales[:, None], words_table().vectors, atol=0.02)


def test_vectors_stay_out_of_the_page_unless_they_are_asked_for() -> None:
    the_map = fixed_map(words_table())
    html = build_page(the_map)
    assert "pack-vectors" not in html
    assert vector_bytes(the_map) == len(WORDS) * 6 * 4 // 3


def test_its_facts_name_table_metric_and_seed() -> None:
    assert page_module.facts(fixed_map(words_table())) == (
        "13 tokens · 6 dimensions · raw vectors · t-SNE of L2 distance, perplexity 30, seed 0"
    )


def test_every_module_that_is_imported_is_in_the_page(html: str) -> None:
    found = re.search(r'<script type="importmap">(.*?)</script>', html)
    assert found
    modules = {
        name: base64.b64decode(address.partition(",")[2]).decode()
        for name, address in json.loads(found[1])["imports"].items()
    }
    wanted = {name for text in modules.values() for name in re.findall(r'from "(map/\w+)"', text)}
    assert wanted | {"map/main"} == set(modules)


def test_without_pydeck_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match="a map page needs pydeck") as caught:
        build_page(fixed_map(words_table()))
    assert caught.value.hint == "pip install 'wordvec[map]'"


# ---- the picture


def test_a_png_and_an_svg_are_drawn_the_same_each_time(tmp_path: Path) -> None:
    the_map = fixed_map(words_table(), words_table(seed=1, mode=Mode.DYNAMIC))
    for form, start in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        draw(the_map, tmp_path / f"a.{form}", form=form)
        draw(the_map, tmp_path / f"b.{form}", form=form)
        content = (tmp_path / f"a.{form}").read_bytes()
        assert content.startswith(start)
        assert content == (tmp_path / f"b.{form}").read_bytes()


def test_without_a_japanese_font_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "JAPANESE_FONTS", ())
    remarks = draw(fixed_map(words_table()), tmp_path / "map.png", form="png")
    assert remarks == (figure.NO_FONT,)
    assert (tmp_path / "map.png").stat().st_size > 1000


def test_a_font_installed_since_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import font_manager

    if figure.japanese_font() is None:
        pytest.skip("no Japanese font here: apt install fonts-noto-cjk")
    new = {
        one.fname
        for one in font_manager.fontManager.ttflist
        if "CJK" in one.fname or one.name in figure.JAPANESE_FONTS
    }
    old = [one for one in font_manager.fontManager.ttflist if one.fname not in new]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", old)  # as matplotlib kept the list
    assert figure.japanese_font() in figure.JAPANESE_FONTS


@pytest.mark.parametrize(
    ("can_write", "written"),
    [(True, ["", "-1999", "", "+王", "king-1999+王"]), (False, ["", "-1999", ""])],
)
def test_the_arrows_of_an_expression_are_in_the_picture(
    can_write: bool,  # noqa: FBT001  (pytest passes it by name)
    written: list[str],
) -> None:
    from matplotlib.figure import Figure

    the_map = fixed_map(words_table(), sources=("king-1999+王",))
    (layer,) = the_map.layers
    axes: Any = Figure().add_subplot()
    figure._draw_route(axes, the_map, layer, layer.paths[0], can_write_japanese=can_write)
    assert [text.get_text() for text in axes.texts] == written
    styles = [text.arrow_patch.get_linestyle() for text in axes.texts if text.arrow_patch]
    assert styles == ["--", "-"]


def test_a_stop_of_an_expression_is_where_the_page_has_it() -> None:
    the_map = fixed_map(words_table(), sources=("王-男+女",))
    (layer,) = the_map.layers
    (route,) = layer.paths
    for step in route.steps:
        expected = np.average(layer.places[list(step.rows)], axis=0, weights=step.weights)
        np.testing.assert_allclose(figure._place(the_map, layer, step), expected, rtol=1e-5)


def test_names_take_turns_and_never_overlap() -> None:
    places: NDArray[np.float32] = np.array([[0, 0], [3, 1], [100, 0], [0, 30]], dtype=np.float32)
    assert list(figure.named(places, ["王", "男", "女", "子"])) == [0, 2, 3]


def test_a_projection_holds_rows_and_places() -> None:
    projection = Projection(np.arange(2), np.zeros((2, 2), dtype=np.float32))
    assert projection.rows.tolist() == [0, 1]

"""A map of several tables: stops, play, regions of each, tables of different vocabularies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.map_page import (
    count_pixels,
    listed,
    open_map,
    screen_position,
    wait_for_frame,
    wait_until,
)
from support.tables import query, table_of
from wordvec.analysis.display import number
from wordvec.expression.parser import parse
from wordvec.map.build import build_map
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from wordvec.map.build import TokenMap
    from wordvec.tables.table import VectorTable

pytestmark = pytest.mark.browser
WORDS = ["王", "女", "男", "女王", *(f"語{i}" for i in range(116))]
STOP = "wordvecMap.stops.at"


def layer(seed: int, mode: Mode, *, words: list[str] = WORDS, model: str = "made") -> VectorTable:
    """Make a table of six groups; another seed has other groups."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 6, len(words))
    rows = rng.normal(size=(6, 12))[groups] * 4 + rng.normal(size=(len(words), 12))
    return table_of(dict(zip(words, rows.tolist(), strict=True)), mode=mode, model=model)


@pytest.fixture(scope="module")
def three() -> TokenMap:
    tables = [layer(seed, mode) for seed, mode in enumerate(Mode)]
    return build_map(tables, expressions=[parse("王-男+女")])


@pytest.fixture
def three_page(context: BrowserContext, three: TokenMap, tmp_path: Path) -> Page:
    return open_map(context, three, tmp_path, vectors=True)


@pytest.fixture
def three_phone(chromium: Browser, three: TokenMap, tmp_path: Path) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, device_scale_factor=2, offline=True
    )
    yield open_map(context, three, tmp_path, vectors=True)
    context.close()


def expected(three: TokenMap, source: str, table: int, *, exclude: bool) -> list[list[str]]:
    (answer,) = query(three.tables[table].table, [parse(source)], exclude=exclude)
    return [[hit.token, number(hit.score)] for hit in answer.neighbours]


def test_each_stop_has_its_positions_neighbours_and_answers(
    three_page: Page, three: TokenMap
) -> None:
    page = three_page
    page.fill("#search-input", "王")
    page.keyboard.press("Enter")
    positions = "Array.from(wordvecMap.rows, (_, point) => wordvecMap.positionOf(point))"
    for stop, mapped in enumerate(three.tables):
        page.fill("#blend", str(100 * stop))
        width = float(np.ptp(mapped.positions, axis=0).max())
        np.testing.assert_allclose(page.evaluate(positions), mapped.positions, atol=width / 30000)
        assert listed(page) == expected(three, "王", stop, exclude=True)
    page.fill("#blend", "150")
    middle = (three.tables[1].positions + three.tables[2].positions) / 2
    np.testing.assert_allclose(page.evaluate(positions), middle, atol=1e-2 * width)
    page.click("#expressions button")
    for stop in range(3):
        page.fill("#blend", str(100 * stop))
        assert listed(page) == expected(three, "王-男+女", stop, exclude=False)


def test_the_points_are_drawn_where_the_stop_has_them(three_page: Page) -> None:
    page = three_page
    shown = "wordvecMap.stops.ends().map(each => Array.from(each.slice(0, 4)))"
    first = page.evaluate(shown)
    page.fill("#blend", "200")
    wait_for_frame(page)
    last = page.evaluate(shown)
    assert first[1] == pytest.approx(last[0])  # the table in the middle
    assert page.evaluate("wordvecMap.stops.share") == 1
    page.evaluate("document.getElementById('annotations').hidden = true")
    x, y = screen_position(page, "語7")
    wait_for_frame(page)
    colour = page.evaluate(
        """([x, y]) => {
            const points = document.getElementById("points");
            const picture = document.createElement("canvas");
            [picture.width, picture.height] = [points.width, points.height];
            const context = picture.getContext("2d");
            context.drawImage(points, 0, 0);
            return context.getImageData(Math.round(x), Math.round(y), 1, 1).data[3];
        }""",
        [x, y],
    )
    assert colour > 100


def test_the_keys_step_and_play_through_the_tables(three_page: Page) -> None:
    page = three_page
    page.evaluate(
        """() => { globalThis.seen = [];
            document.getElementById("blend").addEventListener("input", () => seen.push(wordvecMap.stops.index)); }"""  # noqa: E501
    )
    page.keyboard.press("]")
    assert page.evaluate(STOP) == 1
    assert page.text_content("#table-slider output") == f"{stop_names(page)[1]} (2 of 3)"
    page.keyboard.press("[")
    page.keyboard.press("[")
    assert page.evaluate(STOP) == 0
    page.evaluate("seen.length = 0")
    page.keyboard.press("p")
    page.wait_for_function("() => wordvecMap.stops.at === 2 && !wordvecMap.slider.isPlaying")
    seen = page.evaluate("seen")
    assert {1, 2} <= set(seen)
    assert seen == sorted(seen)
    page.keyboard.press("p")  # from the first again
    page.wait_for_function("() => wordvecMap.stops.at === 1")
    page.keyboard.press("p")
    assert not page.evaluate("wordvecMap.slider.isPlaying")


def stop_names(page: Page) -> list[str]:
    names: list[str] = page.locator("#stops option").evaluate_all("all => all.map(one => one.text)")
    return names


def test_play_glides_and_a_hand_on_the_slider_stops_it(three_page: Page) -> None:
    page = three_page
    page.emulate_media(reduced_motion="no-preference")
    page.click("#play")
    assert page.get_attribute("#play", "aria-pressed") == "true"
    page.wait_for_function("() => wordvecMap.stops.at > 0 && wordvecMap.stops.at < 1")
    page.focus("#blend")
    page.keyboard.press("End")
    assert page.get_attribute("#play", "aria-pressed") == "false"
    assert page.evaluate(STOP) == 2


def test_the_selected_token_stays_in_view_at_another_stop(three_page: Page) -> None:
    page = three_page
    page.fill("#search-input", "王")
    page.keyboard.press("Enter")
    page.evaluate(
        """() => { const { view, positionOf, pointOfRow } = wordvecMap;
            const [x, y] = positionOf(pointOfRow[0]);
            view.show({ x, y, scale: view.fitScale * 300 }); wordvecMap.redraw(); }"""
    )
    page.fill("#blend", "200")
    wait_until(
        page,
        """() => { const { labels, view, positionOf, pointOfRow } = wordvecMap;
            const isPlaced = labels.x[0] === Math.fround(positionOf(0)[0]);
            return isPlaced && view.contains(positionOf(pointOfRow[0])); }""",
    )
    page.evaluate("wordvecMap.view.pan(5000, 0)")  # a token that is out of view is not followed
    away = page.evaluate("wordvecMap.view.x")
    page.fill("#blend", "0")
    wait_until(page, "wordvecMap.labels.x[0] === Math.fround(wordvecMap.positionOf(0)[0])")
    assert page.evaluate("wordvecMap.view.x") == away


def test_the_address_keeps_the_stop(three_page: Page) -> None:
    page = three_page
    for value, written in (("200", "table=made%3Acontextual"), ("130", "stop=1.3"), ("0", "z=")):
        page.fill("#blend", value)
        wait_until(page, f"location.hash.includes({json.dumps(written)})")
        if value == "0":
            wait_until(page, "!/table=|stop=/.test(location.hash)")
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.input_value("#blend") == value


def test_regions_are_those_of_the_stop_shown_and_keep_their_colours(
    three_page: Page, three: TokenMap
) -> None:
    page = three_page
    page.select_option("#colour-by", "region")
    for stop, mapped in enumerate(three.tables):
        page.fill("#blend", str(100 * stop))
        names = [
            " ".join(three.vocabulary.tokens[row] for row in points[:3])
            for points in mapped.regions[0].typical.tolist()
        ]
        shown = page.locator("#legend li:not([hidden]) label span").all_text_contents()
        assert [name for name in shown if name != "in no region"] == names
        page.keyboard.press("r")
        assert page.locator("#details .small-text").first.text_content() == (
            f"Groups of tokens that are neighbours in the vector space of {mapped.table.name}, "
            "each named by its most typical tokens. Zoom in for smaller regions."
        )
        colours = page.locator("#legend li:not([hidden]) i").evaluate_all(
            "all => all.map(each => each.style.background)"
        )
        palette = page.evaluate(
            "JSON.parse(document.getElementById('metadata')?.textContent ?? '{}').palette"
        )
        for found, number_ in zip(colours, mapped.region_colours.tolist(), strict=False):
            hexes = "#" + "".join(f"{int(part):02x}" for part in found[4:-1].split(","))
            assert hexes == palette[number_]["light"]


def test_on_a_phone_the_stops_are_reached_by_touch(three_phone: Page) -> None:
    page = three_phone
    page.tap("#stop-after")
    page.tap("#stop-after")
    assert page.evaluate(STOP) == 2
    page.tap("#stop-before")
    assert page.evaluate(STOP) == 1
    page.tap("#play")
    page.wait_for_function("() => wordvecMap.stops.at === 2 && !wordvecMap.slider.isPlaying")
    page.tap("#search-input")
    page.fill("#search-input", "王")
    page.tap("#hits li >> nth=0")
    boxes = page.evaluate(
        """() => ["header", "details", "table-slider", "tools"].map(id => {
            const box = document.getElementById(id).getBoundingClientRect();
            return [box.left, box.top, box.right, box.bottom]; })"""
    )
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= 390
        assert bottom <= 844
        for other in boxes[i + 1 :]:
            assert bottom <= other[1] or other[3] <= top or right <= other[0] or other[2] <= left


@pytest.fixture
def joint_page(context: BrowserContext, tmp_path: Path) -> Page:
    words = [
        "女王",
        "王",
        "女",
        "apple",
        *(f"語{i}" for i in range(40)),
        *(f"w{i}" for i in range(30)),
    ]
    other = layer(7, Mode.STATIC, words=words, model="words")
    return open_map(context, build_map([layer(0, Mode.STATIC), other]), tmp_path, vectors=True)


def test_tables_of_different_vocabularies_mark_the_tokens_of_one_alone(joint_page: Page) -> None:
    page = joint_page
    items = page.locator("#legend li:not([hidden]) label").all_text_contents()
    assert items == ["in every table43", "only in made:static77"]
    colours = page.locator("#legend li:not([hidden]) i").evaluate_all(
        "all => all.map(each => each.style.background)"
    )
    hexes = [
        "#" + "".join(f"{int(part):02x}" for part in each[4:-1].split(",")) for each in colours
    ]
    assert [count_pixels(page, colour) > 10 for colour in hexes] == [True, True]
    page.fill("#blend", "100")
    items = page.locator("#legend li:not([hidden]) label").all_text_contents()
    assert items == ["in every table43", "only in words:static31"]
    assert count_pixels(page, hexes[1]) == 0  # the tokens that this table lacks are hidden


def test_a_token_of_one_table_is_shown_at_its_stop(joint_page: Page) -> None:
    page = joint_page
    page.fill("#search-input", "apple")
    page.keyboard.press("Enter")
    assert page.evaluate(STOP) == 1
    assert page.text_content("#details h2") == "apple"
    assert page.locator(".neighbours .row").count() == 10
    page.fill("#blend", "0")
    assert page.locator(".neighbours .row").count() == 0
    assert "made:static has no vector for apple." in (page.text_content("#details") or "")


def test_an_expression_with_a_word_that_one_table_lacks_says_so_there(joint_page: Page) -> None:
    page = joint_page
    page.fill("#query-input", "王-男+女")
    page.click("#query-form button")
    assert page.locator(".neighbours .row").count() == 10
    page.fill("#blend", "100")
    assert page.locator(".neighbours .row").count() == 0
    assert "words:static has no vector for 男." in (page.text_content("#details") or "")
    page.fill("#query-input", "女王-王")
    page.click("#query-form button")
    assert page.locator(".neighbours .row").count() == 10

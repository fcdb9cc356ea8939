"""Named regions and colours on the page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.map_page import count_pixels, open_map, wait_for_frame
from support.maps import PLANTED, planted_table
from wordvec.map.build import build_map
from wordvec.map.labels import TokenLabels

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from wordvec.map.build import TokenMap

pytestmark = pytest.mark.browser
SHOWN = "wordvecMap.regions.shown.map(({ region, x, y, width }) => [region.name, x + width / 2, y])"


@pytest.fixture(scope="module")
def planted() -> TokenMap:
    return build_map([planted_table()])


@pytest.fixture
def planted_page(context: BrowserContext, planted: TokenMap, tmp_path: Path) -> Page:
    return open_map(context, planted, tmp_path)


def names(page: Page) -> set[frozenset[str]]:
    return {frozenset(name.split()) for name, _, _ in page.evaluate(SHOWN)}


def test_the_whole_map_shows_the_names_of_the_six_groups(planted_page: Page) -> None:
    assert names(planted_page) == {frozenset(centres) for centres in PLANTED.values()}
    planted_page.evaluate(
        "wordvecMap.view.show({ ...wordvecMap.view, scale: wordvecMap.view.fitScale * 20 })"
    )
    planted_page.evaluate("wordvecMap.redraw()")
    wait_for_frame(planted_page)
    assert planted_page.evaluate(SHOWN) == []  # close up, the tokens speak for themselves


def test_a_click_on_a_name_flies_there_and_lists_its_tokens(planted_page: Page) -> None:
    name, x, y = next(each for each in planted_page.evaluate(SHOWN) if "犬" in each[0])
    planted_page.mouse.click(x, y)
    wait_for_frame(planted_page)
    assert planted_page.text_content("#details h2") == name
    assert planted_page.text_content("#details .small-text") == "50 tokens · the most typical"
    rows = planted_page.locator(".neighbours .row").all_text_contents()
    assert set(rows[:3]) == set(PLANTED["動物"])
    assert planted_page.evaluate("wordvecMap.view.scale / wordvecMap.view.fitScale") > 1.5
    inside = planted_page.evaluate(
        """() => {
            const { regions, view, positionOf, tokens, rows } = wordvecMap;
            const region = regions.levels[0].find(each => each.typical.some(point => tokens[rows[point]] === "犬"));
            return region.members.map(point => view.toScreen(...positionOf(point)))
                .filter(([x, y]) => x > 0 && y > 0 && x < view.width && y < view.height).length;
        }"""  # noqa: E501  (JavaScript)
    )
    assert inside >= 35
    planted_page.click(".neighbours .row >> nth=0")
    assert planted_page.text_content("#details h2") in PLANTED["動物"]


def test_r_lists_the_regions_and_a_click_on_one_flies_there(planted_page: Page) -> None:
    planted_page.keyboard.press("r")
    listed = planted_page.locator(".regions .row").all_text_contents()
    assert len(listed) == 6
    assert all(each.endswith("50") for each in listed)
    planted_page.click(".regions .row >> nth=2")
    assert planted_page.evaluate("wordvecMap.view.scale / wordvecMap.view.fitScale") > 1.5
    planted_page.keyboard.press("Escape")
    assert planted_page.is_hidden("#details")


@pytest.mark.parametrize("painter", ["webgl", "canvas"])
def test_colours_by_region_row_norm_and_movement_have_a_legend(page: Page, painter: str) -> None:
    page.goto(f"{page.url.split('#')[0]}#{painter}")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.get_attribute("html", "data-painter") == painter
    choices = page.locator("#colour-by option").all_text_contents()
    assert choices == [
        "class of the token",
        "region",
        "row (usually frequency)",
        "vector norm",
        "distance moved on the map",
    ]
    page.select_option("#colour-by", "region")
    assert page.locator("#legend li:not([hidden])").count() >= 5
    assert page.locator("#legend li:not([hidden]) input:not(:checked)").count() == 0
    first = page.locator("#legend li i").first.evaluate("each => each.style.background")
    colour = "#" + "".join(f"{int(part):02x}" for part in first[4:-1].split(","))
    assert count_pixels(page, colour) > 20
    page.locator("#legend li input").first.click()
    assert count_pixels(page, colour) == 0
    page.select_option("#colour-by", "row")
    assert page.locator("#legend .ends span").all_text_contents() == ["0", "299"]
    assert count_pixels(page, "#5f5f5f") == 0  # the colour of a class
    assert page.is_hidden("#show-classes")
    page.select_option("#colour-by", "norm")
    low, high = page.locator("#legend .ends span").all_text_contents()
    assert 0 < float(low) < float(high)
    page.select_option("#colour-by", "moved")
    assert page.locator("#legend .ends span").count() == 2
    page.keyboard.press("d")  # the choice has given the keyboard back
    assert page.get_attribute("html", "data-theme") == "dark"


def test_labels_of_a_file_colour_the_map(
    context: BrowserContext, planted: TokenMap, tmp_path: Path
) -> None:
    label_of = np.full(len(planted.rows), -1, dtype=np.int32)
    label_of[:100], label_of[100:150] = 1, 0
    page = open_map(
        context, replace(planted, labels=TokenLabels(("猫 & <b>", "犬"), label_of)), tmp_path
    )
    items = page.locator("#legend li:not([hidden]) label").all_text_contents()
    assert items == ["猫 & <b>50", "犬100", "no label150"]
    assert page.locator("#legend input:checked").count() == 3
    page.click("#legend li:has-text('犬') button")
    assert page.evaluate("Array.from(wordvecMap.labels.isVisible).filter(Boolean).length") == 100


def test_the_shading_lies_under_the_tokens_and_fades(planted_page: Page) -> None:
    box = planted_page.locator("#density").bounding_box()
    assert box
    middle = planted_page.evaluate(
        """() => { const { view, rows, positionOf } = wordvecMap;
            const positions = Array.from(rows, (_, point) => view.toScreen(...positionOf(point)));
            return [0, 1].map(axis => [Math.min(...positions.map(p => p[axis])), Math.max(...positions.map(p => p[axis]))]); }"""  # noqa: E501
    )
    for axis, (start, size) in enumerate((("x", "width"), ("y", "height"))):
        assert box[start] < middle[axis][0]  # type: ignore[literal-required]
        assert box[start] + box[size] > middle[axis][1]  # type: ignore[literal-required]
    shade = planted_page.evaluate(
        """() => { const canvas = document.getElementById("density");
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return [data.filter((value, i) => i % 4 === 3 && value > 0).length, data[3]]; }"""
    )
    assert shade[0] > 200
    assert shade[1] == 0  # nothing in the corner
    planted_page.evaluate(
        "wordvecMap.view.show({ ...wordvecMap.view, scale: wordvecMap.view.fitScale * 4 })"
    )
    planted_page.evaluate("wordvecMap.redraw()")
    wait_for_frame(planted_page)
    assert planted_page.is_hidden("#density")

"""Keeping and sharing: the address, saved pictures, the tokens inside a lasso."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import pytest

from support.map_page import open_map, screen_position, wait_for_frame, wait_until
from wordvec.analysis.odd import odd
from wordvec.map.build import Window

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from wordvec.map.build import TokenMap

pytestmark = pytest.mark.browser
VIEW = "[wordvecMap.view.x, wordvecMap.view.y, wordvecMap.view.scale / wordvecMap.view.fitScale]"


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-ready]")
    wait_for_frame(page)


def wait_for_address(page: Page) -> None:
    """Wait until the view rests and stands in the address."""
    wait_until(
        page,
        """() => {
            const { view } = wordvecMap, address = new URLSearchParams(location.hash.slice(1));
            const written = (name, value) => address.get(name) === String(+value.toPrecision(5));
            return !view.flight && written("x", view.x) && written("y", view.y)
                && written("z", view.scale / view.fitScale);
        }""",
    )


def test_a_reload_and_a_copied_link_keep_the_view(page: Page, context: BrowserContext) -> None:
    page.fill("#search-input", "女王")
    page.keyboard.press("Enter")
    page.fill("#blend", "100")
    page.select_option("#colour-by", "norm")
    page.mouse.move(640, 400)
    page.mouse.wheel(0, -300)
    wait_for_address(page)
    view, address = page.evaluate(VIEW), page.url
    assert f"t={quote('女王')}" in address
    assert "colour=norm" in address
    assert "table=made%3Adynamic" in address
    page.reload()
    other = context.new_page()
    other.goto(address)
    for each in (page, other):
        ready(each)
        assert each.evaluate(VIEW) == pytest.approx(view, rel=1e-3)
        assert each.text_content("#details h2") == "女王"
        assert each.input_value("#blend") == "100"
        assert each.input_value("#colour-by") == "norm"


def test_back_and_forward_go_through_the_selections(page: Page) -> None:
    for typed in ("女王", "の"):
        page.fill("#search-input", typed)
        page.keyboard.press("Enter")
        wait_for_address(page)
    page.go_back()
    assert page.text_content("#details h2") == "女王"
    page.go_forward()
    assert page.text_content("#details h2") == "の"
    page.go_back()
    page.go_back()
    assert page.is_hidden("#details")


def test_an_address_written_by_hand_is_followed(page: Page, page_file: Path) -> None:
    page.goto(f"{page_file.as_uri()}#t=女王&z=4")
    page.reload()
    ready(page)
    assert page.text_content("#details h2") == "女王"
    assert page.evaluate(VIEW)[2] == pytest.approx(4)
    assert screen_position(page, "女王") == pytest.approx((640, 400), abs=1)
    page.goto(f"{page_file.as_uri()}#q={quote('王-男+女')}&table=dynamic")
    page.reload()
    ready(page)
    assert page.text_content("#details h2") == "王-男+女"
    assert page.input_value("#blend") == "100"
    page.goto(f"{page_file.as_uri()}#t=%2320&z=nonsense&x=1")
    page.reload()
    ready(page)
    assert page.text_content("#details .small-text") == "id 20 · numbers"
    page.goto(f"{page_file.as_uri()}#t=どこにもない&q=王-&canvas")
    page.reload()
    ready(page)
    assert page.text_content("#query-error .message") == "expected a word after -"


def test_the_painter_in_the_address_stays(page: Page, page_file: Path) -> None:
    page.goto(f"{page_file.as_uri()}#canvas")
    page.reload()
    ready(page)
    page.keyboard.press("+")
    wait_for_address(page)
    assert re.search(r"#canvas&x=.*&z=1\.6$", page.url)


def test_a_page_starts_where_the_command_says(
    context: BrowserContext, token_map: TokenMap, tmp_path: Path
) -> None:
    row = token_map.vocabulary.tokens.index("女王")
    window = Window(around=row, zoom=5, only=token_map.vocabulary.token_class(row))
    page = open_map(context, replace(token_map, window=window), tmp_path)
    wait_for_frame(page)
    assert page.text_content("#details h2") == "女王"
    assert page.evaluate(VIEW)[2] == pytest.approx(5)
    assert page.locator("#legend input:checked").count() == 1


def saved(page: Page, button: str) -> bytes:
    with page.expect_download() as download:
        page.click(button)
    return Path(download.value.path()).read_bytes()


def test_the_view_is_saved_as_a_png_of_twice_the_size(page: Page) -> None:
    from matplotlib.image import imread

    page.fill("#search-input", "女王")
    page.keyboard.press("Enter")
    page.click("#save")
    picture = imread(BytesIO(saved(page, "#save-png")), format="png")
    assert picture.shape[:2] == (1600, 2560)
    assert page.is_hidden("#save-menu")
    colours = (picture[..., :3] * 255).round().astype(int).reshape(-1, 3)
    assert (colours == [251, 251, 248]).all(axis=1).mean() > 0.5  # the background
    assert (colours == [0xB3, 0x26, 0x1E]).all(axis=1).sum() > 100  # rings and lines


def test_the_view_is_saved_as_svg_with_its_points_and_texts(page: Page) -> None:
    page.fill("#search-input", "<img")
    page.keyboard.press("Enter")
    page.click("#save")
    svg = ET.fromstring(saved(page, "#save-svg"))  # noqa: S314  (written by this page)
    names = {"svg": "http://www.w3.org/2000/svg"}
    texts = [each.text for each in svg.findall(".//svg:text", names)]
    assert "<img src=x onerror=…" in texts
    shown = page.evaluate(
        """() => { const { view, rows, positionOf } = wordvecMap;
            return Array.from(rows, (_, point) => view.toScreen(...positionOf(point)))
                .filter(([x, y]) => x > -5 && y > -5 && x < view.width + 5 && y < view.height + 5).length; }"""  # noqa: E501
    )
    paths = svg.findall("./svg:g/svg:path", names)
    assert sum((path.get("d") or "").count("h0") for path in paths) == shown


def draw_lasso(page: Page) -> None:
    page.keyboard.press("l")
    page.mouse.move(400, 100)
    page.mouse.down()
    for corner in ((900, 100), (900, 420), (400, 420)):
        page.mouse.move(*corner)
    page.mouse.up()
    wait_for_frame(page)


def test_the_lasso_keeps_its_outline_and_its_tokens_marked(page: Page) -> None:
    draw_lasso(page)
    inside = page.input_value("#details textarea").split("\n")
    state = page.evaluate("[wordvecMap.state.outline.length, wordvecMap.state.inside.length]")
    assert state == [4, len(inside)]
    before = page.evaluate("wordvecMap.view.toScreen(...wordvecMap.state.outline[0])")
    assert before == pytest.approx([400, 100], abs=0.01)
    page.keyboard.press("ArrowRight")
    moved = page.evaluate("wordvecMap.view.toScreen(...wordvecMap.state.outline[0])")
    assert moved == pytest.approx([320, 100], abs=0.01)  # it moves with the map
    page.keyboard.press("Escape")
    assert page.evaluate("[wordvecMap.state.outline, wordvecMap.state.inside]") == [None, []]


def test_the_tokens_inside_are_saved_as_tsv(page: Page) -> None:
    draw_lasso(page)
    inside = page.input_value("#details textarea").split("\n")
    lines = saved(page, "#save-tsv").decode("utf-8").splitlines()
    assert lines[0] == "token\tid"
    tokens = page.evaluate("wordvecMap.tokens")
    assert lines[1:] == [f"{token}\t{tokens.index(token)}" for token in inside]


def test_the_tokens_inside_are_asked_for_their_mean_and_the_odd_one(
    page: Page, token_map: TokenMap
) -> None:
    draw_lasso(page)
    table = token_map.tables[0].table
    rows = [
        table.vocabulary.tokens.index(token)
        for token in page.input_value("#details textarea").split("\n")
    ]
    lists = page.locator("#details .neighbours")
    nearest = lists.nth(0).locator(".row").evaluate_all("rows => rows.map(row => +row.dataset.row)")
    distances = np.linalg.norm(table.vectors - table.vectors[rows].mean(axis=0), axis=1)
    assert len(set(nearest) & set(np.argsort(distances)[:10].tolist())) >= 8  # from 8-bit vectors
    found = lists.nth(1).locator(".row")
    assert int(found.get_attribute("data-row") or -1) == odd(table, rows).odd.word.id
    similarity = float(found.locator(".score").text_content() or "nan")
    assert similarity == pytest.approx(odd(table, rows).odd.similarity, abs=0.02)


def test_without_vectors_the_commands_that_ask_are_shown(
    context: BrowserContext, token_map: TokenMap, tmp_path: Path
) -> None:
    page = open_map(context, token_map, tmp_path)
    page.evaluate(
        """() => { const { view, positionOf, pointOfRow } = wordvecMap;
            const [x, y] = positionOf(pointOfRow[3]);
            view.show({ x, y, scale: view.fitScale * 12 }); wordvecMap.redraw(); }"""
    )
    wait_for_frame(page)
    draw_lasso(page)
    inside = page.input_value("#details textarea").split("\n")
    assert 1 <= len(inside) <= 40
    command = page.text_content("#details code") or ""
    assert command.startswith('wordvec query "(')
    assert f')/{len(inside)}"' in command

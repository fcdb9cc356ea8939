"""The page in Chromium, opened from disk without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.map_page import (
    centre_on,
    count_pixels,
    listed,
    screen_position,
    wait_for_frame,
    wait_until,
)
from support.tables import query
from wordvec.analysis.display import number
from wordvec.expression.parser import parse
from wordvec.map.build import build_map
from wordvec.map.page import build_page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from wordvec.analysis.query import Answer
    from wordvec.map.build import TokenMap

pytestmark = pytest.mark.browser


def expected_lines(answer: Answer) -> list[list[str]]:
    return [[hit.token, number(hit.score)] for hit in answer.neighbours]


def neighbours(token_map: TokenMap, token: str, *, table: int = 0) -> list[list[str]]:
    source = parse(f'"{token}"')
    return expected_lines(query(token_map.tables[table].table, [source], exclude=True)[0])


def test_it_opens_from_disk_with_the_network_off(page: Page) -> None:
    assert page.title() == "Map of made:static and made:dynamic"
    assert page.text_content("#summary") == (
        "300 tokens · 16 dimensions · raw vectors · t-SNE of L2 distance, perplexity 30, seed 0"
    )
    assert count_pixels(page, "#009e73") > 20  # hiragana


def test_search_flies_to_a_token_and_lists_its_neighbours(page: Page, token_map: TokenMap) -> None:
    page.keyboard.press("/")
    page.keyboard.type("女王")
    hits = page.eval_on_selector_all("#hits li", "all => all.map(one => one.firstChild.data)")
    assert hits == ["女王", "女王蜂"]
    assert page.text_content("#hit-count") == "2 tokens"
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "女王"
    assert listed(page) == neighbours(token_map, "女王")
    wait_for_frame(page)
    x, y = screen_position(page, "女王")
    assert (x, y) == pytest.approx((648, 400), abs=1)  # the middle between the cards


def test_search_lists_exact_matches_then_prefixes_then_substrings(page: Page) -> None:
    page.fill("#search-input", "王")
    hits = page.eval_on_selector_all("#hits li", "all => all.map(one => one.firstChild.data)")
    assert hits == ["王", "##王", "王国", "女王", "国王", "大王", "女王蜂"]
    page.fill("#search-input", "ｋｉｎｇ")
    hits = page.eval_on_selector_all("#hits li", "all => all.map(one => one.firstChild.data)")
    assert hits == ["king", "King"]
    page.fill("#search-input", "どこにもない")
    assert page.text_content("#hit-count") == "0 tokens"
    assert page.is_hidden("#hits")


def test_arrow_keys_move_through_the_hits(page: Page) -> None:
    page.fill("#search-input", "王")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#search-input", "aria-activedescendant") == "hit-2"
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "王国"


def test_keys_of_an_input_method_select_nothing(page: Page, context: BrowserContext) -> None:
    page.focus("#search-input")
    keyboard = context.new_cdp_session(page)
    keyboard.send(
        "Input.imeSetComposition", {"text": "じょおう", "selectionStart": 4, "selectionEnd": 4}
    )
    page.evaluate(
        """document.getElementById("search-input").dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }))"""
    )
    assert page.is_hidden("#details")
    keyboard.send("Input.insertText", {"text": "女王"})
    assert page.input_value("#search-input") == "女王"
    assert page.text_content("#hit-count") == "2 tokens"
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "女王"


def test_a_click_lists_neighbours_and_a_click_on_one_selects_it(
    page: Page, token_map: TokenMap
) -> None:
    centre_on(page, "王")
    page.mouse.click(640, 400)
    assert page.text_content("#details h2") == "王"
    assert page.text_content("#details .small-text") == "id 3 · single kanji"
    expected = neighbours(token_map, "王")
    assert listed(page) == expected
    page.click(".neighbours .row >> nth=2")
    assert page.text_content("#details h2") == expected[2][0]
    assert listed(page) == neighbours(token_map, expected[2][0])


def test_hovering_shows_token_id_and_class(page: Page) -> None:
    centre_on(page, "クイーン")
    page.mouse.move(640, 401)
    assert page.text_content("#tooltip") == "クイーン · id 16 · katakana"
    page.mouse.move(640, 700)
    assert page.is_hidden("#tooltip")


def test_tokens_are_never_inserted_as_html(page: Page) -> None:
    page.fill("#search-input", "<img")
    assert page.text_content("#hits li") == "<img src=x onerror=alert(1)>other"
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "<img src=x onerror=alert(1)>"
    assert page.query_selector("img") is None
    page.fill("#search-input", "&amp;")
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "&amp;"


def test_a_lasso_lists_the_tokens_inside(page: Page) -> None:
    page.click("#lasso")
    assert page.get_attribute("#lasso", "aria-pressed") == "true"
    corners = [(360, 60), (940, 60), (940, 500), (360, 500)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner)
    page.mouse.up()
    inside = []
    for token in page.evaluate("wordvecMap.tokens"):
        x, y = screen_position(page, token)
        if 360 < x < 940 and 60 < y < 500:
            inside.append(token)
    assert len(inside) > 20
    assert page.input_value("#details textarea").split("\n") == inside
    assert page.text_content("#details h2") == f"{len(inside)} tokens"
    assert page.get_attribute("#lasso", "aria-pressed") == "false"
    page.click("#copy")
    page.wait_for_selector("#copy:text-is('Copied')")
    page.click("#search-input")
    page.keyboard.press("Control+V")
    assert inside[0] in page.input_value("#search-input")


def test_the_legend_hides_and_shows_a_class(page: Page) -> None:
    other = "#5f5f5f"  # 語0, 語1 and so on
    assert count_pixels(page, other) > 200
    page.click("#legend label:has-text('other')")
    assert count_pixels(page, other) == 0
    centre_on(page, "語100")
    page.mouse.move(640, 401)
    assert "語100" not in (page.text_content("#tooltip") or "")
    page.click("#legend label:has-text('other')")
    assert count_pixels(page, other) > 10


def test_the_theme_follows_the_system_and_the_button(page: Page) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(251, 251, 248)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.evaluate(background) == "rgb(18, 20, 23)"
    assert count_pixels(page, "#17b287") > 20
    page.click("#theme")
    assert page.evaluate(background) == "rgb(251, 251, 248)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_enough_contrast(page: Page, theme: str) -> None:
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    colours = page.evaluate(
        """() => ["--background", "--text", "--muted", "--mark", "--link"].map(name =>
            getComputedStyle(document.documentElement).getPropertyValue(name).trim())"""
    )

    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    background = luminance(colours[0])
    for colour in colours[1:]:
        darker, lighter = sorted([luminance(colour), background])
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, colour  # WCAG 2.2, 1.4.3


def test_the_slider_moves_every_token_to_the_other_table(page: Page, token_map: TokenMap) -> None:
    first, second = (mapped.positions.astype(np.float64) for mapped in token_map.tables)

    def positions() -> Any:
        return page.evaluate(
            "Array.from(wordvecMap.rows, (_, point) => wordvecMap.positionOf(point))"
        )

    width = np.ptp(first, axis=0).max()
    np.testing.assert_allclose(positions(), first, atol=width / 60000)
    page.fill("#blend", "50")
    np.testing.assert_allclose(positions(), (first + second) / 2, atol=width / 30000)
    page.fill("#blend", "100")
    np.testing.assert_allclose(positions(), second, atol=width / 30000)
    centre_on(page, "王")
    page.mouse.click(640, 400)
    assert listed(page) == neighbours(token_map, "王", table=1)
    page.fill("#blend", "0")
    assert listed(page) == neighbours(token_map, "王", table=0)


def test_an_embedded_expression_has_the_neighbours_of_query(
    page: Page, token_map: TokenMap
) -> None:
    page.click("#expressions button")
    (answer,) = query(token_map.tables[0].table, [parse("王-男+女")])
    assert listed(page) == expected_lines(answer)
    assert page.text_content("#details h2") == "王-男+女"
    assert "weighted by proximity" in (page.text_content("#details-body") or "")


@pytest.mark.parametrize(
    "source",
    ["王-男+女", "男:女=王:?", "(王+女王)/2 − 男", "1/2*王", '#3＋"<img src=x onerror=alert(1)>"',
     "2*-王", "1999-2000+king", "-王"],
)  # fmt: skip
def test_the_query_input_answers_any_expression(
    page: Page, token_map: TokenMap, source: str
) -> None:
    page.fill("#query-input", source)
    page.keyboard.press("Enter")
    table = token_map.tables[0].table
    (answer,) = query(table, [parse(source)], k=len(table))
    exact = {hit.token: hit.score for hit in answer.neighbours}
    found = listed(page)
    assert len(found) == 10
    # scores from 8-bit vectors are close to the exact ones, and no much better token is missing
    for (token, score), best in zip(found, answer.neighbours, strict=False):
        assert float(score) == pytest.approx(exact[token], rel=0.02, abs=0.05)
        assert exact[token] == pytest.approx(best.score, rel=0.02, abs=0.05)


@pytest.mark.parametrize("source", ["王-男+女", "語90-2*王"])
def test_the_query_input_traces_the_arrows_of_the_command_line(
    context: BrowserContext, token_map: TokenMap, tmp_path: Path, source: str
) -> None:
    """語90 is not on this map of 60 tokens: its arrow starts at the mean of its neighbours."""
    small_map = build_map([token_map.tables[0].table], tokens=60, expressions=[parse(source)])
    file = tmp_path / "map.html"
    file.write_text(build_page(small_map, vectors=True), "utf-8")
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    page.fill("#query-input", source)
    page.keyboard.press("Enter")
    found = page.evaluate("wordvecMap.state.expression.partialSums")
    (traced,) = small_map.tables[0].expressions
    assert [each["label"] for each in found] == [each.label for each in traced.partial_sums]
    for each, expected in zip(found, traced.partial_sums, strict=True):
        weights = dict(zip(expected.rows, expected.weights, strict=True))
        shared = [row for row, _ in each["weights"] if row in weights]
        assert len(shared) >= 0.8 * len(weights)  # 8 bits may swap the last of the ten
        for row, weight in each["weights"]:
            assert row not in weights or weight == pytest.approx(weights[row], rel=0.02)


def test_the_keyboard_moves_zooms_and_selects(page: Page) -> None:
    page.focus("#annotations")
    before = page.evaluate("[wordvecMap.view.x, wordvecMap.view.scale]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    wait_for_frame(page)
    after = page.evaluate("[wordvecMap.view.x, wordvecMap.view.scale]")
    assert after[0] > before[0]
    assert after[1] == pytest.approx(before[1] * 1.6)
    page.keyboard.press("Enter")
    assert page.is_visible("#details")
    page.keyboard.press("Escape")
    assert page.is_hidden("#details")
    page.keyboard.press("?")
    assert page.is_visible("#help-dialog")


def test_dragging_moves_token_map_with_the_mouse(page: Page) -> None:
    x, y = screen_position(page, "王")
    page.mouse.move(640, 700)
    page.mouse.down()
    page.mouse.move(600, 680)
    page.mouse.move(540, 650)
    page.wait_for_timeout(60)  # the mouse rests before the button is released
    page.mouse.move(540, 650)
    moved = screen_position(page, "王")
    page.mouse.up()
    assert moved == pytest.approx((x - 100, y - 50), abs=1)


def test_the_wheel_zooms_at_the_mouse(page: Page) -> None:
    x, y = screen_position(page, "王")
    page.mouse.move(round(x), round(y))
    page.mouse.wheel(0, -100)
    wait_until(page, "wordvecMap.view.scale / wordvecMap.view.fitScale > 1.3")
    assert screen_position(page, "王") == pytest.approx((x, y), abs=2)


def test_two_fingers_zoom(page: Page, context: BrowserContext) -> None:
    fingers = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        positions = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": positions})

    touch("touchStart", (600, 400), (680, 400))
    for distance in (50, 60, 70, 80):
        touch("touchMove", (640 - distance, 400), (640 + distance, 400))
    touch("touchEnd")
    wait_for_frame(page)
    assert page.evaluate("wordvecMap.view.scale / wordvecMap.view.fitScale") == pytest.approx(
        2, 0.1
    )


def test_labels_do_not_overlap_and_all_are_shown_at_the_last_level(page: Page) -> None:
    counts = []
    for zoom in (1, 4, 16, 400):
        boxes = page.evaluate(
            """zoom => {
                const { labels, view, positionOf } = wordvecMap, scale = view.fitScale * zoom;
                return Array.from(labels.at(scale), point => {
                    const [x, y] = positionOf(point);
                    return [x * scale, y * scale, labels.widths[point]];
                });
            }""",
            zoom,
        )
        counts.append(len(boxes))
        if zoom < 400:
            for i, (x, y, width) in enumerate(boxes):
                for left, middle, other in boxes[:i]:
                    assert x >= left + other or left >= x + width or abs(y - middle) >= 16
    assert counts[0] < counts[1] <= counts[2] <= counts[3] == 300


def test_frequent_tokens_are_labelled_first(page: Page) -> None:
    named = page.evaluate("Array.from(wordvecMap.labels.at(wordvecMap.view.fitScale))")
    assert 0 in named  # the first label always has room
    assert np.median(named) < 150


@pytest.mark.parametrize("painter", ["webgl", "canvas"])
def test_both_painters_draw_the_same_map(
    context: BrowserContext, page_file: Path, painter: str
) -> None:
    page = context.new_page()
    page.goto(f"{page_file.as_uri()}#{painter}")
    page.wait_for_selector("html[data-ready]")
    assert page.get_attribute("html", "data-painter") == painter
    assert count_pixels(page, "#5f5f5f") > 200
    page.click("#legend label:has-text('other')")
    assert count_pixels(page, "#5f5f5f") == 0
    assert count_pixels(page, "#009e73") > 20  # two tokens in hiragana


CARDS = """[...document.querySelectorAll(".card")].filter(card => !card.hidden && card.offsetParent
    !== undefined && getComputedStyle(card).display !== "none")
    .map(card => (({ left, top, right, bottom }) => [left, top, right, bottom])(
        card.getBoundingClientRect()))"""


def test_on_a_phone_cards_do_not_overlap_or_leave_the_screen(phone: Page) -> None:
    assert phone.get_attribute("#legend details", "open") is None  # it would cover the map
    phone.tap("#search-input")
    phone.keyboard.type("女王")
    phone.keyboard.press("Enter")
    assert (
        phone.evaluate("document.activeElement.id") != "search-input"
    )  # so the keyboard is closed
    boxes = phone.evaluate(CARDS)
    assert len(boxes) == 4  # header, details, tools and slider; the legend is hidden
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= 390
        for other in boxes[:i]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]


@pytest.mark.parametrize(
    ("kind", "cards"), [("page", ["table-slider"]), ("phone", ["header", "table-slider", "tools"])]
)
def test_cards_in_the_middle_do_not_cover_the_whole_map(
    kind: str, cards: list[str], request: pytest.FixtureRequest
) -> None:
    screen: Page = request.getfixturevalue(kind)
    hidden, widest = screen.evaluate(
        """ids => {
            const { view, rows, positionOf } = wordvecMap;
            const cards = ids.map(id => document.getElementById(id).getBoundingClientRect());
            const positions = Array.from(rows, (_, point) => view.toScreen(...positionOf(point)));
            const isUnder = ([x, y], card) => x > card.left && x < card.right && y > card.top && y < card.bottom;
            const extent = axis => Math.max(...positions.map(p => p[axis])) - Math.min(...positions.map(p => p[axis]));
            return [positions.filter(position => cards.some(card => isUnder(position, card))).length, Math.max(extent(0), extent(1))];
        }""",  # noqa: E501  (JavaScript)
        cards,
    )
    assert hidden == 0
    assert widest > 300  # not smaller than necessary


def test_on_a_phone_the_selection_is_between_the_cards(phone: Page) -> None:
    phone.tap("#search-input")
    phone.keyboard.type("女王")
    phone.keyboard.press("Enter")
    wait_for_frame(phone)
    _, y = screen_position(phone, "女王")
    above, below = phone.evaluate(
        """["header", "details"].map(id => document.getElementById(id).getBoundingClientRect())
            .map(({ bottom, top }, i) => i ? top : bottom)"""
    )
    assert above < y < below


def test_a_tap_selects_a_token(phone: Page) -> None:
    centre_on(phone, "王")
    phone.touchscreen.tap(*screen_position(phone, "王"))
    assert phone.text_content("#details h2") == "王"


def test_the_list_of_hits_is_above_every_card(page: Page) -> None:
    page.fill("#search-input", "語")
    covered = page.evaluate(
        """() => {
            const { left, right, top, bottom } = document.getElementById("hits").getBoundingClientRect();
            return [top + 9, (top + bottom) / 2, bottom - 9]
                .filter(y => !document.elementFromPoint((left + right) / 2, y).closest("#hits"));
        }"""  # noqa: E501  (JavaScript)
    )
    assert covered == []


def test_labels_of_the_selection_do_not_overlap(page: Page) -> None:
    for token in ("王", "語5", "の"):
        page.fill("#search-input", token)
        page.keyboard.press("Enter")
        page.evaluate(
            "wordvecMap.view.show({ ...wordvecMap.view.wholeMap() }), wordvecMap.redraw()"
        )
        wait_for_frame(page)
        boxes = page.evaluate("wordvecMap.annotations.occupied")
        assert len(boxes) == 11  # the token and its ten neighbours
        for i, (left, top, right, bottom) in enumerate(boxes):
            for other in boxes[:i]:
                assert (
                    left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]
                )


def test_every_control_has_a_name(page: Page) -> None:
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, input, canvas, textarea, [role=listbox]")]
            .filter(one => one.ariaHidden !== "true" && !one.ariaLabel && !one.textContent.trim()
                && !one.labels?.length)
            .map(one => one.outerHTML)"""
    )
    assert nameless == []

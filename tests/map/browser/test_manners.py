"""How the page behaves for a hand at the mouse, the keyboard or the screen of a phone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wordvec
from support.map_page import count_pixels, open_map, screen_position, wait_for_frame
from support.maps import random_map, random_table

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser
WEB = Path(wordvec.__file__).parent / "map" / "web"
SCALE = "wordvecMap.view.scale / wordvecMap.view.fitScale"


@pytest.mark.parametrize("control", ["#legend label:has-text('numbers')", "#blend", "#zoom-out"])
def test_shortcuts_work_after_a_click_on_any_control(page: Page, control: str) -> None:
    page.click(control)
    wait_for_frame(page)
    before = page.evaluate(SCALE)
    page.keyboard.press("+")
    wait_for_frame(page)
    assert page.evaluate(SCALE) == pytest.approx(before * 1.6)
    page.keyboard.press("l")
    assert page.get_attribute("#lasso", "aria-pressed") == "true"
    page.keyboard.press("/")
    page.keyboard.type("+l0")
    assert page.input_value("#search-input") == "+l0"


def test_the_arrow_keys_of_the_slider_move_only_the_slider(page: Page) -> None:
    page.click("#blend", position={"x": 3, "y": 8})
    centre = page.evaluate("[wordvecMap.view.x, wordvecMap.view.y]")
    before = page.input_value("#blend")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#blend") == str(int(before) + 1)
    assert page.evaluate("[wordvecMap.view.x, wordvecMap.view.y]") == centre


def test_the_legend_shows_one_class_alone_and_all_again(page: Page) -> None:
    hiragana, other = "#009e73", "#5f5f5f"
    page.click("#legend li:has-text('hiragana') button")
    assert page.locator("#legend input:checked").count() == 1
    assert count_pixels(page, other) == 0
    assert count_pixels(page, hiragana) > 20
    page.click("#show-classes")
    assert page.locator("#legend input:not(:checked)").count() == 0
    assert count_pixels(page, other) > 200


def test_fit_shows_what_the_legend_shows(page: Page) -> None:
    page.click("#legend li:has-text('hiragana') button")
    page.click("#show-all")
    wait_for_frame(page)
    positions = [screen_position(page, token) for token in ("の", "は")]
    for x, y in positions:
        assert 332 < x < 1280  # right of the header
        assert 0 < y < 800
    assert page.evaluate(SCALE) > 1.2
    page.click("#show-classes")
    page.keyboard.press("0")
    assert page.evaluate(SCALE) == pytest.approx(1)


@pytest.mark.parametrize("screen", ["page", "phone"])
def test_a_chosen_token_and_its_neighbours_are_in_view(
    screen: str, request: pytest.FixtureRequest
) -> None:
    page: Page = request.getfixturevalue(screen)
    for row in range(0, 300, 23):
        page.fill("#search-input", f"#{row}")
        page.keyboard.press("Enter")
        wait_for_frame(page)
        hidden = page.evaluate(
            """() => {
                const { state, view, pointOfRow, positionOf } = wordvecMap;
                const points = [state.selected, ...state.neighbours.map(({ row }) => pointOfRow[row])];
                const cards = [...document.querySelectorAll("#header, #details, #tools, #table-slider")]
                    .map(card => card.getBoundingClientRect());
                return points.map(point => view.toScreen(...positionOf(point))).filter(([x, y]) =>
                    x < 0 || y < 0 || x > view.width || y > view.height
                    || cards.some(card => x > card.left && x < card.right && y > card.top && y < card.bottom));
            }"""  # noqa: E501  (JavaScript)
        )
        assert hidden == [], row


PIECES = "Hint: in a terminal, wordvec query --pieces uses the mean of its pieces"
QUOTES = 'Hint: put a word that contains operators in quotes: "C++"'


@pytest.mark.parametrize(
    ("source", "message", "marked", "hint"),
    [
        ("", "the query is empty", "", 'Hint: type words, for example "王-男+女"'),
        (
            "𠮷 王 男", "expected + or - between two words", "王",
            'Hint: put a word that contains white space or operators in quotes: "C++"',
        ),
        ("王-", "expected a word after -", "-", QUOTES),
        ("王-女帝", '"女帝" is not in this vocabulary', "女帝", PIECES),
        ("王/0", "division by zero", "0", None),
        ("王+#999", "there is no token with id 999", "#999", None),
    ],
)  # fmt: skip
def test_an_error_marks_its_place_and_the_old_answer_is_removed(
    page: Page, source: str, message: str, marked: str, hint: str | None
) -> None:
    page.fill("#query-input", "王-男+女")
    page.keyboard.press("Enter")
    assert page.is_visible("#details")
    page.fill("#query-input", source)
    page.keyboard.press("Enter")
    assert page.text_content("#query-error .message") == message
    assert page.text_content("#query-error .source") == source
    assert page.text_content("#query-error mark") == marked
    hints = page.locator("#query-error .hint").all_text_contents()
    assert hints == ([hint] if hint else [])
    assert page.is_hidden("#details")
    assert page.evaluate("wordvecMap.state.expression") is None
    page.fill("#query-input", "王")
    page.keyboard.press("Enter")
    assert page.text_content("#query-error") == ""


def test_an_id_finds_its_row(page: Page) -> None:
    for typed in ("#20", "＃２０", "#020"):
        page.fill("#search-input", typed)
        page.keyboard.press("Enter")
        assert page.text_content("#details .small-text") == "id 20 · numbers", typed
    page.fill("#search-input", "#300")
    assert page.text_content("#hit-count") == "0 tokens"


def test_the_number_of_hits_is_above_them_and_goes_with_them(page: Page) -> None:
    page.fill("#search-input", "語")
    assert page.text_content("#hit-count") == "276 tokens; showing the first 40"
    count, hits = (page.locator(name).bounding_box() for name in ("#hit-count", "#hits"))
    assert count
    assert hits
    assert count["y"] + count["height"] <= hits["y"]
    page.keyboard.press("Enter")
    assert page.is_hidden("#hit-count")


def test_the_focus_of_the_map_is_a_crosshair_and_no_frame(page: Page) -> None:
    assert page.is_hidden("#crosshair")
    page.focus("#annotations")
    page.keyboard.press("+")
    box = page.locator("#crosshair").bounding_box()
    assert box
    assert (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) == (640, 400)
    style = page.evaluate(
        "(({ boxShadow, outlineStyle }) => [boxShadow, outlineStyle])"
        "(getComputedStyle(document.getElementById('annotations')))"
    )
    assert style == ["none", "none"]
    page.mouse.click(640, 20)
    page.mouse.move(640, 30)
    page.click("#search-input")
    assert page.is_hidden("#crosshair")


def test_on_a_phone_the_header_folds(phone: Page) -> None:
    def height() -> float:
        box = phone.locator("#header").bounding_box()
        assert box
        return box["height"]

    assert height() < 60
    assert phone.is_hidden("h1")
    phone.tap("#fold")
    assert phone.is_visible("h1")
    assert phone.is_visible("#query-form")
    assert phone.get_attribute("#fold", "aria-expanded") == "true"
    phone.tap("#expressions button")  # an answer is shown between the cards
    assert height() < 60


DRAWN = """async ([zoom, x, y]) => {
    const { view, redraw, annotations } = wordvecMap, { textCache } = annotations, drawn = [];
    const draw = textCache.draw;
    textCache.draw = (context, labels) => drawn.push(...labels);
    view.show({ x: view.x, y: view.y, scale: view.fitScale * zoom });
    view.pan(x, y);
    redraw();
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    textCache.draw = draw;
    return [...drawn, ...wordvecMap.regions.shown].map(({ x, y, width }) => [x, y, x + width]);
}"""


@pytest.mark.parametrize("screen", ["page", "phone"])
def test_no_label_is_cut_at_the_edge_of_the_screen(
    screen: str, request: pytest.FixtureRequest
) -> None:
    page: Page = request.getfixturevalue(screen)
    width, height = page.evaluate("[innerWidth, innerHeight]")
    count = 0
    for zoom, x, y in ((1, 0, 0), (2, 90, -80), (3, -70, 60), (6, 40, 10)):
        for left, middle, right in page.evaluate(DRAWN, [zoom, x, y]):
            assert left >= 0
            assert right <= width
            assert 8 <= middle <= height - 8
            count += 1
    assert count > 15


def test_labels_of_neighbours_at_the_edge_are_on_the_screen(page: Page) -> None:
    page.fill("#search-input", "女王")
    page.keyboard.press("Enter")
    page.evaluate("wordvecMap.view.pan(610, 380), wordvecMap.redraw()")
    wait_for_frame(page)
    x, y = screen_position(page, "女王")
    assert (x, y) == pytest.approx((1258, 780), abs=2)
    left, top, right, bottom = page.evaluate("wordvecMap.annotations.occupied[0]")
    assert left >= 0
    assert top >= 0
    assert right <= 1280
    assert bottom <= 800


def test_a_long_name_stays_inside_its_card(context: BrowserContext, tmp_path: Path) -> None:
    table = random_table()
    name = "/models/" + "a_very_long_folder_name" * 9
    renamed = replace(table, provenance=replace(table.provenance, model=name))
    page = open_map(context, random_map(renamed), tmp_path)
    assert name in (page.text_content("h1") or "")
    assert page.evaluate("(h => h.scrollWidth <= h.clientWidth)(document.querySelector('h1'))")


def test_the_summary_counts_the_tokens_left_out(context: BrowserContext, tmp_path: Path) -> None:
    token_map = random_map(random_table())
    for count, text in ((1, "1 token"), (2, "2 tokens")):
        page = open_map(context, replace(token_map, left_out=count), tmp_path)
        summary = page.text_content("#summary") or ""
        assert summary.endswith(f" · {text} left out (vector not finite, or longer than 1e17)")


def test_the_page_is_in_japanese_where_the_browser_is(chromium: Browser, page_file: Path) -> None:
    context = chromium.new_context(locale="ja-JP", offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert page.get_attribute("html", "lang") == "ja"
    assert page.title() == "made:static と made:dynamic の地図"
    assert page.get_attribute("#search-input", "placeholder") == "トークンを検索（/ キー）"
    assert page.text_content("#legend li:nth-child(3) label") == "ひらがな2"
    page.fill("#query-input", "王 男")
    page.keyboard.press("Enter")
    assert page.text_content("#query-error .message") == "2 語の間に + か - がありません"
    page.click("#help")
    english = page.evaluate(
        """[...document.querySelectorAll("[data-text], [data-label], [data-hint]")]
            .flatMap(each => [each.dataset.text && each.textContent, each.ariaLabel, each.title])
            .filter(text => text && !/[ぁ-んァ-ヶ一-龠？]/.test(text))"""
    )
    assert english == []
    context.close()


def test_both_languages_have_every_text_that_is_used(page: Page) -> None:
    english, japanese = page.evaluate(
        """import("map/strings").then(({ STRINGS }) => ["en", "ja"].map(name => STRINGS[name]))"""
    )
    assert english.keys() == japanese.keys()
    for key, text in english.items():
        used, translated = (sorted(re.findall(r"\{\w+\}", each)) for each in (text, japanese[key]))
        assert used == translated, key
    sources = "\n".join(file.read_text("utf-8") for file in WEB.iterdir())
    named = set(re.findall(r'(?:\btext\(|data-(?:text|label|hint|placeholder)=)"(\w+)"', sources))
    assert named <= english.keys()
    quoted = set(re.findall(r'"(\w+)"', sources))
    computed = {
        key
        for key in english
        if key.startswith(("class-", "by-", "unplaceable-", "method-", "helpNotes-"))
    } | {
        "l2",
        "cosine",
    }
    assert english.keys() - quoted - computed == set()  # no text is unused

"""The map in a real browser: opened from disk with the network off, and used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.tables import query
from wordvec.cli.output import number
from wordvec.expression.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from wordvec.analysis.query import Answer
    from wordvec.map.build import Map

pytestmark = pytest.mark.browser


def place(page: Page, token: str) -> tuple[float, float]:
    """Where a token is on the screen."""
    x, y = page.evaluate(
        """token => {
            const map = wordvecMap, slot = map.slotOf[map.tokens.indexOf(token)];
            return map.view.toScreen(...map.placeOf(slot));
        }""",
        token,
    )
    return float(x), float(y)


def centre_on(page: Page, token: str) -> None:
    """Bring a token to the middle, close enough that nothing else is under the mouse."""
    page.evaluate(
        """token => {
            const map = wordvecMap, [x, y] = map.placeOf(map.slotOf[map.tokens.indexOf(token)]);
            map.view.show({ x, y, scale: map.view.whole * 300 });
            map.redraw();
        }""",
        token,
    )
    frame(page)


def frame(page: Page) -> None:
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def listed(page: Page) -> list[list[str]]:
    """The lines of the panel: token and score."""
    lines: list[list[str]] = page.eval_on_selector_all(
        ".neighbours .row",
        "rows => rows.map(row => [row.firstChild.firstChild.data, row.lastChild.textContent])",
    )
    return lines


def lines_of(answer: Answer) -> list[list[str]]:
    return [[hit.token, number(hit.score)] for hit in answer.neighbours]


def neighbours(the_map: Map, token: str, *, layer: int = 0) -> list[list[str]]:
    source = parse(f'"{token}"')
    return lines_of(query(the_map.layers[layer].table, [source], exclude=True)[0])


def painted(page: Page, colour: str) -> int:
    """How many pixels of the points' canvas have a colour, #rrggbb."""
    count: int = page.evaluate(
        """async colour => {
            const picture = document.createElement("canvas"), points = document.getElementById("points");
            [picture.width, picture.height] = [points.width, points.height];
            const context = picture.getContext("2d");
            wordvecMap.redraw();
            await new Promise(done => requestAnimationFrame(() => { context.drawImage(points, 0, 0); done(); }));
            const wanted = parseInt(colour.slice(1), 16), { data } = context.getImageData(0, 0, points.width, points.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4)
                if (data[i + 3] > 250 && ((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]) === wanted) count++;
            return count;
        }""",  # noqa: E501  (JavaScript)
        colour,
    )
    return count


def test_it_opens_from_disk_with_the_network_off(page: Page) -> None:
    assert page.title() == "Map of made:static and made:dynamic"
    assert page.text_content("#facts") == (
        "300 tokens · 16 dimensions · raw vectors · t-SNE of L2 distance, perplexity 30, seed 0"
    )
    assert painted(page, "#009e73") > 20  # hiragana


def test_search_flies_to_a_token_and_lists_its_neighbours(page: Page, the_map: Map) -> None:
    page.keyboard.press("/")
    page.keyboard.type("女王")
    hits = page.eval_on_selector_all("#hits li", "all => all.map(one => one.firstChild.data)")
    assert hits == ["女王", "女王蜂"]
    assert page.text_content("#hit-count") == "2 tokens"
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "女王"
    assert listed(page) == neighbours(the_map, "女王")
    frame(page)
    x, y = place(page, "女王")
    assert (x, y) == pytest.approx((648, 400), abs=1)  # the middle between the cards


def test_search_finds_the_same_then_beginnings_then_parts(page: Page) -> None:
    page.fill("#word", "王")
    hits = page.eval_on_selector_all("#hits li", "all => all.map(one => one.firstChild.data)")
    assert hits == ["王", "##王", "王国", "女王", "国王", "大王", "女王蜂"]
    page.fill("#word", "ｋｉｎｇ")
    hits = page.eval_on_selector_all("#hits li", "all => all.map(one => one.firstChild.data)")
    assert hits == ["king", "King"]
    page.fill("#word", "どこにもない")
    assert page.text_content("#hit-count") == "0 tokens"
    assert page.is_hidden("#hits")


def test_arrow_keys_walk_through_the_hits(page: Page) -> None:
    page.fill("#word", "王")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#word", "aria-activedescendant") == "hit-2"
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "王国"


def test_an_input_methods_keys_choose_nothing(page: Page, context: BrowserContext) -> None:
    page.focus("#word")
    keyboard = context.new_cdp_session(page)
    keyboard.send(
        "Input.imeSetComposition", {"text": "じょおう", "selectionStart": 4, "selectionEnd": 4}
    )
    page.evaluate(
        """document.getElementById("word").dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }))"""
    )
    assert page.is_hidden("#details")
    keyboard.send("Input.insertText", {"text": "女王"})
    assert page.input_value("#word") == "女王"
    assert page.text_content("#hit-count") == "2 tokens"
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "女王"


def test_a_click_lists_true_neighbours_and_another_goes_there(page: Page, the_map: Map) -> None:
    centre_on(page, "王")
    page.mouse.click(640, 400)
    assert page.text_content("#details h2") == "王"
    assert page.text_content("#details .quiet") == "id 3 · kanji, one character"
    expected = neighbours(the_map, "王")
    assert listed(page) == expected
    page.click(".neighbours .row >> nth=2")
    assert page.text_content("#details h2") == expected[2][0]
    assert listed(page) == neighbours(the_map, expected[2][0])


def test_hovering_shows_token_id_and_class(page: Page) -> None:
    centre_on(page, "クイーン")
    page.mouse.move(640, 401)
    assert page.text_content("#tip") == "クイーン · id 16 · katakana"
    page.mouse.move(640, 700)
    assert page.is_hidden("#tip")


def test_tokens_are_text_and_never_html(page: Page) -> None:
    page.fill("#word", "<img")
    assert page.text_content("#hits li") == "<img src=x onerror=alert(1)>other"
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "<img src=x onerror=alert(1)>"
    assert page.query_selector("img") is None
    page.fill("#word", "&amp;")
    page.keyboard.press("Enter")
    assert page.text_content("#details h2") == "&amp;"


def test_a_lasso_lists_what_is_inside(page: Page) -> None:
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
        x, y = place(page, token)
        if 360 < x < 940 and 60 < y < 500:
            inside.append(token)
    assert len(inside) > 20
    assert page.input_value("#details textarea").split("\n") == inside
    assert page.text_content("#details h2") == f"{len(inside)} tokens"
    assert page.get_attribute("#lasso", "aria-pressed") == "false"
    page.click("#copy")
    page.wait_for_selector("#copy:text-is('Copied')")
    page.click("#word")
    page.keyboard.press("Control+V")
    assert inside[0] in page.input_value("#word")


def test_the_legend_switches_a_class_off_and_on(page: Page) -> None:
    other = "#5f5f5f"  # 語0, 語1 and so on
    assert painted(page, other) > 200
    page.click("#legend label:has-text('other')")
    assert painted(page, other) == 0
    centre_on(page, "語100")
    page.mouse.move(640, 401)
    assert "語100" not in (page.text_content("#tip") or "")
    page.click("#legend label:has-text('other')")
    assert painted(page, other) > 10


def test_dark_is_dark_and_light_is_light(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(251, 251, 248)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.evaluate(ground) == "rgb(18, 20, 23)"
    assert painted(page, "#17b287") > 20
    page.click("#theme")
    assert page.evaluate(ground) == "rgb(251, 251, 248)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_their_ground(page: Page, theme: str) -> None:
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    colours = page.evaluate(
        """() => ["--ground", "--ink", "--soft", "--mark", "--link"].map(name =>
            getComputedStyle(document.documentElement).getPropertyValue(name).trim())"""
    )

    def light(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    ground = light(colours[0])
    for colour in colours[1:]:
        one, other = sorted([light(colour), ground])
        assert (other + 0.05) / (one + 0.05) >= 4.5, colour  # WCAG 2.2, 1.4.3


def test_the_slider_moves_every_token_to_the_other_table(page: Page, the_map: Map) -> None:
    first, second = (layer.places.astype(np.float64) for layer in the_map.layers)

    def places() -> Any:
        return page.evaluate("Array.from(wordvecMap.rows, (_, slot) => wordvecMap.placeOf(slot))")

    width = np.ptp(first, axis=0).max()
    np.testing.assert_allclose(places(), first, atol=width / 60000)
    page.fill("#between", "50")
    np.testing.assert_allclose(places(), (first + second) / 2, atol=width / 30000)
    page.fill("#between", "100")
    np.testing.assert_allclose(places(), second, atol=width / 30000)
    centre_on(page, "王")
    page.mouse.click(640, 400)
    assert listed(page) == neighbours(the_map, "王", layer=1)
    page.fill("#between", "0")
    assert listed(page) == neighbours(the_map, "王", layer=0)


def test_a_prepared_expression_is_answered_as_query_answers_it(page: Page, the_map: Map) -> None:
    page.click("#prepared button")
    (answer,) = query(the_map.layers[0].table, [parse("王-男+女")])
    assert listed(page) == lines_of(answer)
    assert page.text_content("#details h2") == "王-男+女"
    assert "mean place of its nearest tokens" in (page.text_content("#details-body") or "")


@pytest.mark.parametrize(
    "source",
    ["王-男+女", "男:女=王:?", "(王+女王)/2 − 男", "1/2*王", '#3＋"<img src=x onerror=alert(1)>"',
     "2*-王", "1999-2000+king", "-王"],
)  # fmt: skip
def test_the_box_answers_any_expression(page: Page, the_map: Map, source: str) -> None:
    page.fill("#expression", source)
    page.keyboard.press("Enter")
    table = the_map.layers[0].table
    (answer,) = query(table, [parse(source)], k=len(table))
    exact = {hit.token: hit.score for hit in answer.neighbours}
    found = listed(page)
    assert len(found) == 10
    # 8 bits move a score a little: each is near its own, and none far better was passed over
    for (token, score), best in zip(found, answer.neighbours, strict=False):
        assert float(score) == pytest.approx(exact[token], rel=0.02, abs=0.05)
        assert exact[token] == pytest.approx(best.score, rel=0.02, abs=0.05)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "write words, as in 王-男+女"),
        ("王 男", "expected + or - between two words"),
        ("王-", "expected a word"),
        ("女帝", "女帝 is no token; the terminal takes it apart: wordvec query --pieces"),
        ("王/0", "division by zero"),
        ('"王', "this quote is never closed"),
        ("(王", "expected )"),
    ],
)
def test_the_box_says_what_it_cannot_read(page: Page, source: str, message: str) -> None:
    page.fill("#expression", source)
    page.click("#ask button")
    assert page.text_content("#ask-error") == message


def test_the_keyboard_moves_zooms_and_chooses(page: Page) -> None:
    page.focus("#overlay")
    before = page.evaluate("[wordvecMap.view.x, wordvecMap.view.scale]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    frame(page)
    after = page.evaluate("[wordvecMap.view.x, wordvecMap.view.scale]")
    assert after[0] > before[0]
    assert after[1] == pytest.approx(before[1] * 1.6)
    page.keyboard.press("Enter")
    assert page.is_visible("#details")
    page.keyboard.press("Escape")
    assert page.is_hidden("#details")
    page.keyboard.press("?")
    assert page.is_visible("#keys")


def test_dragging_moves_the_map_with_the_mouse(page: Page) -> None:
    x, y = place(page, "王")
    page.mouse.move(640, 700)
    page.mouse.down()
    page.mouse.move(600, 680)
    page.mouse.move(540, 650)
    page.wait_for_timeout(60)  # a hand that stands still before it lets go
    page.mouse.move(540, 650)
    moved = place(page, "王")
    page.mouse.up()
    assert moved == pytest.approx((x - 100, y - 50), abs=1)


def test_the_wheel_zooms_where_the_mouse_is(page: Page) -> None:
    x, y = place(page, "王")
    page.mouse.move(round(x), round(y))
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(50)
    assert place(page, "王") == pytest.approx((x, y), abs=2)
    assert page.evaluate("wordvecMap.view.scale / wordvecMap.view.whole") > 1.3


def test_two_fingers_pinch(page: Page, context: BrowserContext) -> None:
    fingers = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        places = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (600, 400), (680, 400))
    for apart in (50, 60, 70, 80):
        touch("touchMove", (640 - apart, 400), (640 + apart, 400))
    touch("touchEnd")
    frame(page)
    assert page.evaluate("wordvecMap.view.scale / wordvecMap.view.whole") == pytest.approx(2, 0.1)


def test_labels_never_overlap_and_all_are_there_at_last(page: Page) -> None:
    counts = []
    for zoom in (1, 4, 16, 400):
        boxes = page.evaluate(
            """zoom => {
                const { labels, view, placeOf } = wordvecMap, scale = view.whole * zoom;
                return Array.from(labels.at(scale), slot => {
                    const [x, y] = placeOf(slot);
                    return [x * scale, y * scale, labels.widths[slot]];
                });
            }""",
            zoom,
        )
        counts.append(len(boxes))
        if zoom < 400:
            for i, (x, y, width) in enumerate(boxes):
                for left, middle, other in boxes[:i]:
                    apart = x >= left + other or left >= x + width or abs(y - middle) >= 16
                    assert apart
    assert counts[0] < counts[1] <= counts[2] <= counts[3] == 300


def test_frequent_tokens_are_named_first(page: Page) -> None:
    named = page.evaluate("Array.from(wordvecMap.labels.at(wordvecMap.view.whole))")
    assert 0 in named  # nothing can be in the way of the first
    assert np.median(named) < 150


@pytest.mark.parametrize("painter", ["webgl", "canvas"])
def test_both_painters_draw_the_same_map(
    context: BrowserContext, page_file: Path, painter: str
) -> None:
    page = context.new_page()
    page.goto(f"{page_file.as_uri()}#{painter}")
    page.wait_for_selector("html[data-ready]")
    assert page.get_attribute("html", "data-painter") == painter
    assert painted(page, "#5f5f5f") > 200
    page.click("#legend label:has-text('other')")
    assert painted(page, "#5f5f5f") == 0
    assert painted(page, "#009e73") > 20  # two tokens in hiragana


@pytest.fixture
def phone(chromium: Browser, page_file: Path) -> Iterator[Page]:
    """The page on a telephone, touched by fingers."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 780}, has_touch=True, device_scale_factor=2, offline=True
    )
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto(page_file.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    context.close()


CARDS = """[...document.querySelectorAll(".card")].filter(card => !card.hidden && card.offsetParent
    !== undefined && getComputedStyle(card).display !== "none")
    .map(card => (({ left, top, right, bottom }) => [left, top, right, bottom])(
        card.getBoundingClientRect()))"""


def test_on_a_phone_no_card_lies_on_another_or_leaves_the_screen(phone: Page) -> None:
    assert phone.get_attribute("#legend details", "open") is None  # it would hide the map
    phone.tap("#word")
    phone.keyboard.type("女王")
    phone.keyboard.press("Enter")
    assert phone.evaluate("document.activeElement.id") != "word"  # its keyboard is gone
    boxes = phone.evaluate(CARDS)
    assert len(boxes) == 4  # search, details, tools and slider; the legend makes room
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= 390
        for other in boxes[:i]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]


@pytest.mark.parametrize(
    ("kind", "cards"), [("page", ["slide"]), ("phone", ["top", "slide", "tools"])]
)
def test_the_whole_map_lies_clear_of_the_cards_in_the_middle(
    kind: str, cards: list[str], request: pytest.FixtureRequest
) -> None:
    screen: Page = request.getfixturevalue(kind)
    hidden, widest = screen.evaluate(
        """ids => {
            const { view, rows, placeOf } = wordvecMap;
            const cards = ids.map(id => document.getElementById(id).getBoundingClientRect());
            const places = Array.from(rows, (_, slot) => view.toScreen(...placeOf(slot)));
            const under = ([x, y], card) => x > card.left && x < card.right && y > card.top && y < card.bottom;
            const reach = axis => Math.max(...places.map(p => p[axis])) - Math.min(...places.map(p => p[axis]));
            return [places.filter(place => cards.some(card => under(place, card))).length, Math.max(reach(0), reach(1))];
        }""",  # noqa: E501  (JavaScript)
        cards,
    )
    assert hidden == 0
    assert widest > 300  # and it is no smaller than it must be


def test_on_a_phone_what_is_chosen_lies_between_the_cards(phone: Page) -> None:
    phone.tap("#word")
    phone.keyboard.type("女王")
    phone.keyboard.press("Enter")
    frame(phone)
    _, y = place(phone, "女王")
    above, below = phone.evaluate(
        """["top", "details"].map(id => document.getElementById(id).getBoundingClientRect())
            .map(({ bottom, top }, i) => i ? top : bottom)"""
    )
    assert above < y < below


def test_a_finger_chooses_a_token(phone: Page) -> None:
    centre_on(phone, "王")
    phone.touchscreen.tap(*place(phone, "王"))
    assert phone.text_content("#details h2") == "王"


def test_the_list_of_hits_lies_over_every_card(page: Page) -> None:
    page.fill("#word", "語")
    covered = page.evaluate(
        """() => {
            const { left, right, top, bottom } = document.getElementById("hits").getBoundingClientRect();
            return [top + 9, (top + bottom) / 2, bottom - 9]
                .filter(y => !document.elementFromPoint((left + right) / 2, y).closest("#hits"));
        }"""  # noqa: E501  (JavaScript)
    )
    assert covered == []


def test_names_of_what_is_chosen_never_lie_on_one_another(page: Page) -> None:
    for token in ("王", "語5", "の"):
        page.fill("#word", token)
        page.keyboard.press("Enter")
        page.evaluate("wordvecMap.view.show({ ...wordvecMap.view.home() }), wordvecMap.redraw()")
        frame(page)
        boxes = page.evaluate("wordvecMap.overlay.taken")
        assert len(boxes) == 11  # itself and its ten
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

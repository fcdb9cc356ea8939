"""What the tests of the map's page do and read in Chromium."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from wordvec.map.page import build_page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from wordvec.map.build import TokenMap


def screen_position(page: Page, token: str) -> tuple[float, float]:
    """Return the position of a token on the screen."""
    x, y = page.evaluate(
        """token => {
            const map = wordvecMap, point = map.pointOfRow[map.tokens.indexOf(token)];
            return map.view.toScreen(...map.positionOf(point));
        }""",
        token,
    )
    return float(x), float(y)


def centre_on(page: Page, token: str) -> None:
    """Show a token in the centre, so large that nothing else is under the mouse."""
    page.evaluate(
        """token => {
            const map = wordvecMap, point = map.pointOfRow[map.tokens.indexOf(token)];
            const [x, y] = map.positionOf(point);
            map.view.show({ x, y, scale: map.view.fitScale * 300 });
            map.redraw();
        }""",
        token,
    )
    wait_for_frame(page)


def wait_until(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression is true.

    Older versions of Playwright wait inside the page, where its content security policy forbids it.
    """
    deadline = monotonic() + 30
    while not page.evaluate(condition):
        assert monotonic() < deadline, condition
        wait_for_frame(page)


def wait_for_frame(page: Page) -> None:
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def listed(page: Page) -> list[list[str]]:
    """Return token and score of each neighbour in the details panel."""
    lines: list[list[str]] = page.eval_on_selector_all(
        ".neighbours .row",
        "rows => rows.map(row => [row.firstChild.firstChild.data, row.lastChild.textContent])",
    )
    return lines


def count_pixels(page: Page, colour: str) -> int:
    """Count the pixels of the canvas of points that have a colour, #rrggbb."""
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


def open_map(context: BrowserContext, token_map: TokenMap, folder: Path, **options: bool) -> Page:
    """Save the page of a map and open it."""
    file = folder / "map.html"
    file.write_text(build_page(token_map, **options), "utf-8")
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    return page

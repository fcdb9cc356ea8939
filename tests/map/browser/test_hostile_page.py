"""A page of hostile tokens and names in Chromium: nothing runs, and nothing reorders a line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.tables import table_of
from wordvec.expression.parser import parse
from wordvec.map.build import build_map
from wordvec.map.figure import draw_picture
from wordvec.map.page import build_page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from wordvec.map.build import TokenMap

EVIL = "\u202e\u2066\x1b[2J\x9b\u2028<img src=x onerror=alert(1)></script>"
DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def hostile_map() -> TokenMap:
    """Build a map whose tokens, model and expression are hostile."""
    rows = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32).tolist()
    named = dict(zip([f"王{i}{EVIL}" for i in range(60)], rows, strict=True))
    expressions = [parse(f'#1-#2+"王3{EVIL}"')]
    return build_map([table_of(named, model=f"m{EVIL}")], expressions=expressions)


def test_the_file_has_no_dangerous_character(hostile_map: TokenMap, tmp_path: Path) -> None:
    assert not DANGEROUS.findall(build_page(hostile_map, vectors=True))
    draw_picture(hostile_map, tmp_path / "map.svg", file_format="svg")
    assert not DANGEROUS.findall((tmp_path / "map.svg").read_text("utf-8"))


@pytest.mark.browser
def test_overrides_are_shown_escaped_and_nothing_runs(
    hostile_map: TokenMap, context: BrowserContext, tmp_path: Path
) -> None:
    file = tmp_path / "map.html"
    file.write_text(build_page(hostile_map, vectors=True), "utf-8")
    problems: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url[:40]))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    page.click("#expressions button")
    page.fill("#search-input", "王3")
    page.keyboard.press("Enter")
    shown = page.evaluate("document.title + '\\n' + document.body.innerText")
    markup = page.evaluate("document.documentElement.outerHTML")
    assert "\\u202e\\u2066\\u001b[2J" in shown
    assert not DANGEROUS.findall(shown + markup)
    assert page.query_selector("img") is None
    assert [one for one in problems if not one.startswith(("file:", "data:", "blob:"))] == []

"""The page of a map of two tables, in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.tables import table_of
from wordvec.expression.parser import parse
from wordvec.map.build import build_map
from wordvec.map.page import build_page
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from wordvec.map.build import TokenMap
    from wordvec.tables.table import VectorTable

# tokens of every class, and two that look like HTML
WORDS = [
    "[PAD]", "の", "は", "王", "男", "女", "国", "人", "女王", "王国", "国王", "大王", "女王蜂",
    "##王", "##女", "カタカナ", "クイーン", "king", "queen", "King", "1999", "2000",
    "<img src=x onerror=alert(1)>", "&amp;",
]  # fmt: skip
TOKENS = [*WORDS, *(f"語{i}" for i in range(276))]


def table(mode: Mode, seed: int) -> VectorTable:
    """Make 300 tokens in twelve clusters; seed 1 gives a table a little different from seed 0."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(12, 16)) * 3
    rows = centres[np.arange(len(TOKENS)) % 12] + rng.normal(size=(len(TOKENS), 16))
    rows += np.random.default_rng(seed).normal(size=rows.shape) * 0.5 * (seed > 0)
    named = dict(zip(TOKENS, rows.astype(np.float32).tolist(), strict=True))
    return table_of(named, mode=mode, special=1)


@pytest.fixture(scope="session")
def token_map() -> TokenMap:
    """Build the map of both tables, with an expression."""
    tables = [table(Mode.STATIC, 0), table(Mode.DYNAMIC, 1)]
    return build_map(tables, expressions=[parse("王-男+女")])


@pytest.fixture(scope="session")
def page_file(token_map: TokenMap, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the page, with vectors."""
    file = tmp_path_factory.mktemp("map") / "map.html"
    file.write_text(build_page(token_map, vectors=True), "utf-8")
    return file


@pytest.fixture
def page(context: BrowserContext, page_file: Path) -> Iterator[Page]:
    """Open the page from disk; errors, requests and dialogs fail the test."""
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.emulate_media(reduced_motion="reduce")  # the view jumps instead of flying
    page.goto(page_file.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    assert problems == []

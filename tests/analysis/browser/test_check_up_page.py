"""The report of a check-up in Chromium, opened from disk without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import wordvec
from support.tables import table_of
from wordvec.analysis.check_up_page import check_up_page
from wordvec.api import Table
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from wordvec.analysis.check_up import CheckUps

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)>&amp;"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> CheckUps:
    """Check a table with a giant dimension and a hostile hub, and one without."""
    rng = np.random.default_rng(0)
    words = [EVIL, *(f"{side}{i}" for i in range(20) for side in "ab")]
    rows = rng.normal(size=(41, 8))
    rows[:, 3] += 9
    rows[0] = rows[1:].mean(axis=0)
    file = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    file.write_text("".join(f"rule\ta{i}\tb{i}\n" for i in range(20)), encoding="utf-8")
    named = dict(zip(words, rows.tolist(), strict=True))
    plain = dict(zip(words, rng.normal(size=(41, 8)).tolist(), strict=True))
    tables = [table_of(named, model=EVIL), table_of(plain, mode=Mode.DYNAMIC)]
    return wordvec.doctor([Table(table) for table in tables], file)


@pytest.fixture
def page(context: BrowserContext, checked: CheckUps, tmp_path: Path) -> Iterator[Page]:
    """Open the report; errors, requests and dialogs fail the test."""
    file = tmp_path / "doctor.html"
    file.write_text(check_up_page(checked), encoding="utf-8")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("request", lambda request: problems.append(request.url))
    page.goto(file.as_uri())
    yield page
    assert problems == [file.as_uri()]


def test_each_table_has_its_findings_and_its_advice(page: Page, checked: CheckUps) -> None:
    assert page.title() == f"Check-up of {EVIL}:static, made:dynamic"
    headings = page.eval_on_selector_all("h2", "all => all.map(one => one.innerText)")
    assert headings == [f"{EVIL}:static", "made:dynamic"]
    rows = page.eval_on_selector_all(
        ".findings tr:nth-child(n+2)",
        "all => all.map(row => [...row.cells].map(cell => cell.textContent))",
    )
    assert rows == [
        [one.check, one.figure, one.meaning, one.option or ""]
        for table in checked
        for one in table.findings
    ]
    marked = page.eval_on_selector_all("td.found", "all => all.map(one => one.textContent)")
    assert marked == [one.check for table in checked for one in table.findings if one.option]
    assert "dimensions" in marked
    body = page.inner_text("body")
    assert all(table.analogies.advice in body for table in checked)
    assert checked.between
    assert checked.between in body


def test_the_bars_are_as_long_as_their_figures(page: Page, checked: CheckUps) -> None:
    for kind, count in (("accuracy", 5 + 1), ("components", 8), ("dimensions", 8), ("hubs", 10)):
        assert page.locator(f"svg.{kind}").count() == 2
        widths = page.eval_on_selector_all(
            f"svg.{kind} rect", "all => all.map(one => one.width.baseVal.value)"
        )
        assert len(widths) == 2 * count
    hubs = [hub.occurrences for hub in checked[0].measures.hubness.hubs]
    widths = page.eval_on_selector_all(
        "svg.hubs rect", "all => all.slice(0, 10).map(one => one.width.baseVal.value)"
    )
    assert widths == pytest.approx([400 * count / hubs[0] for count in hubs], abs=0.06)
    assert EVIL in (page.text_content("svg.hubs") or "")
    assert page.locator("img").count() == 0

"""The report of an evaluation in Chromium, opened from disk without a network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.tables import table_of
from wordvec.analysis.evaluate import evaluate
from wordvec.analysis.evaluation_files import AnalogySet, Category
from wordvec.analysis.evaluation_page import evaluation_page
from wordvec.analysis.evaluation_scores import percent
from wordvec.analysis.evaluation_settings import EvaluationSettings
from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from wordvec.analysis.evaluation import Evaluation

pytestmark = pytest.mark.browser

PAIRS = [("王", "女王"), ("男", "女"), ("父", "母"), ("兄", "姉"), ("夫", "妻")]
EVIL = "<img src=x onerror=alert(1)>&amp;"


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """Measure three layers of a made table, the later the noisier, and another table."""
    rng = np.random.default_rng(0)
    words = [word for pair in PAIRS for word in pair]
    rows = rng.normal(size=(5, 2, 8)) * 0.3 + rng.normal(size=(5, 1, 8)) + [[[0] * 8], [[2] * 8]][0]
    rows[:, 1] += rng.normal(size=8)
    tables = []
    for layer in (1, 2, 10):
        noisy = rows.reshape(10, 8) + rng.normal(size=(10, 8)) * layer / 10
        table = table_of(dict(zip(words, noisy.tolist(), strict=True)), mode=Mode.DYNAMIC)
        tables.append(replace(table, provenance=replace(table.provenance, layer=layer)))
    tables.append(table_of(dict(zip(words, noisy.tolist(), strict=True)), model=EVIL))
    pairs = [(a, (b,)) for a, b in PAIRS]
    test_set = AnalogySet(EVIL, {EVIL: Category(pairs), "others": Category(pairs[:3])})
    settings = EvaluationSettings.of(methods="add,direction", transforms="none;center")
    return evaluate([(table, None) for table in tables], [test_set], settings)


@pytest.fixture
def page(context: BrowserContext, evaluation: Evaluation, tmp_path: Path) -> Iterator[Page]:
    """Open the report; errors, requests and dialogs fail the test."""
    file = tmp_path / "report.html"
    file.write_text(evaluation_page(evaluation), encoding="utf-8")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("request", lambda request: problems.append(request.url))
    page.goto(file.as_uri())
    yield page
    assert problems == [file.as_uri()]


def test_a_heat_map_has_a_cell_for_each_table_and_transforms(
    page: Page, evaluation: Evaluation
) -> None:
    assert page.title() == f"Evaluation on {EVIL}"
    captions = page.eval_on_selector_all(".heat caption", "all => all.map(one => one.innerText)")
    assert captions == ["3CosAdd", "PairDirection"]
    rows = page.eval_on_selector_all(
        ".heat:first-of-type tr, .heat tr",
        "all => all.map(row => [...row.cells].map(cell => cell.innerText))",
    )
    names = ["made:dynamic@1", "made:dynamic@2", "made:dynamic@10", f"{EVIL}:static"]
    assert rows[0] == ["table", "none", "center"]
    scores = {(one.method, one.transforms_name): [] for one in evaluation}  # type: dict[tuple[str, str], list[str]]
    for one in evaluation:
        scores[one.method, one.transforms_name].append(percent(one.overall.left_out.shares[0]))
    assert rows[1:5] == [
        [name, scores["add", "none"][i], scores["add", "center"][i]] for i, name in enumerate(names)
    ]
    [best] = page.eval_on_selector_all("td.best", "all => all.map(one => one.innerText)")
    assert evaluation.best is not None
    assert best == percent(evaluation.best.overall.left_out.shares[0])
    colours = page.eval_on_selector_all(
        ".heat td:nth-child(n+2)", "all => all.map(one => getComputedStyle(one).backgroundColor)"
    )
    assert len(set(colours)) > 1


def test_the_curve_has_a_point_for_each_layer(page: Page) -> None:
    headings = page.eval_on_selector_all("h2", "all => all.map(one => one.innerText)")
    assert headings == [
        "top-1 by table and transforms", "top-1 by layer of made:dynamic", "top-1 by category",
    ]  # fmt: skip
    assert page.locator(".curve polyline").count() == 4  # two methods, two transforms
    places = page.eval_on_selector_all(
        ".curve circle",
        "all => all.slice(0, 3).map(one => [one.cx.baseVal.value, one.textContent.split(',')[2]])",
    )
    assert [layer.split(":")[0].strip() for _, layer in places] == [
        "layer 1",
        "layer 2",
        "layer 10",
    ]
    (x1, _), (x2, _), (x10, _) = places
    assert x10 - x2 == pytest.approx(8 * (x2 - x1), abs=1)


def test_the_bars_are_as_long_as_their_shares(page: Page, evaluation: Evaluation) -> None:
    best: dict[Any, Any] = {}
    for one in evaluation:
        key = (one.table.model, one.table.layer)
        score = (one.overall.left_out.shares[0], one.overall.left_out.mrr)
        if key not in best or score > best[key][0]:
            best[key] = (score, one)
    shares = [
        one.categories[category].left_out.shares[0] or 0
        for category in (0, 1)
        for _, one in best.values()
    ]
    widths = page.eval_on_selector_all(".bars rect", "all => all.map(one => one.getBBox().width)")
    assert widths == pytest.approx([480 * share for share in shares], abs=0.1)
    assert EVIL in (page.text_content(".bars") or "")
    assert page.locator("img").count() == 0

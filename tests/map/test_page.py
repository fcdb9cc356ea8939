"""The HTML of a map. tests/map/browser tests the page in a browser."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.maps import MAP_TOKENS, random_map, random_table
from support.tables import table_of
from wordvec.errors import MissingExtraError
from wordvec.map import page
from wordvec.map.build import build_map
from wordvec.map.colours import TOKEN_CLASSES
from wordvec.map.page import build_page, estimate_vector_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def metadata_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="metadata">(.*?)</script>', html)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def unpack(html: str, name: str) -> bytes:
    found = re.search(f'<script type="text/plain" id="pack-{name}">(.*?)</script>', html)
    assert found, name
    return gzip.decompress(base64.b85decode(found[1].translate(str.maketrans(",.", "<&"))))


def read_planes(html: str, name: str, columns: int = 1) -> NDArray[np.int32]:
    """Return integers that were packed as four byte planes, column by column."""
    planes = np.frombuffer(unpack(html, name), np.uint8).reshape(4, -1)
    numbers: NDArray[np.int32] = np.ascontiguousarray(planes.T).view("<i4").reshape(columns, -1)
    return numbers.T if columns > 1 else numbers.ravel()


@pytest.fixture(scope="module")
def html() -> str:
    return build_page(random_map(random_table(), sources=("王-男+女",)), vectors=True)


def test_the_page_refers_to_no_other_resource(html: str) -> None:
    assert "default-src 'none'" in html
    head = html[: html.index('id="pack-tokens"')]
    assert not re.search(r"(src|href)=\"(?!data:)", head)
    assert "http://" not in head
    assert "https://" not in head


def test_tokens_are_never_inserted_as_html() -> None:
    table = random_table()
    tokens = tuple("</script><b>" if t == "<b>&" else t for t in table.vocabulary.tokens)
    hostile = replace(table, vocabulary=replace(table.vocabulary, tokens=tokens))
    html = build_page(random_map(hostile, sources=('"</script><b>"',)))
    assert "</script><b>" not in html
    assert metadata_of(html)["expressions"][0]["source"] == '"</script><b>"'
    assert json.loads(unpack(html, "tokens"))[10] == "</script><b>"


def test_the_page_contains_the_data_of_the_map(html: str) -> None:
    token_map = random_map(random_table(), sources=("王-男+女",))
    assert json.loads(unpack(html, "tokens")) == MAP_TOKENS
    assert read_planes(html, "rows").cumsum().tolist() == list(range(len(MAP_TOKENS)))
    classes = [TOKEN_CLASSES[i].value for i in np.frombuffer(unpack(html, "classes"), np.uint8)]
    assert classes[:6] == ["special", "kanji", "kanji", "kanji", "kanji-word", "subword"]
    (mapped,) = token_map.tables
    assert read_planes(html, "neighbours-0", 3).tolist() == mapped.neighbours.tolist()
    steps = read_planes(html, "scores-0", 3)  # from one neighbour to the next, in 1/10,000
    np.testing.assert_allclose(steps.cumsum(axis=1) / 1e4, mapped.scores, atol=5.1e-5)
    (table,) = metadata_of(html)["tables"]
    assert (table["name"], table["metric"], table["transforms"]) == ("made:static", "l2", [])
    values = np.frombuffer(unpack(html, "vectors-0"), np.int8).reshape(len(MAP_TOKENS), 6)
    scales = np.frombuffer(unpack(html, "scales-0"), "<f4")
    np.testing.assert_allclose(values * scales[:, None], random_table().vectors, atol=0.02)


def test_the_scale_of_norms_is_that_of_the_tokens_on_the_map() -> None:
    table = random_table()
    rows = table.vectors.copy()
    rows[10:] *= 1000
    norms = np.linalg.norm(rows[:8], axis=1)
    named = dict(zip(MAP_TOKENS, rows.tolist(), strict=True))
    html = build_page(build_map([table_of(named)], tokens=8))
    low, high = metadata_of(html)["tables"][0]["norms"]
    assert [low, high] == pytest.approx(np.percentile(norms, [1, 99]))
    steps = np.frombuffer(unpack(html, "norms-0"), np.uint8)
    assert (len(steps), steps[norms.argmax()], steps[norms.argmin()]) == (8, 255, 0)


def test_a_table_that_lacks_tokens_has_data_of_its_own_tokens_alone() -> None:
    words = ["王", "女", "apple", "pear", "fig"]
    rows = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    other = table_of(dict(zip(words, rows.tolist(), strict=True)), model="words")
    token_map = build_map([random_table(), other])
    html = build_page(token_map, vectors=True)
    V = len(MAP_TOKENS) + 3
    has = np.frombuffer(unpack(html, "has-1"), np.uint8)
    assert np.flatnonzero(has).tolist() == [1, 3, V - 3, V - 2, V - 1]
    assert len(np.frombuffer(unpack(html, "positions-1"), "<u2")) == 10
    scales = np.frombuffer(unpack(html, "scales-1"), "<f4")
    values = np.frombuffer(unpack(html, "vectors-1"), np.int8).reshape(V, 3)
    np.testing.assert_allclose((values * scales[:, None])[has == 1], rows, atol=0.02)
    assert np.frombuffer(unpack(html, "searchable-1"), np.uint8).tolist() == has.tolist()
    assert metadata_of(html)["isJoint"] is True


def test_the_page_has_no_vectors_by_default() -> None:
    token_map = random_map(random_table())
    html = build_page(token_map)
    assert "pack-vectors" not in html
    assert estimate_vector_bytes(token_map) == len(MAP_TOKENS) * 6 * 4 // 3


def test_the_import_map_has_every_module_and_no_other(html: str) -> None:
    found = re.search(r'<script type="importmap">(.*?)</script>', html)
    assert found
    modules = {
        name: base64.b64decode(url.partition(",")[2]).decode()
        for name, url in json.loads(found[1])["imports"].items()
    }
    imported = {name for text in modules.values() for name in re.findall(r'from "(map/\w+)"', text)}
    assert imported | {"map/main"} == set(modules)


def test_without_pydeck_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match="a map page needs pydeck") as caught:
        build_page(random_map(random_table()))
    assert caught.value.hint == "pip install 'wordvec[map]'"

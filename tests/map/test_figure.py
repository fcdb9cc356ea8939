"""Pictures of a map by matplotlib."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.maps import MAP_TOKENS, random_map, random_table
from wordvec.map import figure
from wordvec.map.build import Window
from wordvec.map.figure import choose_labels, draw_picture, find_japanese_font
from wordvec.tables.name import Mode
from wordvec.text import TokenClass

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def test_png_and_svg_files_are_reproducible(tmp_path: Path) -> None:
    token_map = random_map(random_table(), random_table(seed=1, mode=Mode.DYNAMIC))
    for file_format, start in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        for name in ("a", "b"):
            draw_picture(token_map, tmp_path / f"{name}.{file_format}", file_format=file_format)
        content = (tmp_path / f"a.{file_format}").read_bytes()
        assert content.startswith(start)
        assert content == (tmp_path / f"b.{file_format}").read_bytes()


def test_without_a_japanese_font_a_note_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "JAPANESE_FONTS", ())
    notes = draw_picture(random_map(random_table()), tmp_path / "map.png", file_format="png")
    assert notes == (figure.NO_FONT,)
    assert (tmp_path / "map.png").stat().st_size > 1000


def test_a_font_that_was_installed_later_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import font_manager

    if find_japanese_font() is None:
        pytest.skip("no Japanese font is installed: apt install fonts-noto-cjk")
    japanese = {
        font.fname
        for font in font_manager.fontManager.ttflist
        if "CJK" in font.fname or font.name in figure.JAPANESE_FONTS
    }
    others = [font for font in font_manager.fontManager.ttflist if font.fname not in japanese]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", others)  # an outdated font cache
    assert find_japanese_font() in figure.JAPANESE_FONTS


@pytest.mark.parametrize(
    ("japanese", "written"),
    [(True, ["", "-1999", "", "+王", "king-1999+王"]), (False, ["", "-1999", ""])],
)
def test_the_arrows_of_an_expression_are_drawn_and_labelled(
    japanese: bool,  # noqa: FBT001  (pytest passes it by name)
    written: list[str],
) -> None:
    from matplotlib.figure import Figure

    token_map = random_map(random_table(), sources=("king-1999+王",))
    (mapped,) = token_map.tables
    axes: Any = Figure().add_subplot()
    figure._draw_expression(axes, token_map, mapped, mapped.expressions[0], japanese=japanese)
    assert [text.get_text() for text in axes.texts] == written
    styles = [text.arrow_patch.get_linestyle() for text in axes.texts if text.arrow_patch]
    assert styles == ["--", "-"]


def test_a_partial_sum_is_drawn_at_the_weighted_mean_position() -> None:
    token_map = random_map(random_table(), sources=("王-男+女",))
    (mapped,) = token_map.tables
    for partial_sum in mapped.expressions[0].partial_sums:
        expected = np.average(
            mapped.positions[list(partial_sum.rows)], axis=0, weights=partial_sum.weights
        )
        found = figure._mean_position(token_map, mapped, partial_sum)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_earlier_tokens_are_labelled_first_and_labels_do_not_overlap() -> None:
    positions: NDArray[np.float32] = np.array([[0, 0], [3, 1], [100, 0], [0, 30]], dtype=np.float32)
    assert list(choose_labels(positions, ["王", "男", "女", "子"])) == [0, 2, 3]


@pytest.mark.parametrize("name", ["$x^2", "$\\frac{", "a$b$c"])
def test_a_dollar_in_the_name_of_a_model_is_an_ordinary_character(name: str) -> None:
    from matplotlib.figure import Figure

    table = random_table()
    renamed = replace(table, provenance=replace(table.provenance, model=name))
    token_map = random_map(renamed)
    axes: Any = Figure().add_subplot()
    figure._draw_table(axes, token_map, token_map.tables[0], japanese=False)
    assert axes.title.get_text() == f"{name}:static"
    assert not axes.title.get_parse_math()


def test_characters_without_a_glyph_are_counted_in_one_note(tmp_path: Path) -> None:
    table = random_table()
    tokens = ["\u0e01\u0e02" if each == "king" else each for each in MAP_TOKENS]  # Thai
    tokens[tokens.index("1999")] = "\u0e01\u0e03\u0e04"
    thai = replace(table, vocabulary=replace(table.vocabulary, tokens=tuple(tokens)))
    notes = draw_picture(random_map(thai), tmp_path / "map.png", file_format="png")
    assert notes[-1] == (
        "4 characters have no glyph in the fonts of the picture and a box in their place: "
        "U+0E01, U+0E02, U+0E03, …"
    )


def test_a_part_of_the_map_has_the_token_in_its_centre_and_other_limits() -> None:
    from matplotlib.figure import Figure

    token_map = random_map(random_table())
    (mapped,) = token_map.tables
    row = MAP_TOKENS.index("王")
    part = replace(token_map, window=Window(around=row, zoom=4))
    axes: Any = Figure().add_subplot()
    figure._draw_table(axes, part, mapped, japanese=True)
    centre, spans = mapped.positions[row], np.ptp(mapped.positions, axis=0)
    np.testing.assert_allclose(axes.get_xlim(), centre[0] + np.array([-1, 1]) * spans[0] / 8)
    np.testing.assert_allclose(axes.get_ylim(), centre[1] + np.array([-1, 1]) * spans[1] / 8)
    assert "王" in [text.get_text() for text in axes.texts]
    assert len(axes.texts) < len(MAP_TOKENS)


def test_one_class_is_drawn_alone() -> None:
    from matplotlib.figure import Figure

    part = replace(random_map(random_table()), window=Window(only=TokenClass.NUMBER))
    axes: Any = Figure().add_subplot()
    figure._draw_table(axes, part, part.tables[0], japanese=True)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["numbers (1)"]
    assert [text.get_text() for text in axes.texts] == ["1999"]

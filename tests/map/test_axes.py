"""Pictures of words on an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import wordvec
from support.cli import run
from support.tables import dynamic_table, fill, toy_table
from wordvec.api import Table
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("matplotlib")

TABLES = [Table(toy_table()), Table(dynamic_table())]


def test_a_picture_has_the_words_and_the_poles(tmp_path: Path) -> None:
    file = tmp_path / "axis.svg"
    wordvec.axis(TABLES, "king-k", ["m", "km", "1999"], svg=file)
    drawn = file.read_text("utf-8")
    # matplotlib names each label in a comment
    for label in ("m", "km", "1999", "k ← → king", "static", "dynamic"):
        assert f"<!-- {label} -->" in drawn


def test_two_axes_have_a_scatter_for_each_table(tmp_path: Path) -> None:
    file = tmp_path / "axis.svg"
    wordvec.axis(TABLES, "king-k", ["m", "km"], y="m", svg=file)
    drawn = file.read_text("utf-8")
    assert drawn.count("<!-- cosine: k ← → king -->") == 2
    assert drawn.count("<!-- cosine: → m -->") == 2
    assert drawn.count("<!-- km -->") == 2


def test_equal_reports_give_equal_pictures(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.svg", "other.svg")]
    for file in files:
        wordvec.axis(TABLES, "king-k", ["m", "km"], y="m", svg=file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_command_writes_both_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(Store())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")
    png, svg = tmp_path / "axis.png", tmp_path / "axis.svg"
    assert run("axis", "女-男", "王", "子", "--png", png, "--svg", svg).code == 0
    assert png.read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in svg.read_bytes()
    code, out, err = run("axis", "女-男", "王", "--png", tmp_path / "no" / "axis.png")
    assert (code, out) == (2, "")
    assert "there is no folder" in err

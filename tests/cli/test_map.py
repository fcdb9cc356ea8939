"""`wordvec map` on a table of 25 tokens."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from support.cli import run
from support.tables import WORDS, table_of
from wordvec.tables.name import Mode
from wordvec.tables.store import Store


@pytest.fixture(autouse=True)
def _stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for mode in Mode:
        rows = rng.normal(size=(len(WORDS), 5)).astype(np.float32)
        named = dict(zip(WORDS, rows.tolist(), strict=True))
        Store().save(table_of(named, model="toy", mode=mode))
    monkeypatch.setenv("WORDVEC_MODEL", "toy")
    monkeypatch.chdir(tmp_path)


def test_a_page_is_written_and_named() -> None:
    code, out, err = run("map")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"map\.html  1\.\d MB  25 tokens\n", out)
    assert Path("map.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_second_run_gives_the_same_file() -> None:
    run("map", "-o", "a.html", "--expression", "王-男+女")
    run("map", "-o", "b.html", "--expression", "王-男+女")
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()


def test_a_page_of_two_tables_with_vectors_notes_their_size() -> None:
    code, out, err = run("map", "--tables", "static,dynamic", "--vectors", "-o", "both.html")
    assert code == 0
    assert err == "Note: the vectors make the page about 332 B larger\n"
    assert out.startswith("both.html  ")
    assert "Map of toy:static and toy:dynamic" in Path("both.html").read_text("utf-8")


def test_two_tables_of_a_named_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORDVEC_MODEL")
    code, _, err = run("map", "--tables", "static,dynamic", "--model", "toy")
    assert (code, err) == (0, "")
    assert "Map of toy:static and toy:dynamic" in Path("map.html").read_text("utf-8")


def test_pictures_can_be_written_without_a_page() -> None:
    code, out, err = run("map", "--png", "map.png", "--svg", "map.svg", "--tokens", "10")
    assert code == 0, err
    assert [line.split("  ")[0] for line in out.splitlines()] == ["map.png", "map.svg"]
    assert "10 tokens" in out
    assert not Path("map.html").exists()


@pytest.mark.parametrize(("name", "start"), [("map.png", b"\x89PNG"), ("map.SVG", b"<?xml")])
def test_the_suffix_of_the_output_says_what_is_written(name: str, start: bytes) -> None:
    code, out, err = run("map", "-o", name, "--tokens", "10")
    assert code == 0, err
    assert [line.split("  ")[0] for line in out.splitlines()] == [name]
    assert Path(name).read_bytes().startswith(start)


def test_transform_and_metric_are_named_in_the_page() -> None:
    run("map", "--transform", "center,unit", "--metric", "cosine", "--tokens", "all")
    assert "center unit vectors · t-SNE of cosine similarity" in Path("map.html").read_text("utf-8")


def test_a_row_that_is_too_long_is_left_out_with_a_note() -> None:
    rows = np.random.default_rng(0).normal(size=(len(WORDS), 4))
    rows[3] = 3e38
    Store().save(table_of(dict(zip(WORDS, rows.tolist(), strict=True)), model="long"))
    code, out, err = run("map", "--model", "long", "--expression", WORDS[3])
    assert (code, out.split("  ")[-1]) == (0, f"{len(WORDS) - 1} tokens\n")
    assert err == "Note: 1 token left out (vector not finite, or longer than 1e17)\n"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--tokens", "some"], 2, "'some' is neither a number of tokens nor all"),
        (["--tokens", "0"], 2, "'0' is neither a number of tokens nor all"),
        (["--tokens", "3"], 1, "a map needs at least 5 tokens, got 3"),
        (["--tables", "static"], 2, "--tables takes two tables, got 1: static"),
        (
            ["--tables", "static,dynamic", "--mode", "dynamic"],
            2,
            "use either --tables or --table and --mode",
        ),
        (["--tables", "static,other:static"], 1, "other:static"),
        (["--expression", "女帝-男"], 1, "女帝"),
        (["--expression", "王 男"], 1, "expected + or - between two words"),
        (["--transform", "bigger"], 2, "unknown transform 'bigger'"),
        (["--png", "map.jpg"], 2, "--png map.jpg: .jpg is not a suffix of what is written, which "),
        (["--svg", "map.png"], 2, "--svg map.png: .png is not a suffix of what is written, which "),
        (["-o", "map.pdf"], 2, "is written, which is .html or .htm or .png or .svg"),
        (["-o", "a.png", "--png", "b.png"], 2, "both -o a.png and b.png are pictures"),
        (["-o", "no/such/map.html"], 2, "there is no folder no/such\nHint: mkdir -p no/such"),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run("map", *args)
    assert (found, out) == (code, "")
    assert message in err

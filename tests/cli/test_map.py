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
    page = Path("map.html").resolve().as_uri()
    assert (code, err) == (0, f"Note: open it in a browser: {page} (or add --open)\n")
    assert re.fullmatch(r"map\.html  1\.\d MB  25 tokens\n", out)
    assert Path("map.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_second_run_gives_the_same_file() -> None:
    run("map", "-o", "a.html", "--expression", "王-男+女")
    run("map", "-o", "b.html", "--expression", "王-男+女")
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()


def test_a_page_of_two_tables_with_vectors_notes_their_size() -> None:
    code, out, err = run("map", "--tables", "static,dynamic", "--vectors", "-o", "both.html")
    assert code == 0
    assert err.startswith("Note: the vectors make the page about 332 B larger\nNote: open it")
    assert out.startswith("both.html  ")
    assert "Map of toy:static and toy:dynamic" in Path("both.html").read_text("utf-8")


def test_two_tables_of_a_named_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORDVEC_MODEL")
    code, _, err = run("map", "--tables", "static,dynamic", "--model", "toy")
    assert code == 0, err
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


def test_transform_and_metric_are_in_the_data_of_the_page() -> None:
    run("map", "--transform", "center,unit", "--metric", "cosine", "--tokens", "all")
    html = Path("map.html").read_text("utf-8")
    assert '"metric":"cosine","transforms":["center","unit"]' in html


def test_a_file_of_labels_colours_the_page_and_unknown_words_are_counted() -> None:
    Path("labels.tsv").write_text("王\t人\n女\t人\n女帝\t人\n", "utf-8")
    code, _, err = run("map", "--labels", "labels.tsv")
    assert code == 0
    assert err.startswith(
        "Note: 1 word of labels.tsv is not in this vocabulary and has no label: '女帝'\n"
    )
    assert '"labels":["人"]' in Path("map.html").read_text("utf-8")


def test_open_opens_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def launch(url: str) -> int:
        opened.append(url)
        return 0

    monkeypatch.setattr("click.launch", launch)
    assert run("map", "--open")[0::2] == (0, "")
    assert opened == [Path("map.html").resolve().as_uri()]
    monkeypatch.setattr("click.launch", lambda _url: 1)
    assert run("map", "--open")[2] == f"Warning: no browser could be started; open {opened[0]}\n"


def test_a_page_can_start_around_a_token_or_with_one_class() -> None:
    run("map", "--around", "王", "--zoom", "4", "--only", "kanji")
    row = WORDS.index("王")
    html = Path("map.html").read_text("utf-8")
    assert f'"start":{{"t":"#{row}","z":4.0,"only":"kanji"}}' in html
    run("map")
    assert '"start":{}' in Path("map.html").read_text("utf-8")


@pytest.mark.parametrize(
    "args", [["--around", "石", "--tokens", "5"], ["--only", "katakana"], ["--colour", "moved"]]
)
def test_a_part_that_is_not_on_the_map_is_refused_before_positions_are_computed(
    args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_settings: object) -> None:
        raise AssertionError("positions were computed")

    monkeypatch.setattr("wordvec.map.build.project", fail)
    code, _, err = run("map", *args)
    assert code in (1, 2)
    assert err.startswith("Error: ")


def test_all_tables_of_the_model_are_stops_in_their_order() -> None:
    code, _, err = run("map", "--tables", "all")
    assert code == 0, err
    html = Path("map.html").read_text("utf-8")
    assert re.findall(r'"name":"(toy:\w+)"', html) == [
        "toy:static",
        "toy:contextual",
        "toy:dynamic",
    ]


def test_tables_of_different_vocabularies_share_a_page() -> None:
    rows = np.random.default_rng(1).normal(size=(6, 3))
    words = ["王", "女", "apple", "pear", "fig", "kiwi"]
    Store().save(table_of(dict(zip(words, rows.tolist(), strict=True)), model="vectors"))
    code, out, err = run("map", "--tables", "static,vectors:static", "--expression", "王-女")
    assert code == 0, err
    assert out.endswith(f"{len(WORDS) + 4} tokens\n")
    code, _, err = run("map", "--tables", "static,vectors:static", "--expression", "王-男")
    assert code == 1
    assert 'vectors:static: "男" is not in this vocabulary' in err


def test_a_picture_shows_the_colours_that_are_chosen(tmp_path: Path) -> None:
    labels = tmp_path / "labels.tsv"
    labels.write_text("王\t_人 $x^2$\n", "utf-8")
    pictures = set()
    for colour in ("class", "region", "row", "norm", "moved", "tables", "labels"):
        code, _, err = run(
            "map", "--tables", "static,dynamic", "--labels", str(labels), "--colour", colour,
            "--png", f"{colour}.png",
        )  # fmt: skip
        assert (code, err) == (0, "")
        pictures.add(Path(f"{colour}.png").read_bytes())
    assert len(pictures) == 7


def test_a_row_that_is_too_long_is_left_out_with_a_note() -> None:
    rows = np.random.default_rng(0).normal(size=(len(WORDS), 4))
    rows[3] = 3e38
    Store().save(table_of(dict(zip(WORDS, rows.tolist(), strict=True)), model="long"))
    code, out, err = run("map", "--model", "long", "--expression", WORDS[3])
    assert (code, out.split("  ")[-1]) == (0, f"{len(WORDS) - 1} tokens\n")
    note, _ = err.splitlines()  # the other says how to open the page
    assert note == "Note: 1 token left out (vector not finite, or longer than 1e17)"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--tokens", "some"], 2, "'some' is neither a number of tokens nor all"),
        (["--tokens", "0"], 2, "'0' is neither a number of tokens nor all"),
        (["--tokens", "3"], 1, "a map needs at least 5 tokens, got 3"),
        (["--projection", "pca", "--perplexity", "5"], 2, "is a setting of t-SNE, not of pca"),
        (["--colour", "labels"], 2, "need a file of labels\nHint: --labels FILE.tsv"),
        (["--colour", "moved"], 2, "colours by moved need two tables"),
        (["--colour", "norm", "--only", "kanji"], 2, "shown with the colours of classes, not of"),
        (["--tables", "all", "--mode", "dynamic"], 2, "use either --tables or --table"),
        (
            ["--tables", "static,dynamic", "--mode", "dynamic"],
            2,
            "use either --tables or --table, --mode and --variant",
        ),
        (["--tables", "static,other:static"], 1, "other:static"),
        (["--expression", "女帝-男"], 1, "女帝"),
        (["--expression", "王 男"], 1, "expected + or - between two words"),
        (["--transform", "bigger"], 2, "unknown transform 'bigger'"),
        (["--png", "map.jpg"], 2, "--png map.jpg: .jpg is not a suffix of what is written, which "),
        (["--svg", "map.png"], 2, "--svg map.png: .png is not a suffix of what is written, which "),
        (["-o", "map.pdf"], 2, "is written, which is .html or .htm or .png or .svg"),
        (["-o", "a.png", "--png", "b.png"], 2, "both -o a.png and b.png are pictures"),
        (["--zoom", "3"], 2, "--zoom needs --around TOKEN"),
        (["--around", "女帝"], 1, "女帝"),
        (["--around", "石", "--tokens", "5"], 1, "is not on this map\nHint: --tokens all"),
        (["--only", "katakana"], 1, "no token on this map has the class katakana"),
        (["--only", "verb"], 2, "'verb' is not one of"),
        (["--open", "--png", "a.png"], 2, "--open needs a page, and only a picture is written"),
        (["--labels", "none.tsv"], 2, "File 'none.tsv' does not exist"),
        (["-o", "no/such/map.html"], 2, "there is no folder no/such\nHint: mkdir -p no/such"),
    ],
)
def test_wrong_arguments_are_refused(args: list[str], code: int, message: str) -> None:
    found, out, err = run("map", *args)
    assert (found, out) == (code, "")
    assert message in err

"""`wordvec tables`: list, verify, remove."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import table_of
from wordvec.analysis.display import OutputStyle
from wordvec.cli.tables import age_text
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

ROWS = {"王": [1.0, 0.0], "女": [0.0, 2.0], "男": [3.0, 4.0]}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Give the store of the commands."""
    monkeypatch.setenv("WORDVEC_HOME", str(tmp_path / "tables"))
    return Store()


def draft(store: Store, *, done: int = 2) -> None:
    """Leave the dynamic extraction of `made` unfinished."""
    table = table_of(ROWS, mode=Mode.DYNAMIC)
    with store.draft(table.provenance, table.vocabulary, 2, {}, force=True) as unfinished:
        unfinished.write(0, table.vectors[:done])
        unfinished.commit_rows(done)


def test_an_empty_store_suggests_the_command_to_extract(store: Store) -> None:
    line = "No tables in STORE yet. To extract one: wordvec extract --mode static\n"
    assert run("tables").masked(store=store.root) == (0, line, "")
    assert run("tables", "--json") == (0, "[]\n", "")
    assert run("tables", "--jsonl") == (0, "", "")


def test_the_list_has_model_mode_shape_size_and_age(store: Store) -> None:
    store.save(table_of(ROWS, model="cl-tohoku/bert"))
    store.save(table_of(ROWS, model="王の模型", mode=Mode.DYNAMIC))
    code, out, err = run("tables")
    assert (code, err) == (0, "")
    assert re.sub(r"\d+ kB|\d+ B", "1 kB", out) == (
        "model           mode     V × D  size  age\n"
        "cl-tohoku/bert  static   3 × 2  1 kB  now\n"
        "王の模型        dynamic  3 × 2  1 kB  now\n"
    )


def test_an_unfinished_extraction_is_shown_with_its_progress(store: Store) -> None:
    store.save(table_of(ROWS))
    draft(store)
    code, out, err = run("tables")
    assert (code, err) == (0, "")
    assert [re.split(r"  +", line) for line in out.splitlines()] == [
        ["model", "mode", "V × D", "size", "age", "state"],
        ["made", "dynamic", "3 × 2", out.splitlines()[1].split("  ")[3].strip(), "now",
         "2 done (66 %)"],
        ["made", "static", "3 × 2", re.split(r"  +", out.splitlines()[2])[3], "now"],
    ]  # fmt: skip


def test_the_list_as_json(store: Store) -> None:
    store.save(table_of(ROWS))
    draft(store)
    code, out, _ = run("tables", "--json")
    assert code == 0
    listed = json.loads(out)
    infos = store.tables()
    assert listed == [
        {
            "table": {
                "model": "made",
                "mode": mode,
                "layer": None,
                "tokens": 3,
                "dimensions": 2,
            },
            "bytes": info.bytes,
            "created": info.created,
            "done": done,
            "problems": [],
            "source": "extract",
        }
        for mode, done, info in zip(("dynamic", "static"), (2, None), infos, strict=True)
    ]
    assert [json.loads(line) for line in run("tables", "--jsonl")[1].splitlines()] == listed


def test_the_list_as_tsv(store: Store) -> None:
    store.save(table_of(ROWS))
    [info] = store.tables()
    assert run("tables", "--tsv")[1] == (
        "model\tmode\tlayer\ttokens\tdimensions\tbytes\tcreated\tdone\tproblem\tsource\tvariant\n"
        f"made\tstatic\t\t3\t2\t{info.bytes}\t{info.created}\t\t\textract\t\n"
    )


def test_the_list_shows_variants_and_layers(store: Store) -> None:
    table = table_of(ROWS, mode=Mode.DYNAMIC)
    for variant, layer in ((None, None), (None, 0), ("short", 1)):
        provenance = replace(table.provenance, variant=variant, layer=layer, layers=2)
        store.save(replace(table, provenance=provenance))
    code, out, _ = run("tables")
    assert code == 0
    assert [line.split()[:-4] for line in out.splitlines()] == [
        ["model", "mode", "variant", "layer", "V"],
        ["made", "dynamic", "0", "3", "×"],
        ["made", "dynamic", "2", "(last)", "3", "×"],
        ["made", "dynamic", "short", "1", "3", "×"],
    ]
    listed = [one["table"] for one in json.loads(run("tables", "--json")[1])]
    assert [(one["layer"], one.get("variant")) for one in listed] == [
        (0, None), (None, None), (1, "short")
    ]  # fmt: skip
    assert run("tables", "rm", "made:dynamic.short@1", "made:dynamic@2", "--yes").code == 0
    assert [str(name) for name in store.names()] == ["made:dynamic@0"]


def test_verify_shows_which_tables_are_damaged(store: Store) -> None:
    store.save(table_of(ROWS))
    store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    code, out, err = run("tables", "--verify")
    assert (code, err) == (0, "")
    assert out.count("  sound\n") == 2
    path = store.root / "made/static/vectors.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert run("tables")[::2] == (0, "")  # without --verify, no rows are read
    code, out, err = run("tables", "--verify")
    assert code == 1
    assert [line.split("  ")[-1] for line in out.splitlines()] == ["state", "sound", "damaged"]
    assert err == "Warning: made:static: vectors.npy: wrong checksum\n"
    assert json.loads(run("tables", "--verify", "--json")[1])[1]["problems"] == [
        "vectors.npy: wrong checksum"
    ]


def test_a_damaged_table_is_listed_and_removed(store: Store) -> None:
    store.save(table_of(ROWS))
    (store.root / "made/static/manifest.json").write_text("{", encoding="utf-8")
    code, out, err = run("tables").masked(store=store.root)
    assert code == 0
    assert out.splitlines()[1].endswith("damaged")
    assert err == ("Warning: made:static: STORE/made/static/manifest.json is not valid JSON\n")
    assert run("tables", "rm", "made:static", "--yes")[0] == 0
    assert store.tables() == []


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        (70, ["model                    mode    V × D  size  age",
              "an-organisation/a-model  static  3 × 2  1 kB  now"]),
        (45, ["model                mode    V × D  size  age",
              "an-organisation/a-…  static  3 × 2  1 kB  now"]),
        (30, ["mode    V × D  size  age",
              "an-organisation/a-model",
              "static  3 × 2  1 kB  now"]),
    ],
)  # fmt: skip
def test_the_list_fits_the_terminal(
    store: Store, monkeypatch: pytest.MonkeyPatch, cells: int, lines: list[str]
) -> None:
    from wordvec.cli import tables

    monkeypatch.setattr(tables, "size_text", lambda _: "1 kB")
    store.save(table_of(ROWS, model="an-organisation/a-model"))
    assert run("tables", style=OutputStyle(cells=cells)).out.splitlines() == lines


def test_the_state_fits_the_terminal_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from wordvec.cli import tables

    monkeypatch.setattr(tables, "size_text", lambda _: "1 kB")
    store.save(table_of(ROWS, model="an-organisation/a-model"))
    assert run("tables", "--verify", style=OutputStyle(cells=26)).out.splitlines() == [
        "mode    V × D  size  age",
        "an-organisation/a-…  sound",
        "static  3 × 2  1 kB  now",
    ]


# Removing


def test_rm_asks_for_confirmation(store: Store) -> None:
    store.save(table_of(ROWS))
    store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    code, out, err = run("tables", "rm", "made:static", "made:dynamic", stdin="n\n")
    assert code == 1
    assert out.endswith("Nothing was removed.\n")
    assert re.sub(r"\d+ k?B", "1 kB", err).rstrip() == (
        "  made:static (1 kB)\n  made:dynamic (1 kB)\nRemove these 2 tables? [y/N]:"
    )
    assert len(store.tables()) == 2
    code, out, _ = run("tables", "rm", "made:static", stdin="y\n")
    assert code == 0
    assert re.search(r"removed made:static \(\d+ k?B\)\n", out)
    assert [str(info.name) for info in store.tables()] == ["made:dynamic"]


def test_rm_does_not_wait_for_an_answer_without_a_terminal(store: Store) -> None:
    store.save(table_of(ROWS))
    code, _, err = run("tables", "rm", "made:static")
    assert code == 2
    assert err.endswith(
        "Error: cannot ask for confirmation: not a terminal\nHint: --yes removes without asking\n"
    )
    assert len(store.tables()) == 1


def test_rm_removes_unfinished_extractions_too(store: Store) -> None:
    store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    draft(store)
    code, out, _ = run("tables", "rm", "--yes", "made:dynamic")
    assert code == 0
    assert re.fullmatch(r"removed made:dynamic \(\d+ k?B, with an unfinished extraction\)\n", out)
    assert store.tables() == []
    draft(store)
    code, out, _ = run("tables", "rm", "--yes", "made:dynamic")
    assert re.fullmatch(r"removed made:dynamic \(\d+ k?B, unfinished\)\n", out)
    assert store.tables() == []


def test_rm_removes_nothing_if_one_name_is_wrong(store: Store) -> None:
    store.save(table_of(ROWS))
    arguments = ("made:static", "maid:static")
    code, _, err = run("tables", "rm", "--yes", *arguments).masked(store=store.root)
    assert (code, err) == (
        1,
        "Error: there is no table maid:static in STORE\nHint: wordvec tables\n",
    )
    code, _, err = run("tables", "rm", "--yes", "made")
    assert code == 2
    assert "'made' is not a table name" in err
    assert len(store.tables()) == 1


def test_rm_without_a_model_means_the_default_one_and_never_the_bundled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(table_of(ROWS, model="mini"))
    code, _, err = run("tables", "rm", "--yes", "static")
    assert code == 1
    assert "no table cl-tohoku/bert-base-japanese-whole-word-masking:static" in err
    monkeypatch.setenv("WORDVEC_MODEL", "mini")
    assert run("tables", "rm", "--yes", "static")[0] == 0


@pytest.mark.parametrize("last", [True, False])
def test_rm_accepts_the_store_before_or_after_its_name(
    store: Store, tmp_path: Path, *, last: bool
) -> None:
    other = Store(tmp_path / "other")
    other.save(table_of(ROWS))
    store.save(table_of(ROWS))
    place = ["--store", str(other.root)]
    before, after = ([], place) if last else (place, [])
    assert run("tables", *before, "rm", "made:static", "--yes", *after)[0] == 0
    assert other.tables() == []
    assert TableName("made", Mode.STATIC) in store


def test_control_characters_in_names_are_escaped(store: Store) -> None:
    store.save(table_of(ROWS, model="a\x1b[2Jb"))
    assert "a\\u001b[2Jb" in run("tables")[1]
    assert run("tables", "rm", "--yes", "a\\u001b[2Jb:static")[0] == 0
    assert store.tables() == []


@pytest.mark.parametrize(
    ("created", "text"),
    [
        ("2026-01-02T12:00:00+00:00", "now"),
        ("2026-01-02T11:54:59+00:00", "5 min"),
        ("2026-01-02T00:00:00+00:00", "12 h"),
        ("2025-12-01T00:00:00+00:00", "32 d"),
        ("2027-12-01T00:00:00+00:00", "now"),  # a clock that was set back
        ("yesterday", "?"),
        ("2026-01-02T12:00:00", "?"),
    ],
)
def test_ages_are_short(created: str, text: str) -> None:
    from datetime import UTC, datetime

    assert age_text(created, datetime(2026, 1, 2, 12, tzinfo=UTC)) == text

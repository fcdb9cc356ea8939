"""`wordvec tables`, as a user runs it: the list, the checks, the removal."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import pytest

from support.tables import table_of
from wordvec.cli import group
from wordvec.cli.tables import age_text, size_text
from wordvec.tables.name import Mode, TableName
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from pathlib import Path

ROWS = {"王": [1.0, 0.0], "女": [0.0, 2.0], "男": [3.0, 4.0]}


class Here:
    """Runs commands in this process; what each printed is compared word for word."""

    def __init__(self, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self.capsys = capsys
        self.store = Store(home)

    def __call__(self, *args: str) -> tuple[int, str, str]:
        """Run `wordvec ARGS`: exit code, stdout, stderr; the store's folder reads STORE."""
        with pytest.raises(SystemExit) as stop:
            group.main(list(args), prog_name="wordvec")
        out, err = self.capsys.readouterr()
        root = str(self.store.root)
        return int(stop.value.code or 0), out.replace(root, "STORE"), err.replace(root, "STORE")


@pytest.fixture
def here(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Here:
    monkeypatch.setenv("WORDVEC_HOME", str(tmp_path / "tables"))
    return Here(capsys, tmp_path / "tables")


def draft(store: Store, *, done: int = 2) -> None:
    """Leave the dynamic extraction of `made` unfinished."""
    table = table_of(ROWS, mode=Mode.DYNAMIC)
    with store.draft(table.provenance, table.vocabulary, 2, {}, force=True) as unfinished:
        unfinished.write(0, table.vectors[:done])
        unfinished.commit_rows(done)


def test_an_empty_store_says_what_to_type(here: Here) -> None:
    line = "No tables in STORE yet. To make one: wordvec extract --mode static\n"
    assert here("tables") == (0, line, "")
    assert here("tables", "--json") == (0, "[]\n", "")
    assert here("tables", "--jsonl") == (0, "", "")


def test_the_list_has_model_mode_shape_size_and_age(here: Here) -> None:
    here.store.save(table_of(ROWS, model="cl-tohoku/bert"))
    here.store.save(table_of(ROWS, model="王の模型", mode=Mode.DYNAMIC))
    code, out, err = here("tables")
    assert (code, err) == (0, "")
    assert re.sub(r"\d+ kB|\d+ B", "1 kB", out) == (
        "model           mode     V × D  size  age\n"
        "cl-tohoku/bert  static   3 × 2  1 kB  now\n"
        "王の模型        dynamic  3 × 2  1 kB  now\n"
    )


def test_an_unfinished_extraction_is_shown_with_its_progress(here: Here) -> None:
    here.store.save(table_of(ROWS))
    draft(here.store)
    code, out, err = here("tables")
    assert (code, err) == (0, "")
    assert [re.split(r"  +", line) for line in out.splitlines()] == [
        ["model", "mode", "V × D", "size", "age", "state"],
        ["made", "dynamic", "3 × 2", out.splitlines()[1].split("  ")[3].strip(), "now",
         "2 done (66 %)"],
        ["made", "static", "3 × 2", re.split(r"  +", out.splitlines()[2])[3], "now"],
    ]  # fmt: skip


def test_the_list_as_json(here: Here) -> None:
    here.store.save(table_of(ROWS))
    draft(here.store)
    code, out, _ = here("tables", "--json")
    assert code == 0
    listed = json.loads(out)
    infos = here.store.tables()
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
        }
        for mode, done, info in zip(("dynamic", "static"), (2, None), infos, strict=True)
    ]
    assert [json.loads(line) for line in here("tables", "--jsonl")[1].splitlines()] == listed


def test_the_list_as_tsv(here: Here) -> None:
    here.store.save(table_of(ROWS))
    [info] = here.store.tables()
    assert here("tables", "--tsv")[1] == (
        "model\tmode\tlayer\ttokens\tdimensions\tbytes\tcreated\tdone\tproblem\n"
        f"made\tstatic\t\t3\t2\t{info.bytes}\t{info.created}\t\t\n"
    )


def test_verify_says_what_is_sound_and_what_is_not(here: Here) -> None:
    here.store.save(table_of(ROWS))
    here.store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    code, out, err = here("tables", "--verify")
    assert (code, err) == (0, "")
    assert out.count("  sound\n") == 2
    path = here.store.root / "made/static/vectors.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert here("tables")[::2] == (0, "")  # the list alone reads no rows
    code, out, err = here("tables", "--verify")
    assert code == 1
    assert [line.split("  ")[-1] for line in out.splitlines()] == ["state", "sound", "damaged"]
    assert err == "Warning: made:static: vectors.npy: wrong checksum\n"
    assert json.loads(here("tables", "--verify", "--json")[1])[1]["problems"] == [
        "vectors.npy: wrong checksum"
    ]


def test_a_damaged_table_is_listed_and_removed(here: Here) -> None:
    here.store.save(table_of(ROWS))
    (here.store.root / "made/static/manifest.json").write_text("{", encoding="utf-8")
    code, out, err = here("tables")
    assert code == 0
    assert out.splitlines()[1].endswith("damaged")
    assert err == ("Warning: made:static: STORE/made/static/manifest.json is not valid JSON\n")
    assert here("tables", "rm", "made:static", "--yes")[0] == 0
    assert here.store.tables() == []


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
    here: Here, monkeypatch: pytest.MonkeyPatch, cells: int, lines: list[str]
) -> None:
    from wordvec.cli import output, tables

    monkeypatch.setattr(output.OutputStyle, "of", lambda _: output.OutputStyle(cells=cells))
    monkeypatch.setattr(tables, "size_text", lambda _: "1 kB")
    here.store.save(table_of(ROWS, model="an-organisation/a-model"))
    assert here("tables")[1].splitlines() == lines


def test_the_state_fits_the_terminal_too(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from wordvec.cli import output, tables

    monkeypatch.setattr(output.OutputStyle, "of", lambda _: output.OutputStyle(cells=26))
    monkeypatch.setattr(tables, "size_text", lambda _: "1 kB")
    here.store.save(table_of(ROWS, model="an-organisation/a-model"))
    assert here("tables", "--verify")[1].splitlines() == [
        "mode    V × D  size  age",
        "an-organisation/a-…  sound",
        "static  3 × 2  1 kB  now",
    ]


# Removing


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_rm_asks_first(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.store.save(table_of(ROWS))
    here.store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    answer(monkeypatch, "n\n")
    code, out, err = here("tables", "rm", "made:static", "made:dynamic")
    assert code == 1
    assert out.endswith("Nothing was removed.\n")
    # click before 8.4 writes the space after the question to standard output
    assert re.sub(r"\d+ k?B", "1 kB", err).rstrip(" ") == (
        "  made:static (1 kB)\n  made:dynamic (1 kB)\nRemove these 2 tables? [y/N]:"
    )
    assert len(here.store.tables()) == 2
    answer(monkeypatch, "y\n")
    code, out, _ = here("tables", "rm", "made:static")
    assert code == 0
    assert re.search(r"removed made:static \(\d+ k?B\)\n", out)
    assert [str(info.name) for info in here.store.tables()] == ["made:dynamic"]


def test_rm_does_not_wait_where_nobody_can_answer(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.store.save(table_of(ROWS))
    answer(monkeypatch, "")
    code, _, err = here("tables", "rm", "made:static")
    assert code == 2
    assert err.endswith("Error: nobody is there to answer\nHint: --yes removes without asking\n")
    assert len(here.store.tables()) == 1


def test_rm_removes_unfinished_extractions_too(here: Here) -> None:
    here.store.save(table_of(ROWS, mode=Mode.DYNAMIC))
    draft(here.store)
    code, out, _ = here("tables", "rm", "--yes", "made:dynamic")
    assert code == 0
    assert re.fullmatch(r"removed made:dynamic \(\d+ k?B, with an unfinished extraction\)\n", out)
    assert here.store.tables() == []
    draft(here.store)
    code, out, _ = here("tables", "rm", "--yes", "made:dynamic")
    assert re.fullmatch(r"removed made:dynamic \(\d+ k?B, unfinished\)\n", out)
    assert here.store.tables() == []


def test_rm_removes_nothing_if_one_name_is_wrong(here: Here) -> None:
    here.store.save(table_of(ROWS))
    code, _, err = here("tables", "rm", "--yes", "made:static", "maid:static")
    assert (code, err) == (
        1,
        "Error: there is no table maid:static in STORE\nHint: wordvec tables\n",
    )
    code, _, err = here("tables", "rm", "--yes", "made")
    assert code == 2
    assert "'made' is not a table name" in err
    assert len(here.store.tables()) == 1


def test_rm_without_a_model_means_the_default_one_and_never_the_bundled(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.store.save(table_of(ROWS, model="mini"))
    code, _, err = here("tables", "rm", "--yes", "static")
    assert code == 1
    assert "no table cl-tohoku/bert-base-japanese-whole-word-masking:static" in err
    monkeypatch.setenv("WORDVEC_MODEL", "mini")
    assert here("tables", "rm", "--yes", "static")[0] == 0


@pytest.mark.parametrize("last", [True, False])
def test_rm_takes_the_store_before_or_after_its_name(
    here: Here, tmp_path: Path, *, last: bool
) -> None:
    other = Store(tmp_path / "other")
    other.save(table_of(ROWS))
    here.store.save(table_of(ROWS))
    place = ["--store", str(other.root)]
    before, after = ([], place) if last else (place, [])
    assert here("tables", *before, "rm", "made:static", "--yes", *after)[0] == 0
    assert other.tables() == []
    assert TableName("made", Mode.STATIC) in here.store


def test_names_that_a_terminal_would_obey_are_escaped(here: Here) -> None:
    here.store.save(table_of(ROWS, model="a\x1b[2Jb"))
    assert "a\\u001b[2Jb" in here("tables")[1]
    assert here("tables", "rm", "--yes", "a\\u001b[2Jb:static")[0] == 0
    assert here.store.tables() == []


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (13_254, "13 kB"), (999_499, "999 kB"),
        (999_500, "1.0 MB"), (98_934_079, "98.9 MB"), (1_500_000_000, "1.5 GB"),
    ],
)  # fmt: skip
def test_sizes_are_short(size: int, text: str) -> None:
    assert size_text(size) == text


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

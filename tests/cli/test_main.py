"""The frame around all commands: help, version, errors as text, exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import wordvec
from support.cli import run
from wordvec.cli.arguments import split_arguments
from wordvec.cli.commands import COMMANDS
from wordvec.cli.errors import as_options, exit_code_of, note, show_error, warn
from wordvec.cli.options import table_ref
from wordvec.cli.output import (
    Cell,
    Column,
    OutputStyle,
    caret_lines,
    header_lines,
    number,
    size_text,
    table_lines,
    tsv_line,
)
from wordvec.errors import ExpressionError, UsageError, WordvecError
from wordvec.tables.name import Mode, TableRef

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_help_lists_every_command() -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name, (_, text) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text.split()[0])}", out, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_can_be_loaded_and_has_help(name: str) -> None:
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: wordvec {name} ")


def test_the_version_is_that_of_the_project() -> None:
    written = re.search(r'^version = "(.*)"', PYPROJECT.read_text(encoding="utf-8"), re.MULTILINE)
    assert written is not None
    assert wordvec.__version__ == written[1]
    assert run("--version") == (0, f"wordvec, version {written[1]}\n", "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["qery", "王"], "no such command: qery\nDid you mean: wordvec query\n"),
        (["王-男"], "no such command: 王-男\nTo find the nearest tokens: wordvec query '王-男'\n"),
        (["frobnicate"], "no such command: frobnicate\n"),
    ],
)
def test_an_unknown_command_says_what_may_have_been_meant(args: list[str], message: str) -> None:
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert err.endswith(f"Error: {message}")


def test_an_unknown_option_is_wrong_usage() -> None:
    code, _, err = run("query", "--metrik", "l2", "王")
    assert code == 2
    assert "No such option" in err
    assert "--metric" in err


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (WordvecError("no"), 1, "Error: no\n"),
        (WordvecError("no", hint="a\nb"), 1, "Error: no\nHint: a\nHint: b\n"),
        (UsageError("no"), 2, "Error: no\n"),
        (
            ExpressionError("not here", source="王 男", start=2, end=3, hint="there"),
            1,
            "Error: not here\n  王 男\n     ^^\nHint: there\n",
        ),
        (FileNotFoundError(2, "No such file or directory", "x"), 1,
         "Error: x: No such file or directory\n"),
        (click.UsageError("no"), 2, "Error: no\n"),
        (KeyboardInterrupt(), 130, "\n"),
        (click.Abort(), 130, "\n"),
        (BrokenPipeError(), 1, ""),
    ],
)  # fmt: skip
def test_each_failure_has_its_text_and_its_code(
    error: BaseException, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    assert exit_code_of(fail) == code
    assert capsys.readouterr() == ("", text)


def test_a_command_that_ran_and_failed_returns_its_code() -> None:
    assert exit_code_of(lambda: 1) == 1
    assert exit_code_of(lambda: None) == 0


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("force=True replaces it", "--force replaces it"),
        ('use metric="cosine" (or method="add")', "use --metric cosine (or --method add)"),
        ("metric='cosine'", "--metric cosine"),
        ('name a folder: store="DIR"', "name a folder: --store DIR"),
        ('model="mini" or model="FOLDER"', "--model mini or --model FOLDER"),
        ('transforms=["unit", "center"]', "--transform unit --transform center"),
        ('transforms=["abtt:3"]', "--transform abtt:3"),
        ('only=["kanji", "word"]', "--only kanji --only word"),
        ('tables=["static", "mini:dynamic"]', "--tables static,mini:dynamic"),
        ("k=20 is more than the 12 tokens there are", "-k 20 is more than the 12 tokens there are"),
        ("batch_size=16, perplexity=7.5.", "--batch-size 16, --perplexity 7.5."),
        ("merge_twins=True", "--merge-twins"),
        ("calibrated=True", "--calibrate"),
        ('device="auto"', "--device auto"),
        ("match='(' is not a regular expression", "--match '(' is not a regular expression"),
        ('match="^王 *"', "--match '^王 *'"),
        ('model="/models/王"', "--model /models/王"),
        (r"match='it\'s'", """--match 'it'"'"'s'"""),
        # what stays
        ("wordvec extract --mode dynamic", "wordvec extract --mode dynamic"),
        ('"k=20" is not in this vocabulary', '"k=20" is not in this vocabulary'),
        ("\"a metric='l2' b\" is unknown", "\"a metric='l2' b\" is unknown"),
        ("unknown transform 'k=3': expected unit", "unknown transform 'k=3': expected unit"),
        ("the table's k=3, the model's k=4", "the table's -k 3, the model's -k 4"),
        ("rank=3, p = 0.9, k=20x", "rank=3, p = 0.9, k=20x"),
        ("unknown=True, metric=None, exclude=False", "unknown=True, metric=None, exclude=False"),
        ("task=3, mask=3, settings.k=3", "task=3, mask=3, settings.k=3"),
        ("pip install 'wordvec[map]'", "pip install 'wordvec[map]'"),
    ],
)
def test_messages_of_the_library_name_options(message: str, text: str) -> None:
    assert as_options(message) == text


def test_errors_hints_notes_and_warnings_name_options(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(WordvecError("no k=3", hint='metric="l2"\nforce=True'))
    note("k=3 is more than 2")
    warn('try transforms=["center"]')
    assert capsys.readouterr().err == (
        "Error: no -k 3\nHint: --metric l2\nHint: --force\n"
        "Note: -k 3 is more than 2\nWarning: try --transform center\n"
    )


@pytest.mark.parametrize(
    ("source", "start", "end", "drawn"),
    [
        ("王 男", 2, 3, "王 男\n   ^^"),
        ("王+", 2, 2, "王+\n   ^"),
        ("", 0, 0, "\n^"),
        ("a\tb", 2, 3, "a b\n  ^"),
        ("王\u3000男", 2, 3, "王\u3000男\n    ^^"),
        ("a\x1b[2Jb", 5, 6, "a\\u001b[2Jb\n          ^"),
        ("か\u3099+x", 3, 4, "か\u3099+x\n   ^"),  # a combining mark
    ],
)
def test_the_caret_stands_under_the_place_by_terminal_cells(
    source: str, start: int, end: int, drawn: str
) -> None:
    error = ExpressionError("x", source=source, start=start, end=end)
    assert "\n".join(caret_lines(error, 80)) == drawn


def test_a_long_source_is_cut_around_the_place() -> None:
    source = "王+" * 100 + "@" + "+女" * 100
    error = ExpressionError("x", source=source, start=200, end=201)
    shown, caret = caret_lines(error, 40)
    assert shown == "…+王+王+王+王+王+@+女+女+女+女+女+女…"
    assert caret == " " * 17 + "^"


def test_columns_stay_straight_with_wide_characters() -> None:
    columns = [Column("n", right=True), Column("token"), Column("id", right=True)]
    lines = table_lines(columns, [["1", "王", "296"], ["10", "abc", "7"]], OutputStyle())
    assert lines == [" n  token   id", " 1  王     296", "10  abc      7"]


def test_a_narrow_terminal_cuts_what_may_shrink() -> None:
    columns = [Column("token", shrinks=True), Column("id", right=True)]
    rows = [["ユースホステル", "26266"], ["王", "296"]]
    assert table_lines(columns, rows, OutputStyle(cells=16)) == [
        "token         id",
        "ユースホ…  26266",
        "王           296",
    ]


def test_styles_do_not_move_columns() -> None:
    columns = [Column("a"), Column("b", right=True)]
    rows = [[Cell("王", "dim"), Cell("1", "red")]]
    plain = table_lines(columns, rows, OutputStyle())
    painted = table_lines(columns, rows, OutputStyle(colour=True))
    assert painted != plain
    assert [re.sub(r"\x1b\[\d*m", "", line) for line in painted] == plain


def test_the_header_breaks_between_facts_where_the_terminal_ends() -> None:
    facts = ["mini:static", "8 × 2", "L2 distance"]
    assert header_lines(facts, OutputStyle()) == ["mini:static · 8 × 2 · L2 distance"]
    assert header_lines(facts, OutputStyle(cells=24)) == ["mini:static · 8 × 2", "L2 distance"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0000"), (-0.5, "-0.5000"), (1e-5, "1.0000e-05"), (2e9, "2.0000e+09")],
)
def test_numbers_show_four_places_or_powers_of_ten(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (13_254, "13 kB"), (999_499, "999 kB"),
        (999_500, "1.0 MB"), (98_934_079, "98.9 MB"), (1_500_000_000, "1.5 GB"),
    ],
)  # fmt: skip
def test_sizes_are_short(size: int, text: str) -> None:
    assert size_text(size) == text


def test_a_tsv_value_stays_in_its_field() -> None:
    assert tsv_line(["a\tb", "c\nd", None, True, 0.5]) == "a\\tb\tc\\nd\t\ttrue\t0.5"


@pytest.mark.parametrize(
    ("args", "options", "arguments"),
    [
        (["-王+女"], [], ["-王+女"]),
        (["-km+m"], [], ["-km+m"]),
        (["-王+king", "-k3"], ["-k3"], ["-王+king"]),
        (["--", "--女+王"], [], ["--女+王"]),
        (["--女+王"], [], ["--女+王"]),
        (["-k", "3", "王"], ["-k", "3"], ["王"]),
        (["-k", "-1"], ["-k", "-1"], []),
        (["-x3"], [], ["-x3"]),
        (["-k3a"], [], ["-k3a"]),
        (["--unknown", "--also=王"], ["--unknown", "--also=王"], []),
        (["--unit", "王"], ["--unit"], ["王"]),
        (["-", "--", "-k3"], [], ["-", "-k3"]),
    ],
)
def test_an_argument_is_an_option_only_by_the_rule(
    args: list[str], options: list[str], arguments: list[str]
) -> None:
    assert split_arguments(args, {"-k": True, "--unit": False}) == (options, arguments)


def test_an_option_without_its_value_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="-k needs a value"):
        split_arguments(["王", "-k"], {"-k": True})


def test_the_table_options_name_one_table() -> None:
    assert table_ref(None, None, None) == TableRef(None, Mode.STATIC)
    assert table_ref(None, "dynamic", "mini") == TableRef("mini", Mode.DYNAMIC)
    assert table_ref("C:\\bert:dynamic", None, None) == TableRef("C:\\bert", Mode.DYNAMIC)
    with pytest.raises(UsageError, match="use either --table or --model and --mode"):
        table_ref("static", "dynamic", None)


def test_text_on_standard_error_is_in_colour_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    show_error(WordvecError("no"))
    monkeypatch.setenv("NO_COLOR", "1")
    show_error(WordvecError("no"))
    assert capsys.readouterr().err == "\x1b[31mError:\x1b[0m no\nError: no\n"


def wordvec_process(*args: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "wordvec", *args]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **env})


def test_output_is_utf8_whatever_the_locale_says() -> None:
    done = wordvec_process("--help", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "王-男+女" in done.stdout.decode("utf-8")
    done = wordvec_process("王", LC_ALL="C", PYTHONIOENCODING="latin-1")
    assert "wordvec query '王'" in done.stderr.decode("utf-8")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = [sys.executable, "-m", "wordvec", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1

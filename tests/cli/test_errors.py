"""Errors, warnings and notes as text, and exit codes."""

from __future__ import annotations

import click
import pytest

from support.cli import run
from wordvec.cli.errors import as_options, exit_code_of, note, show_error, warn
from wordvec.errors import ExpressionError, UsageError, WordvecError


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
        (KeyboardInterrupt(), 130, "\nNote: stopped\n"),
        (click.Abort(), 130, "Note: stopped\n"),  # click has ended the line
        (MemoryError(), 1, "Error: there is not enough memory for this\n"),
        (BrokenPipeError(), 1, ""),
    ],
)  # fmt: skip
def test_each_error_has_a_text_and_an_exit_code(
    error: BaseException, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    assert exit_code_of(fail) == code
    assert capsys.readouterr() == ("", text)


def test_an_int_that_a_command_returns_is_the_exit_code() -> None:
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
        ("unknown=True, metric=None, unit=False", "unknown=True, metric=None, unit=False"),
        ("exclude=False keeps them", "--no-exclude keeps them"),
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


def test_errors_are_coloured_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    show_error(WordvecError("no"))
    monkeypatch.setenv("NO_COLOR", "1")
    show_error(WordvecError("no"))
    assert capsys.readouterr().err == "\x1b[31mError:\x1b[0m no\nError: no\n"


LONG = "x" * 9_999


@pytest.mark.parametrize(
    "args",
    [
        ("query", LONG),
        ("query", "王", "--metric", LONG),
        ("query", "王", "--only", LONG),
        ("query", "王", "--transform", LONG),
        ("query", "王", "--match", f"({LONG}"),
        ("query", "王", "--table", LONG),
        ("query", "王", "--model", LONG),
        ("query", "王", "-k", LONG),
        ("query", "王", f"--{LONG}"),
        ("norms", LONG),
        ("explain", "王", LONG, LONG),
        ("map", "--tokens", LONG),
        ("map", "--tokens", "9" * 9_999),
        ("export", "static", LONG),
        (LONG,),
        (f"{LONG}王",),
    ],
    ids=lambda args: " ".join(args)[:30],
)
def test_a_long_value_is_cut_in_a_message(args: tuple[str, ...]) -> None:
    code, _, err = run(*args)
    assert code in (1, 2)
    assert len(err) < 2_500

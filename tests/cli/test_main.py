"""The command group: help, version, unknown commands, encoding."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata

import pytest

import wordvec
from support.cli import run
from wordvec.cli.commands import COMMANDS
from wordvec.text import width


def test_help_lists_every_command() -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name, (_, text) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text.split()[0])}", out, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: wordvec {name} ")


@pytest.mark.parametrize("name", [*COMMANDS, "tables rm"])
def test_help_fits_a_narrow_terminal(name: str) -> None:
    out = run(*name.split(), "--help", env={"COLUMNS": "40"}).out
    text, *_ = re.split("Examples:|To install", out)  # what follows is not wrapped
    assert max(map(width, text.splitlines())) <= 40


def test_the_version_is_that_of_the_project() -> None:
    assert metadata.version("wordvec") == wordvec.__version__
    assert run("--version") == (0, f"wordvec, version {wordvec.__version__}\n", "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["qery", "王"], "no such command: qery\nDid you mean: wordvec query\n"),
        (["王-男"], "no such command: 王-男\nTo find the nearest tokens: wordvec query '王-男'\n"),
        (["frobnicate"], "no such command: frobnicate\n"),
    ],
)
def test_an_unknown_command_suggests_a_known_one(args: list[str], message: str) -> None:
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert err.endswith(f"Error: {message}")


def test_an_unknown_option_is_wrong_usage() -> None:
    code, _, err = run("query", "--metrik", "l2", "王")
    assert code == 2
    assert "No such option" in err
    assert "--metric" in err


def wordvec_process(*args: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "wordvec", *args]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **env})


def test_output_is_utf8_in_every_locale() -> None:
    done = wordvec_process("--help", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "王-男+女" in done.stdout.decode("utf-8")
    done = wordvec_process("王", LC_ALL="C", PYTHONIOENCODING="latin-1")
    assert "wordvec query '王'" in done.stderr.decode("utf-8")


def test_a_closed_pipe_prints_no_error() -> None:
    command = [sys.executable, "-m", "wordvec", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1

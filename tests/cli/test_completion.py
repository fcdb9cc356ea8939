"""Completion of `wordvec` commands, called as each shell does, and in the installed shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import table_of
from wordvec.models.default import REFERENCE
from wordvec.tables.name import Mode
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = Path(__file__).parents[2] / "src"
HOSTS = ["bash", "zsh", "fish"]


@pytest.fixture(autouse=True)
def _store() -> None:
    """Save two tables, of a model on the hub and of a folder."""
    store = Store()
    store.save(table_of([[1.0]], model="owner/toy", mode=Mode.DYNAMIC))
    store.save(table_of([[1.0]], model="/models/王"))


def save_layer() -> None:
    """Save the twelfth layer of a variant."""
    table = table_of([[1.0]], model="owner/toy", mode=Mode.DYNAMIC)
    provenance = replace(table.provenance, variant="short", layer=12)
    Store().save(replace(table, provenance=provenance))


def completed(line: str) -> list[str]:
    """Complete the last word of a line, as bash does."""
    env = {"COMP_LINE": line, "_WORDVEC_COMPLETE": "bash_complete"}
    code, out, err = run(env=env)
    assert (code, err) == (0, "")
    return out.split("\n")[:-1] if out.strip() else []


def plain(*values: str) -> list[str]:
    return [f"plain,{value}" for value in values]


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("wordvec nor", plain("norms")),
        ("wordvec --ver", plain("--version")),
        ("wordvec completion ", plain("bash", "zsh", "fish")),
        ("wordvec query --mode d", plain("dynamic")),
        ("wordvec query --metric=co", plain("cosine")),
        ("wordvec query --excl", plain("--exclude")),
        (
            "wordvec query --table ",
            plain(
                *("static", "dynamic", "contextual", "mini:static", "/models/王:static"),
                "owner/toy:dynamic",
            ),
        ),
        ("wordvec query 王-男+女 -k 3 --table own", plain("owner/toy:dynamic")),
        ("wordvec query --table owner/toy:d", plain("owner/toy:dynamic")),
        ("wordvec query --table=mini:", plain("mini:static")),
        ("wordvec query --table static,own", plain("static,owner/toy:dynamic")),
        ("wordvec query --table nowhere", []),
        ("wordvec query --model ", plain("mini", REFERENCE, "/models/王", "owner/toy")),
        ("wordvec norms --model own", plain("owner/toy")),
        ("wordvec query --model ./mod", ["dir,./mod"]),
        ("wordvec query 王", []),
        ("wordvec extract --model ow", plain("owner/toy")),
        ("wordvec import x.pickle --model mi", plain("mini")),
        ("wordvec export owner", plain("owner/toy:dynamic")),
        ("wordvec map --tables static,own", plain("static,owner/toy:dynamic")),
        ("wordvec compare 王 --tables static,own", plain("static,owner/toy:dynamic")),
        ("wordvec explain 王 --tables own", plain("owner/toy:dynamic")),
    ],
)
def test_the_last_word_of_a_line_is_completed(line: str, answers: list[str]) -> None:
    assert completed(line) == answers


def test_tables_are_completed_from_the_store_of_the_line(tmp_path: Path) -> None:
    Store(tmp_path / "other").save(table_of([[1.0]], model="elsewhere"))
    assert completed(f"wordvec query --store {tmp_path}/other --table el") == plain(
        "elsewhere:static"
    )


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("wordvec query --table own", ["owner/toy:dynamic", "owner/toy:dynamic.short@12"]),
        ("wordvec query --table owner/toy:dynamic.", ["owner/toy:dynamic.short@12"]),
        ("wordvec query --mode dy", ["dynamic", "dynamic.short@12"]),
        ("wordvec query --model /models/王 --mode dy", ["dynamic"]),
    ],
)
def test_variants_and_layers_are_completed(line: str, answers: list[str]) -> None:
    save_layer()
    assert completed(line) == plain(*answers)


def test_commands_are_completed_with_their_help() -> None:
    env = {"COMP_WORDS": "wordvec norm", "COMP_CWORD": "1", "_WORDVEC_COMPLETE": "zsh_complete"}
    assert run(env=env).out.splitlines() == [
        "plain",
        "norms",
        "Show the norms of tokens' vectors and their ranks.",
    ]


@pytest.mark.parametrize("shell", HOSTS)
def test_each_shell_has_its_own_script(shell: str) -> None:
    code, out, err = run("completion", shell)
    assert (code, err) == (0, "")
    assert f"_WORDVEC_COMPLETE={shell}_complete" in out


def test_completion_does_not_load_numpy() -> None:
    code = (
        "import sys\n"
        "from wordvec.cli import group\n"
        "try:\n"
        "    group.main([], prog_name='wordvec')\n"
        "finally:\n"
        "    print('numpy' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "COMP_LINE": "wordvec query --table own",
            "_WORDVEC_COMPLETE": "bash_complete",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "plain,owner/toy:dynamic\nFalse\n"


@pytest.fixture
def asked(tmp_path: Path) -> Callable[[str, str], str]:
    """Give a function that runs a script in a shell with `wordvec` on its path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "wordvec"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wordvec "$@"\n', "utf-8")
    program.chmod(0o755)

    def run_script(shell: str, script: str) -> str:
        path = shutil.which(shell)
        if path is None:
            pytest.skip(f"no {shell} on this machine")
        env = {
            **os.environ,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(SOURCE),
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
        }
        options = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}
        done = subprocess.run(
            [path, *options[shell], "-c", script],
            env=env,
            capture_output=True,
            text=True,
            check=True,
            encoding="utf-8",
        )
        assert done.stderr == ""
        return done.stdout

    return run_script


@pytest.mark.parametrize(
    ("line", "replies"),
    [
        (
            "wordvec query --table owner/toy:d",
            ["dynamic"],
        ),  # bash replaces the text after the colon
        ("wordvec query --table=owner/toy:", ["dynamic"]),
        ("wordvec query --table own", ["owner/toy:dynamic"]),
        ("wordvec query --table static,o", ["static,owner/toy:dynamic"]),
        ("wordvec query --model /models/", []),  # bash itself completes folders
    ],
)
def test_bash_completes_past_the_colon_of_a_table(
    asked: Callable[[str, str], str], line: str, replies: list[str]
) -> None:
    script = (
        'eval "$(wordvec completion bash)"\n'
        f"COMP_LINE={line!r} COMP_POINT={len(line)}\n"
        "_wordvec_completion wordvec\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    assert asked("bash", script).split() == replies


def test_bash_completes_past_the_sign_of_a_layer(asked: Callable[[str, str], str]) -> None:
    save_layer()
    line = "wordvec query --table owner/toy:dynamic.short@1"
    script = (
        'eval "$(wordvec completion bash)"\n'
        f"COMP_LINE={line!r} COMP_POINT={len(line)}\n"
        "for COMP_WORDBREAKS in '@:=' ':=' '='; do _wordvec_completion wordvec\n"
        'printf "%s\\n" "${COMPREPLY[@]}"; done\n'
    )
    assert asked("bash", script).split() == ["12", "dynamic.short@12", "owner/toy:dynamic.short@12"]


def test_fish_completes_tables_and_shows_whole_lines_of_help(
    asked: Callable[[str, str], str],
) -> None:
    script = (
        "wordvec completion fish | source\n"
        "complete -C 'wordvec query --table owner/toy:'\n"
        "complete -C 'wordvec query --table static,o'\n"
        "complete -C 'wordvec nor'\n"
    )
    assert asked("fish", script).splitlines() == [
        "owner/toy:dynamic",
        "static,owner/toy:dynamic",
        "norms\tShow the norms of tokens' vectors and their ranks.",
    ]


def test_zsh_accepts_the_script(asked: Callable[[str, str], str]) -> None:
    script = (
        "autoload -U compinit && compinit -u -D\n"
        'eval "$(wordvec completion zsh)"\n'
        "print $_comps[wordvec]\n"
        "function compadd { print ${(P)argv[-1]} }\n"  # prints the completions
        "words=(wordvec query --table owner/toy:) CURRENT=4\n"
        "_wordvec_completion\n"
    )
    assert asked("zsh", script).splitlines() == ["_wordvec_completion", "owner/toy:dynamic"]


def test_help_shows_each_command_to_type_on_one_line() -> None:
    out = run("completion", "--help", env={"COLUMNS": "80"}).out
    lines = [line.strip() for line in out.splitlines()]
    assert """zsh:   echo 'eval "$(wordvec completion zsh)"' >> ~/.zshrc""" in lines
    assert "\\b" not in out

"""The command as a process: closed streams, signals, homes, sessions, odd names."""

from __future__ import annotations

import importlib
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import table_of, toy_table
from wordvec.cli import interrupts
from wordvec.cli.errors import exit_code_of
from wordvec.cli.progress_bar import ProgressBar
from wordvec.extraction.extract import extract
from wordvec.tables.name import Mode
from wordvec.tables.resolve import BUNDLED_NOTE
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[2] / "src"
HOME_HINT = "Hint: set WORDVEC_HOME to a folder, or name one: --store DIR\n"
DIGITS = "9" * 5000


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """Give the store of the commands, with the toy table as the default one."""
    store = Store()
    store.save(toy_table())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")
    return store


def in_shell(line: str, **env: str | None) -> tuple[int, str, str]:
    """Run a line of sh in which `wordvec` is the command; None removes a variable."""
    command = f'wordvec() {{ {shlex.quote(sys.executable)} -m wordvec "$@"; }}\n{line}'
    variables = {**os.environ, "PYTHONPATH": str(SOURCE), **env}
    done = subprocess.run(
        ["sh", "-c", command],
        env={name: value for name, value in variables.items() if value is not None},
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("line", "code", "err"),
    [
        ("wordvec query 王 >&-", 1,
         "Error: standard output is closed\nHint: to discard the answer: >/dev/null\n"),
        ("wordvec query - <&-", 1, "Error: standard input is closed\n"),
        ("wordvec shell <&-", 1, "Error: standard input is closed\n"),
        ("wordvec import - --name x <&-", 1, "Error: standard input is closed\n"),
        ("wordvec query 王 <&-", 0, ""),
        ("wordvec query 王 2>&-", 0, ""),
        ("wordvec query 王 >/dev/full", 1, "Error: No space left on device\n"),
    ],
)  # fmt: skip
def test_a_closed_or_full_stream_is_one_line(line: str, code: int, err: str) -> None:
    result = in_shell(line)
    assert (result[0], result[2]) == (code, err)


@pytest.mark.parametrize("home", ["~nosuchuser", "~nosuchuser/x"])
@pytest.mark.parametrize("args", [("query", "王"), ("tables",), ("shell",)])
def test_a_home_that_does_not_exist_is_one_line(args: tuple[str, ...], home: str) -> None:
    result = run(*args, env={"WORDVEC_HOME": home})
    assert result == (1, "", f"Error: {home}: there is no such home folder\n{HOME_HINT}")


def test_without_any_home_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORDVEC_HOME")
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", str)  # as without an entry for the user
    assert run("tables") == (1, "", f"Error: ~: there is no such home folder\n{HOME_HINT}")


def test_completion_without_a_home_offers_what_it_knows() -> None:
    env = {
        "WORDVEC_HOME": "~nosuchuser", "COMP_LINE": "wordvec query --table ",
        "_WORDVEC_COMPLETE": "bash_complete",
    }  # fmt: skip
    assert run(env=env) == (
        0,
        "plain,static\nplain,dynamic\nplain,contextual\nplain,mini:static\n",
        "",
    )


def test_names_that_are_not_utf_8_are_printed_escaped(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "x.txt").write_text("王 1 2\n", "utf-8")
    result = run("import", folder / "x.txt", "--name", "odd")
    shown = str(folder / "x.txt").replace("\udcff", "\\udcff")
    assert result == (0, f"odd:static: 1 × 2 imported from {shown}\n", "")
    store.save(table_of([[1.0]], model=str(folder)))
    assert f"{str(folder)[:-1]}\\udcff" in run("tables").out
    assert run("query", os.fsdecode(b"\xff")).err.startswith("Error: an argument is not UTF-8\n")


# --- the command line -----------------------------------------------------------------------------


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "args",
    [
        ("query", f"#{DIGITS}"),
        ("query", f"{DIGITS}*王"),
        ("query", f"王/1e{DIGITS}"),
        ("query", "王", "-k", DIGITS),
        ("query", "王", "--transform", f"abtt:{DIGITS}"),
        ("query", "王", "--match", f"a{{{DIGITS}}}"),
        ("query", "王", "--match", f"a{{1,{DIGITS}}}"),
        ("query", "王", "--match", "a{99999999999}"),
        ("query", "王", "--match", "(" * 5000),
        ("query", "王", "--match", "(" * 5000 + ")" * 5000),
        ("query", "(" * 5000 + "王"),
        ("norms", f"#{DIGITS}"),
        ("norms", "--largest", DIGITS),
        ("explain", "王", f"#{DIGITS}"),
        ("query", "王", "--match", f"(a{{1,{DIGITS}}})"),
        ("query", "王", "--mode", f"static@{DIGITS}"),
        ("compare", "王", "--tables", f"mini:dynamic@{DIGITS}"),
        ("evaluate", "--at", DIGITS),
        ("extract", "--model", "mini", "--layers", DIGITS),
        ("map", "--tokens", DIGITS),
        ("map", "--seed", DIGITS),
        ("map", "--perplexity", DIGITS),
        ("map", "--perplexity", "nan"),
        ("extract", "--model", "mini", "--batch-size", DIGITS),
    ],
    ids=lambda args: " ".join(args)[:28],
)
def test_absurd_numbers_and_patterns_are_refused(args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.code in (1, 2)
    assert "Error: " in result.err
    assert len(result.err) < 1500
    assert "sys." not in result.err  # what Python tells programmers


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("args", ["query 王", "norms 王", "query 女 --vocab 王"])
def test_in_an_ascii_locale_arguments_are_read_as_utf_8(
    args: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "王").write_text("王\t王\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    ascii_only = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert in_shell(f"wordvec {args}", **ascii_only) == in_shell(f"wordvec {args}")


@pytest.mark.parametrize(
    ("env", "error"),
    [
        ({"_WORDVEC_COMPLETE": "foo"}, "_WORDVEC_COMPLETE is 'foo': expected SHELL_complete of"),
        ({"_WORDVEC_COMPLETE": "bash_complete"}, "needs the variable COMP_LINE\n"),
        ({"_WORDVEC_COMPLETE": "zsh_complete", "COMP_WORDS": ""}, "needs the variable COMP_CWORD"),
        ({"_WORDVEC_COMPLETE": "fish_complete"}, "needs the variable COMP_WORDS\n"),
        (
            {"_WORDVEC_COMPLETE": "zsh_complete", "COMP_WORDS": "", "COMP_CWORD": DIGITS},
            "COMP_CWORD is '999",
        ),
    ],
)
def test_what_no_shell_asks_of_completion_is_one_line(env: dict[str, str], error: str) -> None:
    result = run(env=env)
    assert (result.code, result.out) == (2, "")
    assert error in result.err
    assert result.err.count("Error: ") == 1


@pytest.mark.usefixtures("store")
def test_a_short_option_that_a_command_lacks_is_an_error_and_an_expression_is_not() -> None:
    assert run("query", "王", "-n", "5") == (
        2, "", "Error: no such option: -n\nHint: to look up -n itself: -- -n\n"
    )  # fmt: skip
    assert "\n-王+女\n" in run("query", "-王+女").out


@pytest.mark.parametrize("name", ["query", "tables", "export", "shell", "completion", "map"])
def test_h_is_help(name: str) -> None:
    assert run(name, "-h") == run(name, "--help")
    assert run("-h").out == run("--help").out


def test_the_note_on_mini_is_printed_once_per_session_and_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    note = f"Note: {BUNDLED_NOTE}\n"
    assert [run("norms", "王").err for _ in range(3)] == [note, "", ""]
    assert run("norms", "王", "--store", tmp_path / "other").err == note
    monkeypatch.setattr("os.getsid", lambda _: 1)
    assert run("shell", stdin="王\n:norms 王\n").err == note
    assert run("norms", "王", env={"WORDVEC_MODEL": "mini"}).err == ""
    assert len(note) <= 80


def test_map_refuses_files_that_it_cannot_write_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for option in ("-o", "--png", "--svg"):
        suffix = option[-3:].replace("-o", "html")
        result = run("map", option, tmp_path / "file" / f"x.{suffix}")
        assert result == (2, "", f"Error: {tmp_path}/file is a file, not a folder\n")
        result = run("map", option, f"/proc/x.{suffix}")
        assert result.code == 1
        assert result.err.startswith(f"Error: cannot write /proc/x.{suffix} (")
        assert result.err.endswith("\nHint: name another file: -o FILE\n")


def test_vectors_are_not_printed_on_a_terminal(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wordvec.cli.streams.SafeStream.isatty", lambda _: True, raising=False)
    assert store.tables()
    result = run("export", "static", "-o", "-", "--format", "glove")
    assert (result.code, result.out) == (2, "")
    assert " the vectors would be printed on the terminal\n" in result.err


def test_only_the_first_errors_of_many_lines_have_hints(store: Store) -> None:
    lines = "王女性\n" * 30
    assert store.tables()
    for args in (("query", "-"), ("shell",)):
        err = run(*args, stdin=lines).err
        assert (err.count("Error: "), err.count("Hint: ")) == (30, 10)


# --- Ctrl-C ---------------------------------------------------------------------------------------


@pytest.fixture
def _watching() -> Iterator[None]:
    handler, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    interrupts.watch_interrupts()
    yield
    signal.signal(signal.SIGINT, handler)
    sys.unraisablehook = hook


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)


@pytest.mark.usefixtures("_watching")
def test_what_an_interrupted_import_raises_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def call() -> None:
        try:
            press()
        except KeyboardInterrupt:
            raise ImportError("torch was initialised twice") from None

    assert exit_code_of(call) == 130
    assert capsys.readouterr().err == "\nNote: stopped\n"
    assert exit_code_of(lambda: None) == 0


@pytest.mark.usefixtures("_watching")
def test_an_interrupt_that_a_library_swallows_stops_the_work_at_the_next_step() -> None:
    steps = []

    def call() -> None:
        bar = ProgressBar("steps", shown=False)
        for step in range(5):
            bar(step, 5)
            steps.append(step)
            if step == 1:
                with suppress(KeyboardInterrupt):
                    press()

    assert exit_code_of(call) == 130
    assert steps == [0, 1]


@pytest.mark.usefixtures("_watching")
def test_an_interrupt_in_a_callback_of_the_interpreter_is_not_lost() -> None:
    class Dropping:
        def __del__(self) -> None:
            press()

    def call() -> None:
        Dropping()
        time.sleep(5)

    began = time.monotonic()
    assert exit_code_of(call) == 130
    assert time.monotonic() - began < 4


@pytest.mark.usefixtures("_watching")
def test_an_interrupt_while_a_library_is_imported_waits_until_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pressing.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimported = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def call() -> None:
        importlib.import_module("pressing")
        time.sleep(60)

    assert exit_code_of(call) == 130
    assert sys.modules.pop("pressing").imported


@pytest.mark.parametrize("seconds", [0.4, 0.9, 1.5])
@pytest.mark.slow
@pytest.mark.parametrize("args", [("extract", "--mode", "dynamic", "--model"), ("query", "-")])
def test_ctrl_c_at_any_moment_is_one_line(
    args: tuple[str, ...], seconds: float, tiny_bert: Path, store: Store
) -> None:
    assert store.tables()
    command = [sys.executable, "-m", "wordvec", *args]
    if args[0] == "extract":
        command += [str(tiny_bert), "--batch-size", "1"]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    if process.returncode == 0:  # it had finished
        return
    assert process.returncode in (130, -signal.SIGINT)
    if err.startswith("Traceback"):  # Python itself was not ready yet
        assert str(SOURCE) not in err
        return
    assert "Note: stopped" in err
    assert err.strip().count("\n") == 0


# --- a race ---------------------------------------------------------------------------------------


def test_an_extraction_that_loses_a_race_describes_the_table_that_is_there(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, saved = Store(), Store.save
    rival: list[str] = []

    def slower(self: Store, table: object, **options: object) -> None:
        if not rival:
            rival.append("saved")
            extract(str(tiny_bert), Mode.STATIC, Store())
        saved(self, table, **options)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(Store, "save", slower)
    result = extract(str(tiny_bert), Mode.STATIC, store)
    assert (rival, result.existed) == (["saved"], True)

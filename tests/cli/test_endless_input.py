"""Input without an end, pipes that nobody writes to, and what a killed import leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.cli import run
from support.tables import toy_table
from wordvec.encoding import LONGEST_LINE, MOST_INPUT, read_lines
from wordvec.errors import StoreError
from wordvec.foreign import files as foreign_files
from wordvec.foreign.files import open_input
from wordvec.formats.import_table import import_vectors
from wordvec.tables.files import temporary_copy
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[2] / "src"
LONG = b"a" * (LONGEST_LINE + 5)
TOO_LONG = "a line of more than 1,048,576 bytes is not an expression"


@pytest.fixture(autouse=True)
def _store(monkeypatch: pytest.MonkeyPatch) -> None:
    Store().save(toy_table())
    monkeypatch.setenv("WORDVEC_MODEL", "toy")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the folder of temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a named pipe that nobody writes to."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setattr(foreign_files, "WRITER_SECONDS", 0.01)
    return path


class Endless(BytesIO):
    """A stream without an end, such as /dev/zero."""

    def __init__(self, byte: bytes, most: int) -> None:
        super().__init__()
        self.byte, self.left = byte, most

    def read1(self, size: int | None = -1) -> bytes:
        self.left -= size or 0
        if self.left < 0:
            raise AssertionError("read too far")
        return self.byte * (size or 0)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\n\nb\n", [b"a", b"", b"b"]),
        (LONG + b"\nb\n", [LONG[: LONGEST_LINE + 1], b"b"]),
        (LONG, [LONG[: LONGEST_LINE + 1]]),
        (LONG + LONG + b"\n" + LONG + b"\nb", [LONG[: LONGEST_LINE + 1]] * 2 + [b"b"]),
    ],
)
def test_lines_are_read_and_long_ones_cut(data: bytes, lines: list[bytes]) -> None:
    assert [line for block in read_lines(BytesIO(data)) for line in block] == lines


def test_a_line_without_an_end_is_yielded_before_it_ends() -> None:
    stream = Endless(b"a", 2 * LONGEST_LINE)
    assert next(block for block in read_lines(stream) if block) == [b"a" * (LONGEST_LINE + 1)]


def test_a_line_that_is_too_long_is_an_error_of_its_own() -> None:
    result = run("query", "-", "-k", 1, "--jsonl", stdin=LONG + "\n王\n".encode())
    assert (result.code, result.err) == (1, f"Error: line 1: {TOO_LONG}\n")
    assert '"query": "王"' in result.out
    result = run("shell", stdin=LONG + "\n王\n".encode())
    assert (result.code, result.err) == (1, f"Error: {TOO_LONG}\n")
    assert "王" in result.out


@pytest.mark.parametrize("args", [("query", "-"), ("shell",)])
def test_zeros_without_an_end_end_the_command(
    args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "support.cli.BytesIO", lambda *data: (data and Endless(b"\0", 1 << 22)) or BytesIO()
    )
    result = run(*args)
    assert result.code == 1
    assert result.err.count("Error: ") == 1


@pytest.mark.parametrize(
    "args", [("evaluate", "/dev/zero"), ("query", "王", "--vocab", "/dev/zero")]
)
def test_a_file_without_an_end_is_not_read_to_the_end(args: tuple[str, ...]) -> None:
    size = f"{MOST_INPUT >> 20} MiB"
    assert run(*args) == (1, "", f"Error: /dev/zero has more than {size} of text\n")


def test_an_expression_that_is_too_long_is_refused() -> None:
    most = 1 << 18
    result = run("query", "王+" * (most // 2) + "王")
    length = f"{most + 1:,} characters"
    error = f"Error: an expression of {length} is longer than the {most:,} allowed\n"
    assert result == (2, "", error)


# --- pipes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ("query", "王", "--vocab"),
        ("evaluate",),
        ("import", "--name", "x"),
        ("import", "--name", "x", "/dev/null", "--format", "npy", "--tokens"),
        ("extract", "--mode", "contextual", "--model", "mini", "--corpus"),
    ],
    ids=" ".join,
)
def test_a_pipe_that_nobody_writes_to_is_an_error(args: tuple[str, ...], pipe: Path) -> None:
    if "npy" in args:
        np = pytest.importorskip("numpy")
        file = pipe.with_name("x.npy")
        np.save(file, np.ones((2, 2), "f4"))
        args = tuple(str(file) if arg == "/dev/null" else arg for arg in args)
    result = run(*args, pipe)
    assert result.code == 1
    assert f"{pipe}" in result.err
    assert "no program writes to this pipe" in result.err
    assert result.err.count("\n") <= 2


def test_what_a_program_writes_to_a_pipe_is_read(
    pipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_files, "WRITER_SECONDS", 60)
    with subprocess.Popen(["sh", "-c", f"echo 女 > '{pipe}'"]):
        result = run("query", "王", "--vocab", pipe, "--jsonl")
    assert '"token": "女"' in result.out
    reading, writing = os.pipe()  # as <(echo 女) in bash
    os.write(writing, "女\n".encode())
    os.close(writing)
    assert '"token": "女"' in run("query", "王", "--vocab", f"/dev/fd/{reading}", "--jsonl").out
    os.close(reading)


def test_a_pipe_that_cannot_be_opened_is_an_error(
    pipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        open_input(pipe)


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "link"])
def test_the_cache_beside_a_table_may_contain_anything(kind: str) -> None:
    store = Store()
    (info,) = store.tables()
    derived = store.derived(store.open(info.name))
    graph = derived.folder / "x.npz"
    if kind == "link":
        derived.folder.symlink_to(".")
    else:
        derived.folder.mkdir()
        if kind == "pipe":
            os.mkfifo(graph)
        elif kind == "folder":
            graph.mkdir()
        else:
            bind = "import socket; socket.socket(socket.AF_UNIX).bind('x.npz')"
            subprocess.run([sys.executable, "-c", bind], cwd=derived.folder, check=True)
    assert derived.load("x") is None
    if kind in ("folder", "link"):
        assert not derived.save("x", {})
    assert run("query", "王", "--metric", "csls").code == 0
    assert store.verify(info.name) == []


# --- the copy of what comes from a pipe -----------------------------------------------------------


def start_import() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "wordvec", "import", "-", "--name", "made"],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "TMPDIR": tempfile.gettempdir()},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def copies_of(process: subprocess.Popen[bytes], folder: Path) -> Iterator[Path]:
    """Write to a process until it has a copy."""
    assert process.stdin is not None
    while process.poll() is None:
        process.stdin.write(b"a 1 2\n" * 1000)
        yield from (path for path in folder.iterdir() if path.stat().st_size)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_an_import_that_is_stopped_leaves_no_copy(number: signal.Signals, temporary: Path) -> None:
    with start_import() as process:
        copy = next(copies_of(process, temporary))
        assert copy.stat().st_mode & 0o777 == 0o600
        process.send_signal(number)
        process.wait(60)
    assert process.returncode == 128 + number
    assert list(temporary.iterdir()) == []


def test_the_copy_of_a_killed_import_is_removed_by_the_next_one(temporary: Path) -> None:
    with start_import() as process:
        next(copies_of(process, temporary))
        process.kill()
    assert len(list(temporary.iterdir())) == 1
    assert run("import", "-", "--name", "made", stdin=b"a 1 2\n").code == 0
    assert list(temporary.iterdir()) == []


def test_a_copy_takes_up_to_half_of_the_free_space(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage(20))
    with temporary_copy(BytesIO(b"a" * 10), "it") as copy:
        assert copy.read_bytes() == b"a" * 10
    with (
        pytest.raises(StoreError, match=r"^it takes more than half of the free space in "),
        temporary_copy(BytesIO(b"a" * 11), "it"),
    ):
        pass
    assert list(temporary.iterdir()) == []


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_the_manifest_says_that_vectors_came_from_a_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a 1 2\n")
    os.close(writing)
    result = import_vectors(f"/dev/fd/{reading}", Store(tmp_path), name="x")
    os.close(reading)
    assert result.table.name.model == "x"
    assert '"file": "standard input"' in next(tmp_path.glob("x/static/manifest.json")).read_text(
        "utf-8"
    )

"""No control character or override of direction reaches a terminal, whatever it was part of."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.cli import Result, run
from support.tables import table_of
from wordvec.analysis.display import OutputStyle
from wordvec.cli.commands import COMMANDS
from wordvec.cli.errors import exit_code_of
from wordvec.cli.streams import SafeStream, safe_streams
from wordvec.errors import WordvecError
from wordvec.formats.file_format import FileFormat
from wordvec.formats.registry import writable_formats
from wordvec.tables.name import Mode
from wordvec.tables.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

# ESC with a command of terminals, C1 (CSI and NEL), NUL, BEL, an override, an isolate, separators
EVIL = "\x1b[2J\x9b1m\x85\x00\x07\u202e\u2066\u2028\u2029\x7f\u200f"
DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]")
WORD = f"王{EVIL}"
TYPED = EVIL.replace("\0", "")  # no argument, variable or file name can contain NUL
NAME = f"王{TYPED}"
ROWS: dict[str, list[float]] = {
    "王": [1.0, 0.0],
    WORD: [0.9, 0.1],
    f"女{EVIL}": [0.0, 1.0],
    "男": [0.1, 1.1],
    EVIL: [1, 1],
}
ROWS[NAME] = [0.5, 0.5]
FORMATS = ("", "--json", "--jsonl", "--tsv", "--safe-csv")
COLOURED = OutputStyle(colour=True, cells=40)


def assert_safe(result: Result) -> None:
    """Check that nothing dangerous was printed, apart from our own colours."""
    printed = re.sub(r"\x1b\[(?:0|1|2|3[1236])m", "", result.out + result.err)
    assert not DANGEROUS.findall(printed), printed
    assert "Traceback" not in printed


@pytest.fixture(autouse=True)
def _stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Save two tables whose model and tokens are hostile, and run in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    store = Store()
    store.save(table_of(ROWS, model=NAME))
    store.save(table_of(ROWS, model=NAME, mode=Mode.DYNAMIC))
    monkeypatch.setenv("WORDVEC_MODEL", NAME)


@pytest.mark.parametrize("style", [None, COLOURED], ids=["plain", "coloured"])
@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize(
    "args",
    [
        ("query", "王", "-k9"),
        ("query", "--", f'"{NAME}"-男', "-男"),
        ("query", "#1", "--merge-twins", "--match", f"[王{TYPED}]"),
        ("compare", "王", "--tables", "static,dynamic"),
        ("explain", "#1", "#2"),
        ("explain", "王-男+#1", "--metric", "cosine"),
        ("similar", "王", "#1", "#2"),
        ("odd", "王", "#1", "#2"),
        ("norms", "#1", "--largest", "3"),
        ("axis", "#1-王", "#1", "王"),
        ("axis", "#1-王", "男", "--y", "#1"),
        ("doctor", "--tables", "static,dynamic"),
        ("tables",),
        ("tables", "--verify"),
    ],
    ids=" ".join,
)
def test_answers(args: tuple[str, ...], output: str, style: OutputStyle | None) -> None:
    options, at = [output] if output else [], 1
    result = run(*args[:at], *options, *args[at:], style=style)
    assert_safe(result)
    assert result.code == 0
    if output == "--json":
        assert json.dumps(NAME) in json.dumps(json.loads(result.out))  # nothing is lost


@pytest.mark.parametrize("style", [None, COLOURED], ids=["plain", "coloured"])
@pytest.mark.parametrize(
    "args",
    [
        ("query", f"女王{TYPED}"),
        ("query", f"王 {TYPED}"),
        ("query", f'"{TYPED}'),
        ("query", f"({TYPED}"),
        ("query", "王", "--match", f"({TYPED}"),
        ("query", "王", "--vocab", f"./{TYPED}"),
        ("query", "王", "--table", NAME),
        ("query", "王", "--table", f"{NAME}x:static"),
        ("query", "王", "--model", f"./{NAME}"),
        ("query", "王", "--store", f"./{TYPED}"),
        ("query", "王", "--metric", TYPED),
        ("query", "王", "--only", TYPED),
        ("query", "王", "--transform", TYPED),
        ("query", "王", "-k", TYPED),
        ("query", "王", f"--{TYPED}"),
        ("query", "王", f"-{TYPED}"),
        ("query", f"-k{TYPED}", "王"),
        ("query", "王", "-", "女", TYPED),
        ("compare", "王", "--tables", f"{TYPED},static"),
        ("compare", f"a{TYPED}", "b"),
        ("explain", "王", f"a{TYPED}"),
        ("explain", f"a{TYPED}"),
        ("norms", f"a{TYPED}"),
        ("axis", f"a{TYPED}", "王"),
        ("axis", "王", f"a{TYPED}"),
        ("axis", "王", "女", "--png", f"x{TYPED}/x.png"),
        ("contexts", "王", "--corpus", TYPED, "--mode", "dynamic"),
        ("contexts", f"a{TYPED}", "--corpus", os.devnull, "--mode", "dynamic"),
        ("trace", "王", f"a{TYPED}"),
        ("trace", f"a{TYPED}", "王"),
        ("odd", "王", "男", f"a{TYPED}"),
        ("similar", "王", f"a{TYPED}"),
        ("evaluate", TYPED),
        ("doctor", "--files", TYPED),
        ("doctor", "--report", f"x{TYPED}/x.html"),
        ("doctor", "--tables", TYPED),
        ("doctor", "--report", f"/nowhere/{TYPED}.html"),
        ("tables", "rm", TYPED),
        ("tables", TYPED),
        ("export", TYPED, "-o", "x.txt"),
        ("export", "static", "-o", f"/nowhere/{TYPED}.txt"),
        ("export", "static", "-o", TYPED),
        ("import", TYPED),
        ("import", os.devnull, "--name", TYPED),
        ("import", os.devnull, "--format", TYPED),
        ("map", "-o", f"/nowhere{TYPED}/x.html"),
        ("map", "-o", f"x{TYPED}/x.html"),
        ("map", "--tokens", TYPED),
        ("map", "--tables", TYPED),
        ("extract", "--model", TYPED),
        ("extract", "--model", f"./{TYPED}"),
        ("extract", "--device", TYPED),
        ("completion", TYPED),
        (TYPED,),
        (f"王{TYPED}",),
        (f"--{TYPED}",),
    ],
    ids=lambda args: " ".join(args).replace(TYPED, "EVIL")[:40],
)
def test_refusals(args: tuple[str, ...], style: OutputStyle | None) -> None:
    result = run(*args, style=style)
    assert_safe(result)
    assert result.code in (1, 2)
    assert result.err


def test_the_command_list_has_no_command_that_is_not_tried() -> None:
    tried = {"query", "compare", "explain", "similar", "odd", "norms", "evaluate", "tables"}
    tried |= {"trace", "axis", "doctor", "contexts"}
    assert tried | {"export", "import", "map", "extract", "completion", "shell"} == set(COMMANDS)


LINES = [
    WORD, f":{EVIL}", f":k {EVIL}", f":match {EVIL}", ":match", f":table {EVIL}", f":model {EVIL}",
    f":mode {EVIL}", f":vocab {EVIL}", ":settings", f":help {EVIL}", f":norms {EVIL}", ":norms #1",
    f":query --{EVIL}", f":tables {EVIL}", ":tables", ":compare #1", ":table dynamic", ":table",
    f":export {EVIL}", "\ud800", ":transform '", f":only {EVIL}",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.replace(EVIL, "EVIL")[:20])
def test_lines_of_the_shell(line: str) -> None:
    result = run("shell", stdin=line.encode("utf-8", "replace") + b"\n:k 3\n")
    assert_safe(result)
    assert result.out.endswith("k: 3\n")


def test_lines_of_standard_input() -> None:
    lines = "\n".join(["王", f"女王{EVIL}", f"({EVIL}", "男"])
    assert_safe(run("query", "-", stdin=lines))
    assert_safe(run("query", "-", stdin=lines.replace("\0", "")))
    assert_safe(run("import", "-", "--name", "x", stdin=lines))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("option", ["--table", "--model"])
def test_completion(shell: str, option: str) -> None:
    variables = {
        "bash": {"COMP_LINE": f"wordvec query 王 {option} "},
        "zsh": {"COMP_WORDS": f"wordvec query 王 {option} ", "COMP_CWORD": "4"},
        "fish": {"COMP_WORDS": f"wordvec query 王 {option} ", "COMP_CWORD": ""},
    }
    result = run(env={**variables[shell], "_WORDVEC_COMPLETE": f"{shell}_complete"})
    assert_safe(result)
    assert "\\u001b[2J" in result.out
    assert result.err == ""


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", writable_formats())
def test_files_of_every_format(file_format: FileFormat, tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.mkdir()
    suffix = {FileFormat.PICKLE: ".pickle", FileFormat.PROJECTOR: ".tsv"}.get(file_format, "")
    file = good / f"x{suffix}"
    assert_safe(run("export", "static", "-o", file, "--format", file_format))
    data, evil = file.read_bytes(), EVIL.encode()
    places = np.linspace(0, max(len(data) - len(evil), 0), 25).astype(int)
    for number, place in enumerate(places):
        folder = tmp_path / f"{number}{TYPED}"
        shutil.copytree(good, folder)
        for name, content in (
            ("x" + suffix, data[:place] + evil + data[place + len(evil) :]),
            ("longer" + suffix, data[:place] + evil + data[place:]),
        ):
            (folder / name).write_bytes(content)
            for options in ([], ["--format", file_format]):
                assert_safe(run("import", folder / name, "--name", "imported", "--force", *options))
    assert_safe(run("query", "王", "--table", "imported:static"))


def safetensors(header: object, rows: bytes = b"") -> bytes:
    data = json.dumps(header).encode()
    return struct.pack("<Q", len(data)) + data + rows


BROKEN_FILES: dict[str, bytes] = {
    "lines.txt": f"2 2\n{EVIL} 1 x\n{EVIL} 1 2\n".encode(),
    "no numbers.txt": f"{EVIL}\n{EVIL}\n".encode(),
    "names.csv": f"{EVIL},{EVIL}\n{EVIL},{EVIL}\n".encode(),
    "twice.tsv": f"{EVIL}\t1\t2\n{EVIL}\t1\t2\n{EVIL}\t1\n".encode(),
    "names.safetensors": safetensors(
        {EVIL: {"dtype": EVIL, "shape": [1], "data_offsets": [0, 4]}}, b"\0" * 4
    ),
    "two.safetensors": safetensors(
        {name: {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]} for name in (EVIL, "x")},
        b"\0" * 4,
    ),
    "code.pickle": f"\x80\x04c{EVIL.replace(chr(10), '')}\nsystem\n.".encode("latin-1", "ignore"),
    "text.pickle": b"\x80\x04X" + struct.pack("<I", len(EVIL.encode())) + EVIL.encode() + b".",
    "header.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 60) + repr({"descr": EVIL}).encode(),
    "latin.txt": EVIL.encode("utf-16"),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_broken_files(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{TYPED}{name}"
    file.write_bytes(BROKEN_FILES[name])
    for options in ([], ["--skip-bad"], ["--limit", "1"], ["--model", "mini"]):
        assert_safe(run("import", file, "--name", "x", "--force", *options))
    assert_safe(run("evaluate", file))
    assert_safe(run("query", "王", "--vocab", file))


def test_arrays_with_hostile_names(tmp_path: Path) -> None:
    for number, names in enumerate(([EVIL], [EVIL, f"{EVIL}2"], ["tokens", EVIL])):
        file = tmp_path / f"{number}.npz"
        arrays: dict[str, Any] = {name.replace("\0", ""): np.ones((2, 2), "f4") for name in names}
        np.savez(file, **arrays)
        assert_safe(run("import", file, "--name", "x"))


MODEL_FILES: dict[str, dict[str, object]] = {
    "config": {"config.json": {"model_type": EVIL, "architectures": [EVIL], "hidden_size": EVIL}},
    "list": {"config.json": [EVIL]},
    "broken": {"config.json": f'{{"{EVIL}'},
    "tokens": {"vocab.txt": "\n".join([WORD, EVIL, *"abc"])},
    "tokenizer": {"tokenizer.json": {"model": {"type": EVIL, "vocab": {EVIL: 0}}}},
    "tokenizer vocabulary": {"tokenizer.json": {"model": {"vocab": {EVIL: EVIL}}}},
    "tokenizer settings": {"tokenizer_config.json": {"tokenizer_class": EVIL, "cls_token": EVIL}},
    "index": {
        "model.safetensors": None,
        "model.safetensors.index.json": {"weight_map": {EVIL: TYPED}},
    },
    "weights": {"model.safetensors": safetensors({EVIL: {"dtype": EVIL, "shape": EVIL}})},
    "matrices": {
        "model.safetensors": safetensors(
            {f"{EVIL}{n}": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]} for n in "ab"},
            b"\0" * 4,
        )
    },
    "pickle": {"model.safetensors": None, "pytorch_model.bin": BROKEN_FILES["code.pickle"]},
    "other": {"model.safetensors": None, "tf_model.h5": b"", f"{TYPED}.gguf": b""},
}


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *((name, "static") for name in MODEL_FILES),
        *((name, "dynamic") for name in MODEL_FILES if name not in ("weights", "matrices")),
    ],
)
def test_models(name: str, mode: str, tiny_bert: Path, tmp_path: Path) -> None:
    folder = tmp_path / f"model{TYPED}"
    shutil.copytree(tiny_bert, folder)
    for file, content in MODEL_FILES[name].items():
        if content is None:
            (folder / file).unlink()
        elif isinstance(content, bytes | str):
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        else:
            (folder / file).write_text(json.dumps(content), "utf-8")
    for args in (["extract", "--mode", mode], ["query", "王"], ["export", "static", "-o", "x.txt"]):
        model = ["--model", folder] if args[0] != "export" else []
        assert_safe(run(*args, *model))


def _manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("file", ["manifest.json", "tokens.json", "vectors.npy", "norms.npy"])
@pytest.mark.parametrize(
    "content", [EVIL, f'"{EVIL}"', json.dumps({EVIL: EVIL}), "[]", ""], ids=range(5)
)
def test_damaged_tables(file: str, content: str) -> None:
    folder = next(path for path in Store().root.glob("*/static"))
    (folder / file).write_text(content, "utf-8")
    for args in (
        ("query", "王"), ("tables",), ("tables", "--verify"), ("tables", "--json"),
        ("export", "static", "-o", "x.txt"), ("tables", "rm", f"{NAME}:static", "--yes"),
    ):  # fmt: skip
        assert_safe(run(*args))


def test_manifests_with_hostile_values() -> None:
    folder = next(path for path in Store().root.glob("*/static"))
    manifest = _manifest(folder)
    for key in manifest:
        (folder / "manifest.json").write_text(json.dumps({**manifest, key: EVIL}), "utf-8")
        for args in (("query", "王"), ("tables",), ("tables", "--verify"), ("tables", "--tsv")):
            assert_safe(run(*args))


def test_progress_records(tmp_path: Path) -> None:
    folder = next(path for path in Store().root.glob("*/static")).with_name("dynamic.draft")
    folder.mkdir()
    for record in (EVIL, json.dumps({"done": EVIL, "tokens": EVIL}), json.dumps({"done": 3})):
        (folder / "progress.json").write_text(record, "utf-8")
        assert_safe(run("tables"))
        assert_safe(run("tables", "--json"))
    assert_safe(run("extract", "--mode", "dynamic", "--model", tmp_path))


# --- other libraries ----------------------------------------------------------------------------


def test_messages_of_other_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    def call() -> None:
        print(WORD)  # noqa: T201  # as a library would
        sys.stderr.writelines([WORD, "\n"])
        logging.getLogger("other").warning(WORD)
        raise OSError(2, EVIL, EVIL)

    with safe_streams():
        code = exit_code_of(call)
    out, err = capsys.readouterr()
    assert code == 1
    assert not DANGEROUS.findall(out + err)
    assert out == f"王{EVIL_SHOWN}\n"


EVIL_SHOWN = r"\u001b[2J\u009b1m\u0085\u0000\u0007\u202e\u2066\u2028\u2029\u007f\u200f"  # of EVIL


@pytest.mark.parametrize("wrap", [str, repr, lambda text: f"a\n{text}\n"])
def test_errors_of_the_library_are_safe_in_python_too(wrap: Callable[[str], str]) -> None:
    assert not DANGEROUS.findall(str(WordvecError(wrap(WORD))).replace("\n", ""))


class _Terminal:
    def __init__(self) -> None:
        self.written = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += text
        return len(text)


def test_our_own_colours_and_bars_reach_a_terminal() -> None:
    terminal = _Terminal()
    stream = SafeStream(terminal)  # type: ignore[arg-type]  # what is used of a stream
    stream.write("\x1b[31mError:\x1b[0m 50 %\r\x1b[A\x1b[K\n\ta\x1b[2Jb\x1b]0;x\x07")
    assert terminal.written == (
        "\x1b[31mError:\x1b[0m 50 %\r\x1b[A\x1b[K\n\ta\\u001b[2Jb\\u001b]0;x\\u0007"
    )

"""What `scripts/fuzz` runs: each target takes any bytes, and raises nothing but our errors.

The first byte of some inputs selects a reader or a file; the rest is its content.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from support.tables import toy_table
from wordvec.errors import WordvecError
from wordvec.expression.parser import parse
from wordvec.formats.detect import detect_format
from wordvec.formats.file_format import FileFormat
from wordvec.formats.reading import ReadOptions
from wordvec.formats.registry import reader_of
from wordvec.tables.store import Store
from wordvec.vocabulary.folder import read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    from wordvec.cli.shell.session import Session
    from wordvec.tables.name import TableName

SEEDS = Path(__file__).parents[1] / "fuzz" / "seeds"
_F = FileFormat
READERS = (  # the formats of one file; None: found from the content
    None, _F.WORD2VEC, _F.GLOVE, _F.WORD2VEC_BINARY, _F.CSV, _F.TSV, _F.NPY, _F.NPZ,
    _F.SAFETENSORS, _F.PARQUET, _F.ARROW, _F.FINALFUSION,
)  # fmt: skip
VOCABULARIES = (
    "vocab.txt", "tokenizer.json", "vocab.json", "spiece.model", "tokenizer_config.json",
    "added_tokens.json",
)  # fmt: skip
TABLE_FILES = ("manifest.json", "tokens.json")


def read_expression(data: bytes) -> None:
    """Parse an expression."""
    with suppress(WordvecError):
        parse(data.decode("utf-8", "surrogateescape"))


def read_vectors(data: bytes) -> None:
    """Read a file of vectors in one of the formats."""
    chosen = READERS[data[0] % len(READERS)] if data else None
    _read(data[1:], chosen)


def read_pickle(data: bytes) -> None:
    """Read a pickle of vectors by word or by id, or of gensim."""
    _read(data, _F.PICKLE)
    _read(data, _F.GENSIM)


def _read(data: bytes, chosen: FileFormat | None) -> None:
    path = _folder() / "vectors"
    path.write_bytes(data)
    with suppress(WordvecError):
        reading = reader_of(chosen or detect_format(path))(path, ReadOptions())
        for block in reading.blocks:
            if len(block.tokens) != len(block.rows):
                raise AssertionError(f"{len(block.tokens)} tokens of {len(block.rows)} rows")


def read_tokens(data: bytes) -> None:
    """Read the vocabulary of a model and cut a word with its tokenizer."""
    folder = _folder() / "model"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    (folder / "config.json").write_bytes(b'{"model_type": "bert"}')
    name = VOCABULARIES[data[0] % len(VOCABULARIES)] if data else VOCABULARIES[0]
    (folder / "vocab.txt").write_bytes("[CLS]\n[SEP]\n[UNK]\n王\n##王\n".encode())
    (folder / "merges.txt").write_bytes(b"")
    (folder / name).write_bytes(data[1:])
    if name in ("spiece.model", "vocab.json", "tokenizer.json"):
        (folder / "vocab.txt").unlink()
    with suppress(WordvecError):
        vocabulary = read_vocabulary(folder)
        vocabulary.find("王")
        vocabulary.pieces("王女")


def read_table(data: bytes) -> None:
    """List, open and verify a table of which one file has other bytes."""
    store, name = _store()
    file = store.paths(name).table / TABLE_FILES[data[0] % len(TABLE_FILES) if data else 0]
    before = file.read_bytes()
    file.write_bytes(data[1:])
    try:
        store.tables()
        store.verify(name)
        with suppress(WordvecError):
            store.open(name)
    finally:
        file.write_bytes(before)


def answer_lines(data: bytes) -> None:
    """Answer lines in the shell."""
    session = _session()
    session.finished = False
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        session.answer_all(data.decode("utf-8", "surrogateescape").split("\n"))
        session.answer(":reset")


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="wordvec-fuzz-"))


@cache
def _store() -> tuple[Store, TableName]:
    store, table = Store(_folder() / "store"), toy_table()
    store.save(table)
    return store, table.name


@cache
def _session() -> Session:
    from wordvec.cli.shell.session import Session
    from wordvec.tables.name import TableRef

    os.chdir(_folder())
    store, name = _store()
    return Session(TableRef.of(name), store)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "expression": read_expression,
    "formats": read_vectors,
    "pickle": read_pickle,
    "vocabulary": read_tokens,
    "table": read_table,
    "shell": answer_lines,
}


def run(name: str, data: bytes) -> None:
    """Run a target, in which a warning of a library is a failure too."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TARGETS[name](data)

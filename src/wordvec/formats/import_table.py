"""Import vectors from another program's file as a saved table.

The rows go from the file to the table on disk block by block. A table is saved whole or not at all.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING
from unicodedata import category

from wordvec.errors import StoreError, UsageError, as_choice
from wordvec.foreign.files import open_input
from wordvec.formats.article_pickle import has_words, read_pickle
from wordvec.formats.detect import detect_format
from wordvec.formats.file_format import FileFormat
from wordvec.formats.reading import Block, ReadOptions
from wordvec.formats.registry import FORMATS, reader_of
from wordvec.formats.token_lines import has_own_tokens, tokens_beside
from wordvec.models.bundled import BUNDLED
from wordvec.models.default import named_model
from wordvec.models.find import find_model
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import display_path, temporary_copy, wrap_os_errors
from wordvec.tables.name import Mode, TableName, TableRef, check_variant
from wordvec.tables.paths import nfc
from wordvec.tables.table import Provenance, VectorTable
from wordvec.text import escape
from wordvec.vocabulary.folder import USUAL_SPECIALS, read_vocabulary
from wordvec.vocabulary.lookup import Vocabulary, unused_token
from wordvec.vocabulary.spelling import Scheme, guess_scheme

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.store import Store

STANDARD_INPUT = "-"
_PIPED = "standard input"
_SHOWN = 3
_SUFFIXES = {
    *(".gz", ".bz2", ".xz", ".vec", ".txt", ".bin", ".kv", ".model", ".fifu", ".arrow", ".feather"),
    *(suffix for entry in FORMATS.values() for suffix in entry.suffixes),
}
_LONGEST_NAME = 100  # characters
_UPPER = re.compile(r"[A-Z]")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The saved table, the format of the file, and what the user should know."""

    table: VectorTable
    file_format: FileFormat
    notes: tuple[str, ...]


def import_vectors(  # noqa: PLR0913  # one keyword for each option of `wordvec import`
    source: Path | str,
    store: Store,
    *,
    name: str | None = None,
    mode: Mode | str | None = None,
    variant: str | None = None,
    model: str | None = None,
    file_format: FileFormat | str | None = None,
    tokens: Path | None = None,
    limit: int | None = None,
    skip_bad: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
) -> ImportResult:
    """Save the vectors of a file as a table and open it.

    Args:
        source: The file or folder; "-" is standard input.
        store: Where the table is saved.
        name: The first part of the table's name; None to derive it from the file's name.
        mode: The second part; None for "static", or "dynamic" with a model.
        variant: The third part, which keeps the table beside others of the same name and mode.
        model: The model that a pickled `{id: vector}` was made with. It gives the tokens and name.
        file_format: None to find it out from the content.
        tokens: A text file with one token per line, for a file without tokens.
        limit: Read only the first vectors.
        skip_bad: Leave broken lines out and count them, instead of failing at the first.
        force: Replace the table if it exists.
        progress: Called with the number of vectors read and about how many there are.

    Raises:
        UsageError: The name cannot be that of a table, or the format is unknown.
        StoreError: The table exists and `force` is false, or the file cannot be read.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"expected a limit of at least 1, got {limit}")
    chosen = None if file_format is None else as_choice(FileFormat, file_format, "file format")
    options = ReadOptions(limit, skip_bad, None if tokens is None else Path(tokens))
    table_mode = None if mode is None else as_choice(Mode, mode, "mode")
    if name is not None:
        check_name(name)
    if variant is not None:
        variant = check_variant(variant)
    with _as_file(source, name) as path:
        found = chosen or detect_format(path)
        if found is FileFormat.PICKLE and (model or _needs_model(path, options)):
            if name is not None or limit is not None:
                raise UsageError(
                    f"{display_path(path)} has vectors by id: the table has the name of their "
                    "model and all of its tokens, so a name and a limit cannot be used",
                    hint='tokens="FILE" names a text file with one token per line instead',
                )
            kind = TableRef(model, table_mode or Mode.DYNAMIC, variant)
            return _import_ids(path, kind, store, force=force)
        if model is not None:
            raise UsageError(f"model={model!r} is for a pickled {{id: vector}}, not for {found}")
        full_name = TableName(
            check_name(name or name_of_file(path)), table_mode or Mode.STATIC, variant
        )
        file = path.name if path == Path(source) else _PIPED
        return _import_tokens(path, full_name, file, found, options, store, force, progress)


def import_pickle(  # noqa: PLR0913  # all parts of a request
    path: Path,
    model: str,
    mode: Mode | str,
    store: Store,
    *,
    variant: str | None = None,
    force: bool = False,
) -> VectorTable:
    """Save a pickled `{id: vector}` as a table and open it.

    Args:
        path: The article's pickle: one vector for each id of the model's vocabulary.
        model: The model that the vectors were made with.
        mode: The mode that the table is saved under.
        store: Where the table is saved.
        variant: Keeps the table beside others of the same model and mode.
        force: Replace the table if it exists.

    Raises:
        ModelError: The model cannot be found, or its vocabulary cannot be read.
        StoreError: The table exists and `force` is false, the file is not such a pickle, or the
            table cannot be saved.
    """
    mode = as_choice(Mode, mode, "mode")
    source = find_model(model)
    name = TableName(source.name, mode, None if variant is None else check_variant(variant))
    _check_free(name, store, force=force)  # before the file is read, which takes longer
    vocabulary = read_vocabulary(source.folder)
    rows = read_pickle(path, len(vocabulary))
    provenance = _provenance(name, source.revision)
    store.save(VectorTable.from_vectors(vocabulary, rows, provenance), force=force)
    return store.open(name)


def check_name(name: str) -> str:
    """Return the name of an imported table, composed (NFC), or raise UsageError.

    It must not be read as a path, as a model of the hub or as another part of a table's name.
    """
    composed = nfc(name)
    if not 0 < len(composed) <= _LONGEST_NAME or composed[0] in ".-" or _other_letters(composed):
        raise UsageError(
            f"{escape(name)!r} cannot be the name of a table: expected letters, digits, and . _ -",
            hint='name="chive"',
        )
    if composed == BUNDLED:
        raise UsageError(f'"{BUNDLED}" is the name of the bundled model', hint='name="chive"')
    if composed in set(Mode):
        raise UsageError(
            f'table="{composed}" means the {composed} table of the default model, so '
            f'"{composed}" cannot be the name of another',
            hint='name="chive"',
        )
    return composed


def _other_letters(name: str) -> set[str]:
    """Return the characters that cannot be in a name; combining marks are parts of letters."""
    return {
        char
        for char in name
        if not (char.isalnum() or char in "._-" or category(char).startswith("M"))
    }


def name_of_file(path: Path) -> str:
    """Return the name that a table gets from its file, as typed: without suffixes and other signs.

    >>> name_of_file(Path("cc.ja.300.vec.gz")), name_of_file(Path("my vectors (1).txt"))
    ('cc.ja.300', 'my-vectors-1')
    """
    typed = path.name if path.name not in ("", "..") else path.resolve().name
    name = nfc(typed)
    while Path(name).suffix.lower() in _SUFFIXES:
        name = Path(name).stem
    for char in _other_letters(name):
        name = name.replace(char, "-")
    return re.sub("-+", "-", name).strip("-.") or "vectors"


@contextmanager
def _as_file(source: Path | str, name: str | None) -> Iterator[Path]:
    """Return the path of a file; what comes from a pipe is written to a temporary file first."""
    path = Path(source)
    if str(source) != STANDARD_INPUT and not path.is_fifo():
        yield path
        return
    if name is None:
        raise UsageError("vectors from a pipe have no file name", hint='name="chive"')
    with _open_pipe(path) as pipe, temporary_copy(pipe, _PIPED) as copy:
        try:
            yield copy
        except StoreError as error:  # the name of the copy says nothing to the user
            error.message = error.message.replace(display_path(copy), _PIPED)
            raise


@contextmanager
def _open_pipe(path: Path) -> Iterator[IO[bytes]]:
    if str(path) == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with wrap_os_errors(path, reading=True, hint=None):
        pipe = open_input(path)
    with pipe:
        yield pipe


def _check_free(name: TableName, store: Store, *, force: bool) -> None:
    if name in store and not force:
        raise StoreError(f"{escape(str(name))} already exists", hint="force=True replaces it")


def _needs_model(path: Path, options: ReadOptions) -> bool:
    """Return whether a pickle has ids as keys, and no file says which tokens they are."""
    return not (has_words(path) or options.tokens or tokens_beside(path).is_file())


def _import_ids(path: Path, ref: TableRef, store: Store, *, force: bool) -> ImportResult:
    named = named_model(ref.model)
    if named is None:
        raise UsageError(
            f"{display_path(path)} has vectors by id, without tokens",
            hint='name the model that they were made with (model="mini"), or a text file with one '
            'token per line (tokens="FILE")',
        )
    table = import_pickle(path, named, ref.mode, store, variant=ref.variant, force=force)
    return ImportResult(table, FileFormat.PICKLE, ())


def _import_tokens(  # noqa: PLR0913, PLR0917  # all parts of a request
    path: Path,
    name: TableName,
    file: str,
    file_format: FileFormat,
    options: ReadOptions,
    store: Store,
    force: bool,  # noqa: FBT001
    progress: Progress,
) -> ImportResult:
    """Read a file with tokens and save its table."""
    _check_free(name, store, force=force)
    if options.tokens is not None and FORMATS[file_format].has_tokens:
        raise has_own_tokens(path)
    reading = reader_of(file_format)(path, options)
    total = _smaller(reading.total, options.limit)
    rows = _Rows()
    with store.create(name, force=force) as new:
        for block in reading.blocks:
            new.append(rows.first_of(block))
            if total is not None:
                progress(min(rows.read, total), total)
        if not rows.tokens:
            raise StoreError(f"{display_path(path)} has no vectors")
        if total is not None:
            progress(total, total)
        vocabulary = _vocabulary(tuple(rows.tokens), reading.vocabulary)
        settings: dict[str, object] = {"file": file, "format": str(file_format)}
        new.finish(vocabulary, _provenance(name), settings)
    notes = (*reading.notes, *rows.notes())
    return ImportResult(store.open(name), file_format, tuple(dict.fromkeys(notes)))


def _smaller(total: int | None, limit: int | None) -> int | None:
    known = [number for number in (total, limit) if number is not None]
    return min(known, default=None) if total is not None else None


class _Rows:
    """The tokens read so far. Of equal tokens the first counts."""

    def __init__(self) -> None:
        self.tokens: dict[str, None] = {}  # in the order of the rows
        self.read = 0
        self._dropped: list[str] = []  # the first of them

    def first_of(self, block: Block) -> NDArray[np.float32]:
        """Return the rows of a block whose tokens are new."""
        kept = []
        for row, token in enumerate(block.tokens):
            if token not in self.tokens:
                self.tokens[token] = None
                kept.append(row)
            elif len(self._dropped) < _SHOWN:
                self._dropped.append(token)
        self.read += len(block.tokens)
        return block.rows if len(kept) == len(block.rows) else block.rows[kept]

    def notes(self) -> Iterator[str]:
        """Yield how many vectors were left out."""
        dropped = self.read - len(self.tokens)
        if dropped:
            shown = ", ".join(f'"{escape(token)}"' for token in self._dropped)
            more = ", …" if dropped > len(self._dropped) else ""
            yield (
                f"{dropped:,} vectors are left out, because their tokens occur before: "
                f"{shown}{more}"
            )


def _vocabulary(tokens: tuple[str, ...], of_model: Vocabulary | None) -> Vocabulary:
    """Return the vocabulary of the rows that were read.

    Of tokens alone, it is guessed what the settings of their model would say.

    of_model: the vocabulary of the model in the file, of which these are the first tokens.
    """
    if of_model is not None and of_model.tokens[: len(tokens)] == tokens:
        return of_model.first(len(tokens))
    scheme = guess_scheme(tokens)
    specials = frozenset(() if scheme is Scheme.WORDS else USUAL_SPECIALS)
    special_ids = tuple(
        row for row, token in enumerate(tokens) if token in specials or token == unused_token(row)
    )
    has_upper = any(_UPPER.search(token) for token in tokens if token not in specials)
    return Vocabulary(tokens, scheme, special_ids, lowercase=not has_upper)


def _provenance(name: TableName, revision: str | None = None) -> Provenance:
    from importlib.metadata import version

    versions = {library: version(library) for library in ("wordvec", "numpy")}
    return Provenance(
        name.model,
        name.mode,
        revision,
        source="import",
        versions=versions,
        variant=name.variant,
    )

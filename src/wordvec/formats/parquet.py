"""Parquet, Arrow and Feather files: a column of tokens, and one or more columns of numbers.

The vectors are a column of lists, or one column for each dimension. Columns are found by their
names, else by their types:

- tokens: the text column with one of `TOKEN_NAMES`, else the only text column (pandas saves the
  words of an index as such a column);
- vectors: the column of lists of numbers with one of `VECTOR_NAMES`, else the only such column,
  else all columns of floats, else all columns of integers, in the order of the file.

What `write_parquet` writes is `token`, a string, and `vector`, a list of D float32.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import MissingExtraError, StoreError
from wordvec.formats.matrix import (
    check_text,
    file_size,
    limited,
    overflow_notes,
    refuse_damage,
    rows_at_once,
    to_float32,
)
from wordvec.formats.reading import Block, Reading, ReadOptions
from wordvec.formats.token_lines import has_own_tokens, read_token_lines
from wordvec.progress import Progress, no_progress
from wordvec.tables.files import display_path
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.table import VectorTable

TOKEN_NAMES = ("token", "word", "text", "key", "label", "term", "tokens", "words", "string", "name")
VECTOR_NAMES = (
    *("vector", "embedding", "vec", "emb", "values", "features"),
    *("vectors", "embeddings", "static_embedding"),
)
_PARQUET, _ARROW_FILE, _ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
_MAX_DIMENSIONS, _USUAL_DIMENSIONS = 1 << 20, 1024
_BUFFER_BYTES = 1 << 20
_GROUP_BLOCKS = 8  # blocks of rows in a row group that is written
_SHOWN_COLUMNS = 12


@dataclass(frozen=True, slots=True)
class _Columns:
    """The names of the columns that are read. tokens is None if a text file has the tokens."""

    tokens: str | None
    vectors: tuple[str, ...]
    lists: bool  # whether the vectors are one column of lists
    unread: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """All that are read."""
        return [name for name in (self.tokens, *self.vectors) if name is not None]


def read_parquet(path: Path, options: ReadOptions) -> Reading:
    """Read the tokens and vectors of a Parquet file, a part of a row group at a time.

    Raises:
        StoreError: There are no such columns, a row has no vector or one of another length (unless
            `options.skip_bad` is set), or the file is damaged.
        MissingExtraError: pyarrow is not installed.
    """
    _require_pyarrow("a Parquet file")
    import pyarrow.parquet

    file_size(path)
    # pages are read one by one; else a whole row group is in memory, which can be the whole table
    open_file = partial(
        pyarrow.parquet.ParquetFile, path, pre_buffer=False, buffer_size=_BUFFER_BYTES
    )
    with refuse_damage(path, "a Parquet file"), open_file() as file:
        columns = _find_columns(path, file.schema_arrow, options)
        rows = file.metadata.num_rows
        at_once = rows_at_once(_dimensions(path, file, columns))

    @contextmanager
    def batches() -> Iterator[Iterator[Any]]:
        with open_file() as file:
            yield file.iter_batches(batch_size=at_once, columns=columns.names)

    return _RowReader(path, "a Parquet file", columns, options).start(batches, rows)


def read_arrow(path: Path, options: ReadOptions) -> Reading:
    """Read the tokens and vectors of an Arrow file (Feather) or stream, batch by batch.

    Raises:
        StoreError: As for `read_parquet`.
        MissingExtraError: pyarrow is not installed.
    """
    _require_pyarrow("an Arrow file")
    import pyarrow as pa

    file_size(path)

    @contextmanager
    def batches() -> Iterator[Iterator[Any]]:
        with pa.memory_map(str(path)) as source:  # a batch can be the whole table
            yield (batch.select(columns.names) for batch in _open_arrow(source)[1])

    with refuse_damage(path, "an Arrow file"), pa.memory_map(str(path)) as source:
        columns = _find_columns(path, _open_arrow(source)[0], options)
    return _RowReader(path, "an Arrow file", columns, options).start(batches, None)


def _open_arrow(source: Any) -> tuple[Any, Iterator[Any]]:
    """Return the schema and the batches of an Arrow file or stream."""
    import pyarrow as pa

    is_file = source.read(len(_ARROW_FILE)) == _ARROW_FILE
    source.seek(0)
    if not is_file:
        stream = pa.ipc.open_stream(source)
        return stream.schema, iter(stream)
    file = pa.ipc.open_file(source)
    return file.schema, (file.get_batch(index) for index in range(file.num_record_batches))


def _find_columns(path: Path, schema: Any, options: ReadOptions) -> _Columns:
    """Choose the columns of the tokens and of the vectors."""
    fields = list(schema)
    if len({field.name for field in fields}) < len(fields):
        raise _wrong_columns(path, "two columns have the same name", schema)
    texts = [field.name for field in fields if _is_text(field.type)]
    tokens = None
    if options.tokens is None:
        named = [name for wanted in TOKEN_NAMES for name in texts if name.lower() == wanted]
        if not named and len(texts) != 1:
            raise _wrong_columns(path, f"expected a text column named {TOKEN_NAMES[0]}", schema)
        tokens = (named or texts)[0]
    elif any(name.lower() in TOKEN_NAMES for name in texts):
        raise has_own_tokens(path)
    lists = [field.name for field in fields if _is_list(field.type)]
    named = [name for wanted in VECTOR_NAMES for name in lists if name.lower() == wanted]
    if named or len(lists) == 1:
        vectors = (named or lists)[:1]
    else:
        floats = [field.name for field in fields if _is_float(field.type)]
        vectors = floats or [field.name for field in fields if _is_number(field.type)]
    if not vectors:
        raise _wrong_columns(path, f"expected a column of lists named {VECTOR_NAMES[0]}", schema)
    read = {tokens, *vectors}
    unread = tuple(field.name for field in fields if field.name not in read)
    return _Columns(tokens, tuple(vectors), bool(named) or len(lists) == 1, unread)


def _wrong_columns(path: Path, what: str, schema: Any) -> StoreError:
    shown = [_shown(f"{field.name} ({field.type})") for field in list(schema)[:_SHOWN_COLUMNS]]
    more = ", …" if len(schema) > _SHOWN_COLUMNS else ""
    return StoreError(
        f"{display_path(path)}: {what}, got {', '.join(shown) or 'no columns'}{more}",
        hint='rename the columns: table.rename_columns(["token", "vector"])',
    )


def _is_text(type_: Any) -> bool:
    import pyarrow.types as kinds

    if kinds.is_dictionary(type_):
        type_ = type_.value_type
    return bool(
        kinds.is_string(type_) or kinds.is_large_string(type_) or str(type_) == "string_view"
    )


def _is_float(type_: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_floating(type_))


def _is_number(type_: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_floating(type_) or kinds.is_integer(type_))


def _is_list(type_: Any) -> bool:
    import pyarrow.types as kinds

    is_list = kinds.is_list(type_) or kinds.is_large_list(type_) or kinds.is_fixed_size_list(type_)
    return bool(is_list and _is_number(type_.value_type))


def _dimensions(path: Path, file: Any, columns: _Columns) -> int:
    """Return how many numbers the first vector has, for the size of the blocks.

    The number of values in the metadata of a column is not used: pyarrow 26 aborts the process
    when it reads the metadata of some damaged columns.
    """
    if not columns.lists:
        return len(columns.vectors)
    name = columns.vectors[0]
    size = getattr(file.schema_arrow.field(name).type, "list_size", None)
    if size is None:
        first = next(file.iter_batches(batch_size=1, columns=[name]), None)
        vector = first.column(name)[0] if first is not None else None
        size = len(vector) if vector is not None and vector.is_valid else _USUAL_DIMENSIONS
    if size > _MAX_DIMENSIONS:
        raise StoreError(
            f"{display_path(path)}: expected vectors of at most {_MAX_DIMENSIONS:,} dimensions, "
            f"got {size:,}"
        )
    return max(1, int(size))


@dataclass(slots=True)
class _RowReader:
    """Turns batches of columns into blocks; D is the length of the first vector."""

    path: Path
    kind: str
    columns: _Columns
    options: ReadOptions
    D: int | None = None
    row: int = 0  # of the next batch
    skipped: int = 0
    overflows: int = 0
    notes: list[str] = field(default_factory=list)

    def start(self, batches: Callable[[], Any], rows: int | None) -> Reading:
        """Return a reading of the blocks."""
        tokens = read_token_lines(self.options.tokens) if self.options.tokens else None
        if self.columns.unread:
            shown = ", ".join(_shown(name) for name in self.columns.unread[:_SHOWN_COLUMNS])
            more = ", …" if len(self.columns.unread) > _SHOWN_COLUMNS else ""
            self.notes.append(f"columns that were not read: {shown}{more}")
        total = None
        if rows is not None and not self.options.skip_bad:
            total = limited(rows, self.options.limit)
        return Reading(self._blocks(batches, tokens, total), total, self.notes)

    def _blocks(
        self, batches: Callable[[], Any], tokens: list[str] | None, total: int | None
    ) -> Iterator[Block]:
        left = self.options.limit
        with refuse_damage(self.path, self.kind), batches() as parts:
            for batch in parts:
                if left is not None and left <= 0:
                    break
                batch.validate(full=True)
                for part in self._split(batch):
                    if left is not None and not self.options.skip_bad:
                        part = part.slice(0, left)  # noqa: PLW2901  # no row of it is left out
                    block = self._block(part, tokens)
                    if left is not None:
                        block = Block(block.tokens[:left], block.rows[:left])
                        left -= len(block.tokens)
                    if block.tokens:
                        yield block
        if total is not None and self.row != total:
            raise StoreError(
                f"{display_path(self.path)} is damaged: expected {total:,} rows, got {self.row:,}"
            )
        self._finish(tokens, whole=left is None)

    def _split(self, batch: Any) -> Iterator[Any]:
        """Yield parts of a batch, which an Arrow file can have for the whole table."""
        start = 0
        while start < len(batch):
            size = rows_at_once(self.D) if self.D else 1
            yield batch.slice(start, size)
            start += size

    def _finish(self, tokens: list[str] | None, *, whole: bool) -> None:
        """Check the number of rows, and complete the notes."""
        if self.row == 0 and self.options.limit != 0:
            raise StoreError(f"{display_path(self.path)} has no rows")
        if tokens is not None and whole and len(tokens) != self.row:
            raise self._different(len(tokens), self.row)
        if self.skipped:
            self.notes.append(f"rows without a token or a vector of length D: {self.skipped:,}")
        self.notes.extend(overflow_notes(self.overflows))

    def _block(self, batch: Any, tokens: list[str] | None) -> Block:
        """Return the good rows of a batch."""
        rows, good = self._rows(batch)
        if tokens is None:
            names = batch.column(self.columns.tokens).to_pylist()
        else:
            names = tokens[self.row : self.row + len(batch)]
            if len(names) < len(batch):
                raise self._different(len(tokens), self.row + len(batch))
        for row, name in enumerate(names):
            good[row] = good[row] and name is not None
        if not self.options.skip_bad and not good.all():
            self._refuse_row(batch, int(good.argmin()))
        self.skipped += len(batch) - int(good.sum())
        names = [name for name, is_good in zip(names, good.tolist(), strict=True) if is_good]
        check_text(self.path, names, self.row)
        self.row += len(batch)
        converted, overflowed = to_float32(rows[good])
        self.overflows += overflowed
        return Block(names, converted)

    def _different(self, tokens: int, rows: int) -> StoreError:
        return StoreError(
            f"{display_path(self.path)}: expected one vector for each token, "
            f"got {tokens:,} tokens and {rows:,} vectors or more"
        )

    def _refuse_row(self, batch: Any, row: int) -> None:
        """Raise the error for a row that is not good."""
        name = self.columns.vectors[0]
        value = batch.column(name)[row].as_py() if self.columns.lists else ()
        if isinstance(value, list) and len(value) != self.D:
            what = f"{len(value)} numbers" + (f", expected {self.D}" if self.D else "")
        elif value is None:
            what = "no vector"
        else:
            what = "no token, or a vector with a missing number"
        raise StoreError(
            f"{display_path(self.path)}: row {self.row + row} has {what}",
            hint="skip_bad=True leaves out such rows",
        )

    def _rows(self, batch: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return (B, D) numbers, and which rows are good; the others contain anything."""
        import numpy as np

        if self.columns.lists:
            return self._list_rows(batch.column(self.columns.vectors[0]))
        parts = [batch.column(name) for name in self.columns.vectors]
        self.D = len(parts)
        good = np.ones(len(batch), dtype=bool)
        for part in parts:
            if part.null_count:
                good &= part.is_valid().to_numpy(zero_copy_only=False)
        numbers = [part.to_numpy(zero_copy_only=False) for part in parts]
        return np.column_stack(numbers), good

    def _list_rows(self, lists: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the rows of a column of lists."""
        import numpy as np
        import pyarrow.compute

        lengths = pyarrow.compute.fill_null(pyarrow.compute.list_value_length(lists), -1)
        sizes = lengths.to_numpy(zero_copy_only=False)
        if self.D is None and sizes.max(initial=-1) > 0:
            self.D = int(sizes[sizes > 0][0])
        D = self.D or 1
        good = sizes == D
        if not good.all():
            lists = lists.filter(pyarrow.array(good))
        values = lists.flatten()
        rows = np.zeros((len(good), D), dtype=values.type.to_pandas_dtype())
        rows[good] = values.to_numpy(zero_copy_only=False).reshape(-1, D)
        if values.null_count:
            valid = values.is_valid().to_numpy(zero_copy_only=False)
            good[good] = valid.reshape(-1, D).all(axis=1)
        return rows, good


def _shown(name: str) -> str:
    return clip(escape(name[:200]), 40)


def _require_pyarrow(what: str) -> None:
    try:
        import pyarrow as pa  # noqa: F401  # an extra: 150 MB installed
    except ImportError as error:
        raise MissingExtraError(what, extra="parquet", package="pyarrow") from error


def write_parquet(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write `token` (string) and `vector` (list of D float32), one row group after the other.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    _require_pyarrow("a Parquet file")
    import numpy as np
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    V, D = len(table), table.dimensions
    vector = pa.list_(pa.field("element", pa.float32(), nullable=False), D)
    schema = pa.schema(
        [
            pa.field("token", pa.string(), nullable=False),
            pa.field("vector", vector, nullable=False),
        ]
    )
    step = _GROUP_BLOCKS * rows_at_once(D)
    with ParquetWriter(file, schema, use_dictionary=False) as writer:
        for start in range(0, V, step):
            rows = np.ascontiguousarray(table.vectors[start : start + step], dtype="<f4")
            values = pa.array(rows.reshape(-1), pa.float32(), from_pandas=False)
            tokens = pa.array(table.vocabulary.tokens[start : start + step], pa.string())
            vectors = pa.FixedSizeListArray.from_arrays(values, type=vector)
            writer.write_batch(pa.record_batch([tokens, vectors], schema=schema))
            progress(start + len(rows), V)

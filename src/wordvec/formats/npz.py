"""numpy's .npz format: a zip archive of arrays, here the vectors and their tokens.

What `write_npz` writes:

    vectors       (V, D) float32
    tokens        (V,) numpy text, one per row
    tokens_utf8   (N,) uint8, the UTF-8 of all tokens one after the other
    token_ends    (V,) int64, where each token ends in tokens_utf8

`tokens` is what numpy users want: `np.load("x.npz")["tokens"]`. But numpy pads each text to the
longest one with NUL, so it loses NULs at the end of a token, and one long token makes the array
large. So the UTF-8 is written too, and `tokens` is left out if it would be larger than the vectors
and than 64 MiB. Reading uses the UTF-8, if the archive has it, and checks that both agree.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.foreign.npy_header import ArrayHeader, read_header
from wordvec.formats.matrix import (
    check_dtype,
    check_shape,
    check_size,
    check_tokens,
    file_size,
    limited,
    read_blocks,
    refuse_damage,
    rows_at_once,
)
from wordvec.formats.npy import RowReader, map_matrix
from wordvec.formats.reading import Reading, ReadOptions
from wordvec.formats.token_lines import find_token_list, has_own_tokens, missing_tokens
from wordvec.progress import Progress, no_progress
from wordvec.tables import files
from wordvec.tables.files import display_path
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from wordvec.formats.reading import Block
    from wordvec.tables.table import VectorTable

VECTOR_NAMES = ("vectors", "embeddings", "embedding", "vecs", "weights", "matrix", "data", "X")
TOKEN_NAMES = ("tokens", "words", "vocab", "vocabulary", "labels", "index_to_key", "keys", "itos")
_UTF8, _ENDS = "tokens_utf8", "token_ends"
_KIND = "an .npz archive"
_MAX_TEXT_ARRAY = 64 << 20  # bytes; or the size of the vectors, if they are larger
_MAX_TOKEN = 1 << 20  # characters of a numpy text
_MAX_RATIO = 1100  # deflate makes data at most 1032 times smaller
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the same table gives the same file


@dataclass(frozen=True, slots=True)
class _Member:
    """An array of the archive: its name in numpy, its entry, its header."""

    name: str
    entry: zipfile.ZipInfo
    header: ArrayHeader


def read_npz(path: Path, options: ReadOptions) -> Reading:
    """Read the vectors and the tokens of an .npz archive.

    The vectors are the array with one of `VECTOR_NAMES`, else the only matrix. The tokens are
    the text array with one of `TOKEN_NAMES`, else the only text array, else those of
    `options.tokens`, else the text file beside the archive.

    Raises:
        StoreError: There are no such arrays, their sizes differ, or the archive is damaged.
    """
    size = file_size(path)
    with refuse_damage(path, _KIND), zipfile.ZipFile(path) as archive:
        members = _list_members(path, archive, size)
        vectors = _find_vectors(path, members)
        tokens = _read_tokens(path, archive, members)
    if tokens is not None and options.tokens is not None:
        raise has_own_tokens(path)
    if tokens is None:
        tokens = find_token_list(path, options)
    if tokens is None:
        raise missing_tokens(path)
    V = vectors.header.shape[0]
    check_tokens(path, len(tokens), V)
    total = limited(V, options.limit)
    notes: list[str] = []
    return Reading(_blocks(path, vectors, tokens[:total], notes), total, notes)


def _list_members(path: Path, archive: zipfile.ZipFile, size: int) -> dict[str, _Member]:
    """Return the arrays of the archive by name, after a check of their sizes."""
    members = {}
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        if name == entry.filename:
            continue
        if entry.file_size > _MAX_RATIO * size:
            raise StoreError(
                f"{display_path(path)} is damaged: {_shown(name)} would take "
                f"{entry.file_size:,} bytes, more than a file of {size:,} bytes can hold"
            )
        with archive.open(entry) as file:
            header = read_header(file)
        if not header.dtype.hasobject:
            check_size(path, header.shape, header.dtype.itemsize, entry.file_size - header.offset)
        members[name] = _Member(name, entry, header)
    return members


def _find_vectors(path: Path, members: dict[str, _Member]) -> _Member:
    """Return the vectors: by name, else the only matrix of numbers."""
    matrices = [
        member
        for member in members.values()
        if len(member.header.shape) == 2 and member.header.dtype.kind in "fiu"
    ]
    named = [members[name] for name in VECTOR_NAMES if name in members]
    named = [member for member in named if member in matrices] or (named if not matrices else [])
    if not named and len(matrices) != 1:
        listing = ", ".join(_shown(name) for name in list(members)[:10]) or "nothing"
        raise StoreError(
            f"{display_path(path)}: expected one matrix of vectors, "
            f"got {len(matrices)} among its arrays ({listing})",
            hint="np.savez(path, vectors=vectors, tokens=np.array(tokens))",
        )
    member = (named or matrices)[0]
    check_dtype(path, member.header.dtype, what=_shown(member.name))
    check_shape(path, member.header.shape)
    return member


def _read_tokens(
    path: Path, archive: zipfile.ZipFile, members: dict[str, _Member]
) -> list[str] | None:
    """Return the tokens in the archive, or None if it has none."""
    texts = [member for member in members.values() if member.header.dtype.kind in "USO"]
    named = [members[name] for name in TOKEN_NAMES if name in members]
    exact = None
    if _UTF8 in members and _ENDS in members:
        exact = _read_utf8(path, archive, members[_UTF8], members[_ENDS])
    chosen = [member for member in named if member in texts] or (texts if len(texts) == 1 else [])
    if not chosen:
        return exact
    tokens = list(_read_texts(path, archive, chosen[0]))
    if exact is None:
        return tokens
    for row, (token, text) in enumerate(zip(exact, tokens, strict=False)):
        if token.rstrip("\0") != text:
            raise StoreError(
                f"{display_path(path)}: {_shown(chosen[0].name)} and {_UTF8} disagree at row {row}",
                hint=f"leave out {_UTF8} and {_ENDS}",
            )
    check_tokens(path, len(tokens), len(exact), source=_shown(chosen[0].name))
    return exact


def _read_texts(path: Path, archive: zipfile.ZipFile, member: _Member) -> Iterator[str]:
    """Yield the items of a text array; those of bytes are decoded as UTF-8."""
    header = member.header
    if header.dtype.hasobject:
        raise StoreError(
            f"{display_path(path)}: {_shown(member.name)} are Python objects, which are not read: "
            "loading them can run code",
            hint="save them as text: np.array(tokens, dtype=str)",
        )
    if len(header.shape) != 1:
        raise StoreError(
            f"{display_path(path)}: expected (V,) {_shown(member.name)}, got {header.shape}"
        )
    if not 0 < header.dtype.itemsize <= 4 * _MAX_TOKEN:
        if not header.dtype.itemsize:  # every text is empty
            yield from [""] * limited(header.shape[0], _MAX_TOKEN)
            return
        raise StoreError(
            f"{display_path(path)}: {_shown(member.name)} has texts of {header.dtype.itemsize:,} "
            f"bytes, more than {4 * _MAX_TOKEN:,}"
        )
    step = rows_at_once(header.dtype.itemsize)
    with archive.open(member.entry) as file:
        read = RowReader(path, file, read_header(file))
        for start in range(0, header.shape[0], step):
            texts = read(start, min(start + step, header.shape[0]))
            for text in texts.tolist():
                yield text.decode("utf-8") if isinstance(text, bytes) else text


def _read_utf8(path: Path, archive: zipfile.ZipFile, utf8: _Member, ends: _Member) -> list[str]:
    """Return the tokens of `tokens_utf8` and `token_ends`."""
    if utf8.header.dtype != "u1" or ends.header.dtype.kind not in "iu":
        raise StoreError(f"{display_path(path)}: expected {_UTF8} of uint8 and {_ENDS} of integers")
    data = _read_whole(path, archive, utf8).tobytes()
    stops = _read_whole(path, archive, ends).tolist()
    starts = [0, *stops[:-1]]
    if any(start > stop for start, stop in zip(starts, stops, strict=True)):
        raise StoreError(f"{display_path(path)} is damaged: {_ENDS} decrease")
    if (stops[-1] if stops else 0) != len(data):
        raise StoreError(f"{display_path(path)} is damaged: {_ENDS} and {_UTF8} do not match")
    return [data[start:stop].decode() for start, stop in zip(starts, stops, strict=True)]


def _read_whole(path: Path, archive: zipfile.ZipFile, member: _Member) -> NDArray[Any]:
    if len(member.header.shape) != 1:
        raise StoreError(f"{display_path(path)}: expected one axis, got {member.header.shape}")
    with archive.open(member.entry) as file:
        return RowReader(path, file, read_header(file))(0, member.header.shape[0])


def _blocks(path: Path, member: _Member, tokens: list[str], notes: list[str]) -> Iterator[Block]:
    """Yield the vectors with their tokens."""
    D = member.header.shape[1]
    with (
        refuse_damage(path, _KIND),
        zipfile.ZipFile(path) as archive,
        archive.open(member.entry) as file,
    ):
        if not member.header.fortran_order:
            reader = RowReader(path, file, read_header(file))
            yield from read_blocks(path, tokens, D, reader, notes)
            return
        with files.temporary_copy(file, display_path(path)) as unpacked:  # to read its columns
            matrix = map_matrix(unpacked, member.header)
            yield from read_blocks(path, tokens, D, lambda start, stop: matrix[start:stop], notes)


def _shown(name: str) -> str:
    return clip(escape(name[:200]), 40)


def write_npz(table: VectorTable, file: IO[bytes], progress: Progress = no_progress) -> None:
    """Write the vectors and the tokens as an archive that `np.load` reads without pickles."""
    import numpy as np

    tokens = table.vocabulary.tokens
    encoded = [token.encode() for token in tokens]
    ends = np.cumsum([len(token) for token in encoded], dtype="<i8")
    with zipfile.ZipFile(file, "w") as archive:
        with _member(archive, "vectors", zipfile.ZIP_STORED) as member:
            files.write_npy(member, table.vectors, "<f4", progress)
        _write_texts(archive, tokens, table.vectors.nbytes)
        for name, array in ((_UTF8, np.frombuffer(b"".join(encoded), "u1")), (_ENDS, ends)):
            with _member(archive, name) as member:
                files.write_npy(member, array, array.dtype.str)


def _write_texts(archive: zipfile.ZipFile, tokens: tuple[str, ...], vector_bytes: int) -> None:
    """Write `tokens`, block by block, unless the array would be too large."""
    import numpy as np

    dtype = np.dtype(f"<U{max(1, *map(len, tokens))}")
    if len(tokens) * dtype.itemsize > max(_MAX_TEXT_ARRAY, vector_bytes):
        return
    step = rows_at_once(dtype.itemsize)
    with _member(archive, "tokens") as member:
        member.write(files.npy_header((len(tokens),), dtype.str))
        for start in range(0, len(tokens), step):
            member.write(np.array(tokens[start : start + step], dtype).tobytes())


def _member(
    archive: zipfile.ZipFile, name: str, compression: int = zipfile.ZIP_DEFLATED
) -> IO[bytes]:
    entry = zipfile.ZipInfo(f"{name}.npy", _FIRST_DATE)
    entry.compress_type = compression
    return archive.open(entry, "w", force_zip64=True)

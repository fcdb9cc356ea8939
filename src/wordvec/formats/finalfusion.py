"""The finalfusion format: chunks of words, vectors and norms; all numbers are little-endian.

    file    "FiFu", u32 version (0), u32 C, C × u32 (the kinds of the chunks), the chunks
    chunk   u32 kind, u64 size of what follows, content
    words   V × (u32 size, UTF-8)

    kind                    content
    1 SimpleVocab           u64 V, words
    3 BucketSubwordVocab    u64 V, u32 min_n, u32 max_n, u32 buckets, words
    7 FastTextSubwordVocab  as 3
    8 ExplicitSubwordVocab  u64 V, u64 N, u32 min_n, u32 max_n, words, N n-grams with their rows
    2 NdArray               u64 rows, u32 D, u32 type (10: float32), padding, rows × D numbers
    4 QuantizedArray        u32 projection?, u32 norms?, u32 M, u32 D, u32 centroids, u64 rows,
                            u32 type (1: u8), u32 type (10), padding, [D × D projection],
                            M × centroids × D/M, [rows norms], rows × M codes of one byte
    5 Metadata              TOML
    6 NdNorms               u64 V, u32 type (10), padding, V norms of the original vectors

The padding brings the numbers to a multiple of 4 bytes from the start of the file; a whole one is
4 bytes. The rows after the first V belong to subwords, and are not read. finalfusion normalises
vectors and keeps their norms in NdNorms; a vector is read as norm · vector, as
`Embedding.embedding_with_norm` gives it.

Source: https://finalfusion.github.io/spec, and finalfusion 0.7 of Python.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.formats.matrix import (
    check_shape,
    check_size,
    check_tokens,
    file_size,
    limited,
    read_blocks,
    refuse_damage,
)
from wordvec.formats.reading import Reading, ReadOptions
from wordvec.tables.files import display_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.formats.reading import Block

_MAGIC = b"FiFu"
_KIND = "a finalfusion file"
_SIMPLE, _NDARRAY, _BUCKETS, _QUANTIZED, _NORMS, _FASTTEXT, _EXPLICIT = 1, 2, 3, 4, 6, 7, 8
_VOCABULARIES = {_SIMPLE: "<Q", _BUCKETS: "<QIII", _FASTTEXT: "<QIII", _EXPLICIT: "<QQII"}
_U8, _F32 = 1, 10


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The place of a chunk's content in the file."""

    kind: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Storage:
    """The vectors of a file: their shape, and a function that returns some rows."""

    shape: tuple[int, int]
    read: Callable[[int, int], NDArray[Any]]


def read_finalfusion(path: Path, options: ReadOptions) -> Reading:
    """Read the words of a finalfusion file and their vectors, scaled by their norms.

    Raises:
        StoreError: The file has no words or vectors, is truncated or is damaged.
    """
    size = file_size(path)
    notes: list[str] = []
    with refuse_damage(path, _KIND), path.open("rb") as file:
        chunks = _list_chunks(path, file, size)
        words = _read_words(file, _one_of(path, chunks, _VOCABULARIES, "vocabulary"))
        storage_chunk = _one_of(path, chunks, (_NDARRAY, _QUANTIZED), "vectors")
        norms = _read_norms(path, file, chunks, len(words))
        storage = _open_storage(path, file, storage_chunk)
    rows, _ = check_shape(path, storage.shape)
    if rows < len(words):
        check_tokens(path, len(words), rows, source="words")
    if rows > len(words):
        notes.append(f"rows of subwords, not read: {rows - len(words):,}")
    if storage_chunk.kind == _QUANTIZED:
        notes.append("the vectors are quantised: read as reconstructed")
    total = limited(len(words), options.limit)
    return Reading(_blocks(path, storage, words[:total], norms, notes), total, notes)


def _list_chunks(path: Path, file: IO[bytes], size: int) -> list[_Chunk]:
    """Return the chunks, after a check that each ends in the file."""
    magic, version, count = _unpack(file, "<4sII")
    if magic != _MAGIC:
        raise ValueError("it does not start with FiFu")
    if version != 0:
        raise StoreError(f"{display_path(path)} has version {version} of the format, expected 0")
    file.seek(4 * count, 1)  # the kinds, which the chunks repeat
    chunks = []
    while file.tell() < size:
        kind, length = _unpack(file, "<IQ")
        start = file.tell()
        if kind == _EXPLICIT:
            length = _explicit_size(file, size)
        if length > size - start:
            raise StoreError(
                f"{display_path(path)} is truncated or damaged: a chunk ends at byte "
                f"{start + length:,}, but the file has {size:,}"
            )
        chunks.append(_Chunk(kind, start, start + length))
        file.seek(start + length)
    if len(chunks) != count:
        raise StoreError(
            f"{display_path(path)} is truncated or damaged: expected {count:,} chunks, "
            f"got {len(chunks):,}"
        )
    return chunks


def _explicit_size(file: IO[bytes], size: int) -> int:
    """Return the size of an ExplicitSubwordVocab.

    finalfusion 0.7 of Python writes it without the rows of the n-grams, 8 bytes each.
    """
    start = file.tell()
    words, ngrams, _, _ = _unpack(file, _VOCABULARIES[_EXPLICIT])
    for count, after in ((words, 0), (ngrams, 8)):
        for _ in range(count):
            [length] = _unpack(file, "<I")
            if length + after > size - file.tell():
                raise ValueError("a word is longer than the file")
            file.seek(length + after, 1)
    return file.tell() - start


def _one_of(path: Path, chunks: list[_Chunk], kinds: Any, what: str) -> _Chunk:
    """Return the first chunk of some kinds."""
    for chunk in chunks:
        if chunk.kind in kinds:
            return chunk
    raise StoreError(f"{display_path(path)} has no {what}: no chunk of that kind")


def _read_words(file: IO[bytes], chunk: _Chunk) -> list[str]:
    """Return the words of a vocabulary; n-grams after them are not read."""
    header = _VOCABULARIES[chunk.kind]
    file.seek(chunk.start)
    count = _unpack(file, header)[0]
    data = memoryview(file.read(chunk.stop - file.tell()))
    if count > len(data) // 4:  # each word has a size of 4 bytes
        raise ValueError(f"{count:,} words in {len(data):,} bytes")
    words: list[str] = []
    at = 0
    for _ in range(count):
        size = int.from_bytes(data[at : at + 4], "little")
        if size > len(data) - at - 4:
            raise ValueError(f"word {len(words)} is longer than its chunk")
        words.append(str(data[at + 4 : at + 4 + size], "utf-8"))
        at += 4 + size
    return words


def _read_norms(
    path: Path, file: IO[bytes], chunks: list[_Chunk], words: int
) -> NDArray[np.float32] | None:
    """Return the norm of each word's original vector, if the file has them: (V,)."""
    chunk = next((chunk for chunk in chunks if chunk.kind == _NORMS), None)
    if chunk is None:
        return None
    file.seek(chunk.start)
    count, type_ = _unpack(file, "<QI")
    _check_type(type_, _F32)
    if count != words:
        raise StoreError(
            f"{display_path(path)}: expected one norm for each word, "
            f"got {count:,} norms and {words:,} words"
        )
    _skip_padding(file)
    check_size(path, (count,), 4, chunk.stop - file.tell())
    return _floats(file, count)


def _open_storage(path: Path, file: IO[bytes], chunk: _Chunk) -> _Storage:
    return (_open_array if chunk.kind == _NDARRAY else _open_quantized)(path, file, chunk)


def _open_array(path: Path, file: IO[bytes], chunk: _Chunk) -> _Storage:
    """Open an NdArray: its numbers, row by row."""
    import numpy as np

    file.seek(chunk.start)
    rows, D, type_ = _unpack(file, "<QII")
    _check_type(type_, _F32)
    _skip_padding(file)
    offset = file.tell()
    check_size(path, (rows, D), 4, chunk.stop - offset)

    def read(start: int, stop: int) -> NDArray[Any]:
        with path.open("rb") as again:
            again.seek(offset + 4 * D * start)
            return np.fromfile(again, "<f4", D * (stop - start)).reshape(stop - start, D)

    return _Storage((rows, D), read)


def _open_quantized(path: Path, file: IO[bytes], chunk: _Chunk) -> _Storage:
    """Open a QuantizedArray: a row is M codes, each of which stands for D/M numbers."""
    import numpy as np

    file.seek(chunk.start)
    projected, normed, M, D, centroids, rows, code_type, type_ = _unpack(file, "<IIIIIQII")
    _check_type(code_type, _U8)
    _check_type(type_, _F32)
    if not M or D % M or not 0 < centroids <= 256:
        raise ValueError(f"{M} codes of {centroids} centroids for {D} dimensions")
    _skip_padding(file)
    sizes = [D * D * bool(projected), centroids * D, rows * bool(normed)]
    check_size(path, (4 * sum(sizes) + rows * M,), 1, chunk.stop - file.tell())
    projection, quantizers, norms = (_floats(file, size) for size in sizes)
    quantizers = quantizers.reshape(M, centroids, D // M)
    offset = file.tell()

    def read(start: int, stop: int) -> NDArray[Any]:
        with path.open("rb") as again:
            again.seek(offset + M * start)
            codes = np.fromfile(again, "u1", M * (stop - start)).reshape(-1, M)
        if codes.size and int(codes.max()) >= centroids:
            raise ValueError(f"code {codes.max()} of {centroids} centroids")
        vectors = quantizers[np.arange(M), codes].reshape(-1, D)  # (B, M, D/M) → (B, D)
        if projected:
            vectors = vectors @ projection.reshape(D, D).T
        scaled: NDArray[Any] = vectors * norms[start:stop, None] if normed else vectors
        return scaled

    return _Storage((rows, D), read)


def _blocks(
    path: Path,
    storage: _Storage,
    words: list[str],
    norms: NDArray[np.float32] | None,
    notes: list[str],
) -> Iterator[Block]:
    def read(start: int, stop: int) -> NDArray[Any]:
        rows = storage.read(start, stop)
        return rows if norms is None else rows * norms[start:stop, None]

    with refuse_damage(path, _KIND):
        yield from read_blocks(path, words, storage.shape[1], read, notes)


def _unpack(file: IO[bytes], layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _skip_padding(file: IO[bytes]) -> None:
    file.seek(4 - file.tell() % 4, 1)


def _check_type(found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"numbers of type {found}, expected {expected}")


def _floats(file: IO[bytes], count: int) -> NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(file.read(4 * count), "<f4").astype(np.float32, copy=False)

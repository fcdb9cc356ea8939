"""A pipeline of spaCy saved by `nlp.to_disk`: the words of its vocabulary that have a vector.

    vocab/vectors        (N, D), an .npy array
    vocab/key2row        msgpack, {key of a word: its row}; many words can share a row (pruning)
    vocab/strings.json   the strings, from which the keys are computed (spacy_strings.py)
    vocab/vectors.cfg    {"mode": "default"}, or "floret" for vectors of n-grams

key2row is a map of integers and nothing else, so its few types are read here; neither spaCy nor a
msgpack package is needed.

Source: https://spacy.io/api/vectors (to_disk); https://github.com/msgpack/msgpack (spec.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wordvec.errors import StoreError
from wordvec.foreign.files import MOST_TEXT, read_file
from wordvec.foreign.json_data import MOST_SETTINGS, optional, parse_json, parse_object, typed
from wordvec.formats.matrix import file_size, limited, read_blocks, refuse_damage
from wordvec.formats.npy import map_matrix, read_matrix_header
from wordvec.formats.reading import Reading, ReadOptions
from wordvec.formats.spacy_strings import keys_of
from wordvec.tables.files import display_path, wrap_os_errors
from wordvec.text import clip, escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wordvec.foreign.npy_header import ArrayHeader
    from wordvec.formats.reading import Block

_OTHER_PIPELINE = "use a pipeline with vectors, such as one whose name ends in _md or _lg"
# msgpack: the first byte of an integer → its size and whether it has a sign
_INTEGERS = {
    0xCC: (1, False),
    0xCD: (2, False),
    0xCE: (4, False),
    0xCF: (8, False),
    0xD0: (1, True),
    0xD1: (2, True),
    0xD2: (4, True),
    0xD3: (8, True),
}


def is_spacy_folder(path: Path) -> bool:
    """Return whether a folder has the vectors of a spaCy vocabulary."""
    try:
        return _find_folder(path) is not None
    except OSError:
        return False


def read_spacy(path: Path, options: ReadOptions) -> Reading:
    """Read the words that have a vector, in the order of key2row.

    Args:
        path: The folder of a pipeline, of an installed package with one pipeline, of a vocabulary
            or of vectors.
        options: How it is read.

    Raises:
        StoreError: The folder has no such files, they are damaged or do not match, it has no
            vectors, or its vectors are floret's.
    """
    with wrap_os_errors(path, reading=True):
        folder = _find_folder(path)
    if folder is None:
        raise StoreError(
            f"{display_path(path)} is not a spaCy pipeline with vectors: "
            "expected the files vocab/vectors and vocab/key2row",
            hint=_OTHER_PIPELINE,
        )
    _check_mode(folder)
    rows_of = read_key2row(folder / "key2row")
    if not rows_of:
        raise StoreError(f"{display_path(folder)} has no word with a vector", hint=_OTHER_PIPELINE)
    header = read_matrix_header(folder / "vectors")
    words, rows, notes = _match(folder, rows_of, header.shape[0])
    total = limited(len(words), options.limit)
    return Reading(_blocks(folder / "vectors", header, words[:total], rows, notes), total, notes)


def _find_folder(path: Path) -> Path | None:
    """Return the folder with vectors and key2row."""
    if not path.is_dir():
        return None
    folders = [path / "vocab", path, *sorted(path.glob("*/vocab"))]
    return next(
        (
            folder
            for folder in folders
            if (folder / "vectors").is_file() and (folder / "key2row").is_file()
        ),
        None,
    )


def _check_mode(folder: Path) -> None:
    file = folder / "vectors.cfg"
    if not file.is_file():  # spaCy before 3.2
        return
    with refuse_damage(file, "a JSON object"):
        mode = optional(parse_object(read_file(file, MOST_SETTINGS)), "mode", str)
    if mode not in (None, "default"):
        raise StoreError(
            f"{display_path(folder)} has vectors of mode {clip(escape(mode), 40)}, "
            "which are for n-grams and not for words",
            hint="write the vectors of a list of words as text, with nlp.vocab[word].vector",
        )


def _match(
    folder: Path, rows_of: dict[int, int], vectors: int
) -> tuple[list[str], list[int], list[str]]:
    """Return the words with their rows, and notes on what has no counterpart."""
    file = folder / "strings.json"
    file_size(file)
    with refuse_damage(file, "a JSON list of strings"):
        strings = typed(parse_json(read_file(file, MOST_TEXT)), list, "it")
        if not all(isinstance(item, str) for item in strings):
            raise TypeError("not a list of strings")
        names = keys_of(strings)
    words, rows = [], []
    for key, row in rows_of.items():
        if row >= vectors:
            raise StoreError(
                f"{display_path(folder)}: a word has row {row}, but there are {vectors:,} vectors"
            )
        if key in names and row >= 0:
            words.append(names[key])
            rows.append(row)
    if not words:
        raise StoreError(f"{display_path(file)} has none of the words that have a vector")
    used = len(set(rows))
    notes = []
    if used < len(words):
        notes.append(f"{len(words):,} words share {used:,} vectors (pruned)")
    if len(words) < len(rows_of):
        notes.append(f"words without a string or a row, left out: {len(rows_of) - len(words):,}")
    if used < vectors:
        notes.append(f"vectors without a word, left out: {vectors - used:,}")
    return words, rows, notes


def _blocks(
    path: Path, header: ArrayHeader, words: list[str], rows: list[int], notes: list[str]
) -> Iterator[Block]:
    with refuse_damage(path, "an .npy array"):
        matrix = map_matrix(path, header)

        def read(start: int, stop: int) -> Any:
            return matrix[rows[start:stop]]

        yield from read_blocks(path, words, header.shape[1], read, notes)


def read_key2row(path: Path) -> dict[int, int]:
    """Read a msgpack map of integers.

    Raises:
        StoreError: The file is truncated, or contains anything else.
    """
    file_size(path)
    with refuse_damage(path, "a msgpack map of integers"):
        return _parse_map(read_file(path, MOST_TEXT))


def _parse_map(data: bytes) -> dict[int, int]:
    first = data[0]
    size = {0xDE: 2, 0xDF: 4}.get(first, 0)
    if not size and first >> 4 != 8:
        raise ValueError(f"it starts with byte {first}")
    count = _unsigned(data, 1, size) if size else first & 15
    at = 1 + size
    if count > len(data):  # an item takes at least two bytes
        raise ValueError(f"{count:,} items in {len(data):,} bytes")
    items = {}
    for _ in range(count):
        key, at = _parse_integer(data, at)
        items[key], at = _parse_integer(data, at)
    if at != len(data):
        raise ValueError(f"{len(data) - at:,} bytes follow its end")
    return items


def _parse_integer(data: bytes, at: int) -> tuple[int, int]:
    """Return an integer and where the next one starts."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first >= 0xE0:
        return first - 0x100, at + 1
    if first not in _INTEGERS:
        raise ValueError(f"byte {first} at {at} does not start an integer")
    size, signed = _INTEGERS[first]
    value = _unsigned(data, at + 1, size)
    if signed and value >> (8 * size - 1):
        value -= 1 << 8 * size
    return value, at + 1 + size


def _unsigned(data: bytes, at: int, size: int) -> int:
    part = data[at : at + size]
    if len(part) != size:
        raise ValueError("it ends inside an integer")
    return int.from_bytes(part, "big")

"""Reading the folder of a saved table, and checking it against its manifest.

`read_table` compares the sizes of all files, the headers of both arrays, the checksums of the norms
and of the tokens, and the sum of the rows, if these take up to `SUMMED_ON_OPEN` bytes: a larger
table is not read when it is opened. A tokenizer is compared when it is read. `find_problems`
compares the checksum of every file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wordvec.errors import DamagedTableError, StoreError
from wordvec.foreign.files import MOST_TEXT, check_file, read_file
from wordvec.tables.files import display_path, map_npy, sha256_of, sum_of_rows, wrap_os_errors
from wordvec.tables.manifest import Manifest, checksum_of, read_json
from wordvec.tables.occurrences import Occurrences
from wordvec.tables.paths import COUNTS, MANIFEST, NORMS, RESULTANTS, TOKENS, VECTORS, nfc
from wordvec.tables.table import VectorTable
from wordvec.text import escape

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.manifest import FileRecord
    from wordvec.tables.name import TableName
    from wordvec.vocabulary.tokenizer import TokenizerFile

SUMMED_ON_OPEN = 1 << 28  # bytes of vectors: 256 MB, read in about 30 ms


def read_table(folder: Path, name: TableName) -> VectorTable:
    """Read the table in `folder`, its rows memory-mapped.

    Raises:
        DamagedTableError: A file is missing, or does not agree with the manifest.
        StoreError: A file cannot be read, or the table has another name.
    """
    from wordvec.vocabulary.lookup import Vocabulary

    manifest = Manifest.read(folder / MANIFEST)
    check_name(manifest, folder, name)
    V, D = manifest.tokens, manifest.dimensions
    with wrap_os_errors(folder, reading=True):
        if problem := find_wrong_size(folder, manifest):
            raise DamagedTableError(problem)
        vectors = map_npy(folder / VECTORS, (V, D), "<f4")
        norms = map_npy(folder / NORMS, (V,), "<f8")
    vocabulary = Vocabulary.from_json(read_json(folder / TOKENS), _tokenizer(folder, manifest))
    if len(vocabulary) != V:
        raise DamagedTableError(
            f"{display_path(folder / TOKENS)}: expected {V} tokens, found {len(vocabulary)}"
        )
    for problem in (
        *(
            _check_content(folder / file, manifest)
            for file in (NORMS, TOKENS, COUNTS, RESULTANTS)
            if file in manifest.files
        ),
        _check_sum(vectors, manifest),
    ):
        if problem:
            raise DamagedTableError(problem)
    occurrences = _occurrences(folder, manifest)
    if occurrences is not None:
        vocabulary = occurrences.mark_rare(vocabulary)
    return VectorTable(vocabulary, vectors, norms, manifest.provenance, occurrences=occurrences)


def _occurrences(folder: Path, manifest: Manifest) -> Occurrences | None:
    """Read what a contextual table says about its tokens; None for other tables."""
    if COUNTS not in manifest.files:
        return None
    min_count = manifest.provenance.parameters.get("min_count")
    if type(min_count) is not int:
        raise DamagedTableError(
            f"{display_path(folder / MANIFEST)}: min_count is {min_count!r:.40}"
        )
    shape = (manifest.tokens,)
    with wrap_os_errors(folder, reading=True):
        counts = map_npy(folder / COUNTS, shape, "<i8")
        resultants = map_npy(folder / RESULTANTS, shape, "<f8")
    return Occurrences(counts, resultants, min_count)


def _tokenizer(folder: Path, manifest: Manifest) -> TokenizerFile | None:
    """Return the tokenizer in a table's folder; its content is read when a word needs it."""
    from wordvec.vocabulary.tokenizer import TokenizerFile, TokenizerKind

    kind = next((kind for kind in TokenizerKind if kind in manifest.files), None)
    if kind is None:
        return None

    def read() -> bytes:
        import hashlib

        with wrap_os_errors(folder / kind, reading=True):
            content = read_file(folder / kind, MOST_TEXT)
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != manifest.files[kind].sha256:
            raise DamagedTableError(
                f"{display_path(folder / kind)}: wrong checksum",
                hint="if another process replaced the table, open it again; else: "
                "wordvec tables --verify",
            )
        return content

    return TokenizerFile(kind, read)


def check_name(manifest: Manifest, folder: Path, name: TableName) -> None:
    """Raise StoreError if the table in `folder` is not the one called `name`."""
    found = manifest.provenance.name
    if nfc(str(found)) != nfc(str(name)):
        raise StoreError(
            f"{display_path(folder)} contains {escape(str(found))}, not {escape(str(name))}",
            hint="on a disk that ignores case, such names need two stores",
        )


def find_wrong_size(folder: Path, manifest: Manifest) -> str | None:
    """Name the first file that is missing or has another size than in the manifest."""
    problems = (_check_size(folder / file, record) for file, record in manifest.files.items())
    return next(filter(None, problems), None)


def find_problems(folder: Path) -> list[str]:
    """Compare every file in `folder` with its checksum; return what is wrong, if anything."""
    from wordvec.vocabulary.tokenizer import TokenizerKind

    try:
        data = read_json(folder / MANIFEST)
        manifest = Manifest.read(folder / MANIFEST)
        known = [
            VECTORS,
            NORMS,
            TOKENS,
            *(kind for kind in TokenizerKind if kind in manifest.files),
        ]
        problems = [_check_content(folder / file, manifest) for file in known]
    except StoreError as error:
        return [error.message]
    if data.get("self") != checksum_of(data):
        problems.insert(0, f"{MANIFEST}: wrong checksum")
    return [problem for problem in problems if problem]


def _check_content(path: Path, manifest: Manifest) -> str | None:
    record = manifest.files.get(path.name)
    if record is None:
        return f"{path.name} is not in the manifest"
    with wrap_os_errors(path, reading=True):
        if problem := _check_size(path, record):
            return problem
        return None if sha256_of(path) == record.sha256 else f"{path.name}: wrong checksum"


def _check_sum(vectors: NDArray[np.float32], manifest: Manifest) -> str | None:
    expected = manifest.sum_of_rows
    if expected is None or vectors.nbytes > SUMMED_ON_OPEN:
        return None
    return None if sum_of_rows(vectors) == expected else f"{VECTORS}: wrong sum of rows"


def _check_size(path: Path, record: FileRecord) -> str | None:
    try:
        size = check_file(path)
    except FileNotFoundError:
        return f"{path.name} is missing"
    except OSError as error:
        return f"{path.name}: {error.strerror}"
    if size != record.bytes:
        return f"{path.name}: expected {record.bytes:,} bytes, found {size:,}"
    return None

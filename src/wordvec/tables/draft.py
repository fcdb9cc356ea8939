"""An extraction in progress: rows and a record of how many are done, so that it can go on.

Rows go into `vectors.npy`, whose space is reserved at the start; `progress.json` says how many of
them count. Rows are synced before the record is, so that the record never promises what a power cut
took. The record also keeps what the rows were made with: rows of other settings are not mixed.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import DamagedTableError, StoreError
from wordvec.tables.files import (
    make_folder,
    npy_header,
    open_npy,
    remove_folder,
    reserve,
    sha256_of,
    sync,
    sync_folder,
    wrap_os_errors,
    write_all,
    write_whole,
)
from wordvec.tables.manifest import json_bytes, provenance_from, read_json
from wordvec.tables.paths import RECORD, VECTORS, Place
from wordvec.tables.replace import complete, swap_in
from wordvec.tables.table import Provenance, VectorTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.vocabulary.lookup import Vocabulary

_APART = ("created", "non_finite_rows", "checksum")  # known only when a table is done


@dataclass(frozen=True, slots=True)
class Plan:
    """What a draft is to become, and the settings (as JSON) that its rows depend on."""

    provenance: Provenance
    vocabulary: Vocabulary
    dimensions: int
    settings: dict[str, object]

    def made_with(self) -> dict[str, Any]:
        """All that the rows depend on, as plain JSON."""
        made = {key: value for key, value in asdict(self.provenance).items() if key not in _APART}
        tokens = hashlib.sha256(json_bytes(self.vocabulary.to_json())).hexdigest()
        made |= {"tokens": len(self.vocabulary), "dimensions": self.dimensions}
        made |= {"vocabulary": tokens, "settings": self.settings}
        plain: dict[str, Any] = json.loads(json.dumps(made))
        return plain


class Draft:
    """A table in progress, held by this process alone.

    done: rows that count; those after it are still to be made.
    restarted: why an unfinished part was dropped ("batch size was 256 and is 512"), or None.
    """

    def __init__(self, place: Place, plan: Plan, reopen: Callable[[], VectorTable]) -> None:
        self.plan = plan
        self.shape = (len(plan.vocabulary), plan.dimensions)
        self.done = 0
        self.restarted: str | None = None
        self.finished = False
        self._place = place
        self._reopen = reopen
        self._head = npy_header(self.shape, "<f4")
        self._record = plan.made_with()
        self._file: IO[bytes] | None = None

    @property
    def folder(self) -> Path:
        """Where it grows."""
        return self._place.draft

    @property
    def rows(self) -> NDArray[np.float32]:
        """(V, D) float32, mapped to be read: rows not yet written are zero."""
        return open_npy(self.folder / VECTORS, self.shape, "<f4", mapped=True)

    def write(self, start: int, block: NDArray[np.float32]) -> None:
        """Write rows `start` and following; they count once `commit_rows` is called.

        block: (n, D) float32
        """
        import numpy as np

        V, D = self.shape
        if block.ndim != 2 or block.shape[1] != D or not 0 <= start <= V - len(block):
            raise StoreError(f"rows {start} and on of ({V}, {D}): got a block of {block.shape}")
        data = np.ascontiguousarray(block, dtype="<f4").data.cast("B")
        with wrap_os_errors(self.folder / VECTORS):
            file = self._open_file()
            file.seek(len(self._head) + start * D * 4)
            write_all(file, data)

    def commit_rows(self, done: int) -> None:
        """Have the first `done` rows count, whatever happens next: rows first, then the record."""
        if not self.done <= done <= self.shape[0]:
            raise StoreError(f"{done} rows cannot follow {self.done} of {self.shape[0]}")
        with wrap_os_errors(self.folder):
            sync(self._open_file())
            self._write_record(done)
        self.done = done

    def finish(self) -> VectorTable:
        """Make the draft the table: norms, checksums, manifest, then renamed into its place."""
        if self.done < self.shape[0]:
            raise StoreError(f"only {self.done} of {self.shape[0]} rows are done")
        self.close()
        with wrap_os_errors(self.folder):
            self._complete()
            swap_in(self.folder, self._place)
            self.finished = True
            (self._place.table / RECORD).unlink()  # last: till then the draft can be finished again
        return self._reopen()

    def _complete(self) -> None:
        """Write what is missing; its own call, so that no map is open when folders are renamed."""
        plan = self.plan
        table = VectorTable.from_vectors(plan.vocabulary, self.rows, plan.provenance)
        checksum = sha256_of(self.folder / VECTORS)
        complete(self.folder, table, vectors_checksum=checksum, settings=plan.settings)

    def start(self) -> None:
        """Take up what an earlier call left, if it was made with the same settings; or begin."""
        with wrap_os_errors(self.folder):
            if self.folder.exists():
                self.restarted = self._take_up()
                if self.restarted is None:
                    return
                remove_folder(self.folder)
            self._begin()

    def close(self) -> None:
        """Let go of the file; rows that were not committed do not count."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take_up(self) -> str | None:
        """Set `done` from the record; why that cannot be, if it cannot."""
        try:
            record = read_json(self.folder / RECORD)
            open_npy(self.folder / VECTORS, self.shape, "<f4", mapped=True)
            done = record["done"]
        except (StoreError, OSError, KeyError):
            return _difference(self.folder, self._record) or "what is there cannot be read"
        if type(done) is not int or not 0 <= done <= self.shape[0]:
            return f"its record says {done!r:.40} rows"
        if differs := _differences(record, self._record):
            return differs
        self.done = done
        return None

    def _begin(self) -> None:
        make_folder(self.folder)
        path = self.folder / VECTORS
        try:
            with path.open("wb", buffering=0) as file:
                reserve(file, len(self._head) + self.shape[0] * self.shape[1] * 4)
                file.seek(0)
                write_all(file, memoryview(self._head))
                sync(file)
            self._write_record(0)
            sync_folder(self.folder.parent)
        except BaseException:
            remove_folder(self.folder)
            raise

    def _open_file(self) -> IO[bytes]:
        if self._file is None:
            self._file = (self.folder / VECTORS).open("r+b", buffering=0)
        return self._file

    def _write_record(self, done: int) -> None:
        data = json_bytes({"done": done, **self._record}, indent=1)
        write_whole(self.folder / RECORD, lambda file: _put(file, data))


@contextmanager
def kept(draft: Draft) -> Iterator[Draft]:
    """Run with a draft; what it has done stays for the next call, an empty one is removed."""
    draft.start()
    try:
        yield draft
    finally:
        draft.close()
        if not draft.finished and draft.done == 0:
            with wrap_os_errors(draft.folder):
                remove_folder(draft.folder)


def unfinished(folder: Path) -> tuple[Provenance, tuple[int, int], int]:
    """What a draft's record says: provenance, (V, D), rows done."""
    record = read_json(folder / RECORD)
    try:
        apart = {"created": "", "non_finite_rows": [], "checksum": ""}
        shape = (int(record["tokens"]), int(record["dimensions"]))
        return provenance_from(record | apart), shape, int(record["done"])
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedTableError(f"{folder / RECORD} cannot be read") from error


def _put(file: IO[bytes], data: bytes) -> None:
    file.write(data)


def _difference(folder: Path, ours: dict[str, Any]) -> str:
    try:
        return _differences(read_json(folder / RECORD), ours)
    except StoreError:
        return ""


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Name what two records differ in: "batch_size was 256 and is 512"."""
    before, now = _flat(theirs), _flat(ours)
    named = [
        "the vocabulary is another"
        if key == "vocabulary"
        else f"{key} was {before.get(key)} and is {now.get(key)}"
        for key in {**now, **before}
        if before.get(key) != now.get(key) and key != "done"
    ]
    return "; ".join(named)


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= {str(inner): deep for inner, deep in value.items()}
        else:
            flat[key] = value
    return flat

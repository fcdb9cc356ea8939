"""An unfinished extraction: its rows, and a record of how many are done, so that it can resume.

Rows are written to `vectors.npy`, whose space is reserved first. `progress.json` says how many of
them are done, and what they were computed with: rows of other settings are not mixed. Rows are
synced before the record is, so that the record is true after a power cut too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

from wordvec.errors import DamagedTableError, StoreError
from wordvec.foreign.json_data import required
from wordvec.tables.files import (
    display_path,
    make_folder,
    map_npy,
    npy_header,
    remove_folder,
    reserve,
    sync,
    sync_folder,
    wrap_os_errors,
    write_all,
    write_atomically,
)
from wordvec.tables.manifest import json_bytes, positive, provenance_from_json, read_json
from wordvec.tables.paths import CHECKPOINT, RECORD, VECTORS, TablePaths
from wordvec.tables.reading import read_table
from wordvec.tables.replace import complete_table, swap_in
from wordvec.tables.table import Provenance, VectorTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from wordvec.tables.occurrences import Occurrences
    from wordvec.vocabulary.lookup import Vocabulary

_KNOWN_AT_THE_END = {"created": "", "non_finite_rows": [], "checksum": ""}


@dataclass(frozen=True, slots=True)
class Plan:
    """The table that a draft will become, and the settings (as JSON) that its rows depend on."""

    provenance: Provenance
    vocabulary: Vocabulary
    dimensions: int
    settings: dict[str, object]

    def to_json(self) -> dict[str, Any]:
        """Return everything that the rows depend on."""
        record = {**asdict(self.provenance), "settings": self.settings}
        for key in _KNOWN_AT_THE_END:
            del record[key]
        tokens = json_bytes(self.vocabulary.to_json())
        record |= {"tokens": len(self.vocabulary), "dimensions": self.dimensions}
        record["vocabulary"] = hashlib.sha256(tokens).hexdigest()
        plain: dict[str, Any] = json.loads(json.dumps(record))  # compares equal to a record read
        return plain


class Draft:
    """A table that is being extracted; this process has its lock.

    shape: (V, D).
    done: The number of rows that are done; the rows after them are still to be computed.
    checkpoint: A folder for what is computed before any row is done; it is not part of the table.
    restarted: Why earlier rows were dropped ("batch_size was 256 and is 512"), or None.
    """

    def __init__(self, paths: TablePaths, plan: Plan) -> None:
        self.plan = plan
        self.shape = (len(plan.vocabulary), plan.dimensions)
        self.folder = paths.draft
        self.checkpoint = paths.draft / CHECKPOINT
        self.done = 0
        self.restarted: str | None = None
        self._paths = paths
        self._header = npy_header(self.shape, "<f4")
        self._record = plan.to_json()

    @property
    def rows(self) -> NDArray[np.float32]:
        """(V, D) float32, memory-mapped, read-only: rows not written yet are zero."""
        return map_npy(self.folder / VECTORS, self.shape, "<f4")

    def start(self) -> None:
        """Resume with the rows of an earlier call with the same settings, or start over."""
        with wrap_os_errors(self.folder):
            if self.folder.exists():
                self.restarted = self._resume()
                if self.restarted is None:
                    return
            self.remove()
            try:
                self._create()
            except BaseException:
                self.remove()
                raise

    def write(self, start: int, block: NDArray[np.float32]) -> None:
        """Write the rows from `start` on; they are done once `commit_rows` was called.

        Args:
            start: The first row to write.
            block: (n, D) float32.
        """
        import numpy as np

        V, D = self.shape
        if block.ndim != 2 or block.shape[1] != D or not 0 <= start <= V - len(block):
            raise StoreError(f"expected rows of ({V}, {D}), got {block.shape} from row {start} on")
        data = np.ascontiguousarray(block, dtype="<f4").data.cast("B")
        with wrap_os_errors(self.folder), self._open_vectors() as file:
            file.seek(len(self._header) + start * D * 4)
            write_all(file, data)

    def commit_rows(self, done: int) -> None:
        """Record that the first `done` rows are done, after waiting until the disk has them."""
        if not self.done <= done <= self.shape[0]:
            raise StoreError(f"expected {self.done} to {self.shape[0]} done rows, got {done}")
        with wrap_os_errors(self.folder):
            with self._open_vectors() as file:
                sync(file)
            self._write_record(done)
        self.done = done

    @property
    def is_empty(self) -> bool:
        """Whether nothing was computed that is worth keeping."""
        return self.done == 0 and not any(self.checkpoint.glob("*.npz"))

    def finish(
        self, occurrences: Occurrences | None = None, found: Mapping[str, object] | None = None
    ) -> VectorTable:
        """Turn the draft into the table, in place of an earlier one, and open it.

        occurrences: of the tokens of a contextual table. found: facts to add to the settings in
        the manifest that were not known at the start, as JSON.
        """
        if self.done < self.shape[0]:
            raise StoreError(f"expected {self.shape[0]} done rows, got {self.done}")
        with wrap_os_errors(self.folder):
            self._complete(occurrences, {**self.plan.settings, **(found or {})})
            swap_in(self.folder, self._paths)
            remove_folder(self._paths.table / CHECKPOINT)
            (self._paths.table / RECORD).unlink()  # last: until then the draft can be finished
        return read_table(self._paths.table, self._paths.name)

    def remove(self) -> None:
        """Remove the draft and its rows."""
        remove_folder(self.folder)

    # its own function: no map is open when the folder is renamed
    def _complete(self, occurrences: Occurrences | None, settings: dict[str, object]) -> None:
        plan = self.plan
        table = VectorTable.from_vectors(plan.vocabulary, self.rows, plan.provenance, occurrences)
        complete_table(self.folder, table, settings)

    def _resume(self) -> str | None:
        """Read `done` from the record, or return why the rows cannot be used."""
        try:
            record = read_json(self.folder / RECORD)
            if changes := _describe_changes(record, self._record):
                return changes
            map_npy(self.folder / VECTORS, self.shape, "<f4")  # raises if damaged
        except DamagedTableError:
            return "its files are damaged"
        done = record.get("done")
        if type(done) is not int or not 0 <= done <= self.shape[0]:
            return f"its record says {done!r:.40} rows"
        self.done = done
        return None

    def _create(self) -> None:
        make_folder(self.folder)
        with (self.folder / VECTORS).open("wb", buffering=0) as file:
            reserve(file, len(self._header) + self.shape[0] * self.shape[1] * 4)
            file.seek(0)
            write_all(file, memoryview(self._header))
        self._write_record(0)
        sync_folder(self.folder.parent)

    def _open_vectors(self) -> IO[bytes]:
        return (self.folder / VECTORS).open("r+b", buffering=0)

    def _write_record(self, done: int) -> None:
        data = json_bytes({"done": done, **self._record}, indent=1)
        write_atomically(self.folder / RECORD, lambda file: file.write(data))


def read_progress(folder: Path) -> tuple[Provenance, tuple[int, int], int]:
    """Read a draft's record: provenance, (V, D), and the number of rows done."""
    record = read_json(folder / RECORD)
    try:
        shape = (positive(record, "tokens"), positive(record, "dimensions"))
        done = required(record, "done", int)
        return provenance_from_json(record | _KNOWN_AT_THE_END), shape, done
    except ValueError as error:
        raise DamagedTableError(f"{display_path(folder / RECORD)}: {error}") from error


def _describe_changes(record: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """Name what differs between two records: "batch_size was 256 and is 512"."""
    before, now = _flatten(record), _flatten(plan)
    return "; ".join(
        "the vocabulary has changed"
        if key == "vocabulary"
        else f"{key} was {before.get(key)} and is {now.get(key)}"
        for key in {**now, **before}
        if before.get(key) != now.get(key) and key != "done"
    )


def _flatten(record: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `versions` and `settings` into the record, so that each change is named."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat |= value if isinstance(value, dict) else {key: value}
    return flat

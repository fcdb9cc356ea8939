"""The tables that an extraction saves, and those that it finds.

A table that was extracted with other settings is never replaced unless the user says so.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.extraction.settings import Dtype, ExtractionSettings, Layers
from wordvec.tables.files import folder_size
from wordvec.tables.name import Mode
from wordvec.tables.table import Provenance
from wordvec.text import quote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wordvec.models.source import ModelSource
    from wordvec.tables.name import TableName
    from wordvec.tables.store import Store
    from wordvec.tables.table import VectorTable

DEFAULT = ExtractionSettings()


@dataclass(frozen=True, slots=True)
class SavedTable:
    """A table that an extraction saved, or found.

    shape: (V, D). bytes: size on disk. existed: the table existed, and was left as it is.
    non_finite: number of rows with a NaN or an infinity.
    """

    name: TableName
    folder: Path
    shape: tuple[int, int]
    bytes: int
    existed: bool = False
    non_finite: int = 0


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    """What was read for contextual tables.

    sentences, tokens: of the corpus. long: sentences that the model read in several pieces.
    replaced: broken characters. occurrences: how many were computed. rare: tokens that were seen,
    but fewer than `min_count` times. unseen: tokens that are not in the corpus.
    """

    sentences: int
    tokens: int
    long: int
    replaced: int
    occurrences: int
    min_count: int
    rare: int
    unseen: int


@dataclass(frozen=True, slots=True)
class ExtractionResult:
    """What an extraction saved, and where.

    tables: one for each layer, the last layer at the end. also_saved: the static table, if it was
    saved along with dynamic ones. corpus: what contextual tables were computed from.
    fallback_reason: why the bundled model was used in place of the
    reference model, when no model was named.
    """

    tables: tuple[SavedTable, ...]
    seconds: float = 0.0
    also_saved: TableName | None = None
    fallback_reason: str | None = None
    corpus: CorpusSummary | None = None

    @property
    def table(self) -> TableName:
        """The name of the table of the highest layer."""
        return self.tables[-1].name

    @property
    def folder(self) -> Path:
        """The folder of that table."""
        return self.tables[-1].folder

    @property
    def shape(self) -> tuple[int, int]:
        """(V, D) of that table."""
        return self.tables[-1].shape

    @property
    def existed(self) -> bool:
        """Whether all tables existed, and nothing was done."""
        return all(table.existed for table in self.tables)


def layer_names(name: TableName, layers: Layers, last: int) -> dict[int, TableName]:
    """Return the table of each layer to extract, by its number, in order.

    name: the table of the last layer. last: the number of that layer.
    """
    return {
        number: name if number == last else replace(name, layer=number)
        for number in layers.of_model(last, name.model)
    }


def existing_tables(
    store: Store,
    name: TableName,
    layers: Layers,
    settings: ExtractionSettings,
    source: ModelSource | None = None,
) -> tuple[SavedTable, ...]:
    """Describe the requested tables if all are saved, else return ().

    The model is not loaded: how many layers it has is known from the table of its last layer.
    """
    names = [name]
    if layers != Layers():
        last = None
        with suppress(StoreError):
            last = store.provenance(name).layers
        if last is None:
            return ()
        names = list(layer_names(name, layers, last).values())
    if not all(name in store for name in names):
        return ()
    return tuple(check_saved(store, names, settings, source).values())


def check_saved(
    store: Store,
    names: Iterable[TableName],
    settings: ExtractionSettings,
    source: ModelSource | None = None,
) -> dict[TableName, SavedTable]:
    """Describe those tables that are saved.

    Raises:
        StoreError: one was extracted with other settings or from another revision.
    """
    saved = {}
    for name in names:
        if name not in store:
            continue
        table = store.open(name)
        if differences := _differences(table.provenance, settings, source):
            raise StoreError(
                f"{name} already exists, but was extracted {' and '.join(differences)}",
                hint='variant="NAME" keeps both; force=True replaces it',
            )
        saved[name] = replace(describe(store, table), existed=True)
    return saved


def _differences(
    saved: Provenance, settings: ExtractionSettings, source: ModelSource | None
) -> list[str]:
    """Say in what a saved table differs from the one that was asked for."""
    if saved.source != "extract":
        return []
    differences = []
    if saved.mode.has_layers:
        if settings.dtype not in (Dtype.AUTO, saved.dtype):
            differences.append(f"in {saved.dtype}, not {settings.dtype}")
        before = DEFAULT.parameters | saved.parameters
        differences += [
            f"with {key} {_shown(before.get(key))}, not {_shown(value)}"
            for key, value in settings.parameters.items()
            if before.get(key) != value
        ]
    if source is not None and saved.revision != (now := _revision(source, saved.mode)):
        differences.append(f"from revision {saved.revision} of the model, which is now {now}")
    return differences


def _shown(value: object) -> str:
    """Write the value of a parameter for a message."""
    if isinstance(value, list):
        return ", ".join(map(quote, value)) or "none"
    return "unset" if value is None else str(value)


def describe(store: Store, table: VectorTable) -> SavedTable:
    """Describe a table that is in the store."""
    folder = store.paths(table.name).table
    size = folder_size(folder)
    shape = (len(table), table.dimensions)
    non_finite = len(table.provenance.non_finite_rows)
    return SavedTable(table.name, folder, shape, size, non_finite=non_finite)


def make_provenance(
    source: ModelSource, mode: Mode, dtype: str = "float32", *libraries: str
) -> Provenance:
    """Return what a table is computed from: the model, its files and the libraries."""
    from importlib.metadata import version

    versions = {name: version(name) for name in ("wordvec", "numpy", *libraries)}
    revision = _revision(source, mode)
    return Provenance(source.name, mode, revision, dtype=dtype, versions=versions)


def _revision(source: ModelSource, mode: Mode) -> str | None:
    """Return the revision of the files that vectors of this mode depend on."""
    static = source.static_revision if mode is Mode.STATIC else None
    return static or source.revision

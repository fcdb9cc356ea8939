"""Which table a command means, and the table itself.

A model that was named (`--model`, `--table`, `WORDVEC_MODEL`) is meant, and no other. Where nobody
named one, it is the reference model, if the store has any table of it; else the bundled model
answers, and a note says so. The bundled model's static table is made when it is first asked for,
and where it cannot be kept, it answers from memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.errors import StoreError, TableNotFoundError
from wordvec.models.bundled import BUNDLED, has_bundled, model_alternatives
from wordvec.models.default import REFERENCE, default_model, named_model
from wordvec.models.local import canonical_name, is_folder
from wordvec.tables.name import Mode, TableName, TableRef
from wordvec.tables.store import extract_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wordvec.tables.store import Store
    from wordvec.tables.table import VectorTable


@dataclass(frozen=True, slots=True)
class Opened:
    """A table, and what its user should be told about the choice."""

    table: VectorTable
    notes: tuple[str, ...] = ()


def open_tables(refs: Sequence[TableRef], store: Store) -> list[Opened]:
    """Open the tables that several references mean; what is to be told of all is told once.

    Where the bundled model stands in, one command is named for the reference model's tables: with
    a dynamic one `extract` writes the static one too.
    """
    wanted = Mode.DYNAMIC if any(ref.mode is Mode.DYNAMIC for ref in refs) else Mode.STATIC
    told: set[str] = set()
    opened = []
    for ref in refs:
        one = open_table(ref, store, wanted=wanted)
        opened.append(replace(one, notes=tuple(note for note in one.notes if note not in told)))
        told.update(one.notes)
    return opened


def open_table(ref: TableRef, store: Store, *, wanted: Mode | None = None) -> Opened:
    """Open the table that a reference means.

    wanted: the mode to name to a user who has no table of the reference model; else the table's.
    """
    name, notes = resolve(ref, store, wanted=wanted)
    if name == TableName(BUNDLED, Mode.STATIC) and name not in store and has_bundled():
        from wordvec.extraction.extract import ensure_static, static_table
        from wordvec.models.find import find_model

        source = find_model(BUNDLED)
        try:
            ensure_static(source, store)
        except StoreError as error:  # a folder that cannot be written to keeps no one from asking
            remark = f"{error.message}; {name} answers from memory and is not kept"
            return Opened(static_table(source), (*notes, remark))
    try:
        return Opened(store.open(name), notes)
    except TableNotFoundError as error:
        raise TableNotFoundError(error.message, hint=_way_on(ref, name)) from None


def _way_on(ref: TableRef, name: TableName) -> str:
    """What to type where a table is missing: to make it, or to ask another model."""
    named = named_model(ref.model)
    if named is None and name.model == REFERENCE:
        return f"wordvec extract --mode {name.mode}"
    if named is None:  # the bundled model stands in
        reference = extract_command(replace(name, model=REFERENCE))
        return f"{extract_command(name)}\nfor the reference model: {reference}"
    if name.model == BUNDLED:
        return extract_command(name)
    if is_folder(named) and not Path(name.model).is_dir():
        return f"there is no folder {named} either; take {model_alternatives()}"
    return f"{extract_command(name)}\nor take {model_alternatives()}"


def resolve(
    ref: TableRef, store: Store, *, wanted: Mode | None = None
) -> tuple[TableName, tuple[str, ...]]:
    """The name of the table that a reference means, and notes on the choice; see `open_table`."""
    model = named_model(ref.model)
    if model is not None:
        return TableName(canonical_name(model), ref.mode, ref.layer), ()
    name = TableName(REFERENCE, ref.mode, ref.layer)
    saved = any(replace(name, mode=mode) in store for mode in Mode)
    if default_model(reference_is_saved=saved) == REFERENCE:
        return name, ()
    way = extract_command(replace(name, mode=wanted or ref.mode))
    note = f"no table of {REFERENCE} yet: {BUNDLED} answers; for the reference: {way}"
    return replace(name, model=BUNDLED), (note,)

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
from wordvec.models import (
    MINI,
    REFERENCE,
    default_model,
    elsewhere,
    filed_as,
    has_bundled,
    is_folder,
)
from wordvec.store import extract_command
from wordvec.table import Mode, TableName, TableRef

if TYPE_CHECKING:
    from wordvec.store import Store
    from wordvec.table import VectorTable


@dataclass(frozen=True, slots=True)
class Opened:
    """A table, and what its user should be told about the choice."""

    table: VectorTable
    notes: tuple[str, ...] = ()


def open_table(ref: TableRef, store: Store) -> Opened:
    """Open the table that a reference means."""
    name, notes = resolve(ref, store)
    if name == TableName(MINI, Mode.STATIC) and name not in store and has_bundled():
        from wordvec.extractor.extraction import ensure_static, static_table
        from wordvec.models import find_model

        source = find_model(MINI)
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
    named = ref.model or default_model()
    if named is None and name.model == REFERENCE:
        return f"wordvec extract --mode {name.mode}"
    if named is None:  # the bundled model stands in
        reference = extract_command(replace(name, model=REFERENCE))
        return f"{extract_command(name)}\nfor the reference model: {reference}"
    if name.model == MINI:
        return extract_command(name)
    if is_folder(named) and not Path(name.model).is_dir():
        return f"there is no folder {named} either; take {elsewhere()}"
    return f"{extract_command(name)}\nor take {elsewhere()}"


def resolve(ref: TableRef, store: Store) -> tuple[TableName, tuple[str, ...]]:
    """The name of the table that a reference means, and notes on the choice."""
    model = ref.model or default_model()
    if model is not None:
        return TableName(filed_as(model), ref.mode, ref.layer), ()
    name = TableName(REFERENCE, ref.mode, ref.layer)
    if any(replace(name, mode=mode) in store for mode in Mode) or not has_bundled():
        return name, ()
    note = f"no table of {REFERENCE} yet: {MINI} answers; for the reference: {{}}"
    return replace(name, model=MINI), (note.format(extract_command(name)),)

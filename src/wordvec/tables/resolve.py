"""Which saved table a name means, and what to type if there is none."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.models.bundled import BUNDLED, model_alternatives
from wordvec.models.default import REFERENCE, default_model, named_model
from wordvec.models.local import canonical_name, is_folder
from wordvec.tables.name import Mode, TableName
from wordvec.tables.paths import list_folders
from wordvec.tables.store import extract_command

if TYPE_CHECKING:
    from wordvec.tables.name import TableRef
    from wordvec.tables.store import Store

MIN_SIMILARITY = 0.8  # of difflib, 0 to 1


BUNDLED_NOTE = f'using the bundled model "{BUNDLED}" (WORDVEC_MODEL={BUNDLED} hides this note)'


def resolve_name(ref: TableRef, store: Store) -> tuple[TableName, tuple[str, ...]]:
    """Return the name of the table that a reference means, and notes on the choice."""
    model = named_model(ref.model)
    if model is not None:
        if any(TableName(model, mode) in store for mode in Mode):  # imported under this name
            return TableName(model, ref.mode, ref.layer), ()
        return TableName(canonical_name(model), ref.mode, ref.layer), ()
    name = TableName(REFERENCE, ref.mode, ref.layer)
    saved = any(replace(name, mode=mode) in store for mode in Mode)
    if default_model(reference_is_saved=saved) == REFERENCE:
        return name, ()
    return replace(name, model=BUNDLED), (BUNDLED_NOTE,)


def missing_table_hint(ref: TableRef, name: TableName, store: Store) -> str:
    """Return a hint for a table that is not in the store.

    ref: as the user named it. name: the table that it means.
    """
    named = named_model(ref.model)
    if named is None and name.model == REFERENCE:
        return f"wordvec extract --mode {name.mode}"
    if named is None:  # the bundled model is used
        reference = extract_command(replace(name, model=REFERENCE))
        return f"{extract_command(name)}\nfor the reference model: {reference}"
    if name.model == BUNDLED:
        return extract_command(name)
    if is_folder(named) and not Path(name.model).is_dir():
        return f"there is no folder {named} either; use {model_alternatives()}"
    imported = "" if "/" in named else f"\nor: wordvec import FILE --name {shlex.quote(named)}"
    extract = f"{extract_command(name)}{imported}\nor use {model_alternatives()}"
    if is_folder(named):
        return extract
    similar = _similar_tables(name, store)
    return "\n".join([*(f'did you mean table="{one}"?' for one in similar), extract])


def _similar_tables(name: TableName, store: Store) -> list[str]:
    """Return the saved table of the same mode whose name is most like this one, if any is."""
    from difflib import get_close_matches

    try:
        found = {str(one) for one, folder in list_folders(store.root) if folder.suffix != ".draft"}
    except OSError:
        return []
    same_mode = sorted(one for one in found if one.endswith(f":{name.mode}"))
    return get_close_matches(str(name), same_mode, 1, MIN_SIMILARITY)

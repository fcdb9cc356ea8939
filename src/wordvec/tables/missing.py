"""What to type if a table is missing: extract it, use a saved one, or use another model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.models.bundled import BUNDLED, model_alternatives
from wordvec.models.default import REFERENCE, named_model
from wordvec.models.local import is_folder
from wordvec.tables.paths import list_folders
from wordvec.tables.store import extract_command

if TYPE_CHECKING:
    from wordvec.tables.name import TableName, TableRef
    from wordvec.tables.store import Store

MIN_SIMILARITY = 0.8  # of difflib, 0 to 1


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
    extract = f"{extract_command(name)}\nor use {model_alternatives()}"
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

"""Which saved table a name means, and what to type if there is none."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wordvec.errors import StoreError
from wordvec.models.bundled import BUNDLED, model_alternatives
from wordvec.models.default import REFERENCE, default_model, named_model
from wordvec.models.local import canonical_name, is_folder
from wordvec.tables.store import extract_command

if TYPE_CHECKING:
    from wordvec.tables.name import TableName, TableRef
    from wordvec.tables.store import Store

MIN_SIMILARITY = 0.8  # of difflib, 0 to 1


BUNDLED_NOTE = f'using the bundled model "{BUNDLED}" (WORDVEC_MODEL={BUNDLED} hides this note)'


def resolve_name(ref: TableRef, store: Store) -> tuple[TableName, tuple[str, ...]]:
    """Return the name of the table that a reference means, and notes on the choice."""
    model = named_model(ref.model)
    if model is not None:
        if not _is_saved(model, store):  # else imported under this name
            model = canonical_name(model)
        return saved_name(ref.of_model(model), store), ()
    if default_model(reference_is_saved=_is_saved(REFERENCE, store)) == REFERENCE:
        return saved_name(ref.of_model(REFERENCE), store), ()
    return saved_name(ref.of_model(BUNDLED), store), (BUNDLED_NOTE,)


def _is_saved(model: str, store: Store) -> bool:
    """Return whether a store has a table of a model; one that cannot be read has none."""
    with suppress(StoreError):
        return bool(store.names(model))
    return False


def saved_name(name: TableName, store: Store) -> TableName:
    """Return the name that a table is saved under: without the number of its layer if it is last.

    `mini:dynamic@4` is saved as `mini:dynamic`, because `mini` has 4 layers.
    """
    last = replace(name, layer=None)
    if name.layer is None or name in store or last not in store:
        return name
    with suppress(StoreError):  # damaged
        return last if store.provenance(last).layers == name.layer else name
    return name


def missing_table_hint(ref: TableRef, name: TableName, store: Store) -> str:
    """Return a hint for a table that is not in the store.

    ref: as the user named it. name: the table that it means.
    """
    named = named_model(ref.model)
    similar = [f'did you mean table="{one}"?' for one in _similar_tables(name, store)]
    if named is None and name.model == REFERENCE:
        return "\n".join([*similar, extract_command(replace(ref, model=None))])
    if named is None:  # the bundled model is used
        reference = extract_command(replace(name, model=REFERENCE))
        return "\n".join([*similar, extract_command(name), f"for the reference model: {reference}"])
    if name.model == BUNDLED:
        return "\n".join([*similar, extract_command(name)])
    if is_folder(named) and not Path(name.model).is_dir():
        return f"there is no folder {named} either; use {model_alternatives()}"
    imported = "" if "/" in named else f"\nor: wordvec import FILE --name {shlex.quote(named)}"
    extract = f"{extract_command(name)}{imported}\nor use {model_alternatives()}"
    return "\n".join([*similar, extract])


def _similar_tables(name: TableName, store: Store) -> list[str]:
    """Return the saved table whose name is most like this one, if any is.

    It differs in the model or in the variant: another mode or layer is not what was meant.
    """
    from difflib import get_close_matches

    try:
        found = [one for one in store.names() if one.mode is name.mode and one.layer == name.layer]
    except StoreError:
        return []
    return get_close_matches(str(name), sorted(map(str, found)), 1, MIN_SIMILARITY)

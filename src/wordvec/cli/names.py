"""Completion of the names of tables and models; it does not load numpy, so that Tab is fast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

from wordvec.tables.name import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from wordvec.tables.name import TableName


def table_names(root: Path | None) -> list[str]:
    """Return the names that `--table` accepts: the modes, the bundled table, the saved tables."""
    from wordvec.models.bundled import BUNDLED

    saved = [str(name) for name in _saved_tables(root)]
    return _unique([*Mode, f"{BUNDLED}:static", *saved])


def mode_names(root: Path | None, model: str | None = None) -> list[str]:
    """Return what `--mode` accepts: the modes, and the kinds of the saved tables of a model."""
    saved = [name.kind for name in _saved_tables(root) if model in (None, name.model)]
    return _unique([*Mode, *saved])


def model_names(root: Path | None) -> list[str]:
    """Return the bundled model, the reference model, and the models of saved tables."""
    from wordvec.models.bundled import BUNDLED
    from wordvec.models.default import REFERENCE

    return _unique([BUNDLED, REFERENCE, *(name.model for name in _saved_tables(root))])


def complete_table(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a table, or the last of several with commas between them."""
    del param
    before, comma, last = incomplete.rpartition(",")
    return [before + comma + name for name in table_names(_root(ctx)) if name.startswith(last)]


def complete_mode(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete a mode, with the variant and the layer of a saved table."""
    del param
    names = mode_names(_root(ctx), ctx.params.get("model"))
    return [name for name in names if name.startswith(incomplete)]


def complete_model(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete the name of a model, or a folder if a path was started."""
    del param
    if incomplete.startswith((".", "~", "/")):
        return [CompletionItem(incomplete, type="dir")]
    names = model_names(_root(ctx))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _root(ctx: click.Context) -> Path | None:
    root = ctx.params.get("store_root")
    return None if root is None else Path(root)


def _saved_tables(root: Path | None) -> list[TableName]:
    from wordvec.errors import WordvecError
    from wordvec.tables.paths import expand_home, list_folders
    from wordvec.tables.store import default_root

    try:
        found = list_folders(default_root() if root is None else expand_home(str(root)))
    except (OSError, WordvecError):  # Tab must not print an error
        return []
    return [name for name, folder in found if not folder.name.endswith(".draft")]


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))

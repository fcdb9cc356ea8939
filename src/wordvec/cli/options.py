"""Options that several commands share.

Each decorator adds options and passes their meaning to the command: `table_options` a `ref` and a
`store`, `query_options` the `settings`, `output_options` the `output_format`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from wordvec.cli.names import complete_mode, complete_model, complete_table
from wordvec.cli.output import Format
from wordvec.errors import UsageError
from wordvec.search.filters import Only
from wordvec.search.settings import Method, Metric, QueryOptions, QuerySettings
from wordvec.tables.name import FORM, Mode, TableRef, check_variant
from wordvec.text import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Callback = Callable[..., Any]
    Option = Callable[[Callback], Callback]

# --- which table ------------------------------------------------------------------------------


def store_option(callback: Callback) -> Callback:
    """Add `--store DIR`; the command gets `store: Store`."""

    @click.option(
        "--store",
        "store_root",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Folder of saved tables (default: WORDVEC_HOME, else the user's cache folder).",
    )
    @functools.wraps(callback)
    def with_store(*args: Any, store_root: Path | None, **kwargs: Any) -> Any:
        from wordvec.api import OpenTables  # not needed for --help
        from wordvec.tables.store import Store

        opened = click.get_current_context().find_object(OpenTables)  # the one of `wordvec shell`
        store = Store(store_root) if opened is None or store_root is not None else opened.store
        return callback(*args, store=store, **kwargs)

    return with_store


def model_option(
    text: str = "Hub id (OWNER/NAME[@REVISION][:SUBFOLDER]), folder, or mini "
    "(default: WORDVEC_MODEL, else the reference model).",
    **attributes: Any,
) -> Option:
    """Make `--model NAME`."""
    return click.option(
        "--model", metavar="NAME", shell_complete=complete_model, help=text, **attributes
    )


def mode_option(text: str, *, default: Mode | None = None) -> Option:
    """Make `--mode` for a command that writes a table; the others take a layer too."""
    return click.option(
        "--mode",
        type=click.Choice([mode.value for mode in Mode]),
        default=None if default is None else default.value,
        show_default=default is not None,
        help=text,
    )


def variant_option(text: str) -> Option:
    """Make `--variant`."""
    return click.option("--variant", metavar="NAME", help=text)


def table_options_of(default: Mode) -> Option:
    """Make `--mode`, `--variant`, `--model`, `--table` and `--store`.

    The command gets `ref` and `store`. default: the mode, if none is given.
    """

    def with_options(callback: Callback) -> Callback:
        @click.option(
            "--mode",
            metavar="MODE[@LAYER]",
            shell_complete=complete_mode,
            help="static: input embeddings; dynamic: the model's output for each token, or "
            f"dynamic@N: that of layer N (default: {default}).",
        )
        @variant_option("Variant of the table: mini:dynamic.NAME.")
        @model_option()
        @click.option(
            "--table",
            metavar="TABLE",
            shell_complete=complete_table,
            help=f"All of these in one option: {FORM}, such as mini:static.",
        )
        @store_option
        @functools.wraps(callback)
        def with_ref(
            *args: Any,
            mode: str | None,
            variant: str | None,
            model: str | None,
            table: str | None,
            **kwargs: Any,
        ) -> Any:
            if table is None:
                mode = mode or default.value
            return callback(*args, ref=table_ref(table, mode, variant, model), **kwargs)

        return with_ref

    return with_options


table_options = table_options_of(Mode.STATIC)


def table_ref(
    table: str | None, mode: str | None, variant: str | None, model: str | None
) -> TableRef:
    """Return the table that the four options name; static if no mode is given."""
    if table is not None:
        if mode is not None or model is not None or variant is not None:
            raise UsageError("use either --table or --model, --mode and --variant, not both")
        return TableRef.parse(table)
    mode = Mode.STATIC if mode is None else mode
    if ":" in mode or not mode.startswith(tuple(Mode)):
        raise UsageError(
            f"unknown mode {quote(mode)}: expected {' or '.join(Mode)}", hint='mode="dynamic"'
        )
    ref = TableRef.parse(mode)
    if variant is None:
        return replace(ref, model=model)
    if ref.variant is not None:
        raise UsageError(f"{quote(mode)} has a variant already: leave out --variant")
    return replace(ref, model=model, variant=check_variant(variant))


def tables_option(text: str, *, default: str | None = None, transforms: bool = False) -> Option:
    """Make `--tables`, which names several tables; the command gets a tuple of names.

    transforms: whether a table can be named with transforms, as static+unit.
    """
    shown = "" if default is None else f"  [default: {default}]"
    form = f"{FORM}[+TRANSFORM…]" if transforms else FORM
    return words_option(
        "--tables",
        metavar="TABLE,TABLE",
        shell_complete=complete_table,
        help=f"{text}, each as {form}.{shown}",
    )


def table_refs(names: Sequence[str], ref: TableRef) -> list[TableRef]:
    """Return the tables that `--tables` names, or `ref` if there are none.

    A table without a model is of the model of `ref`.
    """
    if not names:
        return [ref]
    params = click.get_current_context().params
    if any(params.get(name) is not None for name in ("table", "mode", "variant")):
        raise UsageError("use either --tables or --table, --mode and --variant, not both")
    return [replace(one, model=one.model or ref.model) for one in map(TableRef.parse, names)]


# --- options that take several words ----------------------------------------------------------


class Words(click.ParamType):  # type: ignore[type-arg]  # generic in click 8.4, not in 8.1
    """One or more words with commas between them; the value is a tuple.

    words: offered by completion, and, if `checked`, the only words accepted.
    """

    name = "words"

    def __init__(self, words: Sequence[str] = (), *, checked: bool = False) -> None:
        self.words = tuple(words)
        self.checked = checked

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split at commas, and check the words."""
        if isinstance(value, tuple):
            return value
        commas = "[,，、]" if self.checked else ","  # a name of a model may contain the others
        words = tuple(word.strip() for word in re.split(commas, str(value)))
        for word in words:
            if self.checked and word not in self.words:
                self.fail(f"{quote(word)} is not one of {', '.join(self.words)}", param, ctx)
        return words

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Complete the last of the words."""
        del ctx, param
        before, comma, last = incomplete.rpartition(",")
        return [
            CompletionItem(f"{before}{comma}{word}") for word in self.words if word.startswith(last)
        ]


def words_option(
    *names: str, words: Sequence[str] = (), checked: bool = False, **attributes: Any
) -> Option:
    """Make an option for words with commas, which can be repeated; the value is one tuple."""
    return click.option(
        *names,
        type=Words(words, checked=checked),
        multiple=True,
        callback=lambda _ctx, _param, value: tuple(chain.from_iterable(value)),
        **attributes,
    )


# --- what text is read ------------------------------------------------------------------------


def corpus_option(text: str) -> Option:
    """Make `--corpus`; more files may follow as arguments."""
    return click.option(
        "--corpus",
        multiple=True,
        metavar="FILE...|DIR|-",
        help=f"{text}: text (also .gz, .bz2, .xz, .zst), .jsonl, .parquet, a folder of such files, "
        "- for standard input, or hf:OWNER/NAME[:CONFIG].",
    )


field_option = click.option("--field", metavar="NAME", help="Field of JSON lines with the text.")
sentences_option = click.option(
    "--sentences",
    type=click.IntRange(min=1),
    metavar="N",
    help="Read only the first N sentences of the corpus.",
)


# --- how expressions are answered -------------------------------------------------------------

k_option = click.option(
    "-k",
    default=10,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of neighbours.",
)


def metric_option(*metrics: Metric, default: Metric | None = None, text: str) -> Option:
    """Make `--metric` with a choice of metrics."""
    return click.option(
        "--metric",
        type=click.Choice([metric.value for metric in metrics]),
        default=None if default is None else default.value,
        show_default=default is not None,
        help=text,
    )


def method_option(default: Method) -> Option:
    """Make `--method`."""
    return click.option(
        "--method",
        type=click.Choice([method.value for method in Method]),
        default=default.value,
        show_default=True,
        help="Rank by the sum of the vectors, 3CosAdd, 3CosMul or PairDirection.",
    )


transform_option = words_option(
    "--transform",
    "transforms",
    words=("unit", "center", "standardize", "abtt:", "whiten"),
    metavar="STEP",
    help="Transform all vectors first: unit, center, standardize, abtt:N or whiten. Several are "
    "applied in order.",
)
unit_option = click.option(
    "--unit", is_flag=True, help="Normalise all vectors to unit length first."
)


def transform_options(callback: Callback) -> Callback:
    """Add `--unit` and `--transform`; the command gets `transforms`, with `unit` among them."""

    @unit_option
    @transform_option
    @functools.wraps(callback)
    def with_transforms(*args: Any, unit: bool, transforms: tuple[str, ...], **kwargs: Any) -> Any:
        settings = QuerySettings(unit=unit, transforms=transforms)
        return callback(*args, transforms=settings.all_transforms, **kwargs)

    return with_transforms


pieces_option = click.option(
    "--pieces", is_flag=True, help="Replace an unknown word by the mean of its pieces."
)


_FILTER_OPTIONS = (
    words_option(
        "--only",
        words=[kind.value for kind in Only],
        checked=True,
        metavar="KIND",
        help=f"List only tokens of a kind: {', '.join(Only)}.",
    ),
    click.option(
        "--match", metavar="REGEX", help="List only tokens that match a regular expression."
    ),
    click.option(
        "--vocab",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="List only the words of a file, one per line.",
    ),
    click.option(
        "--no-special", is_flag=True, help="Leave out special tokens, such as [CLS] and [unused1]."
    ),
)
_QUERY_OPTIONS = (
    metric_option(
        *Metric,
        text="Rank by L2 distance (default of sum), cosine similarity, inner product, or CSLS: "
        "cosine similarity corrected for hubs.",
    ),
    method_option(Method.SUM),
    unit_option,
    transform_option,
    click.option(
        "--exclude/--no-exclude",
        default=None,
        help="Leave the words of the query out of the answer, or keep them (default: an analogy "
        "a:b=c:? leaves them out, a sum keeps them).",
    ),
    *_FILTER_OPTIONS,
    click.option(
        "--merge-twins", is_flag=True, help="List tokens of the same text (王, ##王) once."
    ),
    pieces_option,
)


report_option = click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write a report as one HTML page.",
)


def filter_options(callback: Callback) -> Callback:
    """Add the filters; the command gets `only`, `match`, `vocab` and `no_special`."""
    for option in reversed(_FILTER_OPTIONS):
        callback = option(callback)
    return callback


def query_options(callback: Callback) -> Callback:
    """Add the options for answering expressions; the command gets `settings: QuerySettings`.

    A command that lists neighbours also has `k_option`.
    """
    for option in reversed(_QUERY_OPTIONS):  # the last decorator comes first in --help
        callback = option(callback)

    @functools.wraps(callback)
    def with_settings(*args: Any, **kwargs: Any) -> Any:
        names = QueryOptions.__annotations__
        options = {name: kwargs.pop(name) for name in names if name in kwargs}
        return callback(*args, settings=QuerySettings.of(**options), **kwargs)

    return with_settings


def check_folder(file: Path | None) -> None:
    """Refuse a file whose folder does not exist, before the work."""
    if file is not None and not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent}", hint=f"mkdir -p {file.parent}")


def picture_option(name: str, text: str) -> Option:
    """Make an option for a file that a picture is written to."""
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option(name, type=kind, metavar="FILE", help=text)


report_option = click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write a report as one HTML page.",
)


# --- how the answer is printed ----------------------------------------------------------------


def output_options(callback: Callback) -> Callback:
    """Add `--json`, `--jsonl`, `--tsv` and `--safe-csv`; the command gets `output_format`."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
    @click.option("--jsonl", "as_jsonl", is_flag=True, help="Print one JSON object per line.")
    @click.option("--tsv", "as_tsv", is_flag=True, help="Print tab-separated values.")
    @click.option(
        "--safe-csv",
        is_flag=True,
        help="As --tsv, for a spreadsheet: ' before each text that it would run as a formula.",
    )
    @functools.wraps(callback)
    def with_format(
        *args: Any, as_json: bool, as_jsonl: bool, as_tsv: bool, safe_csv: bool, **kwargs: Any
    ) -> Any:
        flags = {
            Format.JSON: as_json,
            Format.JSONL: as_jsonl,
            Format.TSV: as_tsv and not safe_csv,
            Format.SAFE_CSV: safe_csv,
        }
        chosen = [output_format for output_format, is_set in flags.items() if is_set]
        if len(chosen) > 1:
            raise UsageError("--json, --jsonl and --tsv cannot be combined")
        return callback(*args, output_format=(*chosen, Format.TEXT)[0], **kwargs)

    return with_format

"""Options that several commands share, and how an argument that begins with a dash is read.

Each decorator adds options and hands the command what they mean: `table_options` a `ref` and a
`store`, `output_options` a `form`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wordvec.cli.output import Format
from wordvec.errors import UsageError
from wordvec.search.filters import Filters, Only
from wordvec.search.settings import Method, Metric, QuerySettings
from wordvec.tables.name import Mode, TableRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from click.shell_completion import CompletionItem

    Callback = Callable[..., Any]
    Option = Callable[[Callback], Callback]

# What stands for an operator of the grammar when it is an argument by itself.
LONE_OPERATORS = frozenset("+-*/×＋－−＊／=＝:：?？()（）")


class DashCommand(click.Command):
    """A command whose arguments may begin with a dash and still be no options.

    An argument is an option only if it is exactly a known option, `-k` and digits, or
    `--name[=value]`; every other one is left as it stands, and `--` ends the options.
    (click's `ignore_unknown_options` would eat any `k` inside `-km+m`.)
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Sort options from arguments, and show click the arguments after a `--`."""
        takes_value = self._takes_value(ctx)
        try:
            options, arguments = split_arguments(args, takes_value)
        except UsageError:
            if not ctx.resilient_parsing:
                raise
            options, arguments = split_arguments(args[:-1], takes_value)  # a Tab: its value is next
        return super().parse_args(ctx, [*options, "--", *arguments])

    def _takes_value(self, ctx: click.Context) -> dict[str, bool]:
        return {
            name: not (param.is_flag or param.count)
            for param in self.get_params(ctx)
            if isinstance(param, click.Option)
            for name in (*param.opts, *param.secondary_opts)
        }


def split_arguments(
    args: Sequence[str], takes_value: dict[str, bool]
) -> tuple[list[str], list[str]]:
    """Tell options (with their values) from arguments, each in the order they were typed.

    >>> split_arguments(["-王+king", "-k3", "-km+m"], {"-k": True})
    (['-k3'], ['-王+king', '-km+m'])
    """
    options: list[str] = []
    arguments: list[str] = []
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            arguments.extend(rest)
        elif arg in takes_value:
            options.append(arg)
            if takes_value[arg]:
                options.append(_value_of(arg, rest))
        elif _is_option(arg, takes_value):
            options.append(arg)
        else:
            arguments.append(arg)
    return options, arguments


def _value_of(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:  # else it would take the "--" that follows
        raise UsageError(f"{option} needs a value after it")
    return value


def _is_option(arg: str, takes_value: dict[str, bool]) -> bool:
    if re.fullmatch(r"-[A-Za-z]\d+", arg, re.ASCII):  # -k3
        return takes_value.get(arg[:2], False)
    return re.fullmatch(r"--[A-Za-z][A-Za-z0-9-]*(=.*)?", arg, re.ASCII | re.DOTALL) is not None


def refuse_lone_operators(command: str, expressions: Sequence[str]) -> None:
    """Stop at an operator among several arguments: the shell cut an expression in pieces."""
    lone = [text for text in expressions if text in LONE_OPERATORS]
    if lone and len(expressions) > 1:
        whole = " ".join(expressions).replace('"', '\\"')
        raise UsageError(
            f"{lone[0]!r} stands alone among several arguments",
            hint=f'quote the expression: wordvec {command} "{whole}"',
        )


def store_option(callback: Callback) -> Callback:
    """Add `--store DIR`; the command gets `store: Store`."""

    @click.option(
        "--store",
        "store_root",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Folder of the tables (else WORDVEC_HOME, else the user's cache).",
    )
    @functools.wraps(callback)
    def with_store(*args: Any, store_root: Path | None, **kwargs: Any) -> Any:
        from wordvec.api import OpenTables  # not needed for --help
        from wordvec.tables.store import Store

        opened = click.get_current_context().find_object(OpenTables)  # that of `wordvec shell`
        store = Store(store_root) if opened is None or store_root is not None else opened.store
        return callback(*args, store=store, **kwargs)

    return with_store


def complete_table(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a table, or of the next of several."""
    from wordvec.cli import completion  # only when a Tab is pressed

    return completion.complete_table(ctx, param, incomplete)


def complete_model(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete the name of a model."""
    from wordvec.cli import completion

    return completion.complete_model(ctx, param, incomplete)


def tables_option(default: str, *, text: str) -> Option:
    """Make `--tables`, which names several; the value is a tuple of tuples of names."""
    return click.option(
        "--tables",
        type=Several("tables", (), checked=False),
        multiple=True,
        metavar="TABLE,TABLE",
        shell_complete=complete_table,
        help=f"{text}, as [MODEL:]static or [MODEL:]dynamic.  [default: {default}]",
    )


def refs_of(tables: Sequence[Sequence[str]], ref: TableRef) -> list[TableRef]:
    """The tables that `--tables` names, of `ref`'s model where they name none; else `ref` alone."""
    named = flat(tables)
    if not named:
        return [ref]
    params = click.get_current_context().params
    if params.get("table") is not None or params.get("mode") is not None:
        raise UsageError("--tables names the tables: give it, or --table or --mode, not both")
    return [replace(one, model=one.model or ref.model) for one in map(TableRef.parse, named)]


def table_options(callback: Callback) -> Callback:
    """Add `--mode`, `--model`, `--table` and `--store`; the command gets `ref` and `store`."""

    @click.option(
        "--mode",
        type=click.Choice([mode.value for mode in Mode]),
        help="Static input embeddings (default), or dynamic: each token run through the model.",
    )
    @click.option(
        "--model",
        metavar="NAME",
        shell_complete=complete_model,
        help="Hub id, folder, or mini (else WORDVEC_MODEL, else the reference model).",
    )
    @click.option(
        "--table",
        metavar="[MODEL:]MODE",
        shell_complete=complete_table,
        help="Model and mode in one word.",
    )
    @store_option
    @functools.wraps(callback)
    def with_ref(
        *args: Any, mode: str | None, model: str | None, table: str | None, **kwargs: Any
    ) -> Any:
        return callback(*args, ref=table_ref(table, mode, model), **kwargs)

    return with_ref


def table_ref(table: str | None, mode: str | None, model: str | None) -> TableRef:
    """Say which table the three options name; static where they are silent."""
    if table is None:
        return TableRef(model, Mode(mode or Mode.STATIC))
    if mode is not None or model is not None:
        raise UsageError("--table names model and mode: give it, or --model and --mode, not both")
    return TableRef.parse(table)


def output_options(callback: Callback) -> Callback:
    """Add `--json`, `--jsonl` and `--tsv`; the command gets `form: Format`."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
    @click.option("--jsonl", "as_jsonl", is_flag=True, help="Print one JSON object a line.")
    @click.option("--tsv", "as_tsv", is_flag=True, help="Print tab-separated values.")
    @functools.wraps(callback)
    def with_form(*args: Any, as_json: bool, as_jsonl: bool, as_tsv: bool, **kwargs: Any) -> Any:
        if as_json + as_jsonl + as_tsv > 1:
            raise UsageError("--json, --jsonl and --tsv exclude one another: choose one")
        form = (
            Format.JSON
            if as_json
            else Format.JSONL
            if as_jsonl
            else Format.TSV
            if as_tsv
            else Format.TEXT
        )
        return callback(*args, form=form, **kwargs)

    return with_form


k_option = click.option(
    "-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many neighbours."
)
pieces_option = click.option(
    "--pieces", is_flag=True, help="An unknown word is the mean of its pieces in the vocabulary."
)


class Several(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """One or more of some words, with commas between them; the value is a tuple.

    checked: whether any other word is refused here, or left to the library.
    """

    def __init__(self, name: str, words: Sequence[str], *, checked: bool = True) -> None:
        self.name = name
        self.words = tuple(words)
        self.checked = checked

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Cut at commas, and refuse what is none of the words."""
        if isinstance(value, tuple):
            return value
        found = tuple(word.strip() for word in str(value).split(","))
        for word in found:
            if self.checked and word not in self.words:
                self.fail(f"{word!r} is not one of {', '.join(self.words)}", param, ctx)
        return found

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Complete the last of the words."""
        from click.shell_completion import CompletionItem

        del ctx, param
        before, comma, last = incomplete.rpartition(",")
        return [
            CompletionItem(f"{before}{comma}{word}") for word in self.words if word.startswith(last)
        ]


def asking_options(callback: Callback) -> Callback:
    """Add what decides how expressions are answered; the command gets `settings: QuerySettings`.

    A command that lists neighbours adds `k_option` besides.
    """
    for option in reversed(_ASKING):  # the first decorator stands first in --help
        callback = option(callback)

    @functools.wraps(callback)
    def with_settings(*args: Any, **kwargs: Any) -> Any:
        metric, transform, only = (kwargs.pop(name) for name in ("metric", "transform", "only"))
        filters = {name: kwargs.pop(name) for name in ("match", "vocab", "no_special")}
        counted = {"k": kwargs.pop("k")} if "k" in kwargs else {}
        settings = QuerySettings(
            **counted,
            method=Method(kwargs.pop("method")),
            metric=None if metric is None else Metric(metric),
            transforms=flat(transform),
            filters=Filters(only=tuple(Only(kind) for kind in flat(only)), **filters),
            **{name: kwargs.pop(name) for name in ("unit", "exclude", "pieces", "merge_twins")},
        )
        return callback(*args, settings=settings, **kwargs)

    return with_settings


def changing_options(callback: Callback) -> Callback:
    """Add `--unit` and `--transform`; the command gets `transforms`, what is done to the rows."""

    @_UNIT
    @_TRANSFORM
    @functools.wraps(callback)
    def with_transforms(
        *args: Any, unit: bool, transform: tuple[tuple[str, ...], ...], **kwargs: Any
    ) -> Any:
        settings = QuerySettings(unit=unit, transforms=flat(transform))
        return callback(*args, transforms=settings.all_transforms, **kwargs)

    return with_transforms


def flat(several: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The words of an option that may be given several times, in order."""
    return tuple(word for words in several for word in words)


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
    """Make `--method` with a default of its own."""
    return click.option(
        "--method",
        type=click.Choice([method.value for method in Method]),
        default=default.value,
        show_default=True,
        help="Sum of vectors, 3CosAdd, 3CosMul, or the direction from a to b.",
    )


_UNIT = click.option("--unit", is_flag=True, help="Bring every row to length 1 first.")
_TRANSFORM = click.option(
    "--transform",
    type=Several("transform", ("unit", "center", "standardize", "abtt:", "whiten"), checked=False),
    multiple=True,
    metavar="STEP",
    help="Change the rows first: unit, center, standardize, abtt:N or whiten; several in order.",
)
_ASKING = (
    metric_option(
        *Metric,
        text="What is near: L2 distance (the default of sum), cosine similarity, inner product, "
        "or cosine corrected for hubs.",
    ),
    method_option(Method.SUM),
    _UNIT,
    _TRANSFORM,
    click.option("--exclude", is_flag=True, help="Leave the words of the query out of the answer."),
    click.option(
        "--only",
        type=Several("kind", [kind.value for kind in Only]),
        multiple=True,
        metavar="KIND",
        help="List only tokens of a kind: kanji, hiragana, katakana, latin, number; word or "
        "subword.",
    ),
    click.option("--match", metavar="REGEX", help="List only tokens that match."),
    click.option(
        "--vocab",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="List only the words of a file, one a line.",
    ),
    click.option("--no-special", is_flag=True, help="Leave [CLS] and the like out."),
    click.option("--merge-twins", is_flag=True, help="List ##王 and 王 as one."),
    pieces_option,
)

"""Options that several commands share, and how an argument that begins with a dash is read.

Each decorator adds options and hands the command what they mean: `table_options` a `ref` and a
`store`, `output_options` a `form`.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wordvec.cli.output import Format
from wordvec.errors import UsageError
from wordvec.metric import Metric
from wordvec.table import Mode, TableRef

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

    Callback = Callable[..., Any]

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
        options, arguments = split_arguments(args, self._takes_value(ctx))
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
                options.extend([value for value in [next(rest, None)] if value is not None])
        elif _is_option(arg, takes_value):
            options.append(arg)
        else:
            arguments.append(arg)
    return options, arguments


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
        from wordvec.store import Store  # numpy, which --help does without

        store = click.get_current_context().find_object(Store)  # that of `wordvec shell`
        if store is None or store_root is not None:
            store = Store(store_root)
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
exclude_option = click.option(
    "--exclude", is_flag=True, help="Leave the words of the query out of the answer."
)


def metric_options(callback: Callback) -> Callback:
    """Add `--metric` and `--unit`; the command gets `metric: Metric` and `unit: bool`."""

    @click.option(
        "--metric",
        type=click.Choice([metric.value for metric in Metric]),
        default=Metric.L2.value,
        show_default=True,
        help="What is near: L2 distance, cosine similarity or inner product.",
    )
    @click.option("--unit", is_flag=True, help="Bring every row to length 1 first.")
    @functools.wraps(callback)
    def with_metric(*args: Any, metric: str, **kwargs: Any) -> Any:
        return callback(*args, metric=Metric(metric), **kwargs)

    return with_metric

"""`wordvec completion`: the script that lets bash, zsh or fish complete commands and names.

click writes the scripts and finds commands, options and choices; here are the names it cannot
know, tables and models. Its bash script is replaced, because bash cuts words at the `:` of
`mini:static`, and its fish script mended, because that one cuts answers at every comma.
Nothing here loads numpy, so that a Tab is answered at once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wordvec.tables.name import TableName

SHELLS = ("bash", "zsh", "fish")

# The word under the cursor begins after a `:` or `=` for bash, and after white space for us: what
# it has already is cut from each answer. bash 3.2 (macOS) knows neither nosort nor compopt.
_BASH_SOURCE = """\
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" type value
    local word="${line##*[[:space:]=]}" before=
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        before="${word%%"${word##*:}"}"
    fi
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain) COMPREPLY+=("${value#"$before"}") ;;
        esac
    done < <(env COMP_LINE="$line" %(complete_var)s=bash_complete "$1")
}

complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null ||
    complete -F %(complete_func)s %(prog_name)s
"""


@add_completion_class
class ColonBashComplete(BashComplete):
    """Completion for bash that sees `mini:static` as one word."""

    source_template = _BASH_SOURCE

    def source(self) -> str:
        """Write the script, whichever bash this machine has."""
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        """Cut the line up to the cursor into whole arguments and the one being typed."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        if len(words) < 2 or line[-1:].isspace():
            return words[1:], ""
        return words[1:-1], words[-1]


@add_completion_class
class CommaFishComplete(FishComplete):
    """Completion for fish whose answers may hold commas: `static,dynamic`, or a line of help."""

    source_template = FishComplete.source_template.replace("string split ", "string split -m 1 ")


EPILOG = """\b
In the file that the shell reads first:
  bash:  echo 'eval "$(wordvec completion bash)"' >> ~/.bashrc
  zsh:   echo 'eval "$(wordvec completion zsh)"' >> ~/.zshrc
  fish:  wordvec completion fish > ~/.config/fish/completions/wordvec.fish

Then, in a new terminal, Tab completes commands, options, and the names of tables and models.
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes `wordvec` in a shell."""
    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(
        complete(ctx.find_root().command, {}, "wordvec", "_WORDVEC_COMPLETE").source(), nl=False
    )


def table_values(root: Path | None) -> list[str]:
    """Every name that `--table` takes here: the modes alone, the bundled model's, the store's."""
    from wordvec.models.bundled import BUNDLED

    stored = [str(name) for name in _stored(root)]
    return _once(["static", "dynamic", f"{BUNDLED}:static", *stored])


def model_values(root: Path | None) -> list[str]:
    """Models that have a table in the store, the bundled one and the reference."""
    from wordvec.models.bundled import BUNDLED
    from wordvec.models.default import REFERENCE

    return _once([BUNDLED, REFERENCE, *(name.model for name in _stored(root))])


def complete_table(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete one table; after a comma the next one of several."""
    del param
    done, comma, typed = incomplete.rpartition(",")
    return [done + comma + value for value in _beginning(table_values(_root(ctx)), typed)]


def complete_model(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[Any]]:
    """Complete a model: a known name, or a folder where a path has been begun."""
    del param
    if incomplete.startswith((".", "~", "/")):
        return [CompletionItem(incomplete, type="dir")]
    return [CompletionItem(value) for value in _beginning(model_values(_root(ctx)), incomplete)]


def _root(ctx: click.Context) -> Path | None:
    root = ctx.params.get("store_root")
    return None if root is None else Path(root).expanduser()


def _stored(root: Path | None) -> list[TableName]:
    from wordvec.tables.paths import list_folders
    from wordvec.tables.store import default_root

    try:
        found = list_folders(default_root() if root is None else root)
    except OSError:  # a Tab key is no place for an error
        return []
    return [name for name, folder in found if not folder.name.endswith(".draft")]


def _beginning(values: Iterable[str], typed: str) -> list[str]:
    return [value for value in values if value.startswith(typed)]


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))

"""`wordvec completion`: the script that lets bash, zsh or fish complete commands and names.

click writes the scripts and completes commands, options and choices; `names` completes tables and
models. Two scripts differ from click's: bash splits words at the `:` of `mini:static`, and click's
script for fish splits completions at every comma.
"""

from __future__ import annotations

import os
import re

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from wordvec.cli.commands import COMPLETION
from wordvec.errors import UsageError
from wordvec.text import escape_controls, quote

SHELLS = ("bash", "zsh", "fish")

# For bash, the word under the cursor starts after a `:`, `@` or `=`; for us, after white space. The
# part before it is cut from each completion. bash 3.2 (macOS) has neither nosort nor compopt.
_BASH_SOURCE = """\
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" type value
    local word="${line##*[[:space:]=]}" before= breaks="${COMP_WORDBREAKS//[^:@]/}"
    if [[ -n $breaks && $word == *[$breaks]* ]]; then
        before="${word%%"${word##*[$breaks]}"}"
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


# What the scripts pass to click, by shell.
_VARIABLES = {
    "bash": ("COMP_LINE",),
    "zsh": ("COMP_WORDS", "COMP_CWORD"),
    "fish": ("COMP_WORDS", "COMP_CWORD"),
}


def check_request(request: str) -> None:
    """Check the variables with which a script asks for completions.

    Raises:
        UsageError: They are not what a script passes.
    """
    shell, _, kind = request.partition("_")
    if shell not in SHELLS or kind not in ("source", "complete"):
        raise UsageError(
            f"{COMPLETION} is {quote(request)}: expected SHELL_complete of {', '.join(SHELLS)}",
            hint="wordvec completion bash",
        )
    for name in _VARIABLES[shell] if kind == "complete" else ():
        value = os.environ.get(name)
        if value is None:
            raise UsageError(f"{COMPLETION}={request} needs the variable {name}")
        if name == "COMP_CWORD" and shell == "zsh" and not re.fullmatch("[0-9]{1,9}", value):
            raise UsageError(f"{name} is {quote(value)}: expected the number of a word")


class _OneLineItems(ShellComplete):
    """Escapes names of models and files, which a shell would print as they are."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return the completions, each on one line."""
        return [
            CompletionItem(
                escape_controls(str(item.value)),
                item.type,
                item.help and escape_controls(item.help),
            )
            for item in super().get_completions(args, incomplete)
        ]


@add_completion_class
class SafeZshComplete(_OneLineItems, ZshComplete):
    """Completion for zsh."""


@add_completion_class
class ColonBashComplete(_OneLineItems, BashComplete):
    """Completion for bash that takes `mini:dynamic@4` as one word."""

    source_template = _BASH_SOURCE

    def source(self) -> str:
        """Return the script, without click's check of the bash on this machine."""
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        """Split the line before the cursor into complete arguments and the incomplete one."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        if len(words) < 2 or line[-1:].isspace():
            return words[1:], ""
        return words[1:-1], words[-1]


@add_completion_class
class CommaFishComplete(_OneLineItems, FishComplete):
    """Completion for fish that allows commas in a completion or its help: `static,dynamic`."""

    source_template = FishComplete.source_template.replace("string split ", "string split -m 1 ")


EPILOG = """\b
To install, type the line of your shell:
  bash:  echo 'eval "$(wordvec completion bash)"' >> ~/.bashrc
  zsh:   echo 'eval "$(wordvec completion zsh)"' >> ~/.zshrc
  fish:  wordvec completion fish > ~/.config/fish/completions/wordvec.fish

In a new terminal, Tab then completes commands, options, and the names of tables and models.
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes `wordvec` commands in a shell."""
    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"click has no completion for {shell}")
    click.echo(complete(ctx.find_root().command, {}, "wordvec", COMPLETION).source(), nl=False)

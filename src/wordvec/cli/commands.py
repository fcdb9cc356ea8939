"""The commands of `wordvec`: name → module and one line of help."""

from __future__ import annotations

from importlib import import_module

import click

from wordvec.cli.help import HelpContext

# command → (module in wordvec.cli that has it as `command`, short help). The table is static, so
# that `wordvec --help` does not import any of these modules.
COMMANDS: dict[str, tuple[str, str]] = {
    "extract": ("extract", "Extract a model's word vectors (static or dynamic) and save them."),
    "query": ("query", "Find the tokens nearest to an expression such as 王-男+女."),
    "compare": ("compare", "Compare the answers of tables, such as static and dynamic."),
    "explain": ("explain", "Split the score of an answer over words and dimensions."),
    "trace": ("trace", "Show the rank of an answer in the static table and every layer."),
    "contexts": ("contexts", "List the occurrences of a word in a corpus."),
    "similar": ("similar", "Show the similarity of every pair of words."),
    "axis": ("axis", "Order words along an axis such as 女-男, or two."),
    "odd": ("odd", "Find the word that does not belong with the others."),
    "norms": ("norms", "Show the norms of tokens' vectors and their ranks."),
    "evaluate": ("evaluate", "Measure how many analogies a table solves."),
    "doctor": ("doctor", "Check a space up: what can mislead, and what mends it."),
    "tables": ("tables", "List, verify or remove saved tables."),
    "export": ("export", "Write a table to a file of another program."),
    "import": ("import_", "Save vectors of another program as a table."),
    "map": ("map", "Draw the vocabulary as an interactive map or a picture."),
    "shell": ("shell", "Answer expressions interactively, with the tables kept open."),
    "completion": ("completion", "Print the completion script for bash, zsh or fish."),
}

COMPLETION = "_WORDVEC_COMPLETE"
"""The variable by which the script of a shell asks for completions."""


def load_command(name: str) -> click.Command:
    """Import the module of a command, and return the command."""
    module = f"wordvec.cli.{COMMANDS[name][0]}"
    command = import_module(module).command
    if not isinstance(command, click.Command):
        raise TypeError(f"{module}.command is not a click command")
    for one in (command, *getattr(command, "commands", {}).values()):  # tables rm
        one.context_class = HelpContext
    return command

"""The command line: the only place that knows click, prints or exits.

One file a command; each parses, calls one library function and prints. This package and the table
of commands load click alone, so that `wordvec --help` is instant. Nothing else imports this folder.
"""

from wordvec.cli.main import group


def main() -> None:
    """Run the command `wordvec` and exit with its code."""
    group.main(prog_name="wordvec")


__all__ = ["group", "main"]

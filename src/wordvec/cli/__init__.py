"""The command line, the only folder that uses click, prints or exits; no other folder imports it.

One file per command: it parses, calls one library function and prints. `commands` lists them,
`main` runs them. Importing this package loads click but not numpy, so that `--help` is fast.
"""

from wordvec.cli.main import group


def main() -> None:
    """Run the command `wordvec` and exit with its code."""
    group.main(prog_name="wordvec")


__all__ = ["group", "main"]

"""The command line, the only folder that uses click, prints or exits; no other folder imports it.

One file per command: it parses, calls one library function and prints. `commands` lists them,
`main` runs them. Importing this package loads click but not numpy, so that `--help` is fast.
"""

import sys
import warnings

from wordvec.cli.interrupts import watch_interrupts
from wordvec.cli.main import group
from wordvec.cli.streams import hold_closed_streams


def main() -> None:
    """Run the command `wordvec` and exit with its code."""
    watch_interrupts()
    hold_closed_streams()
    if not sys.warnoptions:  # warnings of libraries are for programmers
        warnings.simplefilter("ignore")
    group.main(prog_name="wordvec")


__all__ = ["group", "main"]

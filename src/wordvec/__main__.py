"""`wordvec` and `python -m wordvec` are the command; it takes Ctrl-C before it is loaded."""

import os
import sys


def main() -> None:
    """Run the command and exit with its code."""
    try:
        _leave_ascii()
        from wordvec.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("\nNote: stopped\n")
        sys.exit(130)
    run()


def _leave_ascii() -> None:
    """Start again in UTF-8 where the locale and the variables of Python leave only ASCII.

    Otherwise neither an argument nor the name of a file could have a 王.
    """
    if sys.getfilesystemencoding() == "ascii" and os.name == "posix":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()

"""`wordvec` and `python -m wordvec` are the command; it takes Ctrl-C before it is loaded."""

import sys


def main() -> None:
    """Run the command and exit with its code."""
    try:
        from wordvec.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("\nNote: stopped\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()

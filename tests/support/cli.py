"""Runs commands in this process."""

from __future__ import annotations

from click.testing import CliRunner

from wordvec.cli import group


def run(command: str, *args: str) -> tuple[int, str, str]:
    """Run a command: exit code, standard output, standard error."""
    result = CliRunner().invoke(group, [command, *args])
    return result.exit_code, result.stdout, result.stderr

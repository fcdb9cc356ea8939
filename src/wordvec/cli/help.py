"""The layout of `--help`, for narrow terminals too: click's own is at least 50 columns wide."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable


class HelpFormatter(click.HelpFormatter):
    """Writes help as wide as the terminal, from 30 to 98 columns."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = min(shutil.get_terminal_size().columns, 100)
        super().__init__(indent_increment, width or max(columns - 2, 30), max_width)

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and their descriptions; long names leave the descriptions 48 columns."""
        super().write_dl(rows, min(col_max, max(self.width - 48, 10)), col_spacing)


class HelpContext(click.Context):
    """A context of click whose help fits the terminal; `-h` shows it too."""

    formatter_class = HelpFormatter

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"help_option_names": ["--help", "-h"], **kwargs})

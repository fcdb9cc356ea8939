"""A progress bar on standard error, for functions that report progress by callback."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Never, Self

import click

from wordvec.cli.interrupts import raise_interrupt

if TYPE_CHECKING:
    from tqdm import tqdm

progress_option = click.option(
    "--progress/--no-progress",
    default=None,
    help="Show a progress bar (default: only on a terminal).",
)

_WIDE = "{percentage:3.0f}% {bar} {n_fmt}/{total_fmt}, {rate_noinv_fmt}, {remaining} left"
_STATUS = "{desc}, {percentage:3.0f}%, {remaining} left"
_STATUS_ALONE = "{desc}"
_NARROW = "{percentage:3.0f}%, {rate_noinv_fmt}, {remaining} left"


class ProgressBar:
    """A `Progress` that draws a bar: done of total, units per second and the time left.

    shown: None to draw on a terminal only. The bar is erased when the work ends or is stopped by
    Ctrl-C; after an error it stays on the screen.
    """

    def __init__(self, unit: str, *, shown: bool | None = None) -> None:
        self.unit = unit
        self.shown = sys.stderr.isatty() if shown is None else shown
        self.done = self.total = 0
        self._bar: tqdm[Never] | None = None
        self._status = ""
        self._has_line = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._bar is not None:
            self._bar.leave = kind not in (None, KeyboardInterrupt)
            self._bar.close()
        else:
            self._write_line("")

    def status(self, text: str) -> None:
        """Show what is being done: at once if there is no bar yet, else in place of the bar."""
        self._status = text
        if self._bar is None:
            self._write_line(f"{text} …" if text else "")
        elif text:
            self._bar.set_description_str(text, refresh=False)

    def _write_line(self, text: str) -> None:
        """Replace the line at the cursor; there is nothing to erase if none was written."""
        if self.shown and (text or self._has_line):
            self._has_line = bool(text)
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def __call__(self, done: int, total: int) -> None:
        """Draw the bar. The speed counts from the first call, which may start above zero."""
        raise_interrupt()
        self.done, self.total = done, total
        if not self.shown:
            return
        if self._bar is None or self._bar.total != total:
            self._bar = self._new_bar(done, total)
        self._bar.update(done - self._bar.n)

    def _new_bar(self, done: int, total: int) -> tqdm[Never]:
        from tqdm import tqdm  # takes 40 ms to import, and only a terminal needs it

        if self._bar is not None:
            self._bar.close()
        self._write_line("")
        tqdm.monitor_interval = 0  # no thread of its own, which could write while Python ends
        bar_format = _WIDE if get_terminal_size().columns >= 60 else _NARROW
        if self._status:
            bar_format = _STATUS if total else _STATUS_ALONE
        return tqdm(
            total=total,
            initial=done,
            unit=f" {self.unit}",
            file=sys.stderr,
            dynamic_ncols=True,
            desc=self._status or None,
            bar_format=bar_format,
            leave=False,
        )

"""A progress bar on standard error, for whatever reports its progress by callback."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Never, Self

import click

if TYPE_CHECKING:
    from tqdm import tqdm

progress_option = click.option(
    "--progress/--no-progress",
    default=None,
    help="Draw a progress bar; by default only on a terminal.",
)

_WIDE = "{percentage:3.0f}% {bar} {n_fmt}/{total_fmt}, {rate_noinv_fmt}, {remaining} left"
_NARROW = "{percentage:3.0f}%, {rate_noinv_fmt}, {remaining} left"


class Bar:
    """A `Progress` that draws: done of total, units a second and the time left.

    shown: None to draw on a terminal only. It is taken off the screen when the work ends or is
    stopped by Ctrl-C, and left standing where it broke off.
    """

    def __init__(self, unit: str, *, shown: bool | None = None) -> None:
        self.unit = unit
        self.shown = sys.stderr.isatty() if shown is None else shown
        self.done = self.total = 0
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._bar is not None:
            self._bar.leave = kind not in (None, KeyboardInterrupt)
            self._bar.close()

    def __call__(self, done: int, total: int) -> None:
        """Draw what is done; what was done before the first call does not count for the speed."""
        self.done, self.total = done, total
        if not self.shown:
            return
        if self._bar is None or self._bar.total != total:
            self._bar = self._begin(done, total)
        self._bar.update(done - self._bar.n)

    def _begin(self, done: int, total: int) -> tqdm[Never]:
        from tqdm import tqdm  # 40 ms, and only a terminal needs it

        if self._bar is not None:
            self._bar.close()
        return tqdm(
            total=total,
            initial=done,
            unit=f" {self.unit}",
            file=sys.stderr,
            dynamic_ncols=True,
            bar_format=_WIDE if get_terminal_size().columns >= 60 else _NARROW,
            leave=False,
        )

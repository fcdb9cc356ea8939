"""Ctrl-C: whatever it interrupts, the command ends with one line that says what is kept.

Python raises KeyboardInterrupt wherever the main thread is. Callbacks of the interpreter drop it,
and a library may turn it into another error, so the handler also notes it. A library in C++ that is
being imported may end the process (SIGABRT) when an exception passes it: it is raised afterwards.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from _thread import interrupt_main, start_new_thread
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wordvec.errors import WordvecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class StoppedError(WordvecError):
    """The user pressed Ctrl-C; the message says what is kept."""

    exit_code = 130


_pressed = False


def watch_interrupts() -> None:
    """Take note of Ctrl-C, unless the caller has this process ignore it (`nohup`)."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _interrupt_again


def ignore_interrupts() -> None:
    """Let a command whose work is done end in peace."""
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number
    global _pressed  # noqa: PLW0603  # of the process, as the signal is
    _pressed = True
    if not _is_importing(frame):
        raise KeyboardInterrupt
    start_new_thread(_interrupt_soon, ())


def _is_importing(frame: FrameType | None) -> bool:
    """Return whether a module is being imported in a frame or one that called it."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _interrupt_again(dropped: sys.UnraisableHookArgs) -> None:
    """Interrupt the main thread again if Ctrl-C arrived where Python drops exceptions."""
    if _pressed:
        start_new_thread(_interrupt_soon, ())  # after this hook, which would drop it too
    else:
        sys.__unraisablehook__(dropped)


def _interrupt_soon() -> None:
    time.sleep(0.01)
    if not _pressed:  # it was noticed meanwhile
        return
    if hasattr(signal, "pthread_kill"):  # a real signal, which ends a wait of the main thread too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        interrupt_main()


def is_interrupt(error: BaseException) -> bool:
    """Return whether an error is the consequence of Ctrl-C, and forget that it was pressed."""
    global _pressed  # as above
    interrupted, _pressed = _pressed or isinstance(error, KeyboardInterrupt), False
    return interrupted


def raise_interrupt() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed and a library went on as if it were not."""
    if _pressed:
        raise KeyboardInterrupt


@contextmanager
def exit_on_termination() -> Iterator[None]:
    """Exit when the process is told to end, so that the block removes its temporary files."""

    def leave(number: int, frame: FrameType | None) -> None:
        del frame
        sys.exit(128 + number)  # the code that a shell gives to such an end

    signals = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    replaced = [number for number in signals if signal.getsignal(number) == signal.SIG_DFL]
    for number in replaced:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def kept_on_interrupt(what_is_kept: Callable[[], str]) -> Iterator[None]:
    """Turn what Ctrl-C causes in the block into an error that says what is kept.

    Raises:
        StoppedError: if Ctrl-C was pressed.
    """
    try:
        yield
    except BaseException as error:
        if is_interrupt(error):
            raise StoppedError(what_is_kept()) from error
        raise

"""Being told to stop: every way of it unwinds the stack, and the unwinding itself is not cut short."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lab.early import NUMBERS

NUDGE_SECONDS = 0.05
"""How often the main thread is woken until it has seen the signal."""


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. No `except Exception` may swallow it."""


class _Told:
    """Whether Interrupted was raised. Not an Event: a handler may run while its own thread holds the Event's lock."""

    yes = False


@contextmanager
def unwinding(*, last: bool = False) -> Iterator[None]:
    """Inside, the first such signal raises Interrupted, and later ones do nothing until we are out.

    Whoever presses Ctrl-C again must not cut short the taking down of what was started. It takes a flag and not only
    an ignored signal: two that arrive together are both delivered, the second in the middle of the unwinding.

    Nor may a signal be lost. The system gives it to any thread, and a main thread that sleeps is not woken by that
    (3 of 30 runs, when three came at once); and raised in a destructor, Interrupted goes no further.

    Args:
        last: the process ends afterwards, and no signal is heard any more.
    """
    told = _Told()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if not told.yes:
            told.yes = True
            raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in NUMBERS}
    try:
        with _heard_by(threading.get_ident(), told):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if last else handler)


@contextmanager
def _heard_by(thread: int, told: _Told) -> Iterator[None]:
    """Inside, that thread is woken by a signal that any thread got, and once more if its exception was swallowed."""
    if not hasattr(signal, "pthread_kill"):  # Windows: there a sleep ends with Ctrl-C, and no thread gets it instead
        yield
        return
    arrived, wake = socket.socketpair()
    wake.setblocking(False)

    def nudge() -> None:
        while numbers := arrived.recv(64):
            while not told.yes:
                time.sleep(NUDGE_SECONDS)
                if not told.yes:
                    signal.pthread_kill(thread, numbers[-1])

    def swallowed(said: sys.UnraisableHookArgs) -> None:
        if isinstance(said.exc_value, Interrupted):
            told.yes = False
            wake.send(bytes([NUMBERS[0]]))
        else:
            hook(said)

    hook, sys.unraisablehook = sys.unraisablehook, swallowed
    fd = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    nudger = threading.Thread(target=nudge, name="signals", daemon=True)
    nudger.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(fd)
        sys.unraisablehook = hook
        told.yes = True
        wake.close()
        nudger.join()
        arrived.close()

"""The first signal unwinds; whatever comes while we unwind does not."""

from __future__ import annotations

import signal
import threading

import pytest

from lab.signals import NUMBERS, Interrupted, unwinding


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_raises_once(number: int) -> None:
    def take_down() -> str:
        for each in NUMBERS:
            signal.raise_signal(each)
        return "taken down"

    before = signal.getsignal(number)
    done = ""
    with pytest.raises(Interrupted), unwinding():  # noqa: PT012  # what happens after the raise is the point
        try:
            signal.raise_signal(number)
        finally:
            done = take_down()
    assert done == "taken down"
    assert signal.getsignal(number) is before


def test_two_signals_that_arrive_together_raise_once() -> None:
    unwound = False
    with pytest.raises(Interrupted), unwinding():  # noqa: PT012  # what happens after the raise is the point
        signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
        for each in NUMBERS:
            signal.pthread_kill(threading.get_ident(), each)  # to this thread: another one would take it at once
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)
        finally:
            unwound = sum(range(1000)) > 0  # any Python at all: a second handler would run here, and raise
    assert unwound

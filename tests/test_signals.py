"""The first signal unwinds; whatever comes while we unwind does not."""

from __future__ import annotations

import signal
import sys
import threading
import time

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


def test_a_signal_that_another_thread_got_ends_our_sleep() -> None:
    def get_it() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    before = time.monotonic()
    with pytest.raises(Interrupted), unwinding():  # noqa: PT012  # the thread must run while we sleep
        threading.Thread(target=get_it).start()
        time.sleep(30)  # the sleep is what is tested: the signal must end it
    assert time.monotonic() - before < 5


def test_a_signal_that_a_destructor_swallowed_is_raised_again() -> None:
    class Swallows:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    before = time.monotonic()
    with pytest.raises(Interrupted), unwinding():  # noqa: PT012  # the destructor must run first
        Swallows()
        time.sleep(30)
    assert time.monotonic() - before < 5


def test_nothing_of_it_is_left_behind() -> None:
    hook, threads = sys.unraisablehook, threading.enumerate()
    with unwinding():
        assert signal.set_wakeup_fd(-1) != -1
    assert (sys.unraisablehook, threading.enumerate()) == (hook, threads)
    assert signal.set_wakeup_fd(-1) == -1

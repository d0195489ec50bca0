"""The first signal unwinds; whatever comes while we unwind does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from lab.early import NUMBERS, SAID
from lab.signals import Interrupted, unwinding
from lab.words import Words


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


EARLY = "from lab.early import leave_at_once; leave_at_once(); print('ready', flush=True); input()"
LATE = """
from lab.early import leave_at_once
from lab.signals import unwinding
leave_at_once()
with unwinding(last=True):
    pass
print("ready", flush=True)
input()
"""


def told(code: str, numbers: list[signal.Signals]) -> tuple[int, str]:
    """The exit code of a program that is told to stop when it is ready, and what it says of that."""
    command, pipe = [sys.executable, "-c", code], subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | {"LAB_LANG": "en"}
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == b"ready\n"
        for number in numbers:
            program.send_signal(number)
        _, said = program.communicate(b"\n", timeout=20)
    return program.returncode, said.decode()


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@pytest.mark.parametrize("times", [1, 5])
def test_before_anything_was_started_a_signal_is_one_line_and_no_verdict(number: signal.Signals, times: int) -> None:
    assert told(EARLY, [number] * times) == (2, f"{SAID['en']}\n")


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_when_all_is_taken_down_a_signal_changes_nothing(number: signal.Signals) -> None:
    assert told(LATE, [number] * 3) == (0, "")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_line_is_the_one_that_is_said_later_on(language: str) -> None:
    assert SAID[language] == f"lab: {Words(language).fill('cli', 'interrupted')}"

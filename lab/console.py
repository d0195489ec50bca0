"""What the command line prints, and how it says no."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lab import scenario as scenarios
from lab.machine import NEEDED, descriptor_limit
from lab.reports import Played, Report
from lab.trial import try_to_load
from lab.verdict import Outcome
from lab.words import LANGUAGES, Words, default_language, harmless

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


LONGEST = 200
"""A name of a file that is longer is not shown whole."""


class Refusal(Exception):
    """No verdict: exit code 2, and one line that says why."""


def refuse(*lines: str) -> int:
    """Say why there is no verdict, or what was violated; the exit code of no verdict."""
    with suppress(OSError):  # a terminal that is closed
        print(harmless("\n  ".join((f"lab: {lines[0]}", *lines[1:]))), file=sys.stderr)
    return Outcome.UNKNOWN.value


def let_go_of_streams() -> None:
    """What nobody can read any more is dropped: Python would end with an exit code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # it was closed when we started
                stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def live(words: Words) -> Iterator[Callable[[str, str], None]]:
    """Show what is being played; nothing where the output is piped."""
    console = _console()
    if not console.is_terminal:
        yield lambda _name, _step: None
        return
    with console.status("…") as spinner:
        yield lambda name, step: spinner.update(words.fill("cli", "playing", name=name, step=step))


def show(played: Played, words: Words) -> None:
    from lab.reports import terminal

    _console().print(terminal.scenario(played, words), end="")


def paint(text: Text) -> None:
    """Print a text with its colours, where there are any."""
    _console().print(text, end="")


@cache
def _console() -> Console:
    from rich.console import Console

    return Console(soft_wrap=True)


def finish(report: Report, words: Words, json_file: Path | None, junit: Path | None) -> int:
    """Write what was asked for; say why on standard error unless everything held."""
    from lab.reports import data

    if json_file:
        _write(json_file, data.render(report, words), words)
    if junit:
        from lab.reports import junit as xml

        _write(junit, xml.render(report, words), words)
    outcome = report.outcome
    if outcome is not Outcome.HELD:
        names = ", ".join(report.named(outcome))
        refuse(words.fill("cli", f"verdict-{outcome.word}", names=names))
    if lost := next((played for played in report.played if played.unwritten), None):
        refuse(words.fill("cli", "cannot-write", path=shortened(Path(lost.path)), why=lost.unwritten))
        outcome = outcome if outcome is Outcome.VIOLATED else Outcome.UNKNOWN
    return outcome.value


def _write(path: Path, text: str, words: Words) -> None:
    try:
        with open_for_writing(path, os.O_CREAT | os.O_TRUNC) as file:
            file.write(text)
    except OSError as error:
        raise Refusal(words.fill("cli", "cannot-write", path=shortened(path), why=error.strerror)) from None


def open_for_writing(path: Path, flags: int = 0) -> TextIO:
    """Open it. A pipe that nobody reads is an error, instead of a wait for somebody who does."""
    number = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | flags, 0o666)
    os.set_blocking(number, True)
    return os.fdopen(number, "w", encoding="utf-8")


def check_writable(words: Words, *paths: Path | None) -> None:
    """Before anything is played: a report that cannot be written is bad input, not a lost run."""
    for path in filter(None, paths):
        try:
            why = _why_not(path)
        except OSError as error:
            why = error.strerror or str(error)
        if why:
            raise Refusal(words.fill("cli", "cannot-write", path=shortened(path), why=why))


def _why_not(path: Path) -> str:
    """Why it cannot be written, as far as can be known before; "" if it can."""
    if path.is_dir():
        return "it is a folder"
    if path.exists():
        open_for_writing(path).close()
        return ""
    folder = path.resolve().parent  # where a link points, if it is one
    if not folder.is_dir():
        return "no such folder"
    return "" if os.access(folder, os.W_OK) else "the folder is read-only"


def shortened(path: Path) -> str:
    """A path that fits into a line."""
    name = str(path)
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}…"


def new_folder(words: Words) -> Path:
    """A folder for the timelines of a run.

    Raises:
        Refusal: none can be made.
    """
    from lab.paths import home, new_run

    try:
        return new_run()
    except OSError as error:
        why = error.strerror or str(error)
        raise Refusal(words.fill("cli", "cannot-write", path=shortened(home()), why=why)) from None


def check_descriptors(words: Words) -> None:
    """Before a crowd is played: a machine that does not let it in has no verdict to give."""
    if (limit := descriptor_limit()) < NEEDED:
        raise Refusal(words.fill("cli", "few-descriptors", limit=limit, needed=NEEDED))


def load(name: str, words: Words) -> scenarios.Scenario:
    if name in scenarios.names() and (why := try_to_load(name)):
        raise Refusal(words.fill("cli", "scenario-broken", name=name, why=why))
    try:
        return scenarios.load(name)
    except scenarios.NoSuchScenario as error:
        near = words.fill("cli", "near", near=error.near) if error.near else ""
        raise Refusal(words.fill("cli", "no-scenario", name=error.name, near=near)) from None
    except (Exception, SystemExit) as error:  # a learner's own file: whatever it raises, one line says so
        why = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise Refusal(words.fill("cli", "scenario-broken", name=name, why=why)) from None


def title(name: str, words: Words) -> str:
    """A scenario's title; what is wrong with it, where it has none to give."""
    try:
        return words.title(name)
    except (OSError, SyntaxError, ValueError) as error:
        why = f"{type(error).__name__}: {error}".partition("\n")[0]
        return words.fill("cli", "scenario-broken", name=name, why=why)


def words_of(lang: str | None) -> Words:
    if lang is not None and lang not in LANGUAGES:
        raise Refusal(Words().fill("cli", "no-language", name=lang))
    return Words(lang or default_language())

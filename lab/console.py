"""What the command line prints, and how it says no."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab import scenario as scenarios
from lab.reports import Played, Report
from lab.verdict import Outcome
from lab.words import LANGUAGES, Words, default_language

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Refusal(Exception):
    """No verdict: exit code 2, and one line that says why."""


def refuse(*lines: str) -> int:
    """Say why there is no verdict, or what was violated; the exit code of no verdict."""
    print("\n  ".join((f"lab: {lines[0]}", *lines[1:])), file=sys.stderr)
    return Outcome.UNKNOWN.value


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
    return outcome.value


def _write(path: Path, text: str, words: Words) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(words.fill("cli", "cannot-write", path=path, why=error.strerror)) from None


def check_writable(words: Words, *paths: Path | None) -> None:
    """Before anything is played: a report that cannot be written is bad input, not a lost run."""
    for path in paths:
        if path and path.is_dir():
            raise Refusal(words.fill("cli", "cannot-write", path=path, why="it is a folder"))
        if path and not path.absolute().parent.is_dir():
            raise Refusal(words.fill("cli", "cannot-write", path=path, why="no such folder"))


def load(name: str, words: Words) -> scenarios.Scenario:
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
        load(name, words)
    except Refusal as refusal:
        return str(refusal)
    return words.scenario(name).title


def words_of(lang: str | None) -> Words:
    if lang is not None and lang not in LANGUAGES:
        raise Refusal(Words().fill("cli", "no-language", name=lang))
    return Words(lang or default_language())

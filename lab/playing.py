"""What `lab run` does: which scenarios, on which backend, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import scenario as scenarios
from lab.backends.stage import Backend
from lab.clock import now
from lab.console import Refusal, check_descriptors, live, load, new_folder, show
from lab.reports import Played, Report
from lab.servers import NoSuchServer, application
from lab.words import Words

if TYPE_CHECKING:
    from lab.backends.launch import ForkServer
    from lab.choose import Choice

FEW = 100
"""So many connections need no more descriptors than any machine gives."""


def todo_of(names: tuple[str, ...], every: bool, words: Words) -> tuple[str, ...]:
    """The scenarios to play, each once; all of them can be loaded.

    Raises:
        Refusal: one cannot, or this machine cannot carry so many connections.
    """
    todo = tuple(dict.fromkeys(scenarios.names() if every else names))
    if not todo:
        raise Refusal(words.fill("cli", "nothing-to-run"))
    loaded = [load(name, words) for name in todo]
    if any(len(one.people) > FEW for one in loaded):
        check_descriptors(words)
    return todo


def play(todo: tuple[str, ...], backend: Backend, server: str, flavour: str, words: Words) -> Report:
    """Play them and show each; the report on all."""
    from lab.session import Session

    folder = new_folder(words)
    before, played = now(), list[Played]()
    with live(words) as watch:
        backend.open()
        session = Session(backend, server, flavour, folder)
        for one in session.play_all(todo, watch):
            played.append(one)
            show(one, words)
    if session.speaks_otherwise:
        print(words.fill("cli", "other-dialect", server=server))
    report = Report("run", server, backend.name, flavour, now() - before, tuple(played))
    if len(played) > 1:
        from lab.reports import terminal

        print(terminal.summary(report, words))
    return report


def choose_backend(backend: str | None, server: str, flavour: str, words: Words, started: ForkServer | None) -> Choice:
    """The backend to play on, and why that one."""
    from lab.choose import NoEngine, choose
    from lab.witness.flavour import PROTOCOLS

    if flavour not in PROTOCOLS:
        raise Refusal(words.fill("cli", "no-flavour", name=flavour, known=", ".join(PROTOCOLS)))
    try:
        return choose(backend, application(server), flavour, started)
    except NoSuchServer as error:
        raise Refusal(words.fill("cli", "no-server", name=server, known=", ".join(error.known))) from None
    except NoEngine as error:
        raise Refusal(words.fill("cli", "no-engine", why=str(error))) from None
    except KeyError as error:
        raise Refusal(words.fill("cli", "no-backend", name=error.args[0])) from None

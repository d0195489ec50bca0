"""Commands that keep house: `lab up`, `down`, `status`, `sweep`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from lab.console import Refusal, words_of
from lab.servers import application
from lab.words import Words

if TYPE_CHECKING:
    from lab.backends.compose import Composition

project_option = click.option("--project", help="The lab's name, where several run; by default LAB_PROJECT.")
lang_option = click.option("--lang", help="en or ko; by default LAB_LANG or the locale's.")
backend_option = click.option("--backend", help="auto, docker or embedded; by default LAB_BACKEND or auto.")


@click.command()
@backend_option
@project_option
@lang_option
def up(backend: str | None, project: str | None, lang: str | None) -> None:
    """Bring the containers up, so that scenarios start at once."""
    words = words_of(lang)
    with _composition(backend, project, words) as composition:
        if composition is None:
            print(words.fill("cli", "up-embedded"))
            return
        was_up = composition.is_up()
        try:
            composition.up("up")
            server, toxiproxy = composition.await_ready()
        except BaseException:
            if not was_up:
                composition.down()
            raise
        print(words.fill("cli", "up", project=composition.project, server=server, toxiproxy=toxiproxy))


@click.command()
@project_option
@lang_option
def down(project: str | None, lang: str | None) -> None:
    """Take the containers down, with all that any run left behind."""
    from lab.backends.sweep import sweep as sweep_all

    words = words_of(lang)
    with _composition(None, project, words) as composition:
        if composition is not None:
            gone = composition.down()
            counts = {"containers": gone.containers, "networks": gone.networks, "volumes": gone.volumes}
            key = "down" if gone.total else "not-up"
            print(words.fill("cli", key, project=composition.project, **counts))
    swept = sweep_all()
    if swept.count or composition is None:
        print(words.fill("cli", "swept", count=swept.count))
    for other in swept.left:
        print(words.fill("cli", "left-alone", project=other))


@click.command()
@project_option
@lang_option
def status(project: str | None, lang: str | None) -> None:
    """Say what is up."""
    words = words_of(lang)
    with _composition(None, project, words) as composition:
        lines = list(composition.status()) if composition is not None else []
        print(*lines or [words.fill("cli", "not-up", project=composition.project if composition else "-")], sep="\n")


@click.command()
@lang_option
def sweep(lang: str | None) -> None:
    """Remove whatever runs that were killed have left behind, processes and containers."""
    from lab.backends.sweep import sweep as sweep_all

    words, swept = words_of(lang), sweep_all()
    print(words.fill("cli", "swept", count=swept.count))
    for other in swept.left:
        print(words.fill("cli", "left-alone", project=other))


@contextmanager
def _composition(backend: str | None, project: str | None, words: Words) -> Iterator[Composition | None]:
    """The lab's project on the engine that answers; None where there is no engine and none was insisted on."""
    from lab.backends import engine
    from lab.choose import NAMES, wanted

    name = wanted(backend)
    if name not in NAMES:
        raise Refusal(words.fill("cli", "no-backend", name=name))
    found = engine.find() if name != "embedded" else ""
    if not isinstance(found, engine.Engine):
        if name == "docker":
            raise Refusal(words.fill("cli", "no-engine", why=found))
        yield None
        return
    from lab.backends.compose import Composition, default_project

    composition = Composition(found, project or default_project(), application("reference"), "rfc6455")
    try:
        yield composition
    finally:
        composition.close()

"""The command line: `lab list`, `explain`, `run`, `judge`, `up`, `down`, `status`, `sweep`.

Exit codes everywhere: 0 held, 1 violated, 2 no verdict; one line on standard error says why.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

import lab
from lab import scenario as scenarios
from lab.backends.actors import StageError
from lab.backends.stage import Backend
from lab.clock import now
from lab.reports import Played, Report
from lab.servers import NoSuchServer, application
from lab.signals import Interrupted, unwinding
from lab.verdict import Outcome
from lab.words import LANGUAGES, Words, default_language

if TYPE_CHECKING:
    from rich.console import Console

    from lab.backends.compose import Composition

lang_option = click.option("--lang", help="en or ko; by default LAB_LANG or the locale's.")
backend_option = click.option("--backend", help="auto, docker or embedded; by default LAB_BACKEND or auto.")
project_option = click.option("--project", help="The lab's name, where several run; by default LAB_PROJECT.")
json_option = click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the report as JSON.")
junit_option = click.option("--junit", type=click.Path(path_type=Path), help="Write the report as JUnit XML.")


@click.group(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(lab.__version__, message="hangup %(version)s")
def app() -> None:
    """A lab for the ways a WebSocket dies. Exit codes: 0 held, 1 violated, 2 no verdict."""


class Refusal(Exception):
    """No verdict: exit code 2, and one line that says why."""


def main() -> NoReturn:
    """Run the command and exit with its verdict."""
    try:
        with unwinding():
            code = app(standalone_mode=False)
    except Refusal as refusal:
        code = _refuse(str(refusal))
    except click.ClickException as error:
        code = _refuse(error.format_message())
    except StageError as error:
        words = Words(default_language())
        log = (words.fill("cli", "log"), *error.log) if error.log else ()
        code = _refuse(words.fill("cli", "aborted", why=str(error)), *log)
    except (Interrupted, click.Abort):
        code = _refuse(Words(default_language()).fill("cli", "interrupted"))
    except Exception:  # a bug of ours is no verdict either, and Python's own exit code would say "violated"
        traceback.print_exc()
        code = _refuse(Words(default_language()).fill("cli", "bug"))
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(*lines: str) -> int:
    print("lab:", *lines[:1], *(f"\n  {line}" for line in lines[1:]), file=sys.stderr)
    return Outcome.UNKNOWN.value


@app.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@lang_option
def list_scenarios(as_json: bool, lang: str | None) -> None:
    """Show every scenario."""
    words = _words(lang)
    titles = {name: words.scenario(name).title for name in scenarios.names()}
    if as_json:
        rows = [{"name": name, "title": title} for name, title in titles.items()]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for name, title in titles.items():
        print(f"{name:<12} {title}")


@app.command()
@click.argument("name", metavar="SCENARIO")
@lang_option
def explain(name: str, lang: str | None) -> None:
    """Tell a scenario's story and what it claims, without playing it."""
    words = _words(lang)
    loaded = _load(name, words)
    text = words.scenario(name)
    print(f"{name}: {text.title}\n\n{text.story.strip()}\n")
    for part, steps in (("given", loaded.given), ("when", loaded.when)):
        print(*(f"{part:>7}  {step}" for step in steps), sep="\n")
    print(f" within  {loaded.within:g} s")
    print(*(f"   then  {claim}" for claim in loaded.then), sep="\n")


@app.command()
@click.argument("names", nargs=-1, metavar="SCENARIO...")
@click.option("--all", "every", is_flag=True, help="Play them all.")
@backend_option
@click.option("--flavour", default="rfc6455", show_default=True, help="The server's WebSocket implementation.")
@click.option("--server", default="reference", show_default=True, help="reference, broken/NAME or module:attribute.")
@click.option("--seed", type=int, help="Shuffle the order in which scenarios are played.")
@json_option
@junit_option
@lang_option
def run(
    names: tuple[str, ...],
    every: bool,
    backend: str | None,
    flavour: str,
    server: str,
    seed: int | None,
    json_file: Path | None,
    junit: Path | None,
    lang: str | None,
) -> int:
    """Play scenarios and judge them."""
    from lab.session import shuffled

    words = _words(lang)
    todo = tuple(dict.fromkeys(scenarios.names() if every else names))
    if not todo:
        raise Refusal(words.fill("cli", "nothing-to-run"))
    for name in todo:
        _load(name, words)
    _check_writable(words, json_file, junit)
    report = _run(shuffled(todo, seed), backend, flavour, server, words)
    return _finish(report, words, json_file, junit)


@app.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="RUN.jsonl")
@json_option
@junit_option
@lang_option
def judge(path: Path, json_file: Path | None, junit: Path | None, lang: str | None) -> int:
    """Judge a stored timeline again: no engine, no server, the same verdict."""
    from lab.judge import judge as verdict_on
    from lab.timeline import Timeline, TimelineError

    words = _words(lang)
    try:
        timeline = Timeline.from_jsonl(path.read_text(encoding="utf-8"))
    except (OSError, TimelineError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Refusal(words.fill("cli", "cannot-read", path=path, why=why)) from None
    head = timeline.header
    verdict = verdict_on(_load(head.scenario, words), timeline)
    played = Played(head.scenario, verdict, timeline, path=str(path))
    _print(played, words)
    report = Report("judge", head.subject, head.backend, head.flavour, 0.0, (played,))
    return _finish(report, words, json_file, junit)


@app.command()
@backend_option
@project_option
@lang_option
def up(backend: str | None, project: str | None, lang: str | None) -> None:
    """Bring the containers up, so that scenarios start at once."""
    words = _words(lang)
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


@app.command()
@project_option
@lang_option
def down(project: str | None, lang: str | None) -> None:
    """Take the containers down, with all that any run left behind."""
    from lab.backends.sweep import sweep as sweep_all

    words = _words(lang)
    with _composition(None, project, words) as composition:
        if composition is not None:
            gone = composition.down()
            counts = {"containers": gone.containers, "networks": gone.networks, "volumes": gone.volumes}
            key = "down" if gone.total else "not-up"
            print(words.fill("cli", key, project=composition.project, **counts))
    swept = sweep_all()
    if swept or composition is None:
        print(words.fill("cli", "swept", count=swept))


@app.command()
@project_option
@lang_option
def status(project: str | None, lang: str | None) -> None:
    """Say what is up."""
    words = _words(lang)
    with _composition(None, project, words) as composition:
        lines = list(composition.status()) if composition is not None else []
        print(*lines or [words.fill("cli", "not-up", project=composition.project if composition else "-")], sep="\n")


@app.command()
@lang_option
def sweep(lang: str | None) -> None:
    """Remove whatever runs that were killed have left behind, processes and containers."""
    from lab.backends.sweep import sweep as sweep_all

    print(_words(lang).fill("cli", "swept", count=sweep_all()))


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


def _run(todo: tuple[str, ...], backend: str | None, flavour: str, server: str, words: Words) -> Report:
    from lab.paths import new_run
    from lab.session import Session

    chosen = _choose(backend, server, flavour, words)
    before = now()
    played: list[Played] = []
    try:
        with _live(words) as watch:
            chosen.open()
            session = Session(chosen, server, flavour, new_run())
            for name in todo:
                played.append(session.play(name, watch))
                _print(played[-1], words)
    finally:
        chosen.close()
    report = Report("run", server, chosen.name, flavour, now() - before, tuple(played))
    if len(played) > 1:
        from lab.reports import terminal

        print(terminal.summary(report, words))
    return report


@contextmanager
def _live(words: Words) -> Iterator[Callable[[str, str], None]]:
    """Show what is being played; nothing where the output is piped."""
    console = _console()
    if not console.is_terminal:
        yield lambda _name, _step: None
        return
    with console.status("…") as spinner:
        yield lambda name, step: spinner.update(words.fill("cli", "playing", name=name, step=step))


def _print(played: Played, words: Words) -> None:
    from lab.reports import terminal

    _console().print(terminal.scenario(played, words), end="")


@cache
def _console() -> Console:
    from rich.console import Console

    return Console(soft_wrap=True)


def _finish(report: Report, words: Words, json_file: Path | None, junit: Path | None) -> int:
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
        _refuse(words.fill("cli", f"verdict-{outcome.word}", names=names))
    return outcome.value


def _write(path: Path, text: str, words: Words) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(words.fill("cli", "cannot-write", path=path, why=error.strerror)) from None


def _check_writable(words: Words, *paths: Path | None) -> None:
    """Before anything is played: a report that cannot be written is bad input, not a lost run."""
    for path in paths:
        if path and not path.absolute().parent.is_dir():
            raise Refusal(words.fill("cli", "cannot-write", path=path, why="no such folder"))


def _choose(backend: str | None, server: str, flavour: str, words: Words) -> Backend:
    from lab.choose import NoEngine, choose
    from lab.witness.flavour import PROTOCOLS

    if flavour not in PROTOCOLS:
        raise Refusal(words.fill("cli", "no-flavour", name=flavour, known=", ".join(PROTOCOLS)))
    try:
        choice = choose(backend, application(server), flavour)
    except NoSuchServer as error:
        raise Refusal(words.fill("cli", "no-server", name=server, known=", ".join(error.known))) from None
    except NoEngine as error:
        raise Refusal(words.fill("cli", "no-engine", why=str(error))) from None
    except KeyError as error:
        raise Refusal(words.fill("cli", "no-backend", name=error.args[0])) from None
    if choice.key:
        print(words.fill("cli", choice.key, why=choice.why, version=choice.why), file=sys.stderr)
    return choice.backend


def _load(name: str, words: Words) -> scenarios.Scenario:
    try:
        return scenarios.load(name)
    except scenarios.NoSuchScenario as error:
        near = words.fill("cli", "near", near=error.near) if error.near else ""
        raise Refusal(words.fill("cli", "no-scenario", name=error.name, near=near)) from None
    except Exception as error:  # a learner's own file: whatever it raises, one line says so
        raise Refusal(words.fill("cli", "scenario-broken", name=name, why=f"{type(error).__name__}: {error}")) from None


def _words(lang: str | None) -> Words:
    if lang is not None and lang not in LANGUAGES:
        raise Refusal(Words().fill("cli", "no-language", name=lang))
    return Words(lang or default_language())

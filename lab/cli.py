"""The command line: `lab list`, `explain`, `run`, `judge`, `up`, `down`, `status`, `sweep`.

Exit codes everywhere: 0 held, 1 violated, 2 no verdict; one line on standard error says why.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from typer.exceptions import TyperException

from lab import scenario as scenarios
from lab.backends.actors import StageError
from lab.backends.stage import Backend
from lab.clock import now
from lab.reports import Played, Report, terminal
from lab.signals import Interrupted, unwinding
from lab.verdict import Outcome
from lab.words import LANGUAGES, Words, default_language

app = typer.Typer(name="lab", help="A lab for the ways a WebSocket dies.", add_completion=False, no_args_is_help=True)

Lang = Annotated[str | None, typer.Option("--lang", help="en or ko; by default LAB_LANG or the locale's.")]
Scenario = Annotated[str, typer.Argument(help="A name from `lab list`.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the report as JSON to this file.")]
JunitFile = Annotated[Path | None, typer.Option("--junit", help="Write the report as JUnit XML to this file.")]
BackendName = Annotated[str | None, typer.Option("--backend", help="auto, docker or embedded; or LAB_BACKEND.")]
Project = Annotated[str | None, typer.Option("--project", help="The lab's name, where several run; or LAB_PROJECT.")]


class Refusal(Exception):
    """No verdict: exit code 2, and one line that says why.

    Attributes:
        log: more lines, where they help.
    """

    def __init__(self, line: str, log: tuple[str, ...] = ()) -> None:
        super().__init__(line)
        self.log = log


def main() -> NoReturn:
    """Run the command and exit with its verdict."""
    try:
        with unwinding():
            code = app(standalone_mode=False)
    except Refusal as refusal:
        code = _refuse(str(refusal), *refusal.log)
    except TyperException as error:
        code = _refuse(getattr(error, "format_message", lambda: str(error))())
    except typer.Exit as leaving:
        code = leaving.exit_code
    except (Interrupted, typer.Abort):
        code = _refuse(Words(default_language()).fill("cli", "interrupted"))
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(*lines: str) -> int:
    print("lab:", *lines[:1], *(f"\n  {line}" for line in lines[1:]), file=sys.stderr)
    return Outcome.UNKNOWN.value


@app.command("list")
def list_scenarios(as_json: AsJson = False, lang: Lang = None) -> None:
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
def explain(name: Scenario, lang: Lang = None) -> None:
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
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Scenarios to play.", metavar="SCENARIO...")] = None,
    every: Annotated[bool, typer.Option("--all", help="Play them all.")] = False,
    backend: BackendName = None,
    flavour: Annotated[str, typer.Option("--flavour", help="The server's WebSocket implementation.")] = "rfc6455",
    server: Annotated[str, typer.Option("--server", help="reference, broken/NAME or module:attribute.")] = "reference",
    seed: Annotated[int | None, typer.Option("--seed", help="Shuffle the order in which scenarios are played.")] = None,
    json_file: JsonFile = None,
    junit: JunitFile = None,
    lang: Lang = None,
) -> int:
    """Play scenarios and judge them."""
    from lab.session import shuffled

    words = _words(lang)
    todo = tuple(dict.fromkeys(scenarios.names() if every else names or ()))
    if not todo:
        raise Refusal(words.fill("cli", "nothing-to-run"))
    for name in todo:
        _load(name, words)
    _check_writable(words, json_file, junit)
    report = _run(shuffled(todo, seed), backend, flavour, server, words)
    return _finish(report, words, json_file, junit)


@app.command()
def judge(
    path: Annotated[Path, typer.Argument(help="A timeline that `lab run` wrote.", metavar="RUN.jsonl")],
    json_file: JsonFile = None,
    junit: JunitFile = None,
    lang: Lang = None,
) -> int:
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
    Console(soft_wrap=True).print(terminal.scenario(played, words), end="")
    report = Report("judge", head.subject, head.backend, head.flavour, 0.0, (played,))
    return _finish(report, words, json_file, junit)


@app.command()
def up(backend: BackendName = None, project: Project = None, lang: Lang = None) -> int:
    """Bring the containers up, so that scenarios start at once."""
    return _compose(lambda composition: composition.up(), backend, project, lang)


@app.command()
def down(project: Project = None, lang: Lang = None) -> int:
    """Take the containers down, with all that any run left behind."""
    return _compose(lambda composition: composition.down(), None, project, lang)


@app.command()
def status(project: Project = None, lang: Lang = None) -> int:
    """Say what is up."""
    return _compose(lambda composition: composition.status(), None, project, lang)


@app.command()
def sweep(lang: Lang = None) -> int:
    """Remove whatever runs that were killed have left behind, processes and containers."""
    from lab.backends.sweep import sweep as sweep_all

    words = _words(lang)
    print(words.fill("cli", "swept", count=sweep_all()))
    return 0


def _run(todo: tuple[str, ...], backend: str | None, flavour: str, server: str, words: Words) -> Report:
    from lab.paths import new_run
    from lab.session import Session

    chosen = _choose(backend, server, flavour, words)
    console = Console(soft_wrap=True)
    before = now()
    played: list[Played] = []
    try:
        chosen.open()
        session = Session(chosen, server, flavour, new_run())
        with _live(console, words) as watch:
            for name in todo:
                for one in session.play((name,), lambda step, name=name: watch(name, step)):  # type: ignore[misc]
                    played.append(one)
                    console.print(terminal.scenario(one, words), end="")
    except StageError as error:
        log = (words.fill("cli", "log"), *error.log) if error.log else ()
        raise Refusal(words.fill("cli", "aborted", why=str(error)), log) from None
    finally:
        chosen.close()
    report = Report("run", server, chosen.name, flavour, now() - before, tuple(played))
    if len(played) > 1:
        console.print(terminal.summary(report, words))
    return report


@contextmanager
def _live(console: Console, words: Words) -> Iterator[Callable[[str, str], None]]:
    """Show what is being played; nothing where the output is piped."""
    if not console.is_terminal:
        yield lambda _name, _step: None
        return
    with console.status("…") as spinner:
        yield lambda name, step: spinner.update(words.fill("cli", "playing", name=name, step=step))


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
    from lab.servers import NoSuchServer, application
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

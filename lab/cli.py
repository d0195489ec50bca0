"""The command line: `lab list`, `explain`, `run`, `judge`, `check`, `exercise`, `up`, `down`, `status`, `sweep`.

Exit codes everywhere: 0 held, 1 violated, 2 no verdict; one line on standard error says why.
"""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

import lab
from lab import scenario as scenarios
from lab.backends.actors import StageError
from lab.console import (
    Refusal,
    check_writable,
    finish,
    let_go_of_streams,
    load,
    refuse,
    show,
    title,
    words_of,
)
from lab.housekeeping import backend_option, down, lang_option, status, sweep, up
from lab.reports import Played, Report
from lab.signals import Interrupted, unwinding
from lab.verdict import Outcome
from lab.words import Words, default_language

if TYPE_CHECKING:
    from lab.backends.launch import ForkServer

json_option = click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the report as JSON.")
junit_option = click.option("--junit", type=click.Path(path_type=Path), help="Write the report as JUnit XML.")


LAZY = {"check": "lab.checking", "exercise": "lab.exercise"}
"""Commands in modules of their own, which the other commands need not pay for."""


class Lazy(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, by name."""
        return sorted((*super().list_commands(ctx), *LAZY))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in LAZY:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(LAZY[cmd_name]), cmd_name)
        return command


@click.group(cls=Lazy, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(lab.__version__, message="hangup %(version)s")
def app() -> None:
    """A lab for the ways a WebSocket dies. Exit codes: 0 held, 1 violated, 2 no verdict."""


def main(server: ForkServer | None = None) -> NoReturn:
    """Run the command and exit with its verdict.

    Args:
        server: a fork server that was started already, in case that actors are processes.
    """
    try:
        with unwinding(last=True):
            code = app(standalone_mode=False, obj=server)
    except Refusal as refusal:
        code = refuse(str(refusal))
    except click.ClickException as error:
        code = refuse(error.format_message())
    except StageError as error:
        words = Words(default_language())
        log = (words.fill("cli", "log"), *error.log) if error.log else ()
        code = refuse(words.fill("cli", "aborted", why=str(error)), *log)
    except SystemExit:  # how Click ends when nobody reads what is printed; its code would say "violated"
        code = Outcome.UNKNOWN.value
    except (Interrupted, click.Abort):
        code = refuse(Words(default_language()).fill("cli", "interrupted"))
    except Exception:  # a bug of ours is no verdict either, and Python's own exit code would say "violated"
        with suppress(OSError):
            traceback.print_exc()
        code = refuse(Words(default_language()).fill("cli", "bug"))
    let_go_of_streams()
    sys.exit(code if isinstance(code, int) else 0)


@app.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@lang_option
def list_scenarios(as_json: bool, lang: str | None) -> None:
    """Show every scenario."""
    words = words_of(lang)
    titles = {name: title(name, words) for name in scenarios.names()}
    if as_json:
        rows = [{"name": name, "title": said} for name, said in titles.items()]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for name, said in titles.items():
        print(f"{name:<12} {said}")


@app.command()
@click.argument("name", metavar="SCENARIO")
@lang_option
def explain(name: str, lang: str | None) -> None:
    """Tell a scenario's story and what it claims, without playing it."""
    from lab.reports import story

    words = words_of(lang)
    loaded = load(name, words)
    text = words.scenario(name)
    print(f"{name}: {text.title}\n\n{text.story.strip()}\n")
    for part, steps in (("given", loaded.given), ("when", loaded.when)):
        print(*(f"{part:>7}  {story.step(step)}" for step in steps), sep="\n")
    print(f" within  {loaded.within:g} s")
    print(*(f"   then  {story.claim(claim, words)}" for claim in loaded.then), sep="\n")


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
@click.pass_obj
def run(  # noqa: PLR0917  # Click passes options by name, whatever their number
    started: ForkServer | None,
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
    from lab.playing import choose_backend, play, todo_of
    from lab.session import shuffled

    words = words_of(lang)
    chosen = choose_backend(backend, server, flavour, words, started)  # first: it gets ready while we look at the rest
    try:
        todo = todo_of(names, every, words)
        check_writable(words, json_file, junit)
        if chosen.key:
            print(words.fill("cli", chosen.key, why=chosen.why, version=chosen.why), file=sys.stderr)
        report = play(shuffled(todo, seed), chosen.backend, server, flavour, words)
    finally:
        chosen.backend.close()
    return finish(report, words, json_file, junit)


@app.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="RUN.jsonl")
@json_option
@junit_option
@lang_option
def judge(path: Path, json_file: Path | None, junit: Path | None, lang: str | None) -> int:
    """Judge a stored timeline again: no engine, no server, the same verdict."""
    from lab.judge import judge as verdict_on
    from lab.timeline import Timeline, TimelineError

    words = words_of(lang)
    check_writable(words, json_file, junit)
    try:
        timeline = Timeline.from_jsonl(path.read_text(encoding="utf-8"))
    except (OSError, TimelineError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Refusal(words.fill("cli", "cannot-read", path=path, why=why)) from None
    head = timeline.header
    verdict = verdict_on(_played(head.scenario, words), timeline)
    played = Played(head.scenario.removeprefix("check:"), verdict, timeline, path=str(path))
    show(played, words)
    report = Report("judge", head.subject, head.backend, head.flavour, 0.0, (played,))
    return finish(report, words, json_file, junit)


for command in (up, down, status, sweep):
    app.add_command(command)


def _played(name: str, words: Words) -> scenarios.Scenario:
    """The scenario a timeline is of, or the case of a check."""
    if not name.startswith("check:"):
        return load(name, words)
    from lab.check.cases import cases

    found = cases().get(name.removeprefix("check:"))
    if found is None:
        raise Refusal(words.fill("cli", "no-scenario", name=name, near=""))
    return found

"""The command line of the exercises: `lab exercise`, and its `list`, `check`, `hint`, `reset`, `skip`, `solution`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from lab.console import Refusal, finish, refuse, show, words_of
from lab.exercises import STEPS, NoSuchStep, Step, find, folder
from lab.exercises.desk import Desk
from lab.exercises.grading import grade_step
from lab.exercises.texts import Texts
from lab.housekeeping import lang_option
from lab.paths import home
from lab.reports import Report
from lab.verdict import Outcome
from lab.words import Words

step_argument = click.argument("name", required=False, metavar="[STEP]")
named_step_argument = click.argument("name", metavar="STEP")


@click.group("exercise", invoke_without_command=True)
@click.option("--once", is_flag=True, help="Grade the current step once, and do not wait for a save.")
@lang_option
@click.pass_context
def exercise(context: click.Context, once: bool, lang: str | None) -> int:
    """Small servers to mend: shows the current step, and plays its cases whenever you save its file."""
    context.obj = lang
    if context.invoked_subcommand:
        return 0
    words = words_of(lang)
    with _desk(words) as desk:
        if once:
            return _once(desk, words)
        from lab.exercises.watch import watch

        watch(desk)
    return 0


@exercise.command("list")
@lang_option
@click.pass_obj
def list_steps(group_lang: str | None, lang: str | None) -> None:
    """Show every step, and how it stands."""
    with _desk(words_of(lang or group_lang)) as desk:
        desk.listing()


@exercise.command()
@step_argument
@lang_option
@click.pass_obj
def check(group_lang: str | None, name: str | None, lang: str | None) -> int:
    """Grade a step once, by default the current one, with all the evidence."""
    words = words_of(lang or group_lang)
    with _desk(words) as desk:
        return _verdict(desk.attempt(_step(name, desk), every=True), words)


@exercise.command()
@step_argument
@lang_option
@click.pass_obj
def hint(group_lang: str | None, name: str | None, lang: str | None) -> None:
    """Give the hint of a step, by default of the current one; a longer one after the third try."""
    with _desk(words_of(lang or group_lang)) as desk:
        desk.hint(_step(name, desk))


@exercise.command()
@named_step_argument
@lang_option
@click.pass_obj
def reset(group_lang: str | None, name: str, lang: str | None) -> None:
    """Start a step again, with its server as it was. What you made of it is kept."""
    with _desk(words_of(lang or group_lang)) as desk:
        desk.reset(_step(name, desk))


@exercise.command()
@lang_option
@click.pass_obj
def skip(group_lang: str | None, lang: str | None) -> None:
    """Leave the current step for later."""
    with _desk(words_of(lang or group_lang)) as desk:
        desk.skip()


@exercise.command()
@named_step_argument
@lang_option
@click.pass_obj
def solution(group_lang: str | None, name: str, lang: str | None) -> int:
    """Show one way to mend a step that is done or skipped, and why."""
    with _desk(words_of(lang or group_lang)) as desk:
        step = _step(name, desk)
        if not desk.progress().is_behind(step):
            return refuse(desk.texts.say("not-yet", name=step.name))
        desk.solution(step)
    return 0


@contextmanager
def _desk(words: Words) -> Iterator[Desk]:
    """The participant's desk. A file of it that cannot be read or written is a refusal."""
    kept = home() / "exercises.json"
    try:
        yield Desk(Texts(words.language), grade_step, click.echo, lambda played: show(played, words), folder(), kept)
    except OSError as error:
        if error.filename is None:  # not about a file
            raise
        raise Refusal(words.fill("cli", "cannot-write", path=error.filename, why=error.strerror)) from None


def _step(name: str | None, desk: Desk) -> Step:
    """The step of that name; the current one where none was named, or the last where all are behind."""
    if name is None:
        return desk.progress().current or STEPS[-1]
    try:
        return find(name)
    except NoSuchStep:
        known = ", ".join(step.name for step in STEPS)
        raise Refusal(desk.texts.say("no-step", name=repr(name), known=known)) from None


def _once(desk: Desk, words: Words) -> int:
    step = desk.progress().current
    if step is None:
        desk.say_next()
        return 0
    desk.present(step)
    report = desk.attempt(step)
    if report.outcome is Outcome.HELD:
        desk.say_next()
    return _verdict(report, words)


def _verdict(report: Report, words: Words) -> int:
    return finish(report, words, None, None)

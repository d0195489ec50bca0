"""The command line of a check: `lab check APP`."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lab.console import Refusal, check_descriptors, check_writable, finish, live, new_folder, paint, words_of
from lab.housekeeping import lang_option
from lab.servers import NoSuchServer, application
from lab.words import Words

if TYPE_CHECKING:
    from lab.backends.launch import ForkServer
    from lab.check.subject import Subject
    from lab.reports import Report

TRIES_TO_EXPLAIN = 3
T = TypeVar("T")


@click.command()
@click.argument("app", required=False, metavar="[APP]")
@click.option("--path", help="Where its WebSocket is: /ws, or /ws/{name}.  [default: /ws, or its only WebSocket route]")
@click.option("--factory", is_flag=True, help="APP makes the application.")
@click.option("--flavour", default="auto", show_default=True, help="The server's WebSocket implementation.")
@click.option("--say", multiple=True, help="What clients say: text, hex:00FF or @FILE. Several open the conversation.")
@click.option("--reply", multiple=True, help="Have clients answer: PATTERN=TEXT, where PATTERN is found in a message.")
@click.option("--subprotocol", multiple=True, help="Offer this subprotocol.")
@click.option("--header", multiple=True, help="Send this header: 'NAME: VALUE'.")
@click.option("--cookie", multiple=True, help="Send this cookie: NAME=VALUE.")
@click.option("--query", multiple=True, help="Add this to the query.  [default: user={name}]")
@click.option("--rows-url", default="", help="A database, as SQLAlchemy names it; {folder} is the run's own folder.")
@click.option("--rows-sql", default="", help="A query with a row for each session that is open there.")
@click.option("--env", multiple=True, help="NAME=VALUE for the server's environment; {folder} as above.")
@click.option("--case", "cases", multiple=True, help="Play only this case (several: repeat).")
@click.option("--command", default="", help="Grade a server in any language from outside: how to start it.")
@click.option("--url", default="", help="Where its WebSocket is: ws://127.0.0.1:PORT/ws.")
@click.option("--docker", "image", default="", help="Grade an image from outside.")
@click.option("--port", default=8000, show_default=True, help="The port that the image listens on.")
@click.option("--cap", multiple=True, help="Let the container of --docker keep this capability; it has none.")
@click.option("--memory", default="1g", show_default=True, help="How much memory it may have.")
@click.option("--processes", type=click.IntRange(min=1), default=512, show_default=True, help="How many processes.")
@click.option("--pings", type=click.FloatRange(min=0.1), help="Seconds between two pings of a --command or --docker.")
@click.option("--real-time", is_flag=True, help="Do not move the server's clock: what is not over soon is unknown.")
@click.option("--explain", is_flag=True, help="Say more about what is wrong, after the third try.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the report as JSON.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the report as JUnit XML.")
@lang_option
@click.pass_obj
def check(  # noqa: PLR0917  # Click passes options by name, whatever their number
    started: ForkServer | None,
    app: str | None,
    path: str | None,
    factory: bool,
    flavour: str,
    say: tuple[str, ...],
    reply: tuple[str, ...],
    subprotocol: tuple[str, ...],
    header: tuple[str, ...],
    cookie: tuple[str, ...],
    query: tuple[str, ...],
    rows_url: str,
    rows_sql: str,
    env: tuple[str, ...],
    cases: tuple[str, ...],
    command: str,
    url: str,
    image: str,
    port: int,
    cap: tuple[str, ...],
    memory: str,
    processes: int,
    pings: float | None,
    real_time: bool,
    explain: bool,
    json_file: Path | None,
    junit: Path | None,
    lang: str | None,
) -> int:
    """Grade any server: what it leaves behind of clients that end in eighteen ways, where, and why."""
    from lab.check.outside import unusable
    from lab.check.speech import reply as answer
    from lab.check.speech import spoken
    from lab.check.subject import Allowed, Subject

    words = words_of(lang)
    if not re.fullmatch(r"[1-9][0-9]*[kmg]", memory):
        raise Refusal(words.fill("cli", "bad-memory", text=memory))
    check_writable(words, json_file, junit)
    check_descriptors(words)
    _one_of(app, command, image, url, words)
    if app and pings:
        raise Refusal(words.fill("cli", "pings-inside"))
    _known(cases, flavour, words)
    if bool(rows_url) != bool(rows_sql):
        raise Refusal(words.fill("cli", "rows-pair"))
    if rows_url and (why := unusable(rows_url)):
        raise Refusal(words.fill("cli", "bad-rows-url", url=rows_url, why=why))
    cookies = (("Cookie", "; ".join(cookie)),) if cookie else ()
    subject = Subject(
        app=_application(app or ""),
        factory=factory,
        path=path,
        flavour=flavour,
        say=tuple(_read(spoken, text, words) for text in say),
        replies=tuple(_read(answer, text, words) for text in reply),
        subprotocols=subprotocol,
        headers=tuple(_pair(text, words) for text in header) + cookies,
        query=query or Subject().query,
        rows_url=rows_url,
        rows_sql=rows_sql,
        env=dict(_variable(text, words) for text in env),
        command=command,
        url=url,
        image=image,
        port=port,
        allowed=Allowed(cap, memory, processes),
        pings=pings or 0.0,
        real_time=real_time,
    )
    return _grade(subject, cases, words, started, explain=explain, json_file=json_file, junit=junit)


def _grade(
    subject: Subject,
    cases: tuple[str, ...],
    words: Words,
    started: ForkServer | None,
    *,
    explain: bool,
    json_file: Path | None,
    junit: Path | None,
) -> int:
    from lab.check.grading import Grader
    from lab.check.tries import Tries
    from lab.reports import grade as grades
    from lab.verdict import Outcome

    folder = new_folder(words)
    with live(words) as watch, Grader(subject, server=started) as grader:
        report = grader.grade(cases, watch, folder)
    paint(grades.render(report, words))
    tries = Tries.of(subject.name)
    if report.outcome is Outcome.VIOLATED:
        _explain(report, tries.one_more(), words, explain=explain)
    elif report.outcome is Outcome.HELD:
        tries.forget()
    return finish(report, words, json_file, junit)


def _explain(report: Report, tries: int, words: Words, *, explain: bool) -> None:
    """From the third try on there is more to be had, for whoever asks."""
    if tries < TRIES_TO_EXPLAIN:
        if explain:
            print(words.fill("cli", "explain-later", tries=tries))
    elif not explain:
        print(words.fill("cli", "explain-now"))
    else:
        found = (one for played in report.played for one in played.verdict.findings if one.hint)
        for key in dict.fromkeys("-".join(filter(None, (one.claim, one.kind))) for one in found):
            print(words.fill("more", key))


def _one_of(app: str | None, command: str, image: str, url: str, words: Words) -> None:
    given = [one for one in (app, command, image) if one]
    if not given:
        raise Refusal(words.fill("cli", "no-app"))
    if len(given) > 1:
        raise Refusal(words.fill("cli", "too-many"))
    if command and not url:
        raise Refusal(words.fill("cli", "needs-url"))


def _known(cases: tuple[str, ...], flavour: str, words: Words) -> None:
    from lab.check.cases import cases as every
    from lab.witness.flavour import PROTOCOLS

    if flavour not in PROTOCOLS:
        raise Refusal(words.fill("cli", "no-flavour", name=flavour, known=", ".join(PROTOCOLS)))
    for name in cases:
        if name not in every():
            close = get_close_matches(name, every(), 1)
            near = words.fill("cli", "near", near=close[0]) if close else ""
            raise Refusal(words.fill("cli", "no-case", name=name, near=near, known=", ".join(every())))


def _application(name: str) -> str:
    """One of the lab's own by its short name, else as it is."""
    try:
        return application(name) if name else ""
    except NoSuchServer:
        return name


def _read(reader: Callable[[str], T], text: str, words: Words) -> T:
    """What a client is to say, as somebody wrote it."""
    from lab.check.speech import Unsayable

    try:
        return reader(text)
    except Unsayable as error:
        raise Refusal(words.fill("cli", error.key, **error.about)) from None


def _pair(text: str, words: Words) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise Refusal(words.fill("cli", "bad-header", text=text))
    return name.strip(), value.strip()


def _variable(text: str, words: Words) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Refusal(words.fill("cli", "bad-env", text=text))
    return name, value

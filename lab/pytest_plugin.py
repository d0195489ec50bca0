"""The pytest plugin: `def test_no_orphans(hangup): hangup.check("myserver:app", cases=["kill", "pause"])`.

pytest loads this module at every start, so whatever is heavy is imported when a test first checks something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from lab.backends.processes import Processes
    from lab.check import Subject
    from lab.reports import Report
    from lab.words import Words

    class Fields(TypedDict, total=False):
        """What else a check may be told of the server: the fields of lab.check.Subject. A string is a tuple of one."""

        factory: bool
        path: str | None
        say: str | Iterable[str]
        subprotocols: str | Iterable[str]
        headers: Mapping[str, str] | Iterable[tuple[str, str]]
        query: str | Iterable[str]
        rows_url: str
        rows_sql: str
        env: Mapping[str, str]
        command: str
        url: str
        image: str
        port: int


UNKNOWN = ("fail", "skip", "pass")
"""What may become of a test whose check is in doubt."""

HELP = {
    "flavour": ("NAME", "the WebSocket implementation that servers are checked on: auto, rfc6455, websockets, wsproto"),
    "lang": ("LANG", "the language of the evidence: en or ko; by default LAB_LANG or the locale's"),
    "cases": ("CASES", "the cases to play where a test names none, as in kill,pause; by default all"),
    "unknown": ("OUTCOME", "what a check in doubt does to its test: fail (the default), skip or pass"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How to check. The command line wins over the configuration file, and what a test says wins over both."""

    flavour: str = ""
    lang: str = ""
    cases: tuple[str, ...] = ()
    unknown: str = ""

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """Those that hold where a test says nothing."""
        return cls(**{one.name: config.getini(f"hangup_{one.name}") for one in fields(cls)}).but(**_options(config))

    def but(self, **said: str | Iterable[str] | None) -> Settings:
        """With what else was said; None says nothing."""
        changes: dict[str, Any] = {name: one for name, one in said.items() if one is not None}
        cases = changes.get("cases", self.cases)
        names = [name for one in ([cases] if isinstance(cases, str) else cases) for name in one.split(",")]
        return replace(self, **changes | {"cases": tuple(name.strip() for name in names if name.strip())})

    @property
    def words(self) -> Words:
        """The language to speak; where there is no such language, the default one says so."""
        from lab.words import LANGUAGES, Words, default_language

        return Words(self.lang if self.lang in LANGUAGES else default_language())

    def mistake(self) -> str:
        """What is wrong with them, in one line, or ""."""
        words = self.words
        if self.lang and self.lang != words.language:
            return words.fill("cli", "no-language", name=self.lang)
        if self.unknown and self.unknown not in UNKNOWN:
            return f"hangup_unknown is {', '.join(UNKNOWN[:-1])} or {UNKNOWN[-1]}, not {self.unknown!r}"
        if self.flavour:
            from lab.witness.flavour import PROTOCOLS

            if self.flavour not in PROTOCOLS:
                return words.fill("cli", "no-flavour", name=self.flavour, known=", ".join(PROTOCOLS))
        return _no_case(self.cases, words) if self.cases else ""


class Hangup:
    """What the fixture is. All checks of a session share one fork server, which starts with the first.

    Args:
        folders: where an application that is given as a relative file may be.
    """

    def __init__(self, settings: Settings, folders: tuple[Path, ...]) -> None:
        self._settings, self._folders = settings, folders
        self._processes: Processes | None = None

    def check(
        self,
        app: str,
        cases: str | Iterable[str] | None = None,
        *,
        flavour: str | None = None,
        lang: str | None = None,
        unknown: str | None = None,
        **subject: Unpack[Fields],
    ) -> Report:
        """Check a server as `lab check` does. The test fails, with the evidence, unless every case held.

        Args:
            app: `module:attribute` or `path/to/file.py[:attribute]`.
            cases: those to play; by default those of the settings, else all.
            flavour, lang, unknown: instead of what the settings say.
            subject: what else the lab must know of the server; see lab.check.Subject.
        """
        __tracebackhide__ = True
        settings = self._settings.but(cases=cases, flavour=flavour, lang=lang, unknown=unknown)
        if mistake := settings.mistake():
            pytest.fail(mistake, pytrace=False)
        from lab.backends.actors import StageError
        from lab.verdict import Outcome

        graded = _subject(self._found(app), settings.flavour or "auto", **subject)
        try:
            report = self._grade(graded, settings.cases)
        except StageError as error:
            pytest.fail(_aborted(error.args[0], error.log, settings.words), pytrace=False)
        if report.outcome is Outcome.VIOLATED or (report.outcome is Outcome.UNKNOWN and settings.unknown != "pass"):
            text = _evidence(app, report, settings)
            if report.outcome is Outcome.UNKNOWN and settings.unknown == "skip":
                pytest.skip(text)
            pytest.fail(text, pytrace=False)
        return report

    def close(self) -> None:
        """Leave no process behind. A later check starts anew."""
        if self._processes:
            self._processes.close()
        self._processes = None

    def _grade(self, subject: Subject, cases: tuple[str, ...]) -> Report:
        """In a thread, so that Ctrl-C or the end of the test's time need not wait for the cases that are played."""
        from concurrent.futures import ThreadPoolExecutor

        from lab.backends.processes import open_processes

        processes = self._processes = self._processes or open_processes()
        from lab.check.grading import Grader  # while the fork server imports, too

        def grade() -> Report:
            with Grader(subject, processes) as grader:
                return grader.grade(cases)

        with ThreadPoolExecutor(1, "hangup") as executor:
            grading = executor.submit(grade)
            try:
                return grading.result()
            except BaseException:
                if not grading.done():
                    self.close()  # whoever still plays finds nobody left
                raise

    def _found(self, app: str) -> str:
        """A relative file as an absolute one: the fork server stays where it started, whatever a test does."""
        from lab.witness.applications import split

        file, attribute = split(app)
        places = (folder / file for folder in self._folders)
        path = next((place for place in places if file.endswith(".py") and place.is_file()), None)
        return f"{path}:{attribute}" if path else app


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--hangup-cases` and `hangup_cases`, and so on."""
    group = parser.getgroup("hangup", "hangup: what a WebSocket server leaves behind")
    for name, (metavar, text) in HELP.items():
        choices = UNKNOWN if name == "unknown" else None
        group.addoption(f"--hangup-{name}", metavar=metavar, choices=choices, help=text)
        if name == "cases":
            parser.addini(f"hangup_{name}", text, type="args", default=[])
        else:
            parser.addini(f"hangup_{name}", text, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a wrong command line. Whether a file is right is asked when a test checks: asking here costs 0.1 s."""
    said = _options(config)
    mistake = Settings().but(**said).mistake() if said else ""
    if mistake:
        raise pytest.UsageError(f"hangup: {mistake}")


@pytest.fixture(scope="session")
def hangup(pytestconfig: pytest.Config) -> Iterator[Hangup]:
    """Checks what a WebSocket server leaves behind: `hangup.check("myserver:app", cases=["kill", "pause"])`."""
    found = Hangup(Settings.of(pytestconfig), (pytestconfig.invocation_params.dir, pytestconfig.rootpath))
    yield found
    found.close()


def _options(config: pytest.Config) -> dict[str, str]:
    """What the command line says, without what it does not."""
    said = {name: config.getoption(f"hangup_{name}") for name in HELP}
    return {name: value for name, value in said.items() if value is not None}


def _no_case(cases: tuple[str, ...], words: Words) -> str:
    from difflib import get_close_matches

    from lab.check.cases import cases as every

    known = tuple(every())
    wrong = next((name for name in cases if name not in known), None)
    if wrong is None:
        return ""
    close = get_close_matches(wrong, known, 1)
    near = words.fill("cli", "near", near=close[0]) if close else ""
    return words.fill("cli", "no-case", name=wrong, near=near, known=", ".join(known))


def _subject(app: str, flavour: str, **said: Unpack[Fields]) -> Subject:
    from lab.check import Subject

    told: dict[str, Any] = {**said}
    for name in {"say", "subprotocols", "query"} & told.keys():
        told[name] = (told[name],) if isinstance(told[name], str) else tuple(told[name])
    if isinstance(headers := told.get("headers"), Mapping):
        told["headers"] = tuple(headers.items())
    return Subject(app=app, flavour=flavour, **told)


def _aborted(why: str, log: tuple[str, ...], words: Words) -> str:
    lines = (words.fill("cli", "log"), *log) if log else ()
    return "\n  ".join((words.fill("cli", "aborted", why=why), *lines))


def _evidence(app: str, report: Report, settings: Settings) -> str:
    """A line that says it all, then whatever `lab check` knows of every case that is not held."""
    from lab.reports import terminal
    from lab.verdict import Outcome

    words = settings.words
    named = {outcome: report.named(outcome) for outcome in (Outcome.VIOLATED, Outcome.UNKNOWN)}
    if not report.played:  # no case can be played with what clients are to say
        named[Outcome.UNKNOWN] = settings.cases
    said = (words.fill("cli", f"verdict-{one.word}", names=", ".join(named[one])) for one in named if named[one])
    played = (one for one in report.played if one.verdict.outcome is not Outcome.HELD)
    return "\n\n".join((f"{app}: {'; '.join(said)}", *(terminal.scenario(one, words).plain.rstrip() for one in played)))

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
    from lab.backends.processes import Processes
    from lab.check import Subject
    from lab.reports import Report
    from lab.words import Words

UNKNOWN = ("fail", "skip", "pass")
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
        if self.lang not in ("", words.language):
            return words.fill("cli", "no-language", name=self.lang)
        if self.unknown not in ("", *UNKNOWN):
            return f"hangup_unknown is one of {', '.join(UNKNOWN)}, not {self.unknown!r}"
        if self.flavour:
            from lab.witness.flavour import PROTOCOLS

            if self.flavour not in PROTOCOLS:
                return words.fill("cli", "no-flavour", name=self.flavour, known=", ".join(PROTOCOLS))
        return _no_case(self.cases, words) if self.cases else ""


class Hangup:
    """What the fixture is. All checks share one fork server, and find an application's file in one of the folders."""

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
        **subject: Any,
    ) -> Report:
        """Check a server as `lab check` does. The test fails, with the evidence, unless every case held.

        Args:
            app: `module:attribute` or `path/to/file.py[:attribute]`.
            cases: those to play; by default those of the settings, else all.
            flavour, lang, unknown: instead of what the settings say.
            subject: what else is to be known of it: the fields of lab.check.Subject, where a string is a tuple of one.
        """
        __tracebackhide__ = True
        from lab.arguments import mistake as wrong_argument

        cases = tuple(cases) if isinstance(cases, Iterator) else cases  # they are looked at, and then used
        subject = {name: tuple(one) if isinstance(one, Iterator) else one for name, one in subject.items()}
        said = {"app": app, "cases": cases, "flavour": flavour, "lang": lang, "unknown": unknown, **subject}
        if wrong := wrong_argument(said):
            pytest.fail(self._settings.words.fill("cli", wrong.key, **wrong.about), pytrace=False)
        settings = self._settings.but(cases=cases, flavour=flavour, lang=lang, unknown=unknown)
        if mistake := settings.mistake():
            pytest.fail(mistake, pytrace=False)
        from lab.backends.actors import StageError
        from lab.verdict import Outcome

        graded = _subject(self._found(app), settings, subject, self._folders)
        try:
            report = self._grade(graded, settings.cases)
        except StageError as error:
            log = (settings.words.fill("cli", "log"), *error.log) if error.log else ()
            text = "\n  ".join((settings.words.fill("cli", "aborted", why=str(error)), *log))
            raise pytest.fail.Exception(text, pytrace=False) from None
        if report.outcome is Outcome.VIOLATED or (report.outcome is Outcome.UNKNOWN and settings.unknown != "pass"):
            text = _evidence(app, report, settings.words)
            if report.outcome is Outcome.UNKNOWN and settings.unknown == "skip":
                pytest.skip(text)
            pytest.fail(text, pytrace=False)
        return report

    def close(self) -> None:
        """Leave no process behind."""
        if self._processes:
            self._processes.close()

    def _grade(self, subject: Subject, cases: tuple[str, ...]) -> Report:
        """In a thread, so that Ctrl-C or the end of the test's time need not wait for the cases that are played."""
        from concurrent.futures import ThreadPoolExecutor

        from lab.backends.processes import open_processes

        self._processes = self._processes or open_processes()
        from lab.check.grading import Grader  # while the fork server imports, too

        with Grader(subject, self._processes) as grader, ThreadPoolExecutor(1, "hangup") as executor:
            try:
                return executor.submit(grader.grade, cases).result()
            finally:
                grader.cut_short()

    def _found(self, app: str) -> str:
        """A relative file as an absolute one: the fork server stays where it started, whatever a test does."""
        from lab.witness.applications import split

        file, attribute = split(app)
        found = (folder / file for folder in self._folders if file.endswith(".py") and (folder / file).is_file())
        return next((f"{path}:{attribute}" for path in found), app)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--hangup-cases` and `hangup_cases`, and so on."""
    group = parser.getgroup("hangup", "hangup: what a WebSocket server leaves behind")
    for name, (metavar, text) in HELP.items():
        choices = UNKNOWN if name == "unknown" else None
        group.addoption(f"--hangup-{name}", metavar=metavar, choices=choices, help=text)
        if name == "cases":
            parser.addini("hangup_cases", text, type="args")
        else:
            parser.addini(f"hangup_{name}", text)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a wrong command line. Whether a file is right is asked when a test checks: asking here costs 0.1 s."""
    if (said := _options(config)) and (mistake := Settings().but(**said).mistake()):
        raise pytest.UsageError(f"hangup: {mistake}")


@pytest.fixture(scope="session")
def hangup(pytestconfig: pytest.Config) -> Iterator[Hangup]:
    """Checks what a WebSocket server leaves behind: `hangup.check("myserver:app", cases=["kill", "pause"])`."""
    found = Hangup(Settings.of(pytestconfig), (pytestconfig.invocation_params.dir, pytestconfig.rootpath))
    yield found
    found.close()


def _options(config: pytest.Config) -> dict[str, str]:
    """What the command line says, without what it does not."""
    return {name: said for name in HELP if (said := config.getoption(f"hangup_{name}")) is not None}


def _no_case(cases: tuple[str, ...], words: Words) -> str:
    from difflib import get_close_matches

    from lab.check.cases import cases as every

    known = tuple(every())
    for name in cases:
        if name not in known:
            near = "".join(words.fill("cli", "near", near=one) for one in get_close_matches(name, known, 1))
            return words.fill("cli", "no-case", name=name, near=near, known=", ".join(known))
    return ""


def _subject(app: str, settings: Settings, told: dict[str, Any], folders: tuple[Path, ...]) -> Subject:
    __tracebackhide__ = True
    from lab.check import Subject
    from lab.check.speech import Unsayable, answering, spoken

    for name in {"say", "subprotocols", "query"} & told.keys():
        told[name] = (told[name],) if isinstance(told[name], str | bytes) else tuple(told[name])
    for name in {"headers", "replies"} & told.keys():
        told[name] = tuple(told[name].items() if isinstance(told[name], Mapping) else told[name])
    try:
        told["say"] = tuple(spoken(one, folders) for one in told.get("say", ()))
        told["replies"] = tuple(answering(pattern, text) for pattern, text in told.get("replies", ()))
    except Unsayable as error:
        pytest.fail(settings.words.fill("cli", error.key, **error.about), pytrace=False)
    return Subject(app=app, flavour=settings.flavour or "auto", **told)


def _evidence(app: str, report: Report, words: Words) -> str:
    """A line that says it all, then whatever `lab check` knows of every case that is not held."""
    from lab.reports import terminal
    from lab.verdict import Outcome

    named = {one.word: ", ".join(report.named(one)) for one in (Outcome.VIOLATED, Outcome.UNKNOWN)}
    said = (words.fill("cli", f"verdict-{word}", names=names) for word, names in named.items() if names)
    played = (one for one in report.played if one.verdict.outcome is not Outcome.HELD)
    return "\n\n".join((f"{app}: {'; '.join(said)}", *(terminal.scenario(one, words).plain.rstrip() for one in played)))

"""The pytest plugin, as its users have it: a project of its own, run by a pytest of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from lab.check import Subject
from lab.check.cases import cases
from lab.pytest_plugin import Hangup, Settings
from lab.reports import Report
from tests.leftovers import MARK, files, processes_of, until

CONSUMER = Path(__file__).parent / "consumer"
SECONDS = 50
"""No run here takes more than ten, alone on a machine."""

OURS = ("COLUMNS", "FORCE_COLOR", "LAB_", "PYTEST_", "PYTHONPATH")
LOADED = [] if any(one.name == "hangup" for one in entry_points(group="pytest11")) else ["-p", "lab.pytest_plugin"]
"""Without its entry point the plugin must be named; with it, that would load it twice."""

HEAD = "from lab.pytest_plugin import Hangup\n\ndef test(hangup: Hangup) -> None:\n    "
DOUBT = """
import pytest
from lab.pytest_plugin import Hangup

@pytest.mark.parametrize("said", [None, "skip", "pass"], ids=str)
def test(hangup: Hangup, said: str | None) -> None:
    # This server keeps no rows, so that nothing can be said of them.
    rows = {"rows_url": "sqlite:///{folder}/rows", "rows_sql": "SELECT * FROM session"}
    hangup.check("myserver:app", "close", unknown=said, **rows)
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How pytest ended."""

    code: int
    out: str
    err: str

    @property
    def counts(self) -> dict[str, int]:
        """How many tests had which outcome."""
        return {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", self.out.splitlines()[-1])}

    @property
    def failure(self) -> str:
        """What the one failure shows: no traceback, only what the plugin says."""
        (said,) = re.findall(r"^=+ FAILURES =+\n_+ \w+ _+\n(.*?)\n=+ ", self.out, flags=re.MULTILINE | re.DOTALL)
        return str(said)


@dataclass(frozen=True, slots=True)
class Project:
    """The consumer, somewhere else: what a run leaves there can be found."""

    root: Path

    def command(self, *args: str) -> list[str]:
        """Pytest, with the plugin, without those that say more than the test wants to read."""
        return [sys.executable, "-m", "pytest", *LOADED, "-p", "no:cacheprovider", *args]

    @property
    def env(self) -> dict[str, str]:
        """Where everything is kept there."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(OURS) and key != "CI"}
        ours = {
            "LAB_HOME": str(self.root / "home"),
            MARK: str(self.root / "home"),
            "LAB_LANG": "en",
            "TMPDIR": str(self.root / "tmp"),
        }
        return {**clean, **ours, "PYTHONUTF8": "1"}

    def pytest(self, *args: str, cwd: str = ".") -> Ended:
        """Run it; whatever it does, nothing of it may be left afterwards."""
        done = subprocess.run(
            self.command(*args),
            cwd=self.root / cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        self.left_nothing()
        return Ended(done.returncode, done.stdout, done.stderr)

    def left_nothing(self) -> None:
        """No process, and no folder of a fork server."""
        until(lambda: not processes_of(str(self.root / "home")), "its processes are gone")
        assert [name for name in files(self.root / "tmp") if name.startswith("hangup")] == []

    def write(self, text: str, name: str = "checks.py") -> None:
        """Another file of the project."""
        (self.root / name).write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the consumer."""
    root = tmp_path / "consumer"
    shutil.copytree(CONSUMER, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tmp").mkdir()
    return Project(root)


# The consumer.


def test_a_server_that_forgets_fails_its_test_with_the_evidence_and_no_other(project: Project) -> None:
    ended = project.pytest()
    assert (ended.code, ended.counts) == (1, {"failed": 1, "passed": 1}), ended
    first, _, title, *evidence = ended.failure.splitlines()
    assert first == "myserver.py:leaky: violated: kill"
    assert title == "VIOLATED  kill: a client process is killed"
    (wrong,) = [line for line in evidence if line.startswith("  ✘ ")]
    assert "left something behind: manager entry — myserver.regulars['alice-1']: +3 +3 +3 for 3 3 3 deaths" in wrong
    assert "(held by myserver.regulars['alice-1'])" in wrong
    assert evidence[-2].startswith("  hint: ")
    (timeline,) = re.findall(r"  timeline: (\S+)", ended.failure)
    assert (project.root / timeline).is_file()
    assert "close" not in ended.failure.replace("close-frame", ""), "a case that held needs no evidence"
    assert "FAILED checks.py::test_a_server_that_forgets" in ended.out
    assert "Traceback" not in ended.out


def test_each_worker_of_xdist_has_a_fork_server_of_its_own(project: Project) -> None:
    ended = project.pytest("-n", "2")
    assert (ended.code, ended.counts) == (1, {"failed": 1, "passed": 1}), ended
    assert "held by myserver.regulars['alice-1']" in ended.out


# Settings: the test wins over the command line, which wins over the file.


def test_the_command_line_wins_over_the_file(project: Project) -> None:
    ended = project.pytest("--hangup-cases", "close", "--hangup-flavour", "wsproto", "-k", "forgets")
    assert (ended.code, ended.counts) == (0, {"passed": 1, "deselected": 1}), ended


def test_what_a_test_says_wins_over_the_command_line_and_evidence_comes_in_its_language(project: Project) -> None:
    project.write(HEAD + 'hangup.check("myserver:leaky", cases=["kill"])')
    ended = project.pytest("--hangup-cases=close", "--hangup-lang=ko")
    assert ended.code == 1, ended
    assert ended.failure.startswith("myserver:leaky: 위반: kill\n\n위반  kill: ")
    assert "app.state" not in ended.failure
    assert "myserver.regulars['alice-1']" in ended.failure


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({}, ("kill", "close")),
        ({"cases": None}, ("kill", "close")),
        ({"cases": ""}, ()),
        ({"cases": ()}, ()),
        ({"cases": "stop"}, ("stop",)),
        ({"cases": "stop, kill"}, ("stop", "kill")),
        ({"cases": ["stop", "kill"]}, ("stop", "kill")),
    ],
)
def test_cases_are_said_as_a_list_or_with_commas_and_none_are_all(
    said: dict[str, str | list[str] | None], heard: tuple[str, ...]
) -> None:
    assert Settings(cases=("kill", "close")).but(**said).cases == heard
    assert Settings(cases=("kill", "close"), lang="ko").but(**said).lang == "ko"


WRONG = [
    ("cases", "kil", "there is no case 'kil', did you mean 'kill'?"),
    ("cases", "kill,zzz", "there is no case 'zzz'; there are close, kill, "),
    ("flavour", "hixie76", "there is no flavour 'hixie76'; there are rfc6455, "),
    ("lang", "de", "there is no language 'de'"),
]
each_wrong = pytest.mark.parametrize(("name", "value", "why"), WRONG, ids=[value for _, value, _ in WRONG])


@each_wrong
def test_a_wrong_command_line_is_refused_in_one_line_before_any_test(
    project: Project, name: str, value: str, why: str
) -> None:
    ended = project.pytest(f"--hangup-{name}", value)
    assert (ended.code, ended.out.strip()) == (4, ""), ended
    (line,) = ended.err.split("\n\n")[0].splitlines()
    assert line.startswith(f"ERROR: hangup: {why}")


@each_wrong
def test_a_wrong_word_in_a_test_fails_it_in_one_line_and_starts_nothing(name: str, value: str, why: str) -> None:
    hangup = Hangup(Settings(lang="en"), ())
    with pytest.raises(pytest.fail.Exception) as failure:
        hangup.check("myserver:app", **{name: value})
    assert str(failure.value).startswith(why)
    assert not failure.value.pytrace
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"say": "@no/such/file"}, "cannot read no/such/file: No such file or directory"),
        ({"say": ("hello", "hex:0")}, "after hex: come pairs"),
        ({"replies": {"(": "x"}}, "'(' is no regular expression"),
    ],
)
def test_what_cannot_be_said_fails_the_test_in_one_line(told: dict[str, Any], why: str) -> None:
    with pytest.raises(pytest.fail.Exception) as failure:
        Hangup(Settings(lang="en"), ()).check("myserver:app", **told)
    assert str(failure.value).startswith(why)
    assert not failure.value.pytrace
    assert "\n" not in str(failure.value)


def test_what_clients_say_and_answer_may_come_as_python_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    graded: list[Subject] = []

    def grade(_: Hangup, subject: Subject, _cases: tuple[str, ...]) -> Report:
        graded.append(subject)
        return Report("check", subject.name, "", "", 0.0, ())

    monkeypatch.setattr(Hangup, "_grade", grade)
    (tmp_path / "hello.bin").write_bytes(b"\xff")
    checks = Hangup(Settings(unknown="pass"), (tmp_path,)).check
    checks("myserver:app", say=["@hello.bin", b"\x00"], replies={"^2$": "3"}, subprotocols="v1")
    checks("myserver:app", say=b"\x00", replies=[("a", "b")])
    assert [(one.say, one.replies) for one in graded] == [
        ((b"\xff", b"\x00"), (("^2$", "3"),)),
        ((b"\x00",), (("a", "b"),)),
    ]


def test_a_wrong_file_fails_the_tests_that_check_and_no_other(project: Project) -> None:
    project.write('[tool.pytest.ini_options]\nhangup_unknown = "perhaps"\nhangup_lang = "en"\n', "pyproject.toml")
    project.write("def test_other() -> None:\n    pass\n\n" + HEAD + 'hangup.check("myserver:app")')
    ended = project.pytest("checks.py")
    assert (ended.code, ended.counts) == (1, {"failed": 1, "passed": 1}), ended
    assert ended.failure == "hangup_unknown is one of fail, skip, pass, not 'perhaps'"


# A doubt is no success, unless somebody says so.


def test_a_doubt_fails_unless_it_may_skip_or_pass(project: Project) -> None:
    project.write(DOUBT)
    ended = project.pytest()
    assert (ended.code, ended.counts) == (1, {"failed": 1, "skipped": 1, "passed": 1}), ended
    assert "FAILED checks.py::test[None]" in ended.out
    assert re.search(r"^SKIPPED \[1\] checks.py:\d+: myserver:app: unknown: close$", ended.out, flags=re.MULTILINE)
    assert (
        len(re.findall(r"^  \? nothing of alice-\* is left behind: database row", ended.out, flags=re.MULTILINE)) == 2
    )


# Servers that cannot be checked.


WONT = """
import pytest
from lab.pytest_plugin import Hangup

@pytest.mark.parametrize("app", ["wont:app", "nowhere.py", "shut.py"])
def test(hangup: Hangup, app: str) -> None:
    hangup.check(app)
"""


def test_a_server_that_cannot_be_checked_fails_its_test_with_its_last_words(project: Project) -> None:
    project.write('raise RuntimeError("there is no database")', "wont.py")
    project.write("from fastapi import FastAPI\n\napp = FastAPI()", "shut.py")
    project.write(WONT)
    ended = project.pytest()
    assert (ended.code, ended.counts) == (1, {"failed": 3}), ended
    wont, nowhere, shut = re.findall(
        r"^_+ test\[\S+\] _+\n(aborted: .*?)(?=\n[_=])", ended.out, re.MULTILINE | re.DOTALL
    )
    for text, last in ((wont, "RuntimeError: there is no database"), (nowhere, "there is no file nowhere.py")):
        first, log, *lines = text.splitlines()
        assert re.fullmatch(r"aborted: server did not start \(exit code \d+\)", first)
        assert log == "  the last lines of its log:"
        assert lines[-1] == f"  {last}"
    assert re.fullmatch(r"aborted: it lets nobody in at /ws: [^\n]+", shut)


# Where applications are.


def test_a_file_is_found_from_where_pytest_started_and_from_the_root_whatever_a_test_does(project: Project) -> None:
    project.write(
        "import pathlib, pytest\n"
        + HEAD.replace("(hangup", "(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, hangup")
        + 'monkeypatch.chdir(tmp_path)\n    hangup.check("myserver.py", "close", say="hello", headers={"X-A": "{n}"})'
    )
    (project.root / "deep").mkdir()
    ended = project.pytest("../checks.py", cwd="deep")
    assert (ended.code, ended.counts) == (0, {"passed": 1}), ended


# What it costs, and what it leaves.


def test_whoever_checks_nothing_pays_nothing(project: Project) -> None:
    project.write(
        "import sys\n\ndef test() -> None:\n"
        "    ours = {name for name in sys.modules if name.partition('.')[0] in ('lab', 'rich', 'uvicorn', 'psutil')}\n"
        "    assert ours == {'lab', 'lab.pytest_plugin'}\n"
    )
    ended = project.pytest()
    assert (ended.code, ended.counts) == (0, {"passed": 1}), ended
    assert not (project.root / "home").exists()


def is_playing(project: Project) -> Callable[[], bool]:
    """Whether cases are being played: pytest, its fork server, and the actors of one of them."""
    return lambda: len(processes_of(str(project.root / "home"))) > 4


@pytest.mark.parametrize(
    ("args", "number"),
    [((), signal.SIGINT), (("-n", "1"), signal.SIGINT), ((), signal.SIGKILL)],
    ids=["Ctrl-C", "Ctrl-C with xdist", "SIGKILL"],
)
def test_a_run_that_is_cut_short_leaves_nothing(
    project: Project, args: tuple[str, ...], number: signal.Signals
) -> None:
    project.write(HEAD + f'hangup.check("myserver:app", {[*cases()]})')
    with subprocess.Popen(
        project.command(*args), cwd=project.root, env=project.env, stdout=subprocess.PIPE, start_new_session=True
    ) as run:
        try:
            until(is_playing(project), "cases are played")
            began = time.monotonic()
            os.killpg(run.pid, number)  # as a terminal does; the fork server has a session of its own
            run.communicate(timeout=SECONDS)
        except BaseException:
            run.kill()
            raise
    assert time.monotonic() - began < 8, "it need not wait for the cases to end"
    assert run.returncode == (2 if number == signal.SIGINT else -number)
    project.left_nothing()


def test_a_test_whose_time_is_over_does_not_take_the_next_ones_with_it(project: Project) -> None:
    project.write(
        "import pytest\n"
        + HEAD.replace("def test", "@pytest.mark.timeout(1.5, method='signal')\ndef test_slow")
        + 'while True:\n        hangup.check("myserver:app", "pause,stall,crowd")\n\n'
        + HEAD.partition("\n\n")[2]
        + 'hangup.check("myserver:app", "close")'
    )
    ended = project.pytest()
    assert (ended.code, ended.counts) == (1, {"failed": 1, "passed": 1}), ended
    assert "Timeout" in ended.failure

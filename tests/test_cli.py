"""The command line, as a process: what it prints where, its exit codes, and that bad input starts nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

import lab
from lab.paths import write_private
from lab.scenario import load, names
from lab.servers import broken_servers
from lab.timeline import Timeline
from lab.words import Words
from tests.leftovers import MARK, files, processes_of

GOLDEN = Path(__file__).parent / "golden"
SECONDS = 40
"""No command here takes more than three, alone on a machine."""

OURS = ("LAB_", "PYTHONPATH", "COLUMNS", "FORCE_COLOR")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def why(self) -> str:
        """The one line that says why there is no verdict: nothing else was said, anywhere."""
        assert self.code == 2, self
        assert not self.out, self
        (line,) = self.err.splitlines()
        assert line.startswith("lab: "), self
        return line.removeprefix("lab: ")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which `lab` is run, so that what it leaves behind can be found."""

    root: Path

    @property
    def home(self) -> Path:
        """Its LAB_HOME, and by that the mark of its processes."""
        return self.root / "home"

    def lab(self, *args: str, **env: str) -> Ended:
        """Run `lab`; whatever it does, nothing of it may be running afterwards."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
        ours = {
            "LAB_BACKEND": "embedded",
            "LAB_HOME": str(self.home),
            MARK: str(self.home),
            "LAB_LANG": "en",
            "PYTHONUTF8": "1",
        }
        ended = subprocess.run(
            [sys.executable, "-m", "lab", *args],
            cwd=self.root,
            env={**clean, **ours, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        assert not processes_of(str(self.home)), "it left processes behind"
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def scenarios(self, **files: str) -> str:
        """A folder of scenarios with these files in it."""
        folder = self.root / "scenarios"
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        return str(folder)

    @property
    def played(self) -> bool:
        """Whether anything was played here."""
        return self.home.exists() and any(self.home.rglob("*.jsonl"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# Telling what there is.


def test_list_names_every_scenario_with_its_title(place: Place) -> None:
    ended = place.lab("list")
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split(maxsplit=1) for line in ended.out.splitlines()]
    assert lines == [[name, load(name).title] for name in names()]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_list_tells_programs_too(place: Place, language: str) -> None:
    ended = place.lab("list", "--json", "--lang", language)
    assert (ended.code, ended.err) == (0, "")
    titles = {name: Words(language).scenario(name).title for name in names()}
    assert json.loads(ended.out) == [{"name": name, "title": title} for name, title in titles.items()]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_explain_tells_the_story_and_the_claims(place: Place, language: str) -> None:
    ended = place.lab("explain", "kill", "--lang", language)
    assert (ended.code, ended.err) == (0, "")
    text = Words(language).scenario("kill")
    assert ended.out.startswith(f"kill: {text.title}\n")
    assert text.story in ended.out
    assert ended.out.count("\n   then  ") == len(load("kill").then)


def test_lab_lang_is_the_language_where_none_is_asked_for(place: Place) -> None:
    assert place.lab("explain", "kill", LAB_LANG="ko").out == place.lab("explain", "kill", "--lang", "ko").out
    assert place.lab("explain", "kill", "--lang", "en", LAB_LANG="ko").out.startswith(f"kill: {load('kill').title}")
    assert "'nap'?" not in place.lab("explain", "kull", LAB_LANG="ko").why
    assert "그런 시나리오는 없음" in place.lab("explain", "kull", LAB_LANG="ko").why


@pytest.mark.parametrize("command", ["", "list", "explain", "run", "judge", "up", "down", "status", "sweep"])
def test_help_works(place: Place, command: str) -> None:
    ended = place.lab(*filter(None, [command]), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Usage: ")
    assert "--help" in ended.out


def test_the_version_is_the_package_s(place: Place) -> None:
    assert place.lab("--version").out == f"hangup {lab.__version__}\n"


def test_without_a_command_it_says_what_there_is_and_gives_no_verdict(place: Place) -> None:
    ended = place.lab()
    assert ended.code == 2
    assert not ended.out
    assert "Usage: " in ended.err


def test_status_without_an_engine_says_that_nothing_is_up(place: Place) -> None:
    ended = place.lab("status")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("no lab is up")


# Refusing.


@pytest.mark.parametrize("command", ["explain", "run"])
def test_a_scenario_that_does_not_exist_is_refused_with_the_nearest_that_does(place: Place, command: str) -> None:
    assert (
        place.lab(command, "kil").why == "there is no scenario 'kil', did you mean 'kill'?; `lab list` shows them all"
    )
    assert place.lab(command, "xyzzy").why == "there is no scenario 'xyzzy'; `lab list` shows them all"
    assert not place.played


def test_one_bad_name_among_good_ones_plays_none_of_them(place: Place) -> None:
    assert "'claus'" in place.lab("run", "close", "claus").why
    assert not place.played


@pytest.mark.parametrize("name", ["../scenarios/kill", "/etc/passwd", "kill.py", "", "__init__", "*"])
def test_a_path_is_no_scenario(place: Place, name: str) -> None:
    assert repr(name) in place.lab("run", name).why


def test_nothing_to_run_is_refused(place: Place) -> None:
    assert place.lab("run").why == "name a scenario, or --all"


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["run", "kill", "--backend", "podman"], ["podman", "auto", "docker", "embedded"]),
        (["up", "--backend", "podman"], ["podman", "auto", "docker", "embedded"]),
        (["run", "kill", "--flavour", "vanilla"], ["vanilla", "rfc6455", "auto", "websockets", "wsproto"]),
        (["run", "kill", "--server", "broken/nothing"], ["broken/nothing", "reference", *broken_servers()]),
        (["run", "kill", "--server", "nginx"], ["nginx", "module:attribute"]),
        (["run", "kill", "--lang", "fr"], ["fr", "en", "ko"]),
        (["list", "--lang", "fr"], ["fr", "en", "ko"]),
        (["explain", "kill", "--lang", "fr"], ["fr", "en", "ko"]),
        (["judge", str(GOLDEN / "kill.jsonl"), "--lang", "fr"], ["fr", "en", "ko"]),
        (["run", "kill", "--nonsense"], ["--nonsense"]),
        (["list", "--nonsense"], ["--nonsense"]),
        (["nonsense"], ["nonsense"]),
        (["run", "kill", "--seed", "x"], ["--seed", "'x'"]),
        (["run", "kill", "--backend"], ["--backend"]),
        (["explain"], ["SCENARIO"]),
        (["explain", "kill", "close"], ["close"]),
        (["judge"], ["RUN.jsonl"]),
        (["judge", "one.jsonl", "two.jsonl"], ["two.jsonl"]),
    ],
    ids=lambda part: " ".join(part).replace(str(GOLDEN), "golden"),
)
def test_bad_usage_is_one_line_that_says_what_is_possible(place: Place, args: list[str], names: list[str]) -> None:
    why = place.lab(*args).why
    assert all(name in why for name in names)
    assert not place.played


def test_a_backend_of_the_environment_that_does_not_exist_is_refused_too(place: Place) -> None:
    assert "'podman'" in place.lab("run", "kill", LAB_BACKEND="podman").why


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_played(place: Place, option: str) -> None:
    target = place.root / "no" / "such" / "folder" / "report"
    assert place.lab("run", "kill", option, str(target)).why == f"cannot write {target}: no such folder"
    assert not place.played


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_would_be_a_folder_is_refused_before_anything_is_played(place: Place, option: str) -> None:
    assert str(place.root) in place.lab("run", "garbage", option, str(place.root)).why
    assert not place.played


def test_judge_refuses_a_report_that_cannot_be_written_and_prints_nothing(place: Place) -> None:
    target = place.root / "no" / "such" / "report.json"
    assert str(target) in place.lab("judge", str(GOLDEN / "kill.jsonl"), "--json", str(target)).why


def test_a_home_that_cannot_be_made_is_one_line(place: Place) -> None:
    (place.root / "home").write_text("a file", encoding="utf-8")
    assert str(place.home) in place.lab("run", "garbage").why


def test_a_reader_who_leaves_is_no_violation(place: Place) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    env = os.environ | {"LAB_BACKEND": "embedded", "LAB_HOME": str(place.home), "PYTHONUNBUFFERED": "1"}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "lab", "list"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=env,
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(writing)
    assert ended.returncode != 1


# Scenarios of one's own.

OWN = '''"""Own: a scenario of one's own.

It is short.
"""

from lab import Connect, Leave, Scenario, StillServed, tidy

scenario = Scenario(
    title="One's own",
    given=(Connect("alice"), Connect("bob")),
    when=(Leave("alice", 1000),),
    within=2.0,
    then=(*tidy("alice"), StillServed("bob")),
    hint="None.",
)
'''


def test_a_scenario_of_one_s_own_is_played_and_listed_in_either_language(place: Place) -> None:
    folder = place.scenarios(my_own=OWN)
    ended = place.lab("run", "my-own", LAB_SCENARIOS=folder)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("HELD  my-own: One's own\n")
    assert place.lab("list", "--lang", "ko", LAB_SCENARIOS=folder).out.split(maxsplit=1) == ["my-own", "One's own\n"]


@pytest.mark.parametrize("command", ["run", "explain"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("from lab import Kil", "ImportError: cannot import name 'Kil'"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("scenario = Scenario(", "SyntaxError: '(' was never closed"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("scenario = 7", "TypeError: broken.py defines no `scenario = Scenario(...)`"),
        ("", "TypeError: broken.py defines no `scenario = Scenario(...)`"),
    ],
    ids=["name", "module", "syntax", "raises", "no-scenario", "empty"],
)
def test_a_scenario_that_cannot_be_loaded_is_one_line(place: Place, command: str, text: str, why: str) -> None:
    said = place.lab(command, "broken", LAB_SCENARIOS=place.scenarios(broken=text)).why
    assert said.startswith(f"scenario 'broken' cannot be loaded: {why}")
    assert not place.played


def test_a_scenario_that_fails_at_length_is_one_line_all_the_same(place: Place) -> None:
    folder = place.scenarios(broken='raise ValueError("one\\ntwo")')
    assert "one" in place.lab("explain", "broken", LAB_SCENARIOS=folder).why


def test_a_scenario_that_exits_is_no_success(place: Place) -> None:
    folder = place.scenarios(broken="raise SystemExit(0)")
    assert "'broken'" in place.lab("run", "broken", LAB_SCENARIOS=folder).why


@pytest.mark.parametrize("args", [["list"], ["list", "--json"]], ids=" ".join)
def test_one_broken_scenario_does_not_make_list_a_traceback(place: Place, args: list[str]) -> None:
    ended = place.lab(*args, LAB_SCENARIOS=place.scenarios(broken="1 / 0", good=OWN))
    assert "Traceback" not in ended.err
    assert "broken" in ended.out + ended.err


def test_a_folder_without_scenarios_has_nothing_to_run(place: Place) -> None:
    folder = place.scenarios()
    assert place.lab("list", LAB_SCENARIOS=folder) == Ended(0, "", "")
    assert place.lab("run", "--all", LAB_SCENARIOS=folder).why == "name a scenario, or --all"


# Judging what is stored.


@pytest.mark.parametrize(
    ("name", "code", "outcome"),
    [
        ("kill", 0, "held"),
        ("server-kill", 0, "held"),
        ("broken-forgets_heartbeat-kill", 1, "violated"),
        ("broken-trusts_tcp-pause", 1, "violated"),
        ("crowd-of-five", 2, "unknown"),
    ],
)
def test_judging_a_stored_run_ends_with_its_verdict(place: Place, name: str, code: int, outcome: str) -> None:
    path, told, xml = GOLDEN / f"{name}.jsonl", place.root / "report.json", place.root / "report.xml"
    ended = place.lab("judge", str(path), "--json", str(told), "--junit", str(xml))
    header = Timeline.from_jsonl(path.read_text(encoding="utf-8")).header
    assert ended.code == code
    assert ended.out.startswith(f"{outcome.upper()}  {header.scenario}: ")
    assert ended.err == ("" if code == 0 else f"lab: {outcome}: {header.scenario}\n")
    report: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    assert (report["command"], report["outcome"], report["subject"]) == ("judge", outcome, header.subject)
    assert report["scenarios"][0]["timeline"] == str(path)
    (suite,) = JUnitXml.fromstring(xml.read_bytes())
    assert (suite.tests, suite.failures, suite.errors) == (1, int(code == 1), int(code == 2))
    assert not place.played


def test_a_violation_is_told_in_korean_as_well(place: Place) -> None:
    ended = place.lab("judge", str(GOLDEN / "broken-no_unregister-kill.jsonl"), "--lang", "ko")
    assert ended.code == 1
    assert ended.out.startswith("위반  kill: ")
    assert "app.state.manager.sessions['alice']" in ended.out
    assert ended.err == "lab: 위반: kill\n"


def test_a_run_that_was_cut_short_has_no_verdict(place: Place) -> None:
    lines = (GOLDEN / "kill.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    path = place.root / "short.jsonl"
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    ended = place.lab("judge", str(path))
    assert (ended.code, ended.err) == (2, "lab: unknown: kill\n")
    assert "the run was cut short" in ended.out


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"\n", "line 1 is not JSON"),
        (b"# Hangup\n", "line 1 is not JSON"),
        (b"[]\n", "line 1 is not a JSON object"),
        (b'{"schema": 1, "scenarios": []}\n', "line 1 is not the header of a timeline with schema 1"),
        (b'{"hangup": 2, "scenario": "kill"}\n', "line 1 is not the header of a timeline with schema 1"),
        (b'{"hangup": 1, "scenario": "kill"}\n{"at": 1', "line 2 is not JSON"),
        (b"\xff\xfe\x00", "'utf-8' codec can't decode"),
    ],
    ids=["empty", "blank", "prose", "list", "report", "schema", "torn", "binary"],
)
def test_a_file_that_is_no_timeline_is_refused(place: Place, content: bytes, why: str) -> None:
    path = place.root / "run.jsonl"
    path.write_bytes(content)
    assert place.lab("judge", str(path)).why.startswith(f"cannot read {path}: {why}")


def test_a_file_that_is_not_there_is_refused_and_so_is_a_folder(place: Place) -> None:
    assert place.lab("judge", "nowhere.jsonl").why == "cannot read nowhere.jsonl: No such file or directory"
    assert place.lab("judge", str(place.root)).why == f"cannot read {place.root}: Is a directory"


def test_a_timeline_of_a_scenario_that_nobody_has_is_refused(place: Place) -> None:
    path = place.root / "run.jsonl"
    path.write_text('{"hangup": 1, "scenario": "klose"}\n{"sealed": 0}\n', encoding="utf-8")
    assert place.lab("judge", str(path)).why.startswith("there is no scenario 'klose', did you mean 'close'?")


# Playing.


def test_a_scenario_that_is_played_leaves_a_timeline_that_gets_the_same_verdict(place: Place) -> None:
    told = place.root / "report.json"
    ended = place.lab("run", "close", "--json", str(told))
    assert (ended.code, ended.err) == (0, "")
    (played,) = json.loads(told.read_text(encoding="utf-8"))["scenarios"]
    again = place.lab("judge", played["timeline"], "--json", str(told))
    (judged,) = json.loads(told.read_text(encoding="utf-8"))["scenarios"]
    assert again.code == 0
    assert {**judged, "seconds": 0} == {**played, "seconds": 0}


def test_a_scenario_that_is_named_twice_is_played_once(place: Place) -> None:
    ended = place.lab("run", "garbage", "garbage")
    assert ended.code == 0
    assert ended.out.count("HELD  garbage") == 1


def test_violations_are_named_on_standard_error(place: Place) -> None:
    ended = place.lab("run", "close", "garbage", "--server", "broken/forgets_heartbeat")
    assert ended.code == 1
    assert ended.err == "lab: violated: close\n"
    assert "1 held, 1 violated, 0 unknown" in ended.out.splitlines()[-1]


# Servers that do not start.

LIFESPAN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    raise RuntimeError("there is no database")
    yield

app = FastAPI(lifespan=lifespan)
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('raise RuntimeError("there is no database")', "RuntimeError: there is no database"),
        (LIFESPAN, "RuntimeError: there is no database"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("application = None", "has no attribute 'app'"),
        ("import sys; print('not a fact'); sys.exit(3)", "server did not start (exit code 3)"),
    ],
    ids=["import", "lifespan", "module", "attribute", "exits"],
)
def test_a_server_that_does_not_start_is_no_verdict_and_its_last_words_say_why(
    place: Place, text: str, why: str
) -> None:
    (place.root / "wont_start.py").write_text(text, encoding="utf-8")
    ended = place.lab("run", "kill", "--server", "wont_start:app", PYTHONPATH=str(place.root))
    assert ended.code == 2
    assert not ended.out
    first, *log = [line.rstrip() for line in ended.err.splitlines()]
    assert first.startswith("lab: aborted: server did not start (exit code ")
    assert all(line.startswith("  ") for line in log)
    assert why in ended.err
    assert log[:1] in ([], ["  the last lines of its log:"])


def test_a_server_that_is_not_there_is_no_verdict(place: Place) -> None:
    ended = place.lab("run", "kill", "--server", "nothing_of_that_name:app")
    assert ended.code == 2
    assert "there is no module 'nothing_of_that_name'" in ended.err
    assert not ended.out


def test_a_refused_run_leaves_no_file_behind(place: Place) -> None:
    for args in (["run", "kil"], ["run", "kill", "--server", "x"], ["run", "kill", "--backend", "x"], ["explain", "x"]):
        place.lab(*args, TMPDIR=str(place.root))
    assert files(place.root) == []


@pytest.mark.parametrize(
    ("server", "code", "said"),
    [("correct.exit_stack", 2, "1 of 1 cases held"), ("broken.names_in_a_list", 1, "1 violated")],
)
def test_a_verdict_is_not_lost_because_its_timeline_cannot_be_written(
    server: str, code: int, said: str, tmp_path: Path
) -> None:
    check = f"ulimit -f 2; exec {sys.executable} -m lab check lab.servers.{server}:app --case kill"
    # Bytecode that is cut short would be found by whoever imports the module next.
    env = os.environ | {"LAB_HOME": str(tmp_path), "LAB_LANG": "en", "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(["sh", "-c", check], env=env, capture_output=True, text=True, check=False)
    assert said in run.stdout, run.stderr
    assert run.returncode == code
    assert run.stderr.splitlines()[-1].startswith("lab: cannot write")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_was_closed_before_is_no_verdict(closed: str) -> None:
    run = subprocess.run(["sh", "-c", f"{sys.executable} -m lab list {closed}"], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr


def test_nothing_is_left_of_a_timeline_that_cannot_be_written(tmp_path: Path) -> None:
    assert write_private(tmp_path / "no-folder" / "x", "text") == "No such file or directory"
    assert write_private(tmp_path, "text") == "Is a directory"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]

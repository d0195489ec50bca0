"""Whatever machine, terminal and environment it is started in: a verdict, or one line that says what is wrong."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lab import machine
from tests.leftovers import MARK, processes_of, until

ROOT = Path(__file__).resolve().parent.parent


def lab(
    home: Path, *args: str, before: Callable[[], None] | None = None, more: Mapping[str, str] | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """A command, in an environment of its own."""
    own = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LAB_HOME": str(home),
        MARK: str(home),
        "LAB_BACKEND": "embedded",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "lab", *args],
        env={**own, "LAB_LANG": "en", "PYTHONUTF8": "1", **env, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        preexec_fn=before,  # nothing here has threads, and a limit can be set nowhere else
    )
    until(lambda: not processes_of(str(home)), "its processes are gone")
    return ended


COMMANDS = (("run", "kill"), ("check", "lab.servers.correct.exit_stack:app", "--case", "kill"))
ANYWHERE = "0.0.0.0"  # that is what must not be listened on


def test_a_terminal_without_signs_is_shown_plain_ones(tmp_path: Path) -> None:
    ended = lab(tmp_path, "run", "kill", PYTHONUTF8="0", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("HELD  kill: ")
    assert "  + bob is still served - echo, broadcasts, and all that the server holds\n" in ended.stdout


def test_a_terminal_without_korean_gets_its_verdict_all_the_same(tmp_path: Path) -> None:
    ended = lab(tmp_path, "run", "kill", "--lang", "ko", PYTHONUTF8="0", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "1006" in ended.stdout


def test_every_sign_that_is_replaced_is_replaced_by_ascii() -> None:
    assert all(plain.isascii() and not sign.isascii() for sign, plain in machine.PLAIN.items())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_caller_s_settings_are_not_the_actors(command: tuple[str, ...], tmp_path: Path) -> None:
    theirs = {
        "HOST": "0.0.0.0",
        "PORT": "1",
        "FACTORY": "1",
        "GRACE": "0",
        "LEAVE_ON_EOF": "1",
        "PINGS": "x",
    }  # that is what must not be listened on
    theirs |= {"MOVES": "", "FLAVOUR": "none", "DATABASE": "/nowhere/at/all"}
    ended = lab(tmp_path, *command, more={f"LAB_{key}": value for key, value in theirs.items()})
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


def test_an_actor_s_environment_has_what_it_is_given_and_nothing_else_of_the_lab_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAB_PORT", "1")
    monkeypatch.setenv("OTHER", "2")
    made = machine.environment({"LAB_HOST": "127.0.0.1"})
    assert {key: value for key, value in made.items() if key.startswith("LAB_")} == {"LAB_HOST": "127.0.0.1"}
    assert made["OTHER"] == "2"


def low_soft_limit() -> None:
    """As a Mac has it."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def low_hard_limit() -> None:
    """Nothing can be done about this one."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


@pytest.mark.timeout(120)
def test_a_low_soft_limit_of_descriptors_is_raised(tmp_path: Path) -> None:
    ended = lab(tmp_path, "check", "lab.servers.correct.exit_stack:app", before=low_soft_limit)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


def test_too_low_a_hard_limit_is_one_line_before_anything_is_played(tmp_path: Path) -> None:
    for command in (("check", "lab.servers.correct.exit_stack:app"), ("run", "crowd")):
        ended = lab(tmp_path, *command, before=low_hard_limit)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == "lab: only 256 files may be open at once here, and 1024 are needed: ulimit -n 1024\n"


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


def link(folder: Path) -> Path:
    (folder / "link").symlink_to(folder / "no" / "such")
    return folder / "link"


def locked(folder: Path) -> Path:
    (folder / "locked").mkdir(mode=0o500)
    return folder / "locked" / "report"


UNWRITABLE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "folder": (lambda folder: folder, "it is a folder"),
    "fifo": (fifo, "No such device or address"),
    "link": (link, "no such folder"),
    "missing": (lambda folder: folder / "no" / "report", "no such folder"),
    "long": (lambda folder: folder / ("x" * 5000), "File name too long"),
}


@pytest.mark.parametrize("name", UNWRITABLE)
@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_cannot_be_written_is_one_line_before_anything_is_played(
    name: str, option: str, tmp_path: Path
) -> None:
    make, why = UNWRITABLE[name]
    ended = lab(tmp_path / "home", "run", "kill", option, str(make(tmp_path)))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("lab: cannot write ")
    assert ended.stderr.endswith(f": {why}\n")
    assert ended.stderr.count("\n") == 1
    assert len(ended.stderr) < 400


def test_a_report_for_which_there_is_no_room_does_not_cost_the_verdict(tmp_path: Path) -> None:
    ended = lab(tmp_path, "run", "kill", "--json", "/dev/full")
    assert ended.returncode == 2
    assert ended.stdout.startswith("HELD  kill: ")
    assert ended.stderr == "lab: cannot write /dev/full: No space left on device\n"


def test_a_report_goes_to_a_pipe_that_somebody_reads(tmp_path: Path) -> None:
    path = fifo(tmp_path)
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) as reader:
        keeper = os.open(path, os.O_RDWR)  # so that cat has a writer from the start, and another reader is there
        try:
            ended = lab(tmp_path / "home", "run", "kill", "--json", str(path))
        finally:
            os.close(keeper)
        said, _ = reader.communicate(timeout=20)
    assert ended.returncode == 0
    assert json.loads(said)["outcome"] == "held"


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nowhere", "x" * 5000])
def test_a_home_that_cannot_be_one_is_one_line(home: str, tmp_path: Path) -> None:
    for command in COMMANDS:
        ended = lab(tmp_path, *command, LAB_HOME=home)
        assert (ended.returncode, ended.stdout) == (2, ""), command
        assert ended.stderr.startswith("lab: cannot write ")
        assert ended.stderr.count("\n") == 1
        assert len(ended.stderr) < 400

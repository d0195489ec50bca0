"""The README's commands do what the README says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.scenario import names

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ (make (?:scenario|check)[^\n]*)\n(.*?)```", README, flags=re.DOTALL)


def shape(text: str) -> list[str]:
    """What must be the same in every run: the lines, but for numbers, columns, and who spoke first."""
    lines = (re.sub(r"\s+", " ", re.sub(r"\d+", "N", line)).strip() for line in text.splitlines())
    return sorted(line.replace("N.N", "N") for line in lines if line)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_a_command_of_the_readme_prints_what_the_readme_shows(command: str, output: str, tmp_path: Path) -> None:
    # The tests themselves may run under make, which would tell its child so.
    outer = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    env = outer | {"LAB_BACKEND": "embedded", "LAB_LANG": "en"}
    if "make check" in command:
        env["LAB_HOME"] = str(tmp_path)  # how often a server was tried there before is nothing of the README's
    done = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == (0 if output.startswith("HELD") else 2), done.stderr
    assert shape(done.stdout) == shape(output)


def test_the_readme_has_its_two_commands() -> None:
    assert EXAMPLES[0][0] == "make scenario-kill"
    assert "```console\n$ make test\n```" in README


def test_the_readme_lists_every_scenario() -> None:
    assert tuple(sorted(re.findall(r"^\| `([a-z-]+)` \|", README, flags=re.MULTILINE))) == names()


def test_every_path_on_the_map_exists() -> None:
    the_map = README.partition("## The map")[2].partition("## Commands")[0]
    paths = re.findall(r"^((?:lab|scenarios)/\S+)", the_map, flags=re.MULTILINE)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_promise_names_a_test_that_exists() -> None:
    promises = README.partition("## Safety")[2].partition("\n## ")[0]
    named = re.findall(r"`(tests/\w+\.py)`", promises)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_bare_make_prints_help() -> None:
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert f"make {target} " in done.stdout or target.startswith("scenario-"), target

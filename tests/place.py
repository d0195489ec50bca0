"""A place of its own for a run: its folders, its project and its mark, so that what it leaves can be told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.leftovers import MARK, processes_of

HANGS = '''"""Hang: alice is frozen, and nothing more happens."""

from lab import Connect, Pause, Rest, Scenario, StillServed

scenario = Scenario(
    title="hang",
    given=(Connect("alice"), Connect("bob")),
    when=(Pause("alice"), Rest("alice", 600)),
    within=1.0,
    then=(StillServed("bob"),),
    hint="none",
)
'''


@dataclass(frozen=True)
class Place:
    """Where a run keeps everything, so that what it leaves can be told from what others have."""

    root: Path

    @property
    def project(self) -> str:
        """A project that nobody else uses."""
        return f"hangup-test-{self.root.name}".lower().replace("_", "-")

    @contextmanager
    def lab(self, *args: str) -> Iterator[subprocess.Popen[str]]:
        """Start `lab` there. A test that fails does not wait for it."""
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "lab", *args]
        with subprocess.Popen(command, env=self.environment, stdout=pipe, stderr=pipe, text=True) as run:
            try:
                yield run
            except BaseException:
                run.kill()
                raise

    @property
    def environment(self) -> dict[str, str]:
        """What is run there has this environment; the lab's own scenarios, if it has no folder for them."""
        scenarios = self.root / "scenarios"
        others = {"LAB_SCENARIOS": str(scenarios)} if scenarios.exists() else {}
        return (
            os.environ
            | others
            | {
                "LAB_HOME": str(self.root / "home"),
                MARK: str(self.root / "home"),
                "LAB_PROJECT": self.project,
                "LAB_BACKEND": "auto",  # whatever the tests themselves are run with
                "TMPDIR": str(self.root / "tmp"),
                "LAB_LANG": "en",
            }
        )

    def processes(self) -> list[psutil.Process]:
        """The processes that were started there."""
        return processes_of(str(self.root / "home"))


@contextmanager
def new_place(root: Path) -> Iterator[Place]:
    """In a folder of its own; whatever still runs there at the end is killed."""
    for folder in ("home", "scenarios", "tmp"):
        (root / folder).mkdir()
    (root / "scenarios" / "hang.py").write_text(HANGS)
    here = Place(root)
    yield here
    for process in here.processes():
        process.kill()

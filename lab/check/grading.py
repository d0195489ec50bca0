"""From a server to its grade: one visit to learn its manners, then every case on a fresh process, several at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lab.backends.embedded import Embedded, EmbeddedStage, Served
from lab.backends.processes import Processes, open_processes
from lab.backends.stage import Cast
from lab.check.cases import cases
from lab.check.manners import Manners
from lab.check.meeting import MEETING, Meeting
from lab.check.outside import Outside
from lab.check.subject import Subject
from lab.check.visit import Visit
from lab.clock import now
from lab.judge import judge
from lab.nemesis import Nemesis
from lab.paths import new_run
from lab.reports import Played, Report
from lab.scenario import Scenario
from lab.timeline import Header, Timeline

AT_ONCE = 8
"""Cases at a time: most of each is waiting."""

Watch = Callable[[str, str], None]


class Grader:
    """Grades one subject. A context manager: leaving it leaves no process behind.

    Raises:
        StageError: from any method, if the server cannot be started or lets nobody in.
    """

    def __init__(self, subject: Subject, processes: Processes | None = None) -> None:
        self.subject = subject
        self._processes = processes or open_processes()
        self._borrowed = processes is not None
        env = {"LAB_GRACE": "", "LAB_FACTORY": "1" if subject.factory else "", "LAB_DATABASE": "", **subject.env}
        self._backend = Embedded(Served(subject.app, subject.flavour, env), self._processes)

    def __enter__(self) -> Grader:
        self._backend.open()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._borrowed:
            self._backend.close()

    def learn(self) -> Manners:
        """The server's manners."""
        timeline = Timeline(self._header("meeting"))
        with (
            self._backend.stage(Cast(MEETING.clients, frozenset()), timeline) as stage,
            Nemesis(stage, timeline) as nemesis,
        ):
            meeting = Meeting(MEETING, stage, nemesis, timeline, lambda _: None)
            meeting.subject = self.subject
            return meeting.learn()

    def play(self, name: str, manners: Manners, folder: Path, watch: Watch = lambda _name, _step: None) -> Played:
        """One case, judged. Its timeline is kept in the folder."""
        scenario = _bounded(cases()[name], self.subject.flavour)
        timeline = Timeline(self._header(name))
        path = folder / f"{name}.jsonl"
        before = now()
        try:
            with (
                self._backend.stage(Cast(scenario.clients, scenario.armed), timeline) as stage,
                Nemesis(stage, timeline) as nemesis,
            ):
                visit = Visit(scenario, stage, nemesis, timeline, lambda step: watch(name, step))
                visit.subject, visit.manners, visit.outside = self.subject, manners, self._outside(stage, timeline)
                timeline.begin()
                visit.story()
                visit.settle()
                timeline.seal()
        finally:
            path.write_text(timeline.to_jsonl(), encoding="utf-8", errors="backslashreplace")
        return Played(name, judge(scenario, timeline), timeline, now() - before, os.path.relpath(path))

    def grade(self, names: Iterable[str] = (), watch: Watch = lambda _name, _step: None) -> Report:
        """All cases, or those named, in their order."""
        before = now()
        folder = new_run()
        manners = self.learn()
        todo = [name for name in cases() if not names or name in set(names)]
        todo = [name for name in todo if name != "flood" or self.subject.big(1) is not None]
        at_once = 1 if self.subject.rows_url and "{folder}" not in self.subject.rows_url else AT_ONCE
        with ThreadPoolExecutor(at_once) as pool:
            try:
                played = tuple(pool.map(lambda name: self.play(name, manners, folder, watch), todo))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                if not self._borrowed:
                    self._backend.close()  # whoever still plays finds nobody left
                raise
        return Report("check", self.subject.name, "embedded", self.subject.flavour, now() - before, played)

    def _header(self, name: str) -> Header:
        return Header(f"check:{name}", self.subject.name, "embedded", self.subject.flavour)

    def _outside(self, stage: EmbeddedStage, timeline: Timeline) -> Outside:
        said = timeline.last("listening")
        port, pid = (int(said.number(key) or 0) for key in ("port", "pid")) if said else (0, 0)
        url = self.subject.rows_url.replace("{folder}", str(stage.folder))
        return Outside(url, self.subject.rows_sql, pid, port)


def _bounded(scenario: Scenario, flavour: str) -> Scenario:
    """uvicorn's deprecated implementation needs ten seconds more for whatever is silent."""
    return replace(scenario, within=scenario.within + 10.0) if flavour == "websockets" else scenario

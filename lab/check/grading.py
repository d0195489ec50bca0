"""From a server to its grade: one visit to learn its manners, then every case on a fresh process, several at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from lab.backends.actors import StageError
from lab.backends.embedded import ProcessStage
from lab.backends.launch import ForkServer
from lab.backends.processes import Processes, open_processes
from lab.backends.stage import Cast
from lab.check.cases import cases
from lab.check.commanded import Commanded, at_url
from lab.check.foreigner import Foreigner
from lab.check.known import Known
from lab.check.masking import Masking
from lab.check.meeting import MEETING, Meeting
from lab.check.outside import Outside
from lab.check.serving import backend_of, bounded, new_server, served_of
from lab.check.subject import Subject
from lab.check.visit import Visit
from lab.clock import now
from lab.faults import SERVER
from lab.invariants.foreign import FOREIGN
from lab.invariants.leaves import UNTOLD
from lab.judge import judge
from lab.lateness import Lateness
from lab.manners import Manners
from lab.nemesis import Nemesis
from lab.paths import new_run, write_private
from lab.reports import Played, Report
from lab.servers import OPEN_ROWS
from lab.timeline import Header, Observation, Timeline

AT_ONCE = 2 * (os.cpu_count() or 1)
"""Cases at a time: half of each is waiting for another process."""

INSIDE_ONLY = ("reset", "stall", "idle", "knock", "again")
"""Cases whose fault only the witness can attest."""

Watch = Callable[[str, str], None]


class Grader:
    """Grades one subject. A context manager: leaving it leaves no process behind.

    Raises:
        StageError: from any method, if the server cannot be started or lets nobody in.
    """

    def __init__(self, subject: Subject, processes: Processes | None = None, server: ForkServer | None = None) -> None:
        served = served_of(subject)  # refuses what cannot be, before anything is started
        self.subject = at_url(subject) if subject.command else subject
        self._processes = processes or open_processes(server or new_server(subject))
        self._borrowed = processes is not None
        self._backend = backend_of(served, self._processes)
        self._timelines: list[Timeline] = []
        self._known = Known()
        self._masking = Masking.of(self.subject)
        self._over = False

    def __enter__(self) -> Grader:
        try:
            self._backend.open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._borrowed:
            self._backend.clear()
        else:
            self._backend.close()

    def learn(self) -> Manners:
        """The server's manners.

        Raises:
            CutShort: another thread said so. From play() and grade(), too.
        """
        timeline = self._timeline("meeting")
        with (
            self._masking.errors(),
            self._backend.stage(Cast(MEETING.clients, frozenset()), timeline) as stage,
            Nemesis(stage, timeline) as nemesis,
        ):
            meeting = Meeting(MEETING, stage, nemesis, timeline, lambda _: None)
            meeting.subject = self.subject
            learned = meeting.learn()
        return replace(learned, pings_ms=self.subject.pings * 1000) if self.subject.pings else learned

    def play(self, name: str, manners: Manners, folder: Path, watch: Watch = lambda _name, _step: None) -> Played:
        """One case, judged. Its timeline is kept in the folder."""
        scenario = bounded(cases()[name], self.subject)
        timeline = self._timeline(name)
        path = folder / f"{name}.jsonl"
        before = now()
        try:
            with (
                self._masking.errors(),
                self._backend.stage(Cast(scenario.clients, scenario.armed), timeline) as stage,
                Nemesis(stage, timeline) as nemesis,
                Lateness() as lateness,
            ):
                kind = Visit if self.subject.witnessed else Foreigner
                visit = kind(scenario, stage, nemesis, timeline, lambda step: watch(name, step))
                visit.subject, visit.manners, visit.outside = self.subject, manners, self._outside(stage, timeline)
                visit.known, visit.lateness = self._known, lateness
                said = timeline.last("listening")
                timeline.begin()
                if said is not None and said.detail.get("unknown"):
                    timeline.record(Observation(0.0, SERVER, UNTOLD, "", {"kinds": said.detail["unknown"]}))
                visit.story()
                visit.settle()
                if timeline.last("woken") is None:
                    lateness.observe(timeline)
                timeline.seal()
        finally:
            shown = self._masking.timeline(timeline)
            why = write_private(path, shown.to_jsonl())
        verdict = self._masking.verdict(judge(scenario, timeline))
        return Played(name, verdict, shown, now() - before, os.path.relpath(path), unwritten=why)

    def grade(
        self, names: Iterable[str] = (), watch: Watch = lambda _name, _step: None, folder: Path | None = None
    ) -> Report:
        """All cases, or those named, in their order; without those that nobody could judge.

        Args:
            folder: where the timelines go; a new one of this run's if None.

        Raises:
            StageError: none is left.
        """
        before = now()
        folder = folder or new_run()
        todo = [name for name in cases() if (not names or name in set(names)) and self._can_be_judged(name)]
        if not todo:
            raise StageError(f"from outside nobody can judge {', '.join(names)}")
        manners = self.learn()
        if manners.streams:
            todo = [name for name in todo if name != "idle"] or todo  # a flow on which something is sent is never idle
        with ThreadPoolExecutor(self._at_once()) as pool:
            try:
                tried = tuple(pool.map(lambda name: self._try(name, manners, folder, watch), todo))
            except BaseException:
                self.cut_short()
                pool.shutdown(cancel_futures=True)
                raise
        # One that shares a port or a file with its like cannot start beside them: now it has the machine to itself.
        played = tuple(
            one if isinstance(one, Played) else replace(self.play(name, manners, folder, watch), again=one)
            for name, one in zip(todo, tried, strict=True)
        )
        head = self._header("")
        return Report("check", head.subject, head.backend, head.flavour, now() - before, played)

    def _try(self, name: str, manners: Manners, folder: Path, watch: Watch) -> Played | str:
        """One case beside others; if its server could not be had, why."""
        try:
            return self.play(name, manners, folder, watch)
        except StageError as error:
            return str(error)

    def cut_short(self) -> None:
        """Have every case that is played end now, and take down its stage. From any thread."""
        self._over = True
        for timeline in self._timelines:
            timeline.cut_short()

    def _timeline(self, name: str) -> Timeline:
        timeline = Timeline(self._header(name))
        self._timelines.append(timeline)
        if self._over:
            timeline.cut_short()
        return timeline

    def _can_be_judged(self, name: str) -> bool:
        if name == "flood":
            return self.subject.big(1) is not None
        return self.subject.witnessed or name not in INSIDE_ONLY

    def _at_once(self) -> int:
        shared = self.subject.rows_url and "{folder}" not in self.subject.rows_url
        alone = isinstance(self._backend, Commanded) and not self._backend.command.roams
        return 1 if shared or alone else AT_ONCE

    def _header(self, name: str) -> Header:
        flavour = self.subject.flavour if self.subject.witnessed else FOREIGN
        return Header(f"check:{name}", self.subject.name, self._backend.name, flavour)

    def _outside(self, stage: ProcessStage, timeline: Timeline) -> Outside:
        said = timeline.last("listening")
        told = said if said and not self.subject.witnessed else None  # a witness counts the sockets itself
        port, pid = (int(told.number(key) or 0) for key in ("port", "pid")) if told else (0, 0)
        url, sql = self.subject.rows_url.replace("{folder}", str(stage.folder)), self.subject.rows_sql
        reference = stage.folder / "presence.sqlite3"
        if not sql and reference.exists():
            url, sql = f"sqlite:///{reference}", OPEN_ROWS
        return Outside(url, sql, pid, port)

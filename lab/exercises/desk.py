"""The desk: one participant's servers, what is said about each try, and what it does to the progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from lab.exercises import STEPS, Step
from lab.exercises.grading import Grade
from lab.exercises.progress import Progress, read, set_aside, write
from lab.exercises.texts import Texts
from lab.reports import Played, Report
from lab.verdict import Outcome

TRIES_BEFORE_MORE = 3
"""After so many tries, the second hint."""

MARKS = {Outcome.HELD: "✔", Outcome.VIOLATED: "✘", Outcome.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a participant works.

    Attributes:
        texts: the language to speak.
        grade: grades a step's server.
        tell: says a line, or several.
        show: shows a case with its evidence.
        folder: the servers.
        kept: the file that the progress is kept in; servers that a reset replaces are kept beside it.
    """

    texts: Texts
    grade: Grade
    tell: Callable[[str], None]
    show: Callable[[Played], None]
    folder: Path
    kept: Path

    def progress(self) -> Progress:
        """What has been reached. A file that cannot be read is put aside, in one line."""
        progress, bad = read(self.kept)
        if bad is not None:
            self.tell(self.texts.say("damaged", path=self.kept, bad=bad))
            write(self.kept, progress)
        return progress

    def server(self, step: Step) -> Path:
        """The file to edit; a missing one is made from the starter."""
        path = step.file(self.folder)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.starter, encoding="utf-8", newline="\n")
            self.tell(self.texts.say("made", path=_short(path)))
        return path

    def present(self, step: Step) -> None:
        """Where the participant stands, and what is to be done."""
        texts = self.texts.step(step.name)
        self.tell("")
        self.tell(self.texts.say("step", number=step.number, count=len(STEPS), title=texts.title))
        self.tell(f"\n{texts.task}\n")
        self.tell(self.texts.say("file", path=_short(self.server(step))))

    def attempt(self, step: Step, *, every: bool = False) -> Report:
        """Grade the server, say what was seen, and remember it.

        Args:
            every: show the evidence of every case, and not only of the first that did not hold.

        Raises:
            StageError: the server cannot be started.
        """
        path = self.server(step)
        untouched = _is_starter(path, step)
        self.tell(self.texts.say("playing", cases=", ".join(step.cases)))
        report = self.grade(step, path)
        self._evidence(report, every)
        if report.outcome is Outcome.HELD:
            self._done(step)
        elif report.outcome is Outcome.UNKNOWN:
            self.tell(self.texts.say("unknown"))
        elif untouched:
            self.tell(self.texts.say("untouched", path=_short(path)))
        else:
            write(self.kept, self.progress().tried(step))
            self.hint(step)
        return report

    def hint(self, step: Step) -> None:
        """The hint; from the third try on, the longer one too."""
        texts = self.texts.step(step.name)
        self.tell(self.texts.say("hint", hint=texts.hint))
        left = TRIES_BEFORE_MORE - self.progress().tries_at(step)
        self.tell(self.texts.say("more-later", left=left) if left > 0 else self.texts.say("more", more=texts.more))

    def solution(self, step: Step) -> None:
        """One way to mend it, and why."""
        self.tell(step.solution)
        self.tell(self.texts.say("why", why=self.texts.step(step.name).why))

    def reset(self, step: Step) -> None:
        """The server as it was at first; what was made of it is kept."""
        path = self.server(step)
        if not _is_starter(path, step):
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            aside = self.kept.parent / f"{step.name}.py"
            if aside.exists():
                set_aside(aside, ".")
            aside.write_bytes(path.read_bytes())
            self.tell(self.texts.say("kept", path=_short(aside)))
        path.write_text(step.starter, encoding="utf-8", newline="\n")
        write(self.kept, self.progress().without(step))
        self.tell(self.texts.say("reset", path=_short(path)))

    def skip(self) -> None:
        """Leave the current step for later."""
        progress = self.progress()
        if (step := progress.current) is None:
            self.tell(self.texts.say("all-done"))
            return
        write(self.kept, progress.leaving(step))
        self.tell(self.texts.say("skipped", name=step.name))
        self.say_next()

    def say_next(self) -> None:
        """The step that comes next, or that there is none."""
        if (step := self.progress().current) is None:
            skipped = [step.name for step in STEPS if step.name in self.progress().skipped]
            self.tell(self.texts.say("all-but", names=", ".join(skipped)) if skipped else self.texts.say("all-done"))
        else:
            self.tell(self.texts.say("next", name=step.name, title=self.texts.step(step.name).title))

    def listing(self) -> None:
        """Every step, and how it stands."""
        progress = self.progress()
        for step in STEPS:
            key = "is-done" if step.name in progress.done else "is-skipped" if step.name in progress.skipped else ""
            key = key or ("is-current" if step == progress.current else "is-ahead")
            title = self.texts.step(step.name).title
            tries = self.texts.say("tries", tries=progress.tries_at(step)) if progress.tries_at(step) else ""
            self.tell(f"{self.texts.say(key)} {step.name:<12} {title} {tries}".rstrip())

    def _evidence(self, report: Report, every: bool) -> None:
        self.tell("  ".join(f"{MARKS[played.verdict.outcome]} {played.name}" for played in report.played))
        wrong = [played for played in report.played if played.verdict.outcome is not Outcome.HELD]
        wrong.sort(key=lambda played: played.verdict.outcome is not Outcome.VIOLATED)
        for played in report.played if every else wrong[:1]:
            self.show(played)

    def _done(self, step: Step) -> None:
        write(self.kept, self.progress().finished(step))
        texts = self.texts.step(step.name)
        self.tell(self.texts.say("done", name=step.name, title=texts.title))
        self.tell(self.texts.say("why", why=texts.why))
        self.tell(self.texts.say("solved-by", number=step.number))
        before, after = step.starter.splitlines(), step.solution.splitlines()
        self.tell("\n".join(f"  {line}" for line in list(unified_diff(before, after, n=1, lineterm=""))[2:]))


def _is_starter(path: Path, step: Step) -> bool:
    """Whether nobody has changed it yet. Git may have changed its line ends."""
    return path.read_bytes().splitlines() == step.starter.encode().splitlines()


def _short(path: Path) -> Path:
    """As it is typed from here, where that is shorter."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

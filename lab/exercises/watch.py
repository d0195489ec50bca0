"""Watch mode: grades the current step's server whenever it is saved, until all steps are done or skipped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from lab.backends.actors import StageError
from lab.exercises import Step
from lab.exercises.desk import Desk
from lab.verdict import Outcome

POLL_SECONDS = 0.2
LOG_LINES = 6
"""How much of its log a server that does not start may show."""

GONE = 5
"""After so many looks without a file, nobody is just saving it: it was deleted."""

Stamp = tuple[int, int] | None


def watch(desk: Desk, sleep: Callable[[float], None] = time.sleep) -> None:
    """Grade, wait for a save, grade again. It starts nothing of its own, so whatever is raised may end it."""
    presented: Step | None = None
    while (step := desk.progress().current) is not None:
        if step != presented:
            desk.present(step)
            presented = step
        path = desk.server(step)
        before = stamp(path)
        if not held(desk, step) and desk.progress().current == step:
            if stamp(path) == before:
                desk.tell(desk.texts.say("waiting", name=step.name))
            await_save(desk, step, before, sleep)
    desk.say_next()


def held(desk: Desk, step: Step) -> bool:
    """One try; a server that does not start is no reason to stop."""
    try:
        return desk.attempt(step).outcome is Outcome.HELD
    except StageError as error:
        desk.tell(desk.texts.say("not-started", why=str(error)))
        for line in error.log[-LOG_LINES:]:
            desk.tell(f"  {line}")
        return False


def await_save(desk: Desk, step: Step, before: Stamp, sleep: Callable[[float], None]) -> None:
    """Until the file is another than before and no longer changing, or the participant went on to another step."""
    path = step.file(desk.folder)
    seen, gone = before, 0
    while gone < GONE and desk.progress().current == step:
        sleep(POLL_SECONDS)
        last, seen = seen, stamp(path)
        gone = 0 if seen else gone + 1
        if seen and seen == last and seen != before:
            return


def stamp(path: Path) -> Stamp:
    """By what a change of the file is known; None while there is none, as between the two halves of a save."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size

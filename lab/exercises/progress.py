"""Progress: which steps are done or skipped, and how often each was tried. A value, and the file it is kept in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path

from lab.exercises import STEPS, Step


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a participant has come. Names that are no step's are kept: another version may know them.

    Attributes:
        done: the steps whose cases all held.
        skipped: the steps that were left for later.
        tries: for each step, how many changed servers did not hold.
    """

    done: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    tries: Mapping[str, int] = field(default_factory=dict)

    @property
    def current(self) -> Step | None:
        """The first step that is neither done nor skipped."""
        return next((step for step in STEPS if not self.is_behind(step)), None)

    def is_behind(self, step: Step) -> bool:
        """Whether it is done or skipped: its solution may be seen."""
        return step.name in self.done or step.name in self.skipped

    def tries_at(self, step: Step) -> int:
        """How many changed servers did not hold."""
        return self.tries.get(step.name, 0)

    def tried(self, step: Step) -> Progress:
        """After one more try that did not hold."""
        return replace(self, tries={**self.tries, step.name: self.tries_at(step) + 1})

    def finished(self, step: Step) -> Progress:
        """After all its cases held."""
        return replace(self, done=_with(self.done, step), skipped=_without(self.skipped, step))

    def leaving(self, step: Step) -> Progress:
        """After it was skipped."""
        return self if self.is_behind(step) else replace(self, skipped=_with(self.skipped, step))

    def without(self, step: Step) -> Progress:
        """As if it had never been tried."""
        tries = {name: times for name, times in self.tries.items() if name != step.name}
        return Progress(_without(self.done, step), _without(self.skipped, step), tries)

    @classmethod
    def from_json(cls, text: str) -> Progress:
        """What `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            data = json.loads(text)
            done, skipped, tries = (data[key] for key in ("done", "skipped", "tries"))
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"no progress: {error}") from None
        if not (isinstance(done, list) and isinstance(skipped, list) and isinstance(tries, dict)):
            raise ValueError("no progress: lists and a table expected")
        if not all(isinstance(name, str) for name in (*done, *skipped)):
            raise ValueError("no progress: a step's name is a string")
        if not all(type(times) is int and times >= 0 for times in tries.values()):
            raise ValueError("no progress: tries are counted")
        return cls(tuple(done), tuple(skipped), tries)

    def to_json(self) -> str:
        """For a file that people may read."""
        return json.dumps(asdict(self), indent=2) + "\n"


def read(path: Path) -> tuple[Progress, Path | None]:
    """The progress in a file, none if there is no file; and where a file that cannot be read was put aside.

    Raises:
        OSError: the file cannot be opened.
    """
    try:
        return Progress.from_json(path.read_text(encoding="utf-8")), None
    except FileNotFoundError:
        return Progress(), None
    except ValueError:
        return Progress(), set_aside(path, ".bad")


def write(path: Path, progress: Progress) -> None:
    """Keep it, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(progress.to_json(), encoding="utf-8")
    new.replace(path)


def set_aside(path: Path, suffix: str, folder: Path | None = None) -> Path:
    """Move a file under a name that is free; the new path.

    Raises:
        OSError: it cannot be moved.
    """
    for number in count(1):
        aside = (folder or path.parent) / f"{path.name}{suffix}{number if number > 1 else ''}"
        if not aside.exists():
            return path.replace(aside)
    raise AssertionError


def _with(names: tuple[str, ...], step: Step) -> tuple[str, ...]:
    return names if step.name in names else (*names, step.name)


def _without(names: tuple[str, ...], step: Step) -> tuple[str, ...]:
    return tuple(name for name in names if name != step.name)

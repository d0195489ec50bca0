"""What participants give to clients and servers may be secret: it is written nowhere, and `***` stands in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import quote

from lab.backends.actors import StageError
from lab.check.subject import Subject
from lab.timeline import Json, Observation, Timeline
from lab.verdict import Finding, Phrase, Verdict

MASK = "***"

SHORTEST = 6
"""Whatever is shorter, such as `true` or a number, stands in any text, and masked it would make that unreadable."""

GAP = re.compile(r"\{(?:name|n|pad|folder|user)\}")


@dataclass(frozen=True, slots=True)
class Masking:
    """Replaces secrets in texts.

    Attributes:
        pattern: any of them, the longest first; None if there are none.
    """

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, subject: Subject) -> Masking:
        """For what a subject was given: values of its query, headers, cookies and environment, and what is said."""
        given = {spelled for secret in _secrets(subject) for spelled in _spelled(secret)}
        longest_first = sorted(given, key=lambda one: (-len(one), one))
        return cls(re.compile("|".join(map(re.escape, longest_first))) if given else None)

    def text(self, text: str) -> str:
        """The text without them."""
        return text if self.pattern is None else self.pattern.sub(MASK, text)

    def timeline(self, timeline: Timeline) -> Timeline:
        """A timeline without them; the same one, if there are none."""
        if self.pattern is None:
            return timeline
        return Timeline(timeline.header, map(self._observation, timeline), sealed=timeline.sealed)

    def verdict(self, verdict: Verdict) -> Verdict:
        """A verdict without them."""
        return replace(verdict, findings=tuple(map(self._finding, verdict.findings)))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Inside, an error of the stage shows none of them, and neither do the lines of the log that explain it."""
        try:
            yield
        except StageError as error:
            raise StageError(self.text(str(error)), tuple(map(self.text, error.log))) from None

    def _observation(self, seen: Observation) -> Observation:
        return replace(seen, detail={key: self._json(value) for key, value in seen.detail.items()})

    def _json(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._json(one) for one in value]
        if isinstance(value, bool | int | float | None):
            return value
        return {self.text(key): self._json(one) for key, one in value.items()}

    def _finding(self, found: Finding) -> Finding:
        args = tuple((key, self.text(arg) if isinstance(arg, str) else arg) for key, arg in found.evidence.args)
        holder = self.text(found.holder) if found.holder else found.holder
        return replace(found, evidence=Phrase(found.evidence.key, args), holder=holder)


def _secrets(subject: Subject) -> Iterator[str]:
    yield from (value for one in subject.query for value in one.partition("=")[2:])
    yield from (value for _, text in subject.headers for value in _of_header(text))
    yield from subject.env.values()
    yield from (part for said in subject.say for part in _of_text(said))
    yield from (part for _, text in subject.replies for part in _of_text(text))


def _of_header(text: str) -> Iterator[str]:
    """The whole, and each word of it that is a value: `Bearer TOKEN`, `a=SECRET; b=SECRET`."""
    yield text
    first, *others = re.split(r"[;,\s]+", text)
    yield from (word.partition("=")[2] or word for word in others)
    yield first.partition("=")[2]


def _of_text(said: str | bytes) -> Iterator[str]:
    """The whole; of JSON every string in it as well, which an answer may repeat."""
    if isinstance(said, bytes):
        yield said.hex()
        said = said.decode(errors="replace")
    yield said
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return
    yield from _strings(found)


def _strings(found: Json) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, list):
        yield from (one for inside in found for one in _strings(inside))
    elif isinstance(found, dict):
        yield from (one for inside in found.values() for one in _strings(inside))


def _spelled(secret: str) -> Iterable[str]:
    """As it is, in a url, and in JSON; what stands between gaps that are filled for each client."""
    for part in GAP.split(secret):
        if len(part.strip()) >= SHORTEST:
            yield from (part, quote(part, safe=""), quote(part), json.dumps(part)[1:-1])

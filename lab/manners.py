"""A server's manners: what it does when one connects and talks. Learned once, so that nothing is guessed later."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from itertools import pairwise

from lab import evidence
from lab.rejection import rejection
from lab.timeline import Observation, Timeline


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server behaves towards clients of whom nothing is wrong.

    Attributes:
        path: where its WebSocket is.
        met: whether they were learned, and are not only what one would expect.
        receives: it takes what clients say; one that does not must not be talked to.
        talks: our text may be said to it, more than once, and it does not hang up.
        answers: whoever speaks gets something back.
        relays: the others get something when one speaks.
        answer_ms: how long an answer takes; -1 if there is none.
        period_ms: it sends by itself, about this often; -1 if it does not.
        pings_ms: it pings this often, as somebody says who knows it; -1 if nobody does.
        rejection: what it did instead of taking what was said: hung up, died, answered with an error; "" if it took it.
    """

    path: str = "/ws"
    met: bool = False
    receives: bool = True
    talks: bool = True
    answers: bool = True
    relays: bool = False
    period_ms: float = -1.0
    answer_ms: float = -1.0
    pings_ms: float = -1.0
    rejection: str = ""

    @property
    def streams(self) -> bool:
        """Whether it sends by itself."""
        return self.period_ms >= 0

    @property
    def spoken_to(self) -> bool:
        """Whether it was spoken to in a way that it takes; one that takes nothing from clients need not be.

        Of one that was not, nothing can be said: what it does with a client begins with what a client says.
        """
        return not self.rejection

    def record(self, timeline: Timeline) -> None:
        """Put them on a timeline: claims are judged from there."""
        timeline.record(Observation(timeline.elapsed(), "lab", "learned", "", asdict(self)))

    @classmethod
    def of(cls, timeline: Timeline) -> Manners | None:
        """Those that a timeline knows of."""
        seen = timeline.first("learned", source="lab")
        if seen is None:
            return None
        detail = seen.detail
        return cls(
            seen.text("path"),
            detail.get("met") is True,
            detail.get("receives") is True,
            detail.get("talks") is True,
            detail.get("answers") is True,
            detail.get("relays") is True,
            seen.number("period_ms") or -1.0,
            seen.number("answer_ms") or -1.0,
            seen.number("pings_ms") or -1.0,
            seen.text("rejection"),
        )


def learn(timeline: Timeline, path: str, talk: str | bytes, speaker: str, listener: str) -> Manners:
    """From a visit in which the speaker spoke and the listener only listened.

    Whoever gets a message after somebody spoke need not get it because of that: only one that repeats what was said
    counts as relayed.
    """
    spoken = [one for one in timeline.select("ordered", speaker) if one.text("do") == "say"]
    first = spoken[0].at if spoken else timeline.elapsed()
    receives = timeline.first("delivered", speaker) is not None or timeline.first("accepted") is None
    talks = (
        receives and bool(spoken) and not timeline.first("closed", speaker) and not timeline.first("failed", speaker)
    )
    period = _period(timeline, listener, first)
    return Manners(
        path=path,
        met=True,
        receives=receives,
        talks=talks,
        answers=talks and all(_got(timeline, speaker, one.at, one.number("until")) for one in _spans(spoken, timeline)),
        relays=talks and period < 0 and _relayed(timeline, listener, mark(talk), first),
        period_ms=period,
        answer_ms=_answer_ms(timeline, speaker, first),
        rejection=rejection(timeline, speaker),
    )


GREETING_MS = 200.0
"""What comes so soon after connecting, or after the opening exchange, is a greeting, however many messages it has."""


def mark(talk: str | bytes) -> str:
    """The longest word of what is said: whoever passes it on will hardly leave that out."""
    if isinstance(talk, bytes):
        return talk.hex()  # as a client tells what it received
    return max(re.findall(r"\w+", talk), key=len, default=talk)


def _answer_ms(timeline: Timeline, who: str, said: float) -> float:
    return next((seen.at - said for seen in timeline.select("received", who) if seen.at >= said), -1.0)


def repeats(timeline: Timeline, who: str, talk: str | bytes, since: float) -> bool:
    """Whether she has received what was said since then."""
    word = mark(talk)
    return any(seen.at >= since and word in seen.text("text") for seen in timeline.select("received", who))


def _relayed(timeline: Timeline, who: str, word: str, since: float) -> bool:
    """Whether the word came to her, and had not come before anybody said it."""
    heard = [seen for seen in timeline.select("received", who) if word in seen.text("text")]
    return bool(heard) and all(seen.at >= since for seen in heard)


def _period(timeline: Timeline, who: str, until: float) -> float:
    """The longest pause between messages that nobody asked for; -1 if there are not two of them."""
    opened = [one.at for one in timeline.select("ordered", who) if one.text("do") == "open"]
    came = [one.at for one in timeline.select("connected", who)]
    greeted = max([*came, *opened], default=0.0) + GREETING_MS
    times = [
        seen.at + evidence.moved_ms(timeline, seen.at)
        for seen in timeline.select("received", who)
        if greeted < seen.at < until
    ]
    pauses = [after - before for before, after in pairwise(times)]
    return max(pauses[1:] or pauses) if len(pauses) > 1 else -1.0


def _spans(spoken: list[Observation], timeline: Timeline) -> list[Observation]:
    ends = [*(one.at for one in spoken[1:]), timeline.elapsed() + 1]
    return [
        Observation(one.at, one.source, one.what, one.who, {"until": end})
        for one, end in zip(spoken, ends, strict=True)
    ]


def _got(timeline: Timeline, who: str, after: float, until: float | None) -> bool:
    return any(after <= seen.at and (until is None or seen.at < until) for seen in timeline.select("received", who))

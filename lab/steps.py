"""Steps: what clients do. Each is a value; nothing here does anything."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Something `who` does. `alice#2` is alice's second connection."""

    who: str


@dataclass(frozen=True, slots=True)
class Connect(Step):
    """Open a WebSocket. Done when both ends have said so.

    Attributes:
        times: with more than one, a single process opens that many: `carol-1`, `carol-2`, ...
        turn: for the how-manieth time they come: in their second turn they are `carol-1#2`, `carol-2#2`, ...
        mute: in a check, they say nothing when they have come.
        knock: in a check, they ask to be let in, and nobody waits for the answer: it may never come.
        first: the number of the first of several.
    """

    times: int = 1
    turn: int = 1
    mute: bool = False
    knock: bool = False
    first: int = 1

    @property
    def connections(self) -> tuple[str, ...]:
        """The names of the connections it opens."""
        numbers = range(self.first, self.first + self.times)
        names = (self.who,) if self.times == 1 else tuple(f"{self.who}-{n}" for n in numbers)
        return tuple(in_turn(name, self.turn) for name in names)


@dataclass(frozen=True, slots=True)
class Say(Step):
    """Send a text to the server and wait until it is echoed."""

    text: str = "are you there?"


@dataclass(frozen=True, slots=True)
class Broadcast(Step):
    """Send a text to everybody. Done when it is sent; who heard it is for the verdict."""

    text: str = "hello, everybody"


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Send one raw frame and wait for the server's next answer to this connection.

    Attributes:
        payload: text goes out as a text frame, bytes as a binary one.
    """

    payload: str | bytes


@dataclass(frozen=True, slots=True)
class Flood(Step):
    """Stop reading, and have as much said as no buffer takes. Nobody waits for it: it may never be over."""


@dataclass(frozen=True, slots=True)
class Leave(Step):
    """Close politely, with a Close frame."""

    code: int = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rest(Step):
    """Let time pass, because time is the point."""

    seconds: float = 0.0


def in_turn(connection: str, turn: int) -> str:
    """The connection that takes its place so many turns on: in the second turn `alice#3` for `alice#2`."""
    user, _, number = connection.partition("#")
    later = int(number or 1) + turn - 1
    return user if later == 1 else f"{user}#{later}"


def actor_of(connection: str) -> str:
    """The actor that holds a connection: `alice` for `alice#2`, `carol` for `carol-17`."""
    return connection.partition("#")[0].partition("-")[0]

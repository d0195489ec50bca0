"""The contract of a link: the way between one client and the server, which the nemesis may break."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from lab.backends.actors import StageError
from lab.clock import Bracket


class LinkError(StageError):
    """A link could not do what it was told. The message is one line, for people."""


class Direction(Enum):
    """Which way bytes flow, in Toxiproxy's words."""

    UPSTREAM = "upstream"
    """From the client to the server."""
    DOWNSTREAM = "downstream"
    """From the server to the client."""


class Link(Protocol):
    """One client's way to the server. Two links never share a fault.

    A fault is on the link, so it also meets connections opened while it is on. Different faults add up; the same one
    again changes nothing but its number. What a link does of its own accord is what Toxiproxy does: it connects to the
    server as soon as it has accepted the client; when either end closes, however it closes, it delivers what it has and
    then closes the other end with a FIN, both directions at once, so that nothing is ever half-closed.

    Every method returns when the fault is on (or off), and says between which two readings of the clock that happened.
    What follows from it (a FIN that `mend` lets through) may come a little later.

    Attributes:
        name: which client's link this is.
        address: host and port that the client dials.

    Raises:
        LinkError: from any method, if the link could not do it.
    """

    name: str
    address: tuple[str, int]

    def arm(self) -> None:
        """Prepare connections opened from now on for `reset`.

        An armed connection ends with an RST at both ends however it ends, `cut` included. `mend` disarms the link, not
        the connections it has armed. (This is what a Toxiproxy `reset_peer` toxic of toxicity 0 does.)
        """

    def cut(self) -> Bracket:
        """Close both ends of every open connection with a FIN; refuse new ones until `mend`.

        An end that has sent more than the link took (a stall, a slow reader) may get an RST instead: that is how a
        kernel closes a socket with bytes unread. An embedded link sends its FIN first, so with it only an end that does
        not read either is reset.
        """

    def reset(self) -> Bracket:
        """Close both ends of every open connection with an RST, idle or not. New connections pass.

        Raises:
            LinkError: if the link is not armed and cannot do it without.
        """

    def stall(self) -> Bracket:
        """Let nothing through, either way, and lose nothing: `mend` delivers it, in order.

        The end of a stream waits behind what is held before it; with nothing held it passes, as it does in Toxiproxy.
        """

    def blackhole(self, *directions: Direction) -> Bracket:
        """Lose every byte in these directions (none named: both); the end of a stream passes.

        `mend` closes the connections that were open under it, as removing Toxiproxy's `timeout` toxic does.
        """

    def latency(self, ms: int) -> Bracket:
        """Deliver every chunk `ms` milliseconds after it came, both ways, in order."""

    def idle(self, seconds: float, forgotten: Callable[[Bracket], None]) -> Bracket:
        """Watch from now on, and forget the connections once no byte has crossed, either way, for so many seconds.

        Of what is forgotten nothing is delivered any more, and nobody is told. Whoever speaks then gets an RST; its
        words are lost. The connections of a link are forgotten together, when all of them have been silent. `forgotten`
        is called once they are, from another thread, with the readings between which that happened. `mend` ends the
        watch, and resets what is forgotten.

        An embedded link leaves the other end in ignorance until it speaks too, and lets new connections pass. Toxiproxy
        ends a connection at both ends or not at all: the other end gets its RST at the same time, and new connections
        are lost like the old ones until `mend`.

        Raises:
            LinkError: if the link is not armed and cannot reset without, or if it cannot see bytes.
        """

    def mend(self) -> Bracket:
        """Take every fault off: what was held goes on, new connections pass, and the link is not armed any more."""

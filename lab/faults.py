"""Faults: what the nemesis does to an actor or its link. Each is a value; nothing here does anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lab.steps import Step

SERVER = "server"


@dataclass(frozen=True, slots=True)
class Fault(Step):
    """Something done to `who` (a client's name, or `server`).

    Attributes:
        name: its word in timelines and reports.
        silent: nothing reaches the server any more, and nothing tells it so.
        fatal: the process is gone afterwards.
    """

    name: ClassVar[str] = "fault"
    silent: ClassVar[bool] = False
    fatal: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Kill(Fault):
    """SIGKILL. The process cannot catch it; its kernel closes the socket: a FIN and no Close frame."""

    name: ClassVar[str] = "kill"
    fatal: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Interrupt(Fault):
    """SIGINT, as Ctrl-C sends it."""

    name: ClassVar[str] = "interrupt"
    fatal: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Stop(Fault):
    """SIGTERM, as a deploy sends it."""

    name: ClassVar[str] = "stop"
    fatal: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Pause(Fault):
    """The process is frozen with its sockets open: its kernel acknowledges, nobody answers."""

    name: ClassVar[str] = "pause"
    silent: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """The link closes both its connections: a FIN to either end, and no Close frame."""

    name: ClassVar[str] = "cut"


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """The link sends an RST to either end."""

    name: ClassVar[str] = "reset"


@dataclass(frozen=True, slots=True)
class Stall(Fault):
    """The link holds every byte, both ways; mended, it delivers them."""

    name: ClassVar[str] = "stall"
    silent: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Unplug(Fault):
    """The client loses its network: no byte leaves or arrives, and no FIN either."""

    name: ClassVar[str] = "unplug"
    silent: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Idle(Fault):
    """From now on the way between forgets the client's connections once no byte has crossed for `seconds`.

    A NAT or a load balancer does that to save memory. RFC 5382 (REQ-5) allows it after 2 h 4 min at the earliest; the
    NAT gateways of AWS do it after 350 s, those of Azure after 4 min. Neither end is told. Whoever speaks later gets an
    RST, what was said is lost, and the other end hears nothing: Azure documents it so. A Linux router (measured: 6.18,
    MASQUERADE) does it to a server that speaks, and to a client whom it gives another port than before; given the same
    one, her connection is known again. A firewall that never answers is `Unplug`.

    Attributes:
        seconds: how long it may be silent. A byte in time, either way, keeps it alive.
    """

    seconds: float
    name: ClassVar[str] = "idle"
    silent: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Heal(Step):
    """Mend the last fault that `who` suffers. (The nemesis mends whatever is left at the end.)"""

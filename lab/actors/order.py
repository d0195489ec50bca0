"""What the lab asks of the client actor: one line of JSON an order."""

from __future__ import annotations

from dataclasses import dataclass

from lab.steps import Connect


@dataclass(frozen=True, slots=True)
class Order:
    """One line from the lab.

    Attributes:
        do: connect, knock (ask to be let in, no more), say, leave, abort (no Close frame), idle, rest or clock.
        who: the connection; for a crowd, its common part.
        ask: the number under which the lab awaits the answer.
        user: whom the connection is of, if that is not what it is called.
        turn, first: for the how-manieth time a crowd comes, and the number of its first.
        quiet: nobody wants to know what it receives.
        url: where to connect; `{user}` stands for the user's name, `{n}` for a number of its own.
        replies: with `connect`, patterns of what is answered, each with its answer.
        times: with `say`, how often; a deaf connection stops reading first.
    """

    do: str
    who: str = ""
    ask: int = 0
    user: str = ""
    turn: int = 1
    first: int = 1
    url: str = ""
    times: int = 1
    text: str | None = None
    hex: str = ""
    code: int = 1000
    reason: str = ""
    deaf: bool = False
    quiet: bool = False
    subprotocols: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    replies: tuple[tuple[str, str], ...] = ()

    @property
    def connections(self) -> tuple[str, ...]:
        """The names of the connections it is for."""
        return Connect(self.who, self.times, self.turn, first=self.first).connections

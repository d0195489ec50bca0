"""What is graded: somebody's own server, and how to talk to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

TEXT = json.dumps({"type": "echo", "text": "hello from hangup", "message": "hello from hangup"})
"""What a client says if nobody knows better: text for a server that wants text, an object for one that wants JSON."""

PAD = "{pad}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a container of a participant's image may use. The image is not trusted.

    Attributes:
        capabilities: those of Linux's that it keeps, such as `NET_BIND_SERVICE`; the others are dropped.
        memory: as Docker writes it, such as `1g`; there is no swap on top.
        processes: how many processes and threads.
    """

    capabilities: tuple[str, ...] = ()
    memory: str = "1g"
    processes: int = 512

    def __str__(self) -> str:
        kept = ", ".join(self.capabilities) or "none"
        return f"--cap {kept}, --memory {self.memory}, --processes {self.processes}"


@dataclass(frozen=True, slots=True)
class Subject:
    """A server to grade.

    In path, query, subprotocols, headers and texts `{name}` is the client's name and `{n}` its number.

    Attributes:
        app: `module:attribute` or `path/to/file.py[:attribute]`.
        factory: whether that makes the application, rather than being it.
        path: where its WebSocket is; None: `/ws`, or its only WebSocket route.
        flavour: the WebSocket implementation it is served by.
        say: what clients say; bytes are a binary frame. Of several, all open the conversation, in order; the last is
            what is said later on.
        replies: of each text that a client receives in which the pattern, a regular expression, is found, what it
            answers; `\\1` is what the pattern's first group found.
        subprotocols, headers, query: for the handshake. Without a query the name is offered as `?user=NAME`.
        rows_url, rows_sql: a database and a query whose rows are the sessions still open. `{folder}` is the run's own.
        env: for the server's environment; `{folder}` as above.
        command, url: a server in any language instead of `app`: how to start it, and where its WebSocket is.
        image, port: a server in a container instead: its image, and the port it listens on.
        allowed: what that container may have.
        real_time: its clock is not moved. What is not over soon is then unknown.
        pings: how many seconds there are between two pings of such a server; 0 if nobody knows.
    """

    app: str = ""
    factory: bool = False
    path: str | None = None
    flavour: str = "auto"
    say: tuple[str | bytes, ...] = ()
    replies: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[str, ...] = ("user={name}",)
    rows_url: str = ""
    rows_sql: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    url: str = ""
    image: str = ""
    port: int = 8000
    allowed: Allowed = Allowed()
    pings: float = 0.0
    real_time: bool = False

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.app or self.command or self.image

    @property
    def witnessed(self) -> bool:
        """Whether our witness can run inside its process."""
        return bool(self.app)

    @property
    def opening(self) -> tuple[str | bytes, ...]:
        """What opens every conversation."""
        return self.say if len(self.say) > 1 else ()

    @property
    def talk(self) -> str | bytes:
        """What a client says whenever it speaks."""
        return self.say[-1] if self.say else TEXT

    def big(self, size: int) -> str | None:
        """A talk of about so many characters; None if the participant's text has no `{pad}`."""
        if not self.say:
            return json.dumps({"type": "echo", "text": "x" * size, "message": "x" * size})
        if isinstance(self.talk, bytes) or PAD not in self.talk:
            return None
        return self.talk.replace(PAD, "x" * size)


def filled(text: str) -> str:
    """For the client, which knows names as `{user}`; a talk of ordinary size has no padding."""
    return text.replace("{name}", "{user}").replace(PAD, "")

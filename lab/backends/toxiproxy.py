"""A link that is a Toxiproxy proxy: a thin adapter over toxiproxy-python, which is kept as the client.

The package (0.1.1, of 2019) sets no timeout, honours HTTP_PROXY even for the loopback interface, knows the status codes
400, 404 and 409 only, and keeps the address of its one API on a class. All of that is in its module `toxiproxy.api`,
so while one of our calls runs, that module sees our `Http` instead of requests, and our address.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import requests
import toxiproxy
import toxiproxy.api

from lab.backends.compat import spoken_to
from lab.backends.faultlink import Direction, LinkError
from lab.backends.idling import Idling, LastByte
from lab.backends.toxihttp import Http
from lab.clock import Bracket, now

POLL_SECONDS = 0.02
NAME = re.compile(r"\w[\w.-]*")
"""The names a proxy may have. With a '/' Toxiproxy takes it, and can never find it again."""

FORGET = "idle"
"""The name of the toxics that end a connection when somebody speaks."""


class Toxiproxy:
    """The API of a running Toxiproxy. A context manager: leaving it closes the connection to the API.

    Args:
        host: where the API listens.
        port: and its port.
        bind: the interface its proxies listen on. In a container the default is the only useful one.

    Raises:
        LinkError: from any method, if the API does not answer or refuses.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 8474, bind: str = "0.0.0.0") -> None:
        self.bind = bind
        self._http = Http(host, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection to the API. The proxies stay."""
        self._http.close()

    def version(self) -> str:
        """Toxiproxy's version, such as "2.12.0"."""
        with self.borrowed() as api:
            said = api.get("/version").text
        found = re.search(r'"version"\s*:\s*"([^"]+)"', said)
        if found is None:
            raise LinkError(f"what answers at {self._http.host}:{self._http.port} is not a Toxiproxy")
        return found[1]

    def wait(self, timeout: float) -> str:
        """Wait until the API answers, at most `timeout` seconds; its version."""
        deadline = now() + timeout
        while True:
            try:
                return self.version()
            except LinkError:
                if now() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    def link(self, name: str, upstream: str, listen: int, dial: tuple[str, int]) -> ToxiproxyLink:
        """A link through this Toxiproxy; one that has the name already is destroyed, with its connections.

        Args:
            name: whose link it is: letters, digits, and "_", ".", "-".
            upstream: the server's "host:port", as Toxiproxy sees it.
            listen: the port that Toxiproxy shall listen on.
            dial: that port's address, as the client sees it.
        """
        if NAME.fullmatch(name) is None:
            raise LinkError(f"a link cannot be named {name!r}: only letters, digits, '_', '.' and '-'")
        with self.borrowed():
            server = toxiproxy.Toxiproxy()
            server.destroy(server.get_proxy(name))
            proxy = server.create(upstream=upstream, name=name, listen=f"{self.bind}:{listen}")
        return ToxiproxyLink(self, proxy, dial)

    @contextmanager
    def borrowed(self) -> Iterator[type[toxiproxy.api.APIConsumer]]:
        """While inside, the package speaks to this API, in our way; one thread at a time."""
        with spoken_to(self._http.host, self._http.port, self._http) as api:
            try:
                yield api
            except requests.JSONDecodeError:
                raise LinkError(f"what answers at {self._http.host}:{self._http.port} is not a Toxiproxy") from None


class ToxiproxyLink:
    """One proxy of a Toxiproxy. `Toxiproxy.link` makes it.

    Attributes:
        name: which client's link this is.
        address: host and port that the client dials.
        last_byte: who knows when a byte last crossed; Toxiproxy counts them, and tells once a connection is over.
    """

    def __init__(self, server: Toxiproxy, proxy: toxiproxy.Proxy, dial: tuple[str, int]) -> None:
        self.name: str = proxy.name
        self.address = dial
        self._server, self._proxy = server, proxy
        self._armed = False
        self._on: set[str] = set()
        self.last_byte: LastByte | None = None
        self._idling: Idling | None = None

    def arm(self) -> None:
        """See `Link.arm`. Toxiproxy makes sockets ready for an RST only when a connection starts."""
        with self._server.borrowed():
            self._add("reset_peer", tuple(Direction), toxicity=0, timeout=0)
        self._armed = True

    def cut(self) -> Bracket:
        """See `Link.cut`."""
        return self._switch_off()

    def reset(self) -> Bracket:
        """See `Link.reset`."""
        self._require_arms()
        bracket = self._switch_off()
        with self._server.borrowed():
            self._proxy.enable()
        return bracket

    def stall(self) -> Bracket:
        """See `Link.stall`."""
        held = self._inject("bandwidth", tuple(Direction), rate=0)
        # Adding a toxic makes the one before it let go of a chunk. This one has none.
        guarded = self._inject("noop", tuple(Direction))
        return Bracket(held.before, guarded.after)

    def blackhole(self, *directions: Direction) -> Bracket:
        """See `Link.blackhole`."""
        return self._inject("timeout", directions or tuple(Direction), timeout=0)

    def latency(self, ms: int) -> Bracket:
        """See `Link.latency`."""
        return self._inject("latency", tuple(Direction), latency=ms)

    def idle(self, seconds: float, forgotten: Callable[[Bracket], None]) -> Bracket:
        """See `Link.idle`. A thread of ours watches, and forgets by a `reset_peer` that acts on the next byte."""
        self._require_arms()
        if self.last_byte is None:
            raise LinkError(f"link {self.name!r} does not see bytes: Toxiproxy says nothing of an open connection's")
        before = now()
        self._end_idling()
        self._idling = Idling(seconds, self.last_byte, lambda: forgotten(self._forget()))
        self._idling.start()
        return Bracket(before, now())

    def mend(self) -> Bracket:
        """See `Link.mend`."""
        self._end_idling()
        with self._server.borrowed():
            before = now()
            if any(name.startswith(FORGET) for name in self._on):
                self._proxy.disable()  # to take the toxic off would be to remember
            for toxic in self._proxy.toxics():
                self._proxy.destroy_toxic(toxic)
            self._proxy.enable()
            after = now()
        self._on.clear()
        self._armed = False
        return Bracket(before, after)

    def close(self) -> None:
        """Destroy the proxy, with its connections; its port is free again."""
        self._end_idling()
        with self._server.borrowed():
            self._proxy.destroy()

    def _forget(self) -> Bracket:
        return self._inject("reset_peer", tuple(Direction), prefix=FORGET, timeout=0)

    def _end_idling(self) -> None:
        if self._idling is not None:
            self._idling.end()
            self._idling = None

    def _require_arms(self) -> None:
        if not self._armed:
            raise LinkError(f"link {self.name!r} is not armed: Toxiproxy would send a FIN, not an RST")

    def _switch_off(self) -> Bracket:
        with self._server.borrowed():
            before = now()
            self._proxy.disable()
            return Bracket(before, now())

    def _inject(self, kind: str, directions: tuple[Direction, ...], *, prefix: str = "", **attributes: int) -> Bracket:
        with self._server.borrowed():
            before = now()
            self._add(kind, directions, toxicity=1, prefix=prefix, **attributes)
            return Bracket(before, now())

    def _add(
        self, kind: str, directions: tuple[Direction, ...], *, toxicity: int, prefix: str = "", **attributes: int
    ) -> None:
        for way in directions:
            name = f"{prefix or kind}_{way.value}"
            if name not in self._on:
                self._proxy.add_toxic(type=kind, name=name, stream=way.value, toxicity=toxicity, attributes=attributes)
                self._on.add(name)
            elif kind == "latency":  # to update any other would change nothing, and let go of what it holds
                path = f"/proxies/{self.name}/toxics/{name}"
                toxiproxy.api.APIConsumer.post(path, json={"attributes": attributes})

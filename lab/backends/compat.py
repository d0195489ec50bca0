"""What the stages read of the Docker SDK and of toxiproxy-python that these never promised."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import toxiproxy.api

READ_FROM = {"docker": ("7.2",), "toxiproxy-python": ("0.1",)}

UNDER, RESPONSE = "_sock", "_response"
ADDRESS = attrgetter("host", "port")
REQUESTS = attrgetter("requests")

_borrowing = threading.RLock()


def run_exit_functions() -> None:
    """What Python does at its end, of which `os._exit` does nothing: wait for threads, call what `atexit` knows."""
    threading._shutdown()  # type: ignore[attr-defined]  # CPython 3.11 to 3.14, as its main() calls it
    atexit._run_exitfuncs()


def stream_of(attached: object) -> Any:
    """The socket under what `attach_socket()` answers: over TLS and SSH that is a socket already."""
    return getattr(attached, UNDER, attached)


def let_go(attached: Any) -> None:
    """Close what `attach_socket()` answered, and the response by which the SDK keeps the connection open."""
    response = getattr(attached, RESPONSE, None)
    if response is not None:
        response.close()
    attached.close()


@contextmanager
def spoken_to(host: str, port: int, http: object) -> Iterator[type[toxiproxy.api.APIConsumer]]:
    """While inside, toxiproxy-python speaks to that API, through that instead of requests; one thread at a time."""
    import toxiproxy.api as module  # only who plays on Docker pays for importing it

    api = module.APIConsumer
    with _borrowing:
        kept, requests = ADDRESS(api), REQUESTS(module)
        api.host, api.port, module.requests = host, port, http
        try:
            yield api
        finally:
            (api.host, api.port), module.requests = kept, requests

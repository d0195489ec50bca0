"""How an actor speaks: one JSON line a fact, on the standard output it was started with."""

from __future__ import annotations

import json
import os
import sys
import threading
import time

_lock = threading.Lock()
_fd = 1


def take_stdout() -> None:
    """Keep standard output for facts; whatever else prints goes to standard error from now on.

    The application under test may print what it likes: it cannot be taken for a fact.
    """
    global _fd  # noqa: PLW0603  # a process has one standard output
    sys.stdout.flush()
    _fd = os.dup(1)
    os.set_inheritable(_fd, False)
    os.dup2(2, 1)


def observe(what: str, who: str = "", **detail: object) -> None:
    """Say one fact, with the time at which it is said.

    Args:
        what: a past participle.
        who: the connection it is about.
        detail: anything JSON can hold.
    """
    line = {"what": what, "who": who, "at": time.monotonic(), **detail}
    # Half a surrogate pair, which a client may well send, cannot be encoded; as an escape it is still JSON.
    data = json.dumps(line, ensure_ascii=False, default=str).encode(errors="backslashreplace") + b"\n"
    with _lock:
        while data:
            data = data[os.write(_fd, data) :]

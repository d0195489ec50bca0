"""One thing that is held: the word of a census."""

from __future__ import annotations

from typing import NamedTuple


class Held(NamedTuple):
    """One thing the server holds. A tuple: a census may have ten thousand, and a dataclass takes four times as long.

    Attributes:
        kind: connection, handler, task, row; or mailbox, a queue that somebody who is gone may come back for.
        who: the connection it is held for; for a row, the user.
        evidence: what was seen, as far as it can be said in a few words.
        holder: what holds it; "" where nobody could be found, or nobody was looked for.
        wakes_ms: milliseconds until a timer wakes it; -1 if none does.
        last: whether it then ends by itself, being in no loop.
        sure: whether a path proves that it is held; of a mailbox also, that it is still written to and nobody reads it.
        outside: whether it waits for something outside the process, such as a database, that may still come.
    """

    kind: str
    who: str
    evidence: str = ""
    holder: str = ""
    wakes_ms: float = -1.0
    last: bool = False
    sure: bool = True
    outside: bool = False

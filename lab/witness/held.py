"""One thing that is held: the word of a census."""

from __future__ import annotations

from typing import NamedTuple


class Held(NamedTuple):
    """One thing the server holds. A tuple: a census may have ten thousand, and a dataclass takes four times as long.

    Attributes:
        kind: connection, handler, task or row.
        who: the connection it is held for; for a row, the user.
        evidence: what was seen, as far as it can be said in a few words.
        holder: what holds it; "" where nobody could be found, or nobody was looked for.
        wakes_ms: milliseconds until a timer wakes it; -1 if none does.
        made: for a task, the application's line that made it, as `rooms.py:31 in chat()`.
        sure: whether a path proves that it is held.
    """

    kind: str
    who: str
    evidence: str = ""
    holder: str = ""
    wakes_ms: float = -1.0
    made: str = ""
    sure: bool = True

"""Counter lines: `active connections: N` in a server's log. Of a room's or a user's own count nobody is accused."""

from __future__ import annotations

import re
from collections.abc import Iterable

COUNTER = re.compile(r"(?<!peak )(?<!max )(?<!total )active connections\s*[:=]\s*(-?\d+)", re.IGNORECASE)

_ROOM = r"(?<![a-z])(?:room|channel|group|topic|tenant)"
_PART = rf"(?:{_ROOM}|(?<![a-z])user)(?:s|_?id|\d+)?(?![a-z])"
_EVENT = r"\b(?:dis)?connected|\bjoined|\bleft|\bentered|\bclosed|\bopened"

_CLAUSE = re.compile(r"[;!|)\n]|[,.]\s|\s[-–—(]|->|→")
_LABEL = re.compile(rf"^\W*{_ROOM}", re.IGNORECASE)
_BEFORE = re.compile(rf"{_PART}(?!.*(?:{_EVENT}))", re.IGNORECASE)
_AFTER = re.compile(rf"^\s*(?:\(?(?:in|for|of)\s+|\()(?:the\s+|this\s+)?{_PART}(?!.*(?:{_EVENT}))", re.IGNORECASE)


def counts(lines: Iterable[str]) -> list[int | None]:
    """For each line how many are open in all, by its word; None if it does not say.

    A log that counts for each room, or each user, in any of its lines says it in none: which of the others speak of
    all, nobody can know.
    """
    said = [list(COUNTER.finditer(line)) for line in lines]
    whole = [next((int(one[1]) for one in found if not _of_a_part(one)), None) for found in said]
    apart = any(found and count is None for found, count in zip(said, whole, strict=True))
    return [None] * len(whole) if apart else whole


def _of_a_part(found: re.Match[str]) -> bool:
    """Whether it is a room's or a user's count: by the label of its line, its own clause, or what comes after it."""
    before, after = found.string[: found.start()], found.string[found.end() :]
    clause = _CLAUSE.split(before)[-1]
    return bool(_LABEL.search(before) or _BEFORE.search(clause) or _AFTER.search(after))

"""What in a timeline answers what the lab asked of a client or of the server. Pure."""

from __future__ import annotations

import json
from collections import Counter

from lab import evidence
from lab.timeline import Timeline


def answered_order(seen: Timeline, ask: int) -> bool:
    """The census was taken; or the loop that should take it does not turn."""
    last = (seen.last("counted"), seen.last("frozen"))
    return any(one is not None and one.number("ask") == ask for one in last)


def is_set_up(census: evidence.Census, names: list[str], kinds: frozenset[str]) -> bool:
    """Whether everything of these kinds is there for each of them; rows are per user."""
    served, rows = census.served(), Counter(held.who for held in census.held if held.kind == "row")
    users = map(evidence.user_of, names)
    there = {(held.kind, held.who) for held in census.held}
    wanted = {(kind, name) for kind in kinds if kind != "row" for name in names}
    return wanted <= there and ("row" not in kinds or all(rows[user] >= served[user] > 0 for user in users))


def answered_to(seen: Timeline, name: str) -> bool:
    """Whether she was let in, by her own account and the server's, or refused."""
    let_in = seen.first("connected", name) and seen.first("accepted", name)
    return bool(let_in or seen.first("refused", name))


def is_over(timeline: Timeline, who: str) -> bool:
    """Whether her connection has ended, as she knows."""
    return timeline.first("closed", who) is not None or timeline.last("failed", who) is not None


def is_message(text: str, want: dict[str, str]) -> bool:
    """Whether a text is a JSON object that has all this."""
    try:
        message = json.loads(text)
    except ValueError:
        return False
    return isinstance(message, dict) and all(message.get(key) == value for key, value in want.items())

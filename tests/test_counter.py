"""Counter lines: what says how many connections are open in all, and what speaks of a room or a user."""

from __future__ import annotations

import pytest

from lab.counter import counts

JOINED = "carol connected; active connections: 9"


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("alice connected; active connections: 2", 2),
        ("user alice connected, active connections = 2", 2),
        ("User alice connected - active connections: 1", 1),
        ("user=alice event=connected active connections=2", 2),
        ("alice joined room lobby - active connections: 2", 2),
        ("alice joined room lobby (Active connections: 2)", 2),
        ("alice joined room lobby → active connections: 2", 2),
        ("Client 3 (room lobby) left - active connections: 4", 4),
        ("host=web-1 active connections: 3", 3),
        ("active connections: 3 (user alice left)", 3),
        ("alice left; active connections: -1", -1),
        ("2 in room lobby; active connections: 5", 5),
        ("alice left channel 7, room lobby has 1. Active connections: 3", 3),
    ],
)
def test_a_line_says_what_is_open_in_all(line: str, count: int) -> None:
    assert counts([line, JOINED, "no counter here", "peak active connections: 12"]) == [count, 9, None, None]


@pytest.mark.parametrize(
    "line",
    [
        "room lobby: active connections: 1",
        "room lobby: alice joined, active connections: 1",
        "[room lobby] alice joined; active connections: 1",
        "alice joined; channel #general now has active connections: 1",
        "user alice active connections: 1",
        "user alice@example.com active connections: 1",
        "user_id=42 active connections: 3",
        "joined; rooms[lobby] active connections: 3",
        "room5: active connections: 3",
        "room v1.2: active connections: 1",
        "active connections: 3 in room lobby",
        "Active connections: 2 (room lobby)",
        "active connections: 1 for user alice",
    ],
)
def test_a_log_that_counts_a_room_or_a_user_apart_is_not_judged(line: str) -> None:
    assert counts([JOINED, line]) == [None, None]


def test_a_line_that_says_both_says_what_is_open_in_all() -> None:
    assert counts(["2 in all; room lobby active connections: 1; active connections: 2", JOINED]) == [2, 9]

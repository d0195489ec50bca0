"""many_tabs: a user may have many connections, and each is found by its user and by its room.

Both indexes are filled by one function and emptied by one other, which the finally calls.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


@dataclass(eq=False)
class Tab:
    websocket: WebSocket
    user: str
    room: str


by_user: defaultdict[str, set[Tab]] = defaultdict(set)
by_room: defaultdict[str, set[Tab]] = defaultdict(set)
INDEXES = ((by_user, "user"), (by_room, "room"))


def enter(tab: Tab) -> None:
    for index, key in INDEXES:
        index[getattr(tab, key)].add(tab)
    print(f"{tab.user} joined; active connections: {sum(map(len, by_user.values()))}")  # noqa: T201  # as people do


def leave(tab: Tab) -> None:
    for index, key in INDEXES:
        name = getattr(tab, key)
        index[name].discard(tab)
        if not index[name]:
            del index[name]
    print(f"{tab.user} left; active connections: {sum(map(len, by_user.values()))}")  # noqa: T201  # as people do


@app.websocket("/ws")
async def tabs(websocket: WebSocket, user: str = "anonymous", room: str = "lobby") -> None:
    await websocket.accept()
    tab = Tab(websocket, user, room)
    enter(tab)
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            here = f"{len(by_user[user])} tabs, {len(by_room[room])} in {room}"
            async with asyncio.timeout(1):
                await websocket.send_text(f"{here}: {(message.get('text') or 'something binary')[:200]}")
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
    finally:
        leave(tab)

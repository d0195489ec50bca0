"""event_of_a_user: an Event for each user, set when there is mail.

It stays for her next visit, one a user and not one a visit.
"""

import asyncio
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
mail: dict[str, asyncio.Event] = {}


async def announce(websocket: WebSocket, arrived: asyncio.Event) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await arrived.wait()
            arrived.clear()
            await websocket.send_text("you have mail")


@app.websocket("/ws")
async def letters(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    announcing = asyncio.create_task(announce(websocket, mail.setdefault(user, asyncio.Event())))
    try:
        while True:
            to = (await websocket.receive_text())[:50]
            if to in mail:
                mail[to].set()
            await websocket.send_text(f"{'sent to' if to in mail else 'nobody is called'} {to}")
    except (WebSocketDisconnect, RuntimeError, KeyError):  # KeyError: a binary frame
        pass
    finally:
        announcing.cancel()
        await asyncio.wait([announcing])

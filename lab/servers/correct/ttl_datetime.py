"""ttl_datetime: tokens with a date of expiry, in UTC.

A task of the lifespan compares it with now, every fifteen seconds.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

LIFE = timedelta(seconds=25)


@dataclass
class Ticket:
    user: str
    expires: datetime = field(default_factory=lambda: datetime.now(UTC) + LIFE)


tickets: dict[str, Ticket] = {}


async def expire() -> None:
    while True:
        await asyncio.sleep(15)
        now = datetime.now(UTC)
        for code in [code for code, ticket in tickets.items() if ticket.expires <= now]:
            tickets.pop(code)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    expiring = asyncio.create_task(expire())
    yield
    expiring.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    tickets[secrets.token_hex()] = Ticket(user)
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass

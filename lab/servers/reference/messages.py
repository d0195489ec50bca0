"""What clients may say, and what is wrong with what they said."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from json import JSONDecodeError

from fastapi import WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketState

KINDS = ("echo", "broadcast", "bug")


@dataclass(frozen=True, slots=True)
class Message:
    """A well-formed message."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """A message that could not be understood. Bad JSON is not a disconnect."""

    error: str
    detail: str


async def next_message(websocket: WebSocket) -> Message | Complaint:
    """The next message. Only the end of the session raises (WebSocketDisconnect)."""
    try:
        data = await websocket.receive_json()
    except JSONDecodeError as error:
        return Complaint("bad-json", f"not JSON: {error.msg} at character {error.pos}")
    except (ValueError, RecursionError) as error:  # JSON that Python declines: a huge number, endless nesting
        return Complaint("bad-json", str(error))
    except (KeyError, TypeError):
        # Starlette looks for 'text' in a binary frame: KeyError or TypeError, by server.
        return Complaint("not-text", "a binary frame; this server speaks JSON text")
    return parse(data)


def parse(data: object) -> Message | Complaint:
    """A message of the right shape, or what is wrong with it."""
    if not isinstance(data, dict) or data.get("type") not in KINDS:
        return Complaint("bad-shape", f'want {{"type": one of {", ".join(KINDS)}, "text": "..."}}')
    text = data.get("text", "")
    if isinstance(text, str) and any("\ud800" <= letter <= "\udfff" for letter in text):
        return Complaint("bad-shape", '"text" holds half a surrogate pair, which no frame can carry')
    return Message(data["type"], text) if isinstance(text, str) else Complaint("bad-shape", '"text" must be a string')


async def how_it_ended(websocket: WebSocket, gone: WebSocketDisconnect | RuntimeError) -> WebSocketDisconnect:
    """The end with its true code, whoever learned of it first.

    A send that fails says 1006 even after a clean goodbye, and from then on Starlette's receive_json raises a
    RuntimeError: the code is still there, in the message that nobody has received yet.
    """
    try:
        async with asyncio.timeout(1.0):
            while websocket.client_state is WebSocketState.CONNECTED:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return WebSocketDisconnect(message.get("code", 1006), message.get("reason"))
    except TimeoutError:
        pass
    return gone if isinstance(gone, WebSocketDisconnect) else WebSocketDisconnect(1006)

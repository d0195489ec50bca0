"""raw_asgi: no framework, just scope, receive and send; a dead peer shows as OSError or RuntimeError.

Everybody's `send` is kept while they are here, with the timeout that ends the handler of one who does not read.
"""

import asyncio
from itertools import count
from typing import Any

findings: dict[str, str] = {}

peers: dict[int, tuple[Any, asyncio.Timeout]] = {}
numbers = count(1)


async def deliver(number: int, text: str) -> None:
    if number not in peers:
        return  # gone since the round began
    send, session = peers[number]
    try:
        async with asyncio.timeout(1):
            await send({"type": "websocket.send", "text": text})
    except TimeoutError:
        if peers.pop(number, None):
            session.reschedule(0)
    except (OSError, RuntimeError):
        pass  # gone; its own handler is told


async def serve(receive: Any, send: Any) -> None:
    number = next(numbers)
    try:
        async with asyncio.timeout(None) as session:
            peers[number] = send, session
            print(f"{number} joined; active connections: {len(peers)}")  # noqa: T201  # as people do
            while (message := await receive())["type"] != "websocket.disconnect":
                text = f"{number}: {(message.get('text') or 'something binary')[:200]}"
                await asyncio.gather(*(deliver(peer, text) for peer in tuple(peers)))
    except TimeoutError:
        pass
    finally:
        peers.pop(number, None)
        print(f"{number} left; active connections: {len(peers)}")  # noqa: T201  # as people do


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"a WebSocket, please\n"})
    else:
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        await serve(receive, send)

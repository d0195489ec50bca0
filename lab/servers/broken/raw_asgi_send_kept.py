"""raw_asgi_send_kept: no framework; keeps each client's `send`, and drops it only after a goodbye with code 1000.

There is no WebSocket object here to leak: `send` is a method of the server's own connection, which it keeps alive.
"""

from contextlib import suppress
from itertools import count
from typing import Any

findings: dict[str, str] = {
    "no-orphan connection": "kill quit away reset pause stall talk garbage flood crowd",
    "counter-is-true": "kill quit away reset pause stall talk garbage flood crowd",
}
holder = "peers[*]"

peers: dict[int, Any] = {}
numbers = count(1)


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "websocket":
        return
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    number = next(numbers)
    peers[number] = send
    print(f"{number} joined; active connections: {len(peers)}")  # noqa: T201  # as people do
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            if message.get("code") == 1000:  # BUG: it is over whatever the code
                del peers[number]
                print(f"{number} left; active connections: {len(peers)}")  # noqa: T201  # as people do
            return
        for peer in tuple(peers.values()):
            with suppress(OSError, RuntimeError):  # what uvicorn raises for a dead peer
                await peer({"type": "websocket.send", "text": f"{number}: {(message.get('text') or 'binary')[:200]}"})

"""exit_stack: each thing that is set up pushes what undoes it; the stack runs all of that, last in, first out.

How each session ended is remembered as text: an exception would keep the frame, and with it the websocket.
"""

import asyncio
import logging
from collections import deque
from contextlib import ExitStack

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("stack")

app = FastAPI()
connected: dict[WebSocket, str] = {}
ends: deque[str] = deque(maxlen=50)


def tell(user: str, event: str) -> None:
    log.info("%s %s; active connections: %d", user, event, len(connected))


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    with ExitStack() as stack:
        stack.callback(tell, user, "left")
        connected[websocket] = user
        stack.callback(connected.pop, websocket)
        tell(user, "joined")
        try:
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    ends.append(f"{user}: {message['code']}")
                    break
                async with asyncio.timeout(1):
                    await websocket.send({**message, "type": "websocket.send"})
        except (WebSocketDisconnect, RuntimeError, TimeoutError) as error:
            ends.append(f"{user}: {error!r}")

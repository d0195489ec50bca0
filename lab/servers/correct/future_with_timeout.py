"""future_with_timeout: a question is open for twenty seconds.

Then, answered or not, its Future is taken off the table.
"""

import asyncio
import uuid
from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
pending: dict[str, asyncio.Future[str]] = {}
asking: set[asyncio.Task[None]] = set()


async def ask(websocket: WebSocket) -> None:
    question = uuid.uuid4().hex
    answer = pending[question] = asyncio.get_running_loop().create_future()
    try:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            await websocket.send_json({"question": question})
            await asyncio.wait_for(answer, 20)
    finally:
        del pending[question]


@app.websocket("/ws")
async def quiz(websocket: WebSocket) -> None:
    await websocket.accept()
    task = asyncio.create_task(ask(websocket))
    asking.add(task)
    task.add_done_callback(asking.discard)
    try:
        while True:
            text = await websocket.receive_text()
            question, _, said = text.partition(" ")
            if (answer := pending.get(question)) is not None and not answer.done():
                answer.set_result(said)
            await websocket.send_text(text)
    except (WebSocketDisconnect, KeyError, RuntimeError):  # KeyError: a binary frame
        pass

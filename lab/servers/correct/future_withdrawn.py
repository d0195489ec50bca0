"""future_withdrawn: asks each client a question.

Whatever ends the visit takes the Future for the answer off the table.
"""

import asyncio
from itertools import count

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
pending: dict[int, asyncio.Future[str]] = {}
numbers = count(1)


@app.websocket("/ws")
async def quiz(websocket: WebSocket) -> None:
    await websocket.accept()
    number = next(numbers)
    answer = pending[number] = asyncio.get_running_loop().create_future()
    try:
        await websocket.send_json({"question": number, "text": "what is your name?"})
        while True:
            text = await websocket.receive_text()
            if text.startswith("answer ") and not answer.done():
                answer.set_result(text)
            await websocket.send_text(text)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        del pending[number]
        answer.cancel()

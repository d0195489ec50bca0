"""future_left: asks each client a question.

The Future for the answer is taken off the table by the answer, and by nothing else.
"""

import asyncio
from itertools import count

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "pending"

app = FastAPI()
pending: dict[int, asyncio.Future[str]] = {}
numbers = count(1)


def ask() -> int:
    number = next(numbers)
    pending[number] = asyncio.get_running_loop().create_future()  # BUG: who leaves does not answer
    return number


def is_answer(number: int, text: str) -> bool:
    if text.startswith("answer ") and number in pending:
        pending.pop(number).set_result(text)
        return True
    return False


@app.websocket("/ws")
async def quiz(websocket: WebSocket) -> None:
    await websocket.accept()
    number = ask()
    await websocket.send_json({"question": number, "text": "what is your name?"})
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_text("thank you" if is_answer(number, text) else text)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass

"""pool_that_grows: a pool in a list, which makes another worker when none is idle.

It is as large as the largest crowd, and no larger.
"""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


class Translator:
    def __call__(self, text: str) -> str:
        return text[::-1]


idle: list[Translator] = []


@app.websocket("/ws")
async def translate(websocket: WebSocket) -> None:
    await websocket.accept()
    translator = idle.pop() if idle else Translator()
    try:
        async for text in websocket.iter_text():
            await websocket.send_text(translator(text))
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        idle.append(translator)

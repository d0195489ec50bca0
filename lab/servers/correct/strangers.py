"""strangers: whoever comes is given a partner, and what she says goes to that one only; an end frees the partner."""

from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
waiting: list[WebSocket] = []
partners: dict[WebSocket, WebSocket] = {}


async def tell(websocket: WebSocket, text: str) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # it is on its way out itself
        await websocket.send_text(text)


def give_partner(websocket: WebSocket) -> None:
    if waiting:
        other = waiting.pop(0)
        partners[websocket], partners[other] = other, websocket
    else:
        waiting.append(websocket)


@app.websocket("/ws")
async def meet(websocket: WebSocket) -> None:
    await websocket.accept()
    give_partner(websocket)
    try:
        while True:
            text = (await websocket.receive_text())[:200]
            await tell(partners.get(websocket, websocket), text)
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        if websocket in waiting:
            waiting.remove(websocket)
        other = partners.pop(websocket, None)
        if other is not None:
            partners.pop(other, None)
            give_partner(other)

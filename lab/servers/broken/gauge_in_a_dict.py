"""gauge_in_a_dict: statistics in a dictionary.

What counts down stands behind the loop, which a failed send leaves by another way.
A client that closes ends the loop. One that dies while she is being answered, or sends a binary frame, does not.
"""

from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {"no-orphan connection": "flood garbage"}
holder = "stats['online']"

app = FastAPI()
stats = {"online": 0, "messages": 0}


async def serve(websocket: WebSocket) -> None:
    stats["online"] += 1
    async for text in websocket.iter_text():
        stats["messages"] += 1
        await websocket.send_text(f"{stats['messages']}: {text}")
    stats["online"] -= 1  # BUG: this needs a finally


@app.websocket("/ws")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    with suppress(WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        await serve(websocket)

"""pairs_in_a_set: remembers (user, visit) in a set, and takes (user, user's next visit) out of it.

That is another pair.
"""

from itertools import count

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "here"

app = FastAPI()
here: set[tuple[str, int]] = set()
visits = count(1)


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    here.add((user, next(visits)))
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_json({"here": len(here), "text": text[:200]})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass
    finally:
        here.discard((user, next(visits)))  # BUG: discard() does not say that there was none

"""history_of_a_user: a history for each user, sent to her when she comes back.

The last twenty lines, under her name.
"""

from collections import defaultdict, deque

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()
histories: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=20))


@app.websocket("/ws")
async def diary(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    diary = histories[user]
    try:
        await websocket.send_json({"so far": list(diary)})
        while True:
            diary.append((await websocket.receive_text())[:200])
            await websocket.send_json({"line": len(diary), "text": diary[-1]})
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass

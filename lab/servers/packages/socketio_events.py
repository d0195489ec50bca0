"""python-socketio: one event, answered. Engine.IO's and Socket.IO's openings are played as a text each."""

import socketio

subject = {
    "path": "/socket.io/",
    "query": ("EIO=4", "transport=websocket"),
    "say": ("40", '42["repeat","hello"]'),
}
# A packet that starts with no digit is a ValueError in engineio's receive loop, which nobody catches: no Close frame.
# `environ` keeps the connection until engineio's service task finds it.
findings = {"closed-with": "garbage"}

sio = socketio.AsyncServer(async_mode="asgi")
app = socketio.ASGIApp(sio)


@sio.event
async def repeat(sid: str, text: str) -> None:
    await sio.emit("said", text, to=sid)

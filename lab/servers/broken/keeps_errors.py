"""keeps_errors: collects the exceptions it caught, for a report that somebody may read one day.

An exception keeps its traceback, the traceback keeps the handler's frame, and the frame keeps the websocket.
"""

from fastapi import FastAPI, WebSocket

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "errors[*].__traceback__ → echo(): websocket"

app = FastAPI()
connected: dict[WebSocket, str] = {}
errors: list[Exception] = []


@app.get("/errors")
def report() -> list[str]:
    return [repr(error) for error in errors]


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    connected[websocket] = user
    print(f"{user} joined; active connections: {len(connected)}")  # noqa: T201  # as people do
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_text(f"{user}: {text[:200]}")
    except Exception as error:
        errors.append(error)  # BUG: keep repr(error), or the code; never the exception
    finally:
        del connected[websocket]
        print(f"{user} left; active connections: {len(connected)}")  # noqa: T201  # as people do

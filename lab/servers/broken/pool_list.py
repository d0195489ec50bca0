"""pool_list: a list of idle workers. One is put back after a farewell, which cannot be sent to somebody who left."""

from contextlib import suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
}
holder = "agency.idle"

app = FastAPI()


class Translator:
    def __call__(self, text: str) -> str:
        return text[::-1]


class Agency:
    def __init__(self, size: int) -> None:
        self.idle = [Translator() for _ in range(size)]

    def hire(self) -> Translator:
        return self.idle.pop()

    def dismiss(self, translator: Translator) -> None:
        self.idle.append(translator)


agency = Agency(1000)


@app.websocket("/ws")
async def translate(websocket: WebSocket) -> None:
    await websocket.accept()
    translator = agency.hire()
    with suppress(WebSocketDisconnect, RuntimeError):
        try:
            async for text in websocket.iter_text():
                await websocket.send_text(translator(text))
        except KeyError:  # a binary frame
            await websocket.close(1003, "text, please")
        await websocket.send_text("goodbye")
        agency.dismiss(translator)  # BUG: the line before has raised

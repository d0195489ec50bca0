"""All cleanup is in `except WebSocketDisconnect`, under `iter_json`, which swallows that exception: it never runs."""

from fastapi import WebSocket, WebSocketDisconnect

from lab.servers.reference.app import answer, create_app
from lab.servers.reference.messages import parse
from lab.servers.reference.presence import Ending
from lab.servers.reference.session import Session

caught_by = (
    *("away", "bug", "close", "crowd", "cut", "garbage", "kill", "nat", "pause", "quit", "reset"),
    *("server-stop", "stall", "unplug"),
)
findings: dict[str, str] = {
    "no-orphan connection": "close kill quit away reset pause stall talk rejoin garbage flood crowd",
    "no-orphan row": "close kill quit away reset pause stall garbage crowd stop",
    "counter-is-true": "*",
    "closed-with": "garbage",
    "no-noise": "crowd",
}


async def serve(websocket: WebSocket, session: Session) -> None:
    await session.open()
    try:
        async for data in websocket.iter_json():
            await answer(session, parse(data))
    except WebSocketDisconnect as end:
        await session.close(Ending(end.code, end.reason))  # BUG: iter_json never lets it come here


app = create_app(serve=serve)

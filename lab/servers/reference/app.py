"""The lesson's right answer: whatever connect sets up, the end tears down, exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected

from lab.servers.reference.manager import Manager
from lab.servers.reference.messages import Complaint, Message, how_it_ended, next_message
from lab.servers.reference.presence import Ending, Presence
from lab.servers.reference.reaper import Reaper
from lab.servers.reference.session import Session

log = logging.getLogger("reference")

Serve = Callable[[WebSocket, Session], Awaitable[None]]

REACTIONS = {
    1000: (logging.INFO, "clean close"),
    1001: (logging.INFO, "client navigated away"),
    1005: (logging.INFO, "closed without giving a code"),
    1006: (logging.WARNING, "abnormal close: no goodbye; a crash, a laptop lid or a NAT timeout, probably"),
    1009: (logging.WARNING, "a message was too big"),
    1011: (logging.WARNING, "the other side hit an error"),
    1012: (logging.INFO, "service restart: this server is going down"),
}


def react(end: WebSocketDisconnect, user: str) -> None:
    """One log line for the end of a session, as loud as its code deserves."""
    level, meaning = REACTIONS.get(end.code, (logging.WARNING, "disconnect"))
    log.log(level, "%s gone: code=%s reason=%r: %s", user, end.code, end.reason or "", meaning)


async def serve(websocket: WebSocket, session: Session) -> None:
    """One session, from the first message to the last line of cleanup. This is the pattern to take home."""
    ending = Ending()
    try:
        await session.open()
        # Not `async for ... in websocket.iter_json()`: it swallows the disconnect, and its code with it.
        while True:
            await answer(session, await next_message(websocket))
    except (WebSocketDisconnect, WebSocketDisconnected) as gone:
        end = await how_it_ended(websocket, gone)
        ending = Ending(end.code, end.reason or "")
        react(end, session.user)
    except TimeoutError:
        log.warning("%s does not read: dropping the connection", session.user)
        ending = Ending(1008, "does not read")
    except asyncio.CancelledError:
        if not session.evicted:
            raise
        ending = Ending(1008, "does not read")
    except Exception:
        log.exception("%s: the handler failed", session.user)
        ending = Ending(1011, "internal error")
        await session.apologise(1011, ending.reason)
    finally:
        await session.close(ending)


def create_app(
    session_type: type[Session] = Session, reaper_type: type[Reaper] = Reaper, serve: Serve = serve
) -> FastAPI:
    """The reference server. A broken one passes the part that has a bug in it."""
    manager, presence = Manager(), Presence()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with presence.opened(), reaper_type(presence).running():
            yield

    app = FastAPI(title="Hangup's reference server", lifespan=lifespan)
    app.state.manager = manager

    @app.get("/health")
    async def health() -> dict[str, int]:
        return {"active": manager.count}

    @app.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        if not is_of_this_site(websocket):
            await websocket.close(1008, "another origin")  # before accept(): the client sees HTTP 403
            return
        await websocket.accept()
        await serve(websocket, session_type(user_of(websocket), websocket, manager, presence))

    return app


def is_of_this_site(websocket: WebSocket) -> bool:
    """Whether it is a page of this site that connects, or no page at all.

    No same-origin policy keeps a page from opening a WebSocket to another site, and the browser sends the user's
    cookies along. What a page can neither forge nor leave out is the Origin header (RFC 6455 section 10.2).
    """
    origin = websocket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == websocket.headers.get("host")


def user_of(websocket: WebSocket) -> str:
    """Who connects: `?user=`, else the address."""
    peer = f"{websocket.client.host}:{websocket.client.port}" if websocket.client else "unknown"
    return websocket.query_params.get("user") or peer


async def answer(session: Session, message: Message | Complaint) -> None:
    """React to one message. A bad one gets a structured error, and the session lives on."""
    if isinstance(message, Complaint):
        await session.send({"type": "error", "error": message.error, "detail": message.detail})
    elif message.kind == "broadcast":
        await session.manager.broadcast({"type": "broadcast", "from": session.user, "text": message.text})
    elif message.kind == "bug":
        raise RuntimeError("a deliberate bug in the message handler")
    else:
        await session.send({"type": "echo", "text": message.text})


app = create_app()

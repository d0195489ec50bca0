"""weak_registry: the registry holds its members weakly, so nothing has to be removed from it.

Only the handler's own frame keeps a member alive; when the handler returns, the member is gone from the set.
"""

import asyncio
from weakref import WeakSet

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


class Member:
    def __init__(self, websocket: WebSocket, scope: asyncio.Timeout) -> None:
        self.websocket = websocket
        self.scope: asyncio.Timeout | None = scope

    async def hear(self, text: str) -> None:
        try:
            async with asyncio.timeout(1):
                await self.websocket.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            pass  # gone; her own handler is told
        except TimeoutError:
            if self.scope is not None:  # does not read, and would never be told: end her handler
                self.scope.reschedule(0)
                self.scope = None


members: WeakSet[Member] = WeakSet()


@app.websocket("/ws")
async def chat(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    member = None
    try:
        async with asyncio.timeout(None) as scope:
            member = Member(websocket, scope)
            members.add(member)
            while (message := await websocket.receive())["type"] != "websocket.disconnect":
                text = message.get("text") or "something binary"
                await asyncio.gather(*(other.hear(f"{user}: {text[:200]}") for other in tuple(members)))
    except TimeoutError:
        pass
    finally:
        if member is not None:
            member.scope = None  # over: too late to end it

"""NiceGUI: a page whose clock ticks.

A browser fetches the page and connects with the client id that it finds in it; for a client that knows only WebSockets
the page is fetched here.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI
from nicegui import ui

subject = {
    "path": "/_nicegui_ws/socket.io/",
    "query": ("EIO=4", "transport=websocket", "user={name}{n}"),
    "say": ("40", "3"),
}
# As in socketio_events: the ValueError of python-engineio, after which nobody is told of the end and the page runs on.
findings = {
    "closed-with": "garbage",
    # What a tab may store is kept for thirty days after it has gone, unless `max_tab_storage_age` says otherwise.
    "no-orphan connection": "close kill quit away reset pause stall idle talk rejoin garbage crowd",
}
sometimes = {"no-orphan task": "garbage", "no-orphan connection": "early flood"}

site = FastAPI()
browser = httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://browser")


@ui.page("/", reconnect_timeout=3)
def page() -> None:
    label = ui.label()
    number = iter(range(1_000_000))
    ui.timer(0.1, lambda: label.set_text(str(next(number))))


ui.run_with(site, reconnect_timeout=30)  # Engine.IO pings every 24 s instead of 4: nobody here answers

Scope = MutableMapping[str, Any]
Say = Callable[..., Awaitable[Any]]


async def app(scope: Scope, receive: Say, send: Say) -> None:
    if scope["type"] == "websocket":
        scope = {**scope, "query_string": scope["query_string"] + b"&" + (await found_in_page()).encode()}
    await site(scope, receive, send)


async def found_in_page() -> str:
    (client,) = set(re.findall(r"client_id.{1,12}?([0-9a-f]{8}-[0-9a-f-]{27})", (await browser.get("/")).text))
    known = {"client_id": client, "tab_id": client, "document_id": client}
    return urlencode({**known, "implicit_handshake": "true", "next_message_id": "0"})

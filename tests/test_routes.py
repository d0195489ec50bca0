"""The WebSocket routes of applications, of whatever framework."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from lab.witness.routes import from_regex, gaps_filled, routes
from tests.conftest import require


async def endpoint(websocket: WebSocket) -> None:
    """Never called here."""


def needs(module: str) -> Any:
    """A module of the packages extra, whose types nobody checks here."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        require("packages", f"{module} is not installed: make packages")


def included(prefix: str = "") -> APIRouter:
    router = APIRouter(prefix="/v1")
    router.add_api_websocket_route("/rooms/{room}/{number:int}", endpoint)
    outer = APIRouter()
    outer.include_router(router, prefix=prefix)
    outer.mount("/deep", Starlette(routes=[WebSocketRoute("/ws", endpoint)]))
    return outer


def test_included_routers_prefixes_and_all_are_found() -> None:
    app = FastAPI()
    app.add_api_websocket_route("/ws", endpoint)
    app.add_api_route("/health", endpoint)
    app.include_router(included("/in"), prefix="/api")
    assert routes(app) == ("/ws", "/api/in/v1/rooms/{name}/{n}", "/api/deep/ws")


def test_sub_applications_and_what_wraps_them_are_looked_through() -> None:
    app, sub = FastAPI(), FastAPI()
    sub.include_router(included())
    app.mount("/sub", CORSMiddleware(sub, allow_origins=["*"]))
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    assert routes(CORSMiddleware(app)) == ("/sub/v1/rooms/{name}/{n}", "/sub/deep/ws")


def test_mounts_and_hosts_of_starlette_are_looked_into() -> None:
    inner = Router([WebSocketRoute("/a", endpoint), Route("/page", endpoint)])
    app = Router([Mount("/{tenant}", app=inner), Host("api.example.org", app=inner), WebSocketRoute("/", endpoint)])
    assert routes(app) == ("/{name}/a", "/a", "/")


def test_an_application_that_wraps_itself_is_looked_at_once() -> None:
    app: Any = CORSMiddleware(Starlette())
    app.app = app
    assert routes(app) == ()


def test_of_one_that_does_not_want_to_be_looked_at_nothing_is_known() -> None:
    class Odd:
        @property
        def routes(self) -> list[object]:
            raise RuntimeError

    assert routes(Odd()) == ()
    assert routes(endpoint) == ()


def test_those_of_litestar_are_found() -> None:
    litestar = needs("litestar")

    async def listen(data: str) -> None: ...

    listener = litestar.websocket_listener(["/rooms/{room:str}", "/numbers/{number:int}"])(listen)
    found = routes(litestar.Litestar([litestar.Router("/api", route_handlers=[listener])]))
    assert sorted(found) == ["/api/numbers/{n}", "/api/rooms/{name}"]


def test_those_of_quart_are_found() -> None:
    quart = needs("quart")
    app, part = quart.Quart("app"), quart.Blueprint("part", "part", url_prefix="/api")
    part.websocket("/rooms/<int:number>/<string(length=2):code>")(endpoint)
    app.register_blueprint(part)
    app.asgi_app = CORSMiddleware(app.asgi_app)  # as Quart's own documentation does
    assert routes(app) == ("/api/rooms/{n}/{name}",)


def test_those_of_channels_are_found() -> None:
    routing, urls = needs("channels.routing"), needs("django.urls")
    wrapped = needs("channels.sessions").CookieMiddleware
    below = routing.URLRouter([urls.re_path(r"^x/(?P<who>[\w()-]+)/?$", endpoint)])
    inside = routing.URLRouter([urls.path("chat/<slug:room>/", endpoint), urls.path("in/", wrapped(below))])
    app = routing.ProtocolTypeRouter({"http": FastAPI(), "websocket": wrapped(inside)})
    assert routes(app) == ("/chat/{name}/", "/in/x/{name}/")


def test_that_of_engine_io_is_found() -> None:
    socketio, app = needs("socketio"), FastAPI()
    app.mount("/ws", socketio.ASGIApp(socketio.AsyncServer(async_mode="asgi"), socketio_path="/ws/live"))
    assert routes(app) == ("/ws/live/",)


def test_those_of_falcon_are_found() -> None:
    class Rooms:
        async def on_websocket(self, *_: object, **__: object) -> None: ...

    app = needs("falcon.asgi").App()
    app.add_route("/rooms/{room}/{number:int(min=1)}", Rooms())
    assert routes(app) == ("/rooms/{name}/{n}",)


def test_those_of_blacksheep_are_found() -> None:
    blacksheep = needs("blacksheep")
    app = blacksheep.Application(router=blacksheep.Router())
    app.router.ws("/rooms/:room/{int:number}")(endpoint)
    assert routes(app) == ("/rooms/{name}/{n}",)


@pytest.mark.parametrize(
    ("declared", "path"),
    [
        ("/ws/{room}/{n:int}", "/ws/{name}/{n}"),
        ("/files/{rest:path}", "/files/{name}"),
        ("ws/<int:id>/<room>", "/ws/{n}/{name}"),
        ("/<float(min=1):x>/:room", "/{n}/{name}"),
        ("//a//b/", "/a/b/"),
        ("/a:b", "/a:b"),
    ],
)
def test_a_parameter_becomes_the_client_s_name_or_its_number(declared: str, path: str) -> None:
    assert gaps_filled(declared) == path


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (r"^ws/(?P<room>\w+)/$", "ws/{name}/"),
        (r"ws/(?P<number>[0-9]{1,9})/(\d+)\Z", "ws/{n:int}/{n:int}"),
        (r"a\.b/(?P<x>(?:[)]|\)|c)+)?/?$", "a.b/{name}/"),
    ],
)
def test_a_regular_expression_becomes_a_path(pattern: str, path: str) -> None:
    assert from_regex(pattern) == path

"""Where an application takes WebSockets: the paths of its routes, whatever framework declares them.

Nothing is imported for it: a router is known by what it has, not by its class. Read from FastAPI 0.165, Starlette 1.10,
Litestar 2.25, Quart 0.22, Channels 4.3, python-engineio 4.15, falcon 4.4 and blacksheep 2.6.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

WRAPPED = ("app", "application", "inner", "other_asgi_app", "asgi_app")
"""What a middleware calls the application that it wraps."""

NUMBERS = ("int", "integer", "float", "decimal", "number")
"""Converters that take a number."""

GAP = re.compile(r"\{([^{}]*)\}|<([^<>]*)>|(?<=/):(\w+)")
DIGITS = re.compile(r"(?:\\d|\[0-9\])(?:[+*]|\{[\d,]+\})?")


def routes(app: object) -> tuple[str, ...]:
    """The paths, each once, as `--path` takes them: a parameter is `{name}`, and `{n}` if it is a number.

    An application that routes by other means has none that could be known, nor has one that cannot be read.
    """
    found: dict[str, None] = {}
    with suppress(Exception):  # somebody else's objects, which may do what they like when they are looked at
        for path in _of(app, "", set()):
            found[gaps_filled(path)] = None
    return tuple(found)


def gaps_filled(path: str) -> str:
    """A path with a parameter's declaration replaced: `/ws/{room}/<int:id>` is `/ws/{name}/{n}`."""
    return re.sub(r"/{2,}", "/", "/" + GAP.sub(lambda gap: _gap(next(filter(None, gap.groups()), "")), path))


def from_regex(pattern: str) -> str:
    """A path that the regular expression of a path matches, as far as it is written in the usual way."""
    rest, path = pattern.removeprefix("^").removesuffix("$").removesuffix("\\Z"), ""
    while rest:
        if rest[0] == "(":
            group, rest = _group(rest)
            path += "{n:int}" if DIGITS.fullmatch(re.sub(r"^\(\?P<\w+>|^\(|\)$", "", group)) else "{name}"
        elif rest[0] == "\\" and len(rest) > 1:
            path, rest = path + rest[1], rest[2:]
        else:
            path, rest = path + ("" if rest[0] in "?^$" else rest[0]), rest[1:]
    return path


def _of(app: Any, prefix: str, seen: set[int]) -> Iterator[str]:
    """Those of an application, a router or a middleware."""
    if app is None or id(app) in seen:
        return
    seen = seen | {id(app)}
    mapping = getattr(app, "application_mapping", None)
    if isinstance(mapping, Mapping):  # Channels' ProtocolTypeRouter
        yield from _of(mapping.get("websocket"), prefix, seen)
    if isinstance(getattr(app, "engineio_path", None), str):  # Engine.IO compares the whole path, mounted or not
        yield app.engineio_path
    yield from _of_a_map(app, prefix)
    declared = getattr(app, "routes", None)
    if isinstance(declared, Iterable):
        for route in declared:
            yield from _of_route(route, prefix, seen)
    else:
        for name in WRAPPED:
            yield from _of(getattr(app, name, None), prefix, seen)


def _of_route(route: Any, prefix: str, seen: set[int]) -> Iterator[str]:
    pattern, callback = getattr(route, "pattern", None), getattr(route, "callback", None)
    if pattern is not None and callback is not None:  # Django's, in Channels' URLRouter
        path = prefix + "/" + (from_regex(str(pattern)) if hasattr(pattern, "_regex") else str(pattern))
        inner = tuple(_of(callback, path, seen))
        yield from inner or (path,)
        return
    if hasattr(route, "path") or hasattr(route, "host"):
        yield from _of_starlette(route, type(route), prefix, seen)
    elif expand := getattr(sys.modules.get(type(route).__module__), "iter_route_contexts", None):
        for included in expand([route]):  # FastAPI's include_router() makes the routes when they are needed
            yield from _of_starlette(included, type(included.original_route), prefix, seen)


def _of_starlette(route: Any, kind: type, prefix: str, seen: set[int]) -> Iterator[str]:
    """Those of a route, a Mount or a Host; Litestar's routes are like the first."""
    path, kinds = prefix + str(getattr(route, "path", None) or ""), {one.__name__ for one in kind.__mro__}
    if "WebSocketRoute" in kinds:
        yield path
    elif "Route" not in kinds:
        yield from _of(getattr(route, "app", None), path, seen)


def _of_a_map(app: Any, prefix: str) -> Iterator[str]:
    """Quart's rules, falcon's tree, blacksheep's table."""
    rules: Any = getattr(app, "url_map", None)
    if hasattr(rules, "iter_rules"):
        yield from (prefix + rule.rule for rule in rules.iter_rules() if getattr(rule, "websocket", False))
    router = getattr(app, "_router", None)
    for node in _nodes(getattr(router, "_roots", ())):
        if hasattr(getattr(node, "resource", None), "on_websocket") and node.uri_template:
            yield prefix + node.uri_template
    router = getattr(app, "router", None)
    waiting, table = getattr(router, "_registered_routes", ()), getattr(router, "routes", None)
    ready = table.get(b"GET_WS", ()) if isinstance(table, Mapping) else ()
    for route in (*ready, *(route for method, route in waiting if method == "GET_WS")):
        yield prefix + route.pattern.decode()


def _nodes(roots: Iterable[Any]) -> Iterator[Any]:
    for node in roots:
        yield node
        yield from _nodes(node.children)


def _gap(declared: str) -> str:
    """`room`, `n:int`, `int:n`, `n:int(min=1)`, `int(min=1):n`."""
    parts = declared.split(":")
    is_number = len(parts) > 1 and any(re.match(r"\w*", part)[0] in NUMBERS for part in parts)  # type: ignore[index]  # it matches always
    return "{n}" if is_number else "{name}"


def _group(text: str) -> tuple[str, str]:
    """The group that a regular expression begins with, and what comes after it."""
    depth, at, in_set = 0, 0, False
    while at < len(text):
        one = text[at]
        at += 2 if one == "\\" else 1
        if one == "[" or (one == "]" and in_set):
            in_set = one == "["
        depth += 0 if in_set else (one == "(") - (one == ")")
        if depth == 0:
            break
    rest = text[at:]
    return text[:at], re.sub(r"^(?:[?*+]|\{[\d,]+\})", "", rest)

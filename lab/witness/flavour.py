"""Flavours: which WebSocket implementation the server runs on."""

from __future__ import annotations

import asyncio
import importlib

_UVICORN = "uvicorn.protocols.websockets."
PROTOCOLS = {
    "rfc6455": "lab.witness.rfc6455:RFC6455Protocol",
    "auto": f"{_UVICORN}websockets_sansio_impl:WebSocketsSansIOProtocol",
    "websockets": f"{_UVICORN}websockets_impl:WebSocketProtocol",
    "wsproto": f"{_UVICORN}wsproto_impl:WSProtocol",
}
"""`auto` is what uvicorn 0.54 itself picks by default; `websockets` is its deprecated implementation."""


def protocol(flavour: str) -> type[asyncio.Protocol]:
    """The protocol class of a flavour.

    Raises:
        KeyError: no such flavour.
    """
    module, _, name = PROTOCOLS[flavour].partition(":")
    found: type[asyncio.Protocol] = getattr(importlib.import_module(module), name)
    return found

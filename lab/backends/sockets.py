"""The sockets under an embedded link: how they are bound, where they lead, and how they end."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from lab.backends.faultlink import LinkError

HOST = "127.0.0.1"

RST_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER, on, for 0 seconds: closing discards what is unsent and sends an RST."""

Address = tuple[socket.AddressFamily, tuple[str, int]]
"""One address of a server, resolved."""


def bind(port: int) -> socket.socket:
    """A socket that is bound to that port of the loopback interface; 0 takes any free one."""
    # With the protocol named: asyncio sets TCP_NODELAY on no other, nor on what is accepted from it.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
    except OSError:
        sock.close()
        raise
    return sock


def resolve(upstream: tuple[str, int]) -> list[Address]:
    """Every address of a server.

    Raises:
        LinkError: it has none.
    """
    host, port = upstream
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as why:
        raise LinkError(f"no address for {host!r}: {why}") from why
    return [(family, (str(address[0]), int(address[1]))) for family, _, _, _, address in found]


def fin_first(sock: socket.socket) -> None:
    """Send the FIN: a socket that is closed with bytes unread sends an RST instead, and that is no FIN's story."""
    with suppress(OSError):  # it may not be connected, or not any more
        sock.shutdown(socket.SHUT_WR)


def rst_on_close(set_option: Callable[[int, int, bytes], None]) -> None:
    """Have a socket, whose `setsockopt` this is, close with an RST."""
    with suppress(OSError):  # it may be closed already
        set_option(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)

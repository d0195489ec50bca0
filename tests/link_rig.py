"""What the tests of links stand on: raw sockets at both ends of a link, and how a stream ends."""

from __future__ import annotations

import os
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.backends.faultlink import Link
from lab.clock import now

HOST = "127.0.0.1"
PATIENCE = 5.0
"""Seconds anything may take that has to happen."""
SILENCE = 0.15
"""Seconds without a byte that pass for silence: a hundred times what a chunk takes through either link."""
SLACK = 0.5
"""Seconds a thread of the test may wait for its turn on a busy machine."""

Open = Callable[[str, tuple[str, int]], Link]


_given: set[int] = set()


def free_port() -> int:
    """A port nobody listens on, below those the kernel hands out, so that nobody is given it by chance."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as sock:
            if port not in _given and sock.connect_ex((HOST, port)) != 0:
                _given.add(port)
                return port


@dataclass
class Ends:
    """The two sockets at the ends of one connection."""

    client: socket.socket
    server: socket.socket

    def both(self) -> tuple[socket.socket, socket.socket]:
        return self.client, self.server


@dataclass
class Rig:
    """A server that listens, a link before it, and who has connected."""

    link: Link
    listener: socket.socket
    sockets: list[socket.socket] = field(default_factory=list)
    clients: list[socket.socket] = field(default_factory=list)

    def connect(self) -> Ends:
        """A client through the link, and the connection the server got for it."""
        client = self.dial()
        server, _ = self.listener.accept()
        server.settimeout(PATIENCE)
        self.sockets.append(server)
        return Ends(client, server)

    def dial(self) -> socket.socket:
        client = socket.create_connection(self.link.address, PATIENCE)
        self.sockets.append(client)
        self.clients.append(client)
        return client

    def last_byte(self) -> float | None:
        """When a byte last crossed a connection, as the clients' kernel has it."""
        quiet = [ms for sock in self.clients if sock.fileno() >= 0 for ms in _quiet_ms(sock)]
        return now() - min(quiet) / 1000 if quiet else None

    def hang_up(self) -> None:
        while self.sockets:
            self.sockets.pop().close()

    def close(self) -> None:
        self.hang_up()
        self.listener.close()


def _quiet_ms(sock: socket.socket) -> tuple[int, int]:
    """How long ago data was last sent and last received (linux/tcp.h, struct tcp_info)."""
    info = struct.unpack("8B24I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104))
    return info[8 + 9], info[8 + 11]


def exactly(sock: socket.socket, size: int) -> bytes:
    """The next `size` bytes, or a failure that says how many came."""
    data = bytearray()
    while len(data) < size:
        chunk = sock.recv(min(1 << 20, size - len(data)))
        assert chunk, f"the stream ended after {len(data)} of {size} bytes"
        data += chunk
    return bytes(data)


def end(sock: socket.socket) -> str:
    """How the stream ends: FIN or RST. Nothing else may come."""
    try:
        data = sock.recv(100)
    except ConnectionResetError:
        return "RST"
    return f"bytes: {data!r}" if data else "FIN"


def ends(connection: Ends) -> tuple[str, str]:
    """How it ends for the client, and for the server."""
    return end(connection.client), end(connection.server)


def silent(sock: socket.socket) -> bool:
    """Whether nothing arrives within SILENCE: no byte, no FIN, no RST."""
    sock.settimeout(SILENCE)
    try:
        sock.recv(100)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(PATIENCE)
    return False


def talk(connection: Ends) -> None:
    """A few bytes each way."""
    connection.client.sendall(b"ping")
    assert exactly(connection.server, 4) == b"ping"
    connection.server.sendall(b"pong")
    assert exactly(connection.client, 4) == b"pong"


def close_with_rst(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
    sock.close()

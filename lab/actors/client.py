"""The client actor: opens WebSockets, obeys orders, and says whatever happens to it.

Run as `python -m lab.actors.client`. Orders are JSON lines on standard input, facts on standard output.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from lab.actors import hearing
from lab.actors.order import Order
from lab.actors.saying import Answers, Dial, fill
from lab.actors.voice import observe, take_stdout

NAME_HEADER = "X-Hangup-Connection"
OPEN_SECONDS, CLOSE_SECONDS = 5.0, 2.0
ENDS = (OSError, TimeoutError, EOFError)
AT_ONCE = 50
"""How many of a crowd shake hands at the same time."""

TURNS = 20
"""In so many turns of the loop what is in a socket's buffer is read, taken apart and told."""

SHOWN = 4096
"""How much of a message is told: the lab wants to know that it came, and what it was."""


class Watched(ClientConnection):
    """A connection that says when it is pinged."""

    name = ""

    def process_event(self, event: Any) -> None:
        """Pass every event on; mention pings."""
        if isinstance(event, Frame) and event.opcode is Opcode.PING and self.name:
            observe("pinged", self.name)
        super().process_event(event)


class Client:
    """All connections of one process."""

    def __init__(self) -> None:
        self.open: dict[str, Watched] = {}
        self.talks: set[asyncio.Task[None]] = set()
        self.gate = asyncio.Semaphore(AT_ONCE)
        self.knocking: list[asyncio.StreamWriter] = []

    async def obey(self, orders: asyncio.Queue[Order | None]) -> None:
        """Carry out orders until there are no more.

        An interrupt cancels us here, and every conversation with us, as it would any program that has a
        connection open in a `with` block: websockets then closes with 1011 (measured).
        """
        async with asyncio.TaskGroup() as group:
            while (order := await orders.get()) is not None:
                if order.do == "connect":
                    for name in order.connections:
                        talk = group.create_task(self.converse(name, order))
                        self.talks.add(talk)
                        talk.add_done_callback(self.talks.discard)
                elif order.do == "knock":
                    for name in order.connections:
                        group.create_task(self.knock(name, order))
                elif order.do == "idle":
                    group.create_task(self.hang_up())
                elif order.do == "clock":
                    observe("clocked", ask=order.ask)
                elif order.do == "rest":
                    group.create_task(self.rest(order.ask))
                else:
                    group.create_task(self.act(order))

    async def hang_up(self) -> None:
        """Drop every connection without a goodbye, and say so when all of them have ended."""
        for socket in self.open.values():
            socket.transport.abort()
        if self.talks:
            await asyncio.wait(self.talks)
        observe("idle")

    async def rest(self, ask: int) -> None:
        """Say so when whatever has come so far has been taken and told."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        observe("rested", ask=ask)

    async def converse(self, name: str, order: Order) -> None:
        """One connection, from handshake to end."""
        await self.gate.acquire()
        shaking, user = True, order.user or name
        try:
            dial = Dial.of(order.url, order.headers, user)
            async with connect(
                dial.url,
                host=dial.host,
                port=dial.port,
                additional_headers=[(NAME_HEADER, name), *dial.headers],
                subprotocols=[Subprotocol(fill(one, user)) for one in order.subprotocols] or None,
                max_size=None,
                create_connection=Watched,
                proxy=None,
                ping_interval=None,
                close_timeout=CLOSE_SECONDS,
                open_timeout=OPEN_SECONDS,
            ) as socket:
                self.gate.release()
                shaking = False
                await self.listen(name, socket, Answers(order.replies, user), quiet=order.quiet)
        except Exception as error:
            if not shaking and not isinstance(error, ENDS):
                raise
            observe("refused", name, error=type(error).__name__, text=str(error))  # by us, if it cannot be asked for
        finally:
            if shaking:
                self.gate.release()

    async def knock(self, name: str, order: Order) -> None:
        """The request of a handshake, and no more: the answer is not read, and the socket stays open."""
        user = order.user or name
        dial = Dial.of(order.url, order.headers, user)
        protocol = ClientProtocol(
            parse_uri(dial.url), subprotocols=[Subprotocol(fill(one, user)) for one in order.subprotocols] or None
        )
        request = protocol.connect()
        request.headers.update([(NAME_HEADER, name), *dial.headers])
        protocol.send_request(request)
        _, writer = await asyncio.open_connection(dial.host, dial.port)
        self.knocking.append(writer)
        writer.writelines(protocol.data_to_send())
        await writer.drain()
        observe("connected", name)

    async def listen(self, name: str, socket: ClientConnection, answers: Answers, *, quiet: bool) -> None:
        """Say what is received, answer what is to be answered, and say how it ended."""
        assert isinstance(socket, Watched)
        socket.name = "" if quiet else name
        self.open[name] = socket
        observe("connected", name)
        error = ""
        try:
            async for message in socket:
                text = message if isinstance(message, str) else message.hex()
                if not quiet:
                    observe("received", name, text=text[:SHOWN], size=len(message))
                for answer in answers.to(message) if isinstance(message, str) else ():
                    await socket.send(answer)
                    observe("replied", name, text=answer[:SHOWN])
        except ConnectionClosed as closed:
            error = type(closed.__cause__ or closed).__name__
        finally:
            self.open.pop(name, None)
        observe("closed", name, code=socket.close_code, reason=socket.close_reason or "", error=error)

    async def act(self, order: Order) -> None:
        """Say something, or leave."""
        socket = self.open.get(order.who)
        if socket is None:
            observe("failed", order.who, ask=order.ask, error="not connected")
            return
        try:
            if order.do == "leave":
                await socket.close(order.code, order.reason)
            elif order.do == "abort":
                socket.transport.abort()
            else:
                if order.deaf:
                    socket.transport.pause_reading()
                text = None if order.text is None else fill(order.text, order.user or order.who)
                for _ in range(order.times):
                    await socket.send(bytes.fromhex(order.hex) if text is None else text)
                observe("sent", order.who, ask=order.ask, text=(order.text or order.hex)[:SHOWN])
        except ConnectionClosed as closed:
            observe("failed", order.who, ask=order.ask, error=type(closed).__name__)


def listen_for_orders(loop: asyncio.AbstractEventLoop, orders: asyncio.Queue[Order | None]) -> None:
    """Read standard input in a thread of its own, which ends with the process."""

    def read() -> None:
        for order in hearing.orders():
            loop.call_soon_threadsafe(orders.put_nowait, Order(**order))
        # Whoever ran us is gone.
        os._exit(0)

    threading.Thread(target=read, name="hangup-orders", daemon=True).start()


async def run() -> None:
    """Obey until interrupted or abandoned."""
    orders: asyncio.Queue[Order | None] = asyncio.Queue()
    listen_for_orders(asyncio.get_running_loop(), orders)
    observe("ready", pid=os.getpid())
    await Client().obey(orders)


def main(_argv: list[str]) -> None:
    """Run the client actor."""
    take_stdout()
    asyncio.run(run())


if __name__ == "__main__":
    main(sys.argv[1:])

"""Litestar: a room on its channels plugin, each subscriber fed by a task of the plugin's."""

from litestar import Litestar, WebSocket, websocket
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend

subject: dict[str, object] = {}
findings: dict[str, str] = {}
# A send to a dead client that raises ends the plugin's task, with messages in its queue: the handler joins it for ever.
sometimes = {"no-orphan handler": "*", "no-orphan connection": "*"}


lobby = ChannelsPlugin(MemoryChannelsBackend(), channels=["lobby"])


@websocket("/ws")
async def room(socket: WebSocket) -> None:
    await socket.accept()
    async with lobby.start_subscription("lobby") as heard, heard.run_in_background(socket.send_text):
        async for text in socket.iter_data():
            lobby.publish(text, "lobby")


app = Litestar([room], plugins=[lobby])

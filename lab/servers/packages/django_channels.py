"""Django Channels: a JSON consumer in a group, on the channel layer in memory."""

from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for grading",
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402  # Django wants its settings first

subject = {"say": ('{"text": "hello"}',)}
# Text that is no JSON, and a binary frame, are exceptions in the package's own consumer.
findings = {"closed-with": "garbage"}


class Room(AsyncJsonWebsocketConsumer):
    groups = ["lobby"]  # noqa: RUF012  # as the package would have it

    async def receive_json(self, content: Any) -> None:
        await self.channel_layer.group_send("lobby", {"type": "heard", "content": content})

    async def heard(self, event: dict[str, Any]) -> None:
        await self.send_json(event["content"])


app = Room.as_asgi()

"""Ariadne: two GraphQL subscriptions on each connection, spoken to in graphql-transport-ws."""

import asyncio
from collections.abc import AsyncGenerator

from ariadne import SubscriptionType, make_executable_schema
from ariadne.asgi import GraphQL
from ariadne.asgi.handlers import GraphQLTransportWSHandler

subject = {
    "path": "/",
    "subprotocols": ("graphql-transport-ws",),
    "say": (
        '{"type": "connection_init"}',
        '{"type": "subscribe", "id": "{n}", "payload": {"query": "subscription { ticks }"}}',
        '{"type": "subscribe", "id": "-{n}", "payload": {"query": "subscription { news }"}}',
        '{"type": "ping"}',
    ),
}
# Text that is no JSON, JSON that is no object, and a binary frame, are exceptions in the package's own handler.
findings = {"closed-with": "garbage"}
# A result that is on its way when the client ends raises in the operation's task, and again where the handler waits for
# that task on its way out: the operations after it are not stopped.
sometimes = {"no-noise": "*", "no-orphan task": "*", "no-orphan connection": "*"}

subscription = SubscriptionType()


@subscription.source("ticks")
async def ticks(*_: object) -> AsyncGenerator[int, None]:
    number = 0
    while True:
        yield number
        number += 1
        await asyncio.sleep(0.1)


@subscription.source("news")
async def news(*_: object) -> AsyncGenerator[int, None]:
    await asyncio.Event().wait()  # there is none today
    yield 1


@subscription.field("ticks")
@subscription.field("news")
def number(said: int, *_: object) -> int:
    return said


schema = make_executable_schema(
    "type Query { nothing: String } type Subscription { ticks: Int! news: Int! }", subscription
)
app = GraphQL(schema, websocket_handler=GraphQLTransportWSHandler())

"""strawberry: a GraphQL subscription behind FastAPI, spoken to in graphql-transport-ws."""

import asyncio
from collections.abc import AsyncGenerator

import strawberry
from fastapi import FastAPI
from strawberry.fastapi import GraphQLRouter

subject = {
    "path": "/graphql",
    "subprotocols": ("graphql-transport-ws",),
    "say": (
        '{"type": "connection_init"}',
        '{"type": "subscribe", "id": "{n}", "payload": {"query": "subscription { ticks }"}}',
        '{"type": "ping"}',
    ),
}
# JSON that is no object is a TypeError in the handler, not a 4400.
findings = {"closed-with": "garbage"}
sometimes = {"no-noise": "*"}  # a result that is on its way when the client ends: its task logs WebSocketDisconnected


@strawberry.type
class Query:
    nothing: str = ""


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncGenerator[int, None]:
        number = 0
        while True:
            yield number
            number += 1
            await asyncio.sleep(0.1)


app = FastAPI()
app.include_router(GraphQLRouter(strawberry.Schema(Query, subscription=Subscription)), prefix="/graphql")

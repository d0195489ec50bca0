"""fastapi-websocket-pubsub: a subscription to a topic, over the RPC of fastapi-websocket-rpc."""

from fastapi import FastAPI
from fastapi_websocket_pubsub import PubSubEndpoint

subject = {
    "path": "/pubsub",
    "say": (
        '{"request": {"method": "subscribe", "arguments": {"topics": ["news"]}, "call_id": "1"}}',
        '{"request": {"method": "ping", "arguments": {}, "call_id": "2"}}',
    ),
}
findings: dict[str, str] = {}  # as in rpc_methods

app = FastAPI()
endpoint = PubSubEndpoint()
endpoint.register_route(app)

"""fastapi-websocket-rpc: one method, called by the client."""

from fastapi import FastAPI
from fastapi_websocket_rpc import RpcMethodsBase, WebsocketRPCEndpoint

subject = {"say": ('{"request": {"method": "repeat", "arguments": {"text": "hello {pad}"}, "call_id": "1"}}',)}
findings: dict[str, str] = {}  # of nonsense the handler does not die; it returns, without a Close frame


class Methods(RpcMethodsBase):
    async def repeat(self, text: str = "") -> str:
        return text


app = FastAPI()
endpoint = WebsocketRPCEndpoint(Methods())
endpoint.register_route(app)

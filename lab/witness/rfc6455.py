"""uvicorn's WebSocket protocol, saying what RFC 6455 says of a lost connection: 1006.

Take it home: `uvicorn --ws lab.witness.rfc6455:RFC6455Protocol app:app`.
"""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class RFC6455Protocol(WebSocketsSansIOProtocol):
    """A connection that ends with no Close frame from the peer is told to the application as 1006.

    uvicorn 0.54 says 1005 there, which by §7.1.5 means "a Close frame without a code". Measured with this
    class: 1006 for FIN, RST and ping timeout, 1005 for an empty Close, every other code as sent.
    """

    def connection_lost(self, exc: Exception | None) -> None:
        """Put 1006 in the application's queue ahead of uvicorn's own 1005."""
        if self.handshake_complete and self.conn.close_rcvd is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006, "reason": ""})
        super().connection_lost(exc)

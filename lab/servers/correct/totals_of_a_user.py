"""totals_of_a_user: how often each user has come and how many lines she has said.

Numbers that rise, under names that return.
"""

from dataclasses import dataclass

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}

app = FastAPI()


@dataclass(slots=True)
class Account:
    visits: int = 0
    lines: int = 0


accounts: dict[str, Account] = {}


@app.websocket("/ws")
async def echo(websocket: WebSocket, user: str = "anonymous") -> None:
    await websocket.accept()
    account = accounts.setdefault(user, Account())
    account.visits += 1
    try:
        while True:
            text = await websocket.receive_text()
            account.lines += 1
            await websocket.send_text(f"visit {account.visits}, line {account.lines}: {text[:200]}")
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass

"""executor_shared: one executor for all, made by the lifespan; its eight threads come one by one and stay."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

findings: dict[str, str] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="hash") as executor:
        app.state.executor = executor
        yield


app = FastAPI(lifespan=lifespan)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


@app.websocket("/ws")
async def hashes(websocket: WebSocket) -> None:
    await websocket.accept()
    loop = asyncio.get_running_loop()
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_text(await loop.run_in_executor(app.state.executor, digest, text))
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary frame
        pass

"""FastHTML: members who are added by `conn` and removed by `disconn`; what one says is answered with an element.

FastHTML finds `ws` and `send` by their names, and only where they have no annotation.
"""

from collections.abc import Awaitable, Callable

from fasthtml.common import Div, FastHTML

subject = {"say": ('{"text": "hello {pad}"}',)}
# JSON that is no object is a TypeError in the package's own code.
findings = {"closed-with": "garbage"}

app = FastHTML(exts="ws", secret_key="only for grading")
members: dict[int, Callable[..., Awaitable[None]]] = {}


async def come(ws, send) -> None:
    members[id(ws)] = send


async def go(ws) -> None:
    del members[id(ws)]


@app.ws("/ws", conn=come, disconn=go)
async def hear(text: str) -> object:
    return Div(text)

"""Whose code is it, and where does it stand? Frames, tasks and threads, named by the application's own lines."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType, ModuleType
from typing import Any

from lab.witness.compat import asyncio_
from lab.witness.ownership import decided
from lab.witness.places import is_standard, is_the_labs

_AWAITS = ("cr_await", "gi_yieldfrom", "ag_await")
_AWAITING = (CoroutineType, GeneratorType, AsyncGeneratorType)


def is_ours(path: str) -> bool:
    """Whether a file belongs to the application: not to Python, not to an installed package, not to the lab."""
    return decided().owns_file(path)


def user_modules(package: str = "") -> Iterator[ModuleType]:
    """The application's own modules; `package` is the application's as long as that is not decided."""
    yield from decided(package).modules()


def frames_of(coro: Any) -> Iterator[FrameType]:
    """The frames of a suspended coroutine, outermost first."""
    for one in _chain(coro):
        frame = _first(one, ("cr_frame", "gi_frame", "ag_frame"))
        if frame is not None:
            yield frame


def _chain(coro: Any) -> Iterator[object]:
    """A suspended coroutine, what it awaits, what that awaits, and so on, as far as it can be followed."""
    while coro is not None:
        yield coro
        coro = _first(coro, _AWAITS)
        if coro is not None and not any(hasattr(coro, key) for key in _AWAITS):
            # anext() and a coroutine's __await__() say nothing of what they drive, but they do hold it
            coro = next((held for held in gc.get_referents(coro) if isinstance(held, _AWAITING)), None)


def _first(thing: object, keys: tuple[str, ...]) -> Any:
    return next((found for key in keys if (found := getattr(thing, key, None)) is not None), None)


def telling(coro: Any) -> list[FrameType]:
    """Those frames of a suspended coroutine that tell what it is about: the application's, else a package's."""
    frames = list(frames_of(coro))
    mine = list(filter(decided().owns_frame, frames))
    return mine or [frame for frame in frames if not _is_standard(frame.f_code.co_filename)]


def _is_standard(path: str) -> bool:
    return path.startswith("<") or is_standard(path)


INSIDE = ("queues.py", "locks.py", "tasks.py", "timeouts.py", "futures.py", "taskgroups.py", "contextlib.py")
"""Modules of the standard library in which one waits for what happens inside the process."""

FRAMEWORKS = ("starlette", "fastapi", "uvicorn", "anyio", "litestar", "quart", "channels", "socketio", "engineio")
"""Packages in which one waits for a client's next message."""


def waits_inside(task: asyncio.Task[Any]) -> bool:
    """Whether a task, and whatever it waits for, waits for a client or for something inside the process.

    What waits for a database or another server, which may still answer, stands in a driver's frame or in a stream's.
    """
    waits_for: Any = task
    for _ in range(8):
        if isinstance(waits_for, asyncio.Task) and not all(map(_is_inside, frames_of(waits_for.get_coro()))):
            return False
        waits_for = asyncio_.waits_for(waits_for) if isinstance(waits_for, asyncio.Task) else None
    return True


def _is_inside(frame: FrameType) -> bool:
    return decided().owns_frame(frame) or _is_inside_code(frame.f_code)


@cache
def _is_inside_code(code: CodeType) -> bool:
    """Whether one waits inside the process, in code that is not the application's."""
    if is_the_labs(code.co_filename):
        return True
    path = Path(code.co_filename)
    if _is_standard(code.co_filename):
        return path.name in INSIDE
    if code.co_name == "run_sync_in_worker_thread":  # anyio's, and so FastAPI's for plain functions
        return False
    if "anyio" in path.parts and "Socket" in code.co_qualname.partition(".")[0]:
        return False  # a stream of its own, to anywhere
    return any(name in path.parts for name in FRAMEWORKS)


def where(task: asyncio.Task[Any], made: str = "") -> str:
    """What a task runs, where it was made, and the line in which it waits.

    As `beat() made at rooms.py:31 in chat(), waits at heartbeat.py:38`; of a library's coroutine, in what it waits.
    """
    coro: Any = task.get_coro()
    mine = telling(coro)
    name = f"{mine[0].f_code.co_qualname}()" if mine else f"{getattr(coro, '__qualname__', repr(coro))}()"
    by = f" made at {made}," if made else ""
    frames = list(frames_of(coro))
    if mine and is_ours(mine[-1].f_code.co_filename):
        return f"{name}{by} waits at {spot(mine[-1])}"
    if frames and made:
        return f"{name}{by} waits in {frames[-1].f_code.co_qualname}()"
    return f"{name}{by} waits at {spot(mine[-1])}" if mine else f"{name}{by} waits"


def stands(frame: FrameType | None) -> str:
    """Where a running thread is: its innermost line in the application's code, else its innermost line."""
    here, owner = frame, decided()
    while here is not None and not owner.owns_frame(here):
        here = here.f_back
    found = here or frame
    return "" if found is None else f"{found.f_code.co_qualname}() at {spot(found)}"


def is_busy(frame: FrameType | None) -> bool:
    """Whether a thread is in the application's code, or in what that has called."""
    here, owner = frame, decided()
    while here is not None:
        if owner.owns_frame(here):
            return True
        here = here.f_back
    return False


def spot(frame: FrameType) -> str:
    """`heartbeat.py:38`."""
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"

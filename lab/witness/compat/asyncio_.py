"""asyncio: what a task waits for, what a timer will call, and what is left of a semaphore.

Python 3.14 is not among the versions below: it was not at hand. Free-threaded builds and uvloop neither; uvloop's loop
has no heap of timers that one can read, so of it timers are unknown.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from operator import attrgetter
from typing import Any

READ_FROM = {"python": ("3.11", "3.12", "3.13")}

WAITS_FOR = attrgetter("_fut_waiter")
TIMERS, READY = attrgetter("_scheduled"), attrgetter("_ready")
CALLBACK, ARGS, CONTEXT, RUN = (attrgetter(name) for name in ("_callback", "_args", "_context", "_run"))
PLACES, WAITERS = attrgetter("_value"), attrgetter("_waiters")
GETTERS, PUTTERS = attrgetter("_getters"), attrgetter("_putters")
TIMED = attrgetter("_task")
SELECTOR, SERVED = attrgetter("_selector"), attrgetter("_server")
OWN_READERS = ("_accept_connection", "_read_from_self")
SLEEP = "_set_result_unless_cancelled"
TRANSPORTS = (
    ("asyncio.selector_events", "_SelectorSocketTransport"),
    ("asyncio.proactor_events", "_ProactorSocketTransport"),
)

Waited = asyncio.Event | asyncio.Condition | asyncio.Semaphore | asyncio.Lock


def waits_for(task: asyncio.Task[Any]) -> asyncio.Future[Any] | None:
    """The future, or the task, that a task waits for; None if it is to run."""
    found: asyncio.Future[Any] | None = WAITS_FOR(task)
    return found


def context_of(task: asyncio.Task[Any]) -> Context | None:
    """The context a task runs in; None before Python 3.12, where a task does not tell."""
    asked: Callable[[], Context] | None = getattr(task, "get_context", None)
    return asked() if asked else None


def timers(loop: asyncio.AbstractEventLoop) -> list[asyncio.TimerHandle]:
    """All timers that are to fire, in no order."""
    return [one for one in TIMERS(loop) if not one.cancelled()]


def ready(loop: asyncio.AbstractEventLoop) -> list[asyncio.Handle]:
    """What the loop calls in its next turn; empty if only a socket or a timer can wake it."""
    return [one for one in READY(loop) if not one.cancelled()]


def may_be_woken_from_outside(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop listens to anything but itself, its listening sockets, and those that they accepted.

    True, too, of a loop that has no selector to ask.
    """
    try:
        selector = SELECTOR(loop)
    except AttributeError:
        return True
    handles = (handle for key in selector.get_map().values() for handle in key.data if handle is not None)
    return not all(_is_for_clients(handle) for handle in handles)


def _is_for_clients(handle: asyncio.Handle) -> bool:
    call = callback_of(handle)
    owner = getattr(call, "__self__", None)
    if isinstance(owner, asyncio.AbstractEventLoop):
        return getattr(call, "__name__", "") in OWN_READERS
    try:
        return SERVED(owner) is not None
    except AttributeError:  # a pipe's transport, or none at all
        return False


def callback_of(handle: asyncio.Handle) -> Callable[..., object] | None:
    """What a handle calls; None once it is cancelled."""
    found: Callable[..., object] | None = CALLBACK(handle)
    return found


def args_of(handle: asyncio.Handle) -> tuple[Any, ...]:
    """What it is called with."""
    found: tuple[Any, ...] | None = ARGS(handle)
    return found or ()


def context_of_handle(handle: asyncio.Handle) -> Context:
    """The context it is called in: that of whoever set it, unless another was given."""
    found: Context = CONTEXT(handle)
    return found


def run_now(handle: asyncio.TimerHandle) -> None:
    """Call what a timer would call, now instead of later; what that raises goes to the loop's exception handler."""
    RUN(handle)()
    handle.cancel()


def is_sleep(handle: asyncio.Handle) -> bool:
    """Whether a timer ends an `asyncio.sleep()`."""
    return getattr(callback_of(handle), "__name__", "") == SLEEP


def woken_by(handle: asyncio.Handle) -> Iterator[asyncio.Future[Any]]:
    """Whom a timer wakes: the future of a sleep or of a `wait_for` of Python 3.11, the task of an `asyncio.timeout()`.

    For anyio's timeouts see `anyio_.timed()`.
    """
    args = args_of(handle)
    if args and isinstance(args[0], asyncio.Future):
        yield args[0]
    owner = getattr(callback_of(handle), "__self__", None)
    if isinstance(owner, asyncio.Timeout) and isinstance(task := TIMED(owner), asyncio.Task):
        yield task


def free_places(semaphore: asyncio.Semaphore) -> int:
    """How many may still acquire it."""
    found: int = PLACES(semaphore)
    return found


def waiting(thing: Waited) -> int:
    """How many wait for an event, a condition, a semaphore or a lock."""
    return _pending(WAITERS(thing))


def getting(queue: asyncio.Queue[Any]) -> int:
    """How many wait for an item."""
    return _pending(GETTERS(queue))


def putting(queue: asyncio.Queue[Any]) -> int:
    """How many wait for room."""
    return _pending(PUTTERS(queue))


def _pending(waiters: Iterable[asyncio.Future[Any]] | None) -> int:
    if waiters is not None and not isinstance(waiters, deque):
        raise TypeError(f"waiters are a {type(waiters).__name__} and no deque")
    return sum(1 for one in waiters or () if not one.done())


def transports() -> frozenset[type]:
    """The types of transport that know their loop and their protocol, and by them every connection."""
    known = (getattr(sys.modules.get(module), name, None) for module, name in TRANSPORTS)
    return frozenset(one for one in known if isinstance(one, type))

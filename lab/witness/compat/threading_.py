"""threading and concurrent.futures: where each thread stands, whether a pool owns it, what is left of a semaphore."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, thread
from operator import attrgetter
from types import FrameType

READ_FROM = {"python": ("3.11", "3.12", "3.13")}

FRAMES = attrgetter("_current_frames")
WORKER = attrgetter("_worker")
WORK, THREADS = attrgetter("_work_queue"), attrgetter("_threads")
PLACES, CONDITION, WAITERS = attrgetter("_value"), attrgetter("_cond"), attrgetter("_waiters")


def frames() -> dict[int, FrameType]:
    """The innermost frame of each thread, by its identifier."""
    found: dict[int, FrameType] = FRAMES(sys)()
    return found


def stack(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and all that called it, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def is_pooled(frame: FrameType) -> bool:
    """Whether a frame is the outermost of a thread of an executor; anyio's are `anyio_.is_worker()`'s."""
    return frame.f_code is WORKER(thread).__code__


def is_idle(frame: FrameType) -> bool:
    """Whether a thread, by its innermost frame, waits for another thread: for work, an item, an event or a lock."""
    return frame.f_code.co_filename == threading.__file__ or is_pooled(frame)


def threads_of(executor: ThreadPoolExecutor) -> int:
    """How many threads it has started."""
    return len(THREADS(executor))


def work_left(executor: ThreadPoolExecutor) -> int:
    """How much work nobody has begun yet."""
    found: int = WORK(executor).qsize()
    return found


def free_places(semaphore: threading.Semaphore) -> int:
    """How many may still acquire it."""
    found: int = PLACES(semaphore)
    return found


def waiting(thing: threading.Condition | threading.Event | threading.Semaphore) -> int:
    """How many threads wait for it."""
    condition = thing if isinstance(thing, threading.Condition) else CONDITION(thing)
    return len(WAITERS(condition))

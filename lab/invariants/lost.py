"""A server that serves nobody any more: its event loop does not turn, or its process has ended."""

from __future__ import annotations

from lab.faults import SERVER
from lab.timeline import Observation, Timeline


def frozen(timeline: Timeline) -> Observation | None:
    """The event loop did not turn when it was last asked to."""
    last, counted = timeline.last("frozen"), timeline.last("counted")
    return last if last is not None and (counted is None or counted.at < last.at) else None


def crashed(timeline: Timeline) -> Observation | None:
    """The server's process ended, though nobody had told it to or killed it."""
    told = any(seen.text("seen").startswith("SIG") for seen in timeline.select("injected", SERVER))
    return None if told else timeline.last("exited", SERVER)


def is_lost(timeline: Timeline) -> bool:
    """Whether the server serves nobody any more: then that is what is wrong, and nothing else can be told."""
    return frozen(timeline) is not None or crashed(timeline) is not None


def seen_inside(timeline: Timeline) -> bool:
    """Whether somebody looked inside the server's process, and could do so to the end."""
    return timeline.first("accepted") is not None and not is_lost(timeline)

"""The words a scenario may use. Everything else is machinery."""

from lab.faults import Cut, Heal, Interrupt, Kill, Pause, Reset, Stall, Stop, Unplug
from lab.invariants import (
    Answered,
    CleanedOnce,
    ClosedWith,
    CounterIsTrue,
    Heard,
    NoGoodbye,
    NoNoise,
    NoOrphan,
    NoticedWithin,
    StillServed,
    StopsInTime,
    tidy,
)
from lab.scenario import Scenario
from lab.steps import Broadcast, Connect, Leave, Rest, Say, Send

__all__ = [
    "Answered",
    "Broadcast",
    "CleanedOnce",
    "ClosedWith",
    "Connect",
    "CounterIsTrue",
    "Cut",
    "Heal",
    "Heard",
    "Interrupt",
    "Kill",
    "Leave",
    "NoGoodbye",
    "NoNoise",
    "NoOrphan",
    "NoticedWithin",
    "Pause",
    "Reset",
    "Rest",
    "Say",
    "Scenario",
    "Send",
    "Stall",
    "StillServed",
    "Stop",
    "StopsInTime",
    "Unplug",
    "tidy",
]
__version__ = "0.1.0"

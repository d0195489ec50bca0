"""What a scenario must be so that it can be played: looked at when it is loaded, not when it is half played. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import fields
from types import UnionType
from typing import Any, get_args, get_type_hints

from lab.faults import SERVER, Fault, Heal
from lab.steps import Connect, Leave, Rest, Step, actor_of

CARRIED = 1000
"""How many connections a scenario may open: with so many `crowd` was held 3 of 3 times embedded, 3 of 3 with Docker."""

NAME = re.compile(r"[a-z][a-z0-9_]*(-[0-9]+)?(#[0-9]+)?")
"""`alice`, `carol-17`, `alice#2`."""

REASON_BYTES = 123
"""What a Close frame has room for (RFC 6455 section 5.5)."""

SENDABLE = (*range(1000, 1004), *range(1007, 1015))
"""Codes below 3000 that may stand in a Close frame (RFC 6455 section 7.4.1, and IANA's registry)."""

PRIVATE = range(3000, 5000)


def problem(scenario: Any) -> str:
    """What is wrong with it, in a line; "" if nothing is.

    Args:
        scenario: a Scenario, of whose parts nothing is known: whoever wrote it may have put anything there.
    """
    return next(_problems(scenario), "")


def _problems(scenario: Any) -> Iterator[str]:
    for key in ("title", "hint"):
        if not isinstance(getattr(scenario, key), str):
            yield f"its {key} is no text"
    if not _is_duration(scenario.within) or scenario.within <= 0:
        yield f"within={scenario.within!r} is no number of seconds"
    for key, called in (("given", "step"), ("when", "step or fault")):
        steps = getattr(scenario, key)
        if not isinstance(steps, tuple):
            yield f"its {key} is no tuple; one step is written ({called},)"
            return
        for step in steps:
            if not isinstance(step, Step):
                yield f"{step!r} in its {key} is no {called}"
                return
            yield from _of_step(step)
    if not isinstance(scenario.then, tuple) or not all(callable(getattr(one, "check", None)) for one in scenario.then):
        yield "its then is no tuple of claims"
    yield from _of_people(scenario.steps)


def _of_step(step: Step) -> Iterator[str]:
    hints = get_type_hints(type(step))
    for one in fields(step):
        value = getattr(step, one.name)
        if not _fits(value, hints[one.name]):
            yield f"{step!r}: {one.name}={value!r} should be {_called(hints[one.name])}"
            return
    if not NAME.fullmatch(step.who) and not (step.who == "" and isinstance(step, Fault | Heal)):
        yield f"{step!r}: {step.who!r} is no name; write alice, alice#2 or carol-17"
    match step:
        case Connect(times=times, turn=turn) if not (1 <= times <= CARRIED and turn >= 1):
            yield f"{step!r}: the lab carries 1 to {CARRIED} connections at once"
        case Leave(code=code) if code not in SENDABLE and code not in PRIVATE:
            yield f"{step!r}: {code} may not stand in a Close frame; Kill or Cut ends without one"
        case Leave(reason=reason) if len(reason.encode("utf-8", "replace")) > REASON_BYTES:
            yield f"{step!r}: a reason has at most {REASON_BYTES} bytes"
        case Rest(seconds=seconds) if not _is_duration(seconds):
            yield f"{step!r}: {seconds!r} is no number of seconds"


def _of_people(steps: tuple[Step, ...]) -> Iterator[str]:
    """Whoever does something has connected before; and there are not too many."""
    came: set[str] = set()
    for step in steps:
        if isinstance(step, Connect):
            came |= set(step.connections)
        elif isinstance(step, Fault | Heal):
            if step.who not in {SERVER, *map(actor_of, came)}:
                yield f"{step!r}: {step.who!r} has not connected"
        elif step.who and step.who not in came:
            yield f"{step!r}: {step.who!r} has not connected"
    if len(came) > CARRIED:
        yield f"it opens {len(came)} connections; the lab carries {CARRIED}"


def _fits(value: object, hint: Any) -> bool:
    if isinstance(hint, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return not isinstance(hint, type) or isinstance(value, hint)


def _called(hint: Any) -> str:
    return str(getattr(hint, "__name__", hint))


def _is_duration(value: object) -> bool:
    return _fits(value, float) and math.isfinite(float(value)) and float(value) >= 0  # type: ignore[arg-type]  # it fits

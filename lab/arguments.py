"""What a test may say to `hangup.check`, and what is wrong with what it says, before anything is started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from lab.check.subject import Allowed


class Shape(NamedTuple):
    """What a value must look like.

    Attributes:
        said: as a type of Python's.
        fits: whether a value does.
    """

    said: str
    fits: Callable[[object], bool]


class Mistake(NamedTuple):
    """What is wrong: a sentence of `cli` by its key, with what fills its gaps."""

    key: str
    about: Mapping[str, str]


def _is(*kinds: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _some(*kinds: type) -> Callable[[object], bool]:
    """One of them, or several."""
    return lambda value: isinstance(value, kinds) or _all(value, _is(*kinds))


def _all(value: object, fits: Callable[[object], bool]) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping) and all(map(fits, value))


def _is_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(one, str) for one in value)  # a pair


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_pair(pair) for pair in value.items())


TEXT = Shape("str", _is(str))
TEXTS = Shape("str | list[str]", _some(str))
SWITCH = Shape("bool", _is(bool))
TABLE = Shape("dict[str, str]", _is_table)
PAIRS = Shape("dict[str, str] | list[tuple[str, str]]", lambda value: _is_table(value) or _all(value, _is_pair))

SHAPES: Mapping[str, Shape] = {
    **dict.fromkeys(("app", "flavour", "lang", "unknown"), TEXT),
    **dict.fromkeys(("path", "rows_url", "rows_sql", "command", "url", "image"), TEXT),
    **dict.fromkeys(("cases", "subprotocols", "query"), TEXTS),
    **dict.fromkeys(("headers", "replies"), PAIRS),
    **dict.fromkeys(("factory", "real_time"), SWITCH),
    "say": Shape("str | bytes | list[str | bytes]", _some(str, bytes)),
    "env": TABLE,
    "port": Shape("int", _is(int)),
    "pings": Shape("float", _is(int, float)),
    "allowed": Shape("Allowed", _is(Allowed)),
}


def mistake(said: Mapping[str, object]) -> Mistake | None:
    """What is wrong with the arguments; None if nothing is. None as a value says nothing."""
    for name, value in said.items():
        shape = SHAPES.get(name)
        if shape is None:
            return Mistake("no-argument", {"name": name, "known": ", ".join(SHAPES)})
        if value is not None and not shape.fits(value):
            return Mistake("wrong-argument", {"name": name, "shape": shape.said, "value": f"{value!r:.80}"})
    return None

"""Of what a handler died, and where: said once, by the witness, and of no ordinary end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from fastapi.websockets import WebSocketDisconnect

from lab.witness import connections
from lab.witness.died import SHOWN, death_of

HERE = Path(__file__).name


class Unshowable(Exception):
    def __repr__(self) -> str:
        raise RuntimeError


def raised(by: Callable[[], object]) -> BaseException:
    try:
        by()
    except BaseException as error:
        return error
    raise AssertionError


def fails() -> None:
    dict[str, str]()["session"]


LINE = fails.__code__.co_firstlineno + 1


def grouped() -> None:
    raise BaseExceptionGroup("both", [WebSocketDisconnect(), asyncio.CancelledError(), raised(fails)])


def test_it_is_the_exception_as_python_shows_it_and_the_innermost_line_of_the_application() -> None:
    assert death_of(raised(fails)) == ("KeyError('session')", f"{HERE}:{LINE}")
    inside_json = death_of(raised(lambda: __import__("json").loads("{")))
    assert inside_json
    assert inside_json.at_line.startswith(f"{HERE}:")  # and not json/decoder.py


def test_of_a_group_it_is_the_one_that_is_no_ordinary_end() -> None:
    assert death_of(raised(grouped)) == ("KeyError('session')", f"{HERE}:{LINE}")


@pytest.mark.parametrize(
    "error",
    [
        asyncio.CancelledError(),
        GeneratorExit(),
        WebSocketDisconnect(1006),
        BaseExceptionGroup("", [WebSocketDisconnect()]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_ordinary_end_is_none(error: BaseException) -> None:
    assert death_of(error) is None


def test_what_is_long_is_cut_and_what_cannot_be_shown_is_named() -> None:
    long, odd = death_of(ValueError("x" * 1000)), death_of(Unshowable())
    assert long
    assert len(long.said) == SHOWN
    assert odd == ("Unshowable", "")


def test_an_application_without_a_line_of_its_own_is_named_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("package")
    exec(compile("def fails():\n    1 / 0\n", "/x/site-packages/package/core.py", "exec"), package.__dict__)
    monkeypatch.setattr("lab.witness.died.is_ours", lambda _: False)
    assert death_of(raised(package.fails)) == ("ZeroDivisionError('division by zero')", "core.py:2")


async def _end(error: BaseException | None) -> list[tuple[object, ...]]:
    noted: list[tuple[object, ...]] = []

    async def app(*_: object) -> None:
        if error:
            raise error

    async def nothing(*_: object) -> dict[str, str]:
        return {}

    async def send(_: object) -> None: ...

    watched = connections.Connections(app, lambda *fact: noted.append(fact))
    scope = {"type": "websocket", "headers": [(b"x-hangup-connection", b"alice")]}
    try:
        await watched(scope, nothing, send)
    except Exception:
        assert error
    return noted


def test_a_handler_s_return_says_more_only_if_it_died() -> None:
    for error in (None, WebSocketDisconnect()):
        ((kind, who, _, *said),) = asyncio.run(_end(error))
        assert (kind, who, said) == (connections.RETURNED, "alice", [type(error).__name__ if error else ""])
    ((kind, who, at, *said),) = asyncio.run(_end(KeyError("x")))
    assert kind == connections.DIED
    what, _, _, detail = connections.DIED.say(str(who), float(str(at)), tuple(said))
    assert (what, detail["error"], detail["said"]) == ("returned", "KeyError", "KeyError('x')")
    assert str(detail["at_line"]).startswith(f"{HERE}:")

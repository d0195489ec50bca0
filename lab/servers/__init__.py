"""Servers that come with the lab: the right answer, and wrong ones to learn from."""

from __future__ import annotations

from pathlib import Path

REFERENCE = "lab.servers.reference.app:app"
OPEN_ROWS = "SELECT client FROM session WHERE ended_at IS NULL"
"""The reference's rows that no end has closed."""


class NoSuchServer(LookupError):
    """There is no server of that name.

    Attributes:
        known: the names of the broken ones there are.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.known = known


def broken_servers() -> tuple[str, ...]:
    """The broken servers, one a file, as `broken/NAME`."""
    return tuple(sorted(f"broken/{path.stem}" for path in (Path(__file__).parent / "broken").glob("[a-z]*.py")))


def by_module(app: str) -> str:
    """The `module:attribute` of one of the lab's own servers that is named by its file; any other name as it is."""
    file, _, attribute = app.partition(".py")
    path, folder = Path(f"{file}.py").resolve(), Path(__file__).resolve().parent
    if attribute[:1] not in ("", ":") or not path.is_relative_to(folder) or not path.is_file():
        return app
    parts = path.relative_to(folder).with_suffix("").parts
    return f"{'.'.join((__name__, *parts))}{attribute or ':app'}"


def application(name: str) -> str:
    """The `module:attribute` of a server: `reference`, `broken/NAME`, the file of one of ours, or that already.

    Raises:
        NoSuchServer: it is none of these.
    """
    if name == "reference":
        return REFERENCE
    if name in broken_servers():
        return f"lab.servers.{name.replace('/', '.')}:app"
    if ":" in (known := by_module(name)):
        return known
    raise NoSuchServer(name, broken_servers())

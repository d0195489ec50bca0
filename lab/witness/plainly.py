"""What an object is, and has, whatever its own code says: an application's classes may answer anything, or raise."""

from __future__ import annotations


def part(thing: object, name: str) -> object | None:
    """An attribute; None where there is none, or where its own code raises."""
    try:
        found: object | None = getattr(thing, name, None)
    except Exception:  # the application's own __getattr__, or a property
        return None
    return found


def is_a(thing: object, kind: type) -> bool:
    """As isinstance(), which would ask an object for its `__class__`."""
    return issubclass(type(thing), kind)

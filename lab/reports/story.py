"""A scenario's steps and claims in words, for those who want to read it before they play it."""

from __future__ import annotations

from dataclasses import fields

from lab.invariants import Claim, Invariant
from lab.steps import Step
from lab.words import Words

SILENT = ("who", "kinds")
"""What a sentence says already."""


def step(one: Step) -> str:
    """`Leave alice code=1000`: the verb, who, and whatever else is said."""
    return f"{type(one).__name__} {one.who}{_rest(one)}"


def claim(one: Invariant, words: Words) -> str:
    """The claim's sentence, and its numbers."""
    if not isinstance(one, Claim):
        return repr(one)
    kinds = getattr(one, "kinds", ())
    sentence = words.fill("claim", one.word, who=one.who, kind=", ".join(words.fill("kind", kind) for kind in kinds))
    return f"{sentence}{_rest(one)}"


def _rest(one: Step | Claim) -> str:
    given = {field.name: (getattr(one, field.name), field.default) for field in fields(one) if field.name not in SILENT}
    said = [f"{name}={value!r}" for name, (value, default) in given.items() if value != default]
    return f"  ({', '.join(said)})" if said else ""

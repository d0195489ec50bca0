"""Every sentence of the exercises, in English and Korean: `lab/words/exercises.LANGUAGE.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import lab.words

FOLDER = Path(lab.words.__file__).parent


@dataclass(frozen=True, slots=True)
class StepTexts:
    """What one step says.

    Attributes:
        title: one line.
        task: what to do, and what to read.
        hint: after a try that did not hold.
        more: a longer hint, after the third one.
        why: after it is done.
    """

    title: str
    task: str
    hint: str
    more: str
    why: str


@dataclass(frozen=True, slots=True)
class Texts:
    """One language's sentences."""

    language: str = "en"

    def say(self, key: str, **gaps: object) -> str:
        """A sentence of the command itself, its gaps filled."""
        return str(_table(self.language)["exercise"][key]).format(**gaps)

    def step(self, name: str) -> StepTexts:
        """What a step says."""
        texts = _table(self.language)["step"][name]
        return StepTexts(**{key: str(text).strip() for key, text in texts.items()})


@cache
def _table(language: str) -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((FOLDER / f"exercises.{language}.toml").read_text(encoding="utf-8"))

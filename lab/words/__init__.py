"""Every sentence a learner meets, by key, in English and Korean."""

from __future__ import annotations

import locale
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.scenario import load, story, title_of
from lab.verdict import Phrase

OBEYED = {number: f"\\x{number:02x}" for number in (*range(32), 127, *range(128, 160)) if chr(number) not in "\t\n"}
"""Control characters, each with what is shown instead."""

LANGUAGES = ("en", "ko")
SECTIONS = ("claim", "violated", "kind", "evidence", "report", "cli", "case", "lesson", "more")


@dataclass(frozen=True, slots=True)
class ScenarioText:
    """What a scenario says of itself in one language."""

    title: str
    story: str
    hint: str


def default_language() -> str:
    """LAB_LANG, else the language of the locale, else English."""
    wanted = os.environ.get("LAB_LANG") or locale.getlocale()[0] or ""
    return "ko" if re.match(r"(ko|korean)(?![a-z])", wanted.lower()) else "en"


@dataclass(frozen=True, slots=True)
class Words:
    """One language's sentences."""

    language: str = "en"

    def say(self, said: Phrase) -> str:
        """A phrase as a sentence. A hint is looked up with its scenario, a lesson with its claim."""
        if said.key.startswith("lesson:"):
            return self.fill("lesson", said.key.removeprefix("lesson:"))
        if said.key.startswith("hint:"):
            return self.scenario(said.key.removeprefix("hint:")).hint
        return self.fill("evidence", said.key, **dict(said.args)).rstrip()  # a gap at the end may be empty

    def fill(self, section: str, key: str, **args: object) -> str:
        """The sentence `key` of a section, its gaps filled."""
        return _table(self.language)[section][key].format(**{name: _number(value) for name, value in args.items()})

    def title(self, name: str) -> str:
        """A scenario's title, without running its file.

        Raises:
            SyntaxError, ValueError: it is no Python.
        """
        texts = _table(self.language).get(f"scenario.{name}")
        return texts["title"] if texts else title_of(name)

    def scenario(self, name: str) -> ScenarioText:
        """A scenario's title, story and hint; a case of a check has a title only."""
        if name.startswith("check:"):
            return ScenarioText(self.fill("case", name.removeprefix("check:")), "", "")
        if self.language == "en":
            scenario = load(name)
            return ScenarioText(scenario.title, story(name), scenario.hint)
        texts = _table(self.language).get(f"scenario.{name}")
        return ScenarioText(**texts) if texts else Words("en").scenario(name)


@cache
def _table(language: str) -> Mapping[str, dict[str, str]]:
    data = tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
    table = {section: dict(data[section]) for section in SECTIONS}
    table |= {f"scenario.{name}": dict(texts) for name, texts in data.get("scenario", {}).items()}
    return table


def _number(value: object) -> object:
    """Milliseconds are floats: one decimal is what they are good for. Texts may be a server's own."""
    if isinstance(value, str):
        return harmless(value)
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def harmless(text: str) -> str:
    """A text that may be anybody's, as a terminal may be given it: without what a terminal would obey."""
    return text.translate(OBEYED)

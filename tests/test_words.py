"""Words: two languages with the same keys and the same gaps, every key that the code uses and none that it does not."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import lab
from lab.invariants import Claim
from lab.scenario import load, names, story
from lab.timeline import Json
from lab.verdict import Phrase, phrase
from lab.words import LANGUAGES, SECTIONS, Words, default_language, harmless

ROOT = Path(lab.__file__).parent
HANGUL = re.compile(r"[\uac00-\ud7a3]")
KINDS = {"connection", "handler", "task", "row", "socket"}
LOOKED_UP = {"case", "claim", "kind", "lesson", "more"}
"""Sections whose keys come with a finding, so that no code spells them."""


@cache
def table(language: str) -> Mapping[str, Mapping[str, Json]]:
    """A language's file, as it is."""
    return tomllib.loads((ROOT / "words" / f"{language}.toml").read_text(encoding="utf-8"))


def sentences(language: str, section: str) -> dict[str, str]:
    """The sentences of a section."""
    return {key: str(text) for key, text in table(language)[section].items()}


def gaps(text: str) -> list[tuple[str, str, str]]:
    """The gaps of a sentence: name, conversion and format, whatever their order."""
    return sorted((name, way or "", form or "") for _, name, form, way in string.Formatter().parse(text) if name)


EVERY_KEY = [(section, key) for section in SECTIONS for key in table("en")[section]]


# Two languages.


def test_there_is_a_file_for_each_language_and_no_other() -> None:
    ours = {*LANGUAGES, *(f"exercises.{language}" for language in LANGUAGES)}
    assert {path.stem for path in (ROOT / "words").glob("*.toml")} == ours


def test_both_languages_have_the_same_sections() -> None:
    assert set(table("en")) == set(SECTIONS)
    assert set(table("ko")) == {*SECTIONS, "scenario"}


@pytest.mark.parametrize("section", SECTIONS)
def test_both_languages_have_the_same_keys_in_the_same_order(section: str) -> None:
    assert list(table("ko")[section]) == list(table("en")[section])


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_both_languages_have_the_same_gaps(section: str, key: str) -> None:
    assert gaps(sentences("ko", section)[key]) == gaps(sentences("en", section)[key])


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_a_sentence_is_one_line_and_no_template_within_a_template(section: str, key: str) -> None:
    for language in LANGUAGES:
        text = sentences(language, section)[key]
        assert text == text.strip() or key == "near"
        assert "\n" not in text
        assert all(name.isidentifier() for name, _, _ in gaps(text))


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_the_korean_is_korean(section: str, key: str) -> None:
    text = sentences("ko", section)[key]
    words = re.sub(r"\{[^}]*\}", "", text)
    assert HANGUL.search(words) or not re.search(r"\w", words)


@pytest.mark.parametrize(("section", "key"), EVERY_KEY)
def test_the_english_has_no_korean(section: str, key: str) -> None:
    assert not HANGUL.search(sentences("en", section)[key])


# Scenarios.


def test_every_scenario_is_told_in_korean_and_nothing_else_is() -> None:
    assert set(table("ko")["scenario"]) == set(names())


@pytest.mark.parametrize("name", names())
def test_a_scenario_has_title_story_and_hint_in_korean(name: str) -> None:
    texts = table("ko")["scenario"][name]
    assert isinstance(texts, Mapping)
    assert set(texts) == {"title", "story", "hint"}
    assert all(HANGUL.search(str(text)) for text in texts.values())
    told, english = Words("ko").scenario(name), Words("en").scenario(name)
    assert (told.title, told.story, told.hint) == (texts["title"], texts["story"], texts["hint"])
    assert "\n" not in told.title
    assert told.title != english.title


@pytest.mark.parametrize("name", names())
def test_a_scenario_s_english_is_in_its_own_file(name: str) -> None:
    told = Words("en").scenario(name)
    assert (told.title, told.story, told.hint) == (load(name).title, story(name), load(name).hint)


@pytest.mark.parametrize("name", names())
def test_both_languages_quote_the_same_codes_and_code(name: str) -> None:
    told = [Words(language).scenario(name) for language in LANGUAGES]
    for text in ("title", "hint"):
        english, korean = (re.findall(r"`[^`]+`|(?<!\d)1\d{3}(?!\d)", getattr(one, text)) for one in told)
        assert sorted(korean) == sorted(english)


# What the code says.


@dataclass(frozen=True, slots=True)
class Said:
    """A call that says a sentence.

    Attributes:
        key: the key; a pattern where it is put together.
        given: what fills the gaps, or None where that is not spelled out.
    """

    where: str
    section: str
    key: str
    given: frozenset[str] | None


@cache
def trees() -> Mapping[str, ast.Module]:
    """Every module's syntax tree, by its path."""
    paths = sorted(ROOT.rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def keys(node: ast.expr) -> Iterator[str]:
    """The keys that an expression may be, as patterns; none where only running it would tell."""
    match node:
        case ast.Constant(str(key)):
            yield re.escape(key)
        case ast.IfExp():
            yield from keys(node.body)
            yield from keys(node.orelse)
        case ast.JoinedStr():
            parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values)
            yield "".join(parts)


def said() -> Iterator[Said]:
    """Every `phrase("…")`, `Phrase("…")` and `fill("section", "…")` in the code."""
    for where, tree in trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = frozenset(str(one.arg) for one in node.keywords)
            known = None if "None" in given or name == "Phrase" else given
            here = f"{where}:{node.lineno}"
            if name in ("phrase", "Phrase") and node.args:
                yield from (Said(here, "evidence", key, known) for key in keys(node.args[0]))
            elif name == "fill" and len(node.args) == 2 and isinstance(node.args[0], ast.Constant):
                yield from (Said(here, str(node.args[0].value), key, known) for key in keys(node.args[1]))


@cache
def strings() -> frozenset[str]:
    """Every string in the code that is no docstring."""
    docs = {
        id(node.body[0].value)
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    nodes = (node for tree in trees().values() for node in ast.walk(tree) if id(node) not in docs)
    return frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_the_code_is_read_rightly_here() -> None:
    found = {(one.section, one.key) for one in said()}
    assert {("evidence", "heard"), ("evidence", "not\\-heard")} <= found  # phrase("heard" if … else "not-heard")
    assert {("cli", "verdict\\-.+"), ("evidence", "hint:.+")} <= found


@pytest.mark.parametrize(
    "one", [one for one in said() if one.key != "hint:.+"], ids=lambda one: f"{one.where}-{one.key}"
)
def test_every_key_that_the_code_says_exists_with_all_that_fills_its_gaps(one: Said) -> None:
    found = [key for key in table("en")[one.section] if re.fullmatch(one.key, key)]
    assert found, f"no sentence {one.key!r} in [{one.section}]"
    for key in found:
        wanted = {name for name, _, _ in gaps(sentences("en", one.section)[key])}
        assert one.given is None or wanted <= one.given


SPELLED = [one for one in EVERY_KEY if one[0] not in LOOKED_UP]


@pytest.mark.parametrize(("section", "key"), SPELLED)
def test_no_sentence_is_one_that_nobody_says(section: str, key: str) -> None:
    spelled = any(one.section == section and re.fullmatch(one.key, key) for one in said())
    assert spelled or (section != "evidence" and key in strings() | {"held", "violated", "unknown"})


def test_every_claim_and_every_kind_has_its_words() -> None:
    words = {claim.word for claim in _subclasses(Claim) if claim.__module__.startswith("lab.")}
    assert set(table("en")["claim"]) == words | {"attested"}
    assert set(table("en")["kind"]) == KINDS


def _subclasses(kind: type[Claim]) -> Iterator[type[Claim]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


# Saying it.


def test_milliseconds_have_one_decimal_and_no_more() -> None:
    assert Words().say(phrase("noticed", ms=3.14159, bound=1000.0)) == "after 3.1 ms; the bound is 1000 ms"


def test_braces_in_what_was_seen_are_not_taken_for_gaps() -> None:
    assert "{who}" in Words().say(phrase("heard", text="{who} {0}"))


def test_a_hint_is_its_scenario_s_in_either_language() -> None:
    assert Words("en").say(Phrase("hint:kill")) == load("kill").hint
    assert HANGUL.search(Words("ko").say(Phrase("hint:kill")))


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("ko", "ko"),
        ("KO", "ko"),
        ("ko_KR.UTF-8", "ko"),
        ("Korean_Korea", "ko"),
        ("en", "en"),
        ("en_US.UTF-8", "en"),
        ("de_DE", "en"),
        ("C", "en"),
    ],
)
def test_lab_lang_decides_the_language(monkeypatch: pytest.MonkeyPatch, wanted: str, language: str) -> None:
    monkeypatch.setenv("LAB_LANG", wanted)
    assert default_language() == language


@pytest.mark.parametrize(("locale", "language"), [("ko_KR", "ko"), ("en_US", "en"), (None, "en")])
def test_without_lab_lang_the_locale_decides(
    monkeypatch: pytest.MonkeyPatch, locale: str | None, language: str
) -> None:
    monkeypatch.delenv("LAB_LANG", raising=False)
    monkeypatch.setattr("lab.words.locale.getlocale", lambda: (locale, "UTF-8"))
    assert default_language() == language


def test_an_empty_lab_lang_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_LANG", "")
    monkeypatch.setattr("lab.words.locale.getlocale", lambda: ("ko_KR", "UTF-8"))
    assert default_language() == "ko"


def test_a_text_of_a_server_s_does_not_reach_the_terminal_as_something_to_obey() -> None:
    assert harmless("a\x1b[2J\x00\x9bm\tb\nc") == "a\\x1b[2J\\x00\\x9bm\tb\nc"
    said = Words("en").fill("cli", "aborted", why="\x1b]0;owned\x07")
    assert not set(said) & set("\x1b\x07")

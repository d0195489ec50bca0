"""The English and the Korean pages cannot drift, and their code is real."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import lab
from lab.backends.stage import Backend
from lab.verdict import Outcome
from tests.playing import play, report

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted(path.name for path in (DOCS / "en").glob("*.md"))


def page(language: str, name: str) -> str:
    return (DOCS / language / name).read_text(encoding="utf-8")


def code(text: str) -> list[str]:
    return re.findall(r"```.*?```", text, flags=re.DOTALL)


def test_both_languages_have_the_same_pages() -> None:
    assert PAGES
    assert sorted(path.name for path in (DOCS / "ko").glob("*.md")) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_the_korean_page_has_the_same_headings_code_and_rows(name: str) -> None:
    english, korean = page("en", name), page("ko", name)
    anchors = r"^#+ .*\{#([a-z-]+)\}$"
    assert re.findall(anchors, english, flags=re.MULTILINE) == re.findall(anchors, korean, flags=re.MULTILINE)
    assert code(english) == code(korean)
    first_cells = r"^\| (`[^|]+`) \|"
    assert re.findall(first_cells, english, flags=re.MULTILINE) == re.findall(first_cells, korean, flags=re.MULTILINE)


def test_every_fault_and_claim_of_the_guide_is_a_word_of_the_lab() -> None:
    cells = re.findall(r"^\| ((?:`[A-Z]\w+[^`]*` ?)+)\|", page("en", "guide.md"), flags=re.MULTILINE)
    words = {word for cell in cells for word in re.findall(r"`(\w+)", cell) if not word.startswith("LAB_")}
    assert words
    assert words <= set(lab.__all__)


def test_the_guides_own_scenario_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: Backend) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", page("en", "guide.md"), flags=re.DOTALL)
    (tmp_path / "twice.py").write_text(source, encoding="utf-8")
    monkeypatch.setenv("LAB_SCENARIOS", str(tmp_path))
    played = play("twice", backend)
    sys.modules.pop("scenarios.twice", None)
    assert played.verdict.outcome is Outcome.HELD, report(played)

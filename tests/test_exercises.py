"""Exercises: progress that survives, hints in their order, two languages, and steps that are graded as they claim."""

from __future__ import annotations

import ast
import os
import re
import string
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import lab.exercise
from lab.backends.actors import StageError
from lab.console import Refusal
from lab.exercises import STEPS, NoSuchStep, Step, find
from lab.exercises.desk import MARKS, TRIES_BEFORE_MORE, Desk
from lab.exercises.grading import Grade, grade_step
from lab.exercises.progress import Progress, read, write
from lab.exercises.texts import FOLDER, StepTexts, Texts
from lab.exercises.watch import GONE, watch
from lab.paths import ROOT
from lab.reports import Played, Report
from lab.signals import Interrupted
from lab.timeline import Header, Timeline
from lab.verdict import Finding, Outcome, Verdict, phrase
from lab.words import LANGUAGES

HANGUL = re.compile(r"[\uac00-\ud7a3]")
FIRST, SECOND = STEPS[:2]
KEYS = {field.name for field in fields(StepTexts)}
ROUNDS = 50
"""No story here takes more looks at the file."""

each_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)


def report(step: Step, outcome: Outcome) -> Report:
    """What a grader says: the first case turns out like that, the others hold."""
    played = []
    for case in step.cases:
        one = outcome if case == step.cases[0] else Outcome.HELD
        finding = Finding("no-noise", "server", one, phrase("quiet"))
        played.append(Played(case, Verdict(case, (finding,)), Timeline(Header(case, "", "", ""))))
    return Report("check", step.name, "embedded", "auto", 0.1, tuple(played))


@dataclass(slots=True)
class Fake:
    """A desk whose grader believes what the server's text says: MENDED, DOUBTFUL or BROKEN, else violated."""

    folder: Path
    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    graded: list[str] = field(default_factory=list)

    def grade(self, step: Step, server: Path) -> Report:
        self.graded.append(step.name)
        text = server.read_text(encoding="utf-8")
        if "BROKEN" in text:
            raise StageError("the server does not start", tuple(f"line {n}" for n in range(20)))
        words = {"MENDED": Outcome.HELD, "DOUBTFUL": Outcome.UNKNOWN}
        return report(step, next((outcome for word, outcome in words.items() if word in text), Outcome.VIOLATED))

    @property
    def kept(self) -> Path:
        return self.folder / "home" / "exercises.json"

    @property
    def desk(self) -> Desk:
        return Desk(
            Texts("en"),
            self.grade,
            self.said.append,
            lambda played: self.shown.append(played.name),
            self.folder / "exercises",
            self.kept,
        )

    def save(self, step: Step, text: str) -> None:
        path = step.file(self.desk.folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @property
    def text(self) -> str:
        return "\n".join(self.said)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


def saves(*steps: Callable[[], object]) -> Callable[[float], None]:
    """What happens while the watch sleeps: one of these every few looks, and then Ctrl-C."""
    todo = [*steps]
    looks = 0

    def sleep(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        assert looks < ROUNDS
        if looks % 4 == 0:
            if not todo:
                raise Interrupted
            todo.pop(0)()

    return sleep


# The steps.


def test_every_step_has_its_folder_starter_solution_and_no_other_has() -> None:
    names = [step.name for step in STEPS]
    assert sorted(path.parent.name for path in (ROOT / "exercises").glob("*/server.py")) == names
    for part in ("starters", "solutions"):
        assert sorted(path.stem for path in (ROOT / "lab" / "exercises" / part).glob("*.py")) == names


@each_step
def test_the_repository_s_server_is_the_starter(step: Step) -> None:
    assert step.file(ROOT / "exercises").read_text(encoding="utf-8") == step.starter


@each_step
def test_a_server_is_short_plain_and_does_not_give_its_bug_away(step: Step) -> None:
    assert len(step.starter.splitlines()) <= 45
    for text in (step.starter, step.solution):
        tree = ast.parse(text)
        assert ast.get_docstring(tree)
        roots = {
            name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
        }
        assert "lab" not in roots
    assert "BUG" not in step.starter
    assert step.starter != step.solution


@each_step
def test_what_a_starter_gets_wrong_is_shown_by_its_cases(step: Step) -> None:
    assert step.findings
    assert {case for cases in step.findings.values() for case in cases.split()} <= set(step.cases)


@each_step
def test_a_step_is_found_by_name_number_and_word(step: Step) -> None:
    assert find(step.name) == find(step.number) == find(step.name.partition("_")[2]) == step


def test_there_is_no_other_step() -> None:
    with pytest.raises(NoSuchStep):
        find("6")


# Texts.


def table(language: str) -> Mapping[str, dict[str, dict[str, str] | str]]:
    return tomllib.loads((FOLDER / f"exercises.{language}.toml").read_text(encoding="utf-8"))


def gaps(text: str) -> list[tuple[str, str]]:
    return sorted((name, form or "") for _, name, form, _ in string.Formatter().parse(text) if name)


def sentences(language: str) -> dict[str, str]:
    return {key: str(text) for key, text in table(language)["exercise"].items()}


def test_both_languages_have_the_same_keys_in_the_same_order() -> None:
    english, korean = (table(language) for language in LANGUAGES)
    assert list(english) == list(korean) == ["exercise", "step"]
    assert list(english["exercise"]) == list(korean["exercise"])
    assert list(english["step"]) == list(korean["step"]) == [step.name for step in STEPS]


@pytest.mark.parametrize("key", sentences("en"))
def test_both_languages_have_the_same_gaps_and_their_own_words(key: str) -> None:
    english, korean = (sentences(language)[key] for language in LANGUAGES)
    assert gaps(english) == gaps(korean)
    assert "\n" not in english + korean
    assert not HANGUL.search(english)
    words = re.sub(r"\{[^}]*\}", "", korean)
    assert HANGUL.search(words) or not re.search(r"\w", words)


@each_step
@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_step_says_the_same_in_both_languages(step: Step, key: str) -> None:
    english, korean = (str(getattr(Texts(language).step(step.name), key)) for language in LANGUAGES)
    assert HANGUL.search(korean)
    assert not HANGUL.search(english)
    quoted = (re.findall(r"`[^`]+`|(?<!\d)1\d{3}(?!\d)", text) for text in (english, korean))
    assert len({tuple(sorted(one)) for one in quoted}) == 1, "they quote different code"
    assert ("\n" in english) == ("\n" in korean)


@each_step
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_task_can_be_taken_in_at_a_glance_and_names_its_cases(step: Step, language: str) -> None:
    task = Texts(language).step(step.name).task
    assert 5 <= len([line for line in task.splitlines() if line]) <= 10
    assert all(len(line) <= 110 for line in task.splitlines())
    assert all(re.search(rf"\b{case}\b", task, re.ASCII) for case in step.cases)


def test_every_sentence_is_said_and_every_key_that_is_said_exists() -> None:
    paths = [ROOT / "lab" / "exercise.py", *(ROOT / "lab" / "exercises").glob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    said = set(re.findall(r'\.say\(\s*"([a-z-]+)"', code))
    assert said <= set(sentences("en"))
    assert {key for key in sentences("en") if f'"{key}"' not in code} == set()


# Progress.


def test_progress_survives_a_restart(fake: Fake) -> None:
    fake.save(FIRST, "MENDED")
    fake.desk.attempt(FIRST)
    fake.save(SECOND, "not yet")
    fake.desk.attempt(SECOND)
    again = Fake(fake.folder).desk.progress()
    assert again == Progress(done=(FIRST.name,), tries={SECOND.name: 1})
    assert again.current == SECOND


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"done": []}',
        '{"done": "1_count", "skipped": [], "tries": {}}',
        '{"done": [1], "skipped": [], "tries": {}}',
        '{"done": [], "skipped": [], "tries": {"1_count": "x"}}',
        '{"done": [], "skipped": [], "tries": {"1_count": true}}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_a_damaged_file_is_kept_and_progress_starts_anew(fake: Fake, text: str) -> None:
    fake.kept.parent.mkdir()
    fake.kept.write_text(text, encoding="utf-8")
    assert fake.desk.progress() == Progress()
    assert len(fake.said) == 1
    assert "\n" not in fake.text
    bad = fake.kept.with_name("exercises.json.bad")
    assert str(bad) in fake.text
    assert bad.read_text(encoding="utf-8") == text
    assert fake.desk.progress() == Progress()
    assert len(fake.said) == 1, "it is said once"


def test_a_second_damaged_file_does_not_replace_the_first(fake: Fake) -> None:
    fake.kept.parent.mkdir()
    for text in ("first", "second"):
        fake.kept.write_text(text, encoding="utf-8")
        fake.desk.progress()
    bad = sorted(fake.kept.parent.glob("*.bad*"))
    assert [path.read_text(encoding="utf-8") for path in bad] == ["first", "second"]


def test_bytes_that_are_no_text_are_a_damaged_file_too(fake: Fake) -> None:
    fake.kept.parent.mkdir()
    fake.kept.write_bytes(b"\xff\xfe\x00")
    assert fake.desk.progress() == Progress()


def test_names_that_are_no_step_s_are_kept(tmp_path: Path) -> None:
    progress = Progress(done=("9_later",), skipped=("0_before",), tries={"9_later": 2})
    write(tmp_path / "p.json", progress.finished(FIRST))
    assert read(tmp_path / "p.json")[0] == Progress((*progress.done, FIRST.name), progress.skipped, progress.tries)


def test_a_step_is_done_once_however_often_it_is_checked(fake: Fake) -> None:
    fake.save(FIRST, "MENDED")
    fake.desk.attempt(FIRST)
    fake.desk.attempt(FIRST)
    fake.save(FIRST, "broken again")
    fake.desk.attempt(FIRST)
    assert fake.desk.progress().done == (FIRST.name,)


def test_a_reset_brings_the_starter_back_forgets_the_step_and_keeps_the_work(fake: Fake) -> None:
    for text in ("MENDED once", "MENDED twice"):
        fake.save(FIRST, text)
        fake.desk.attempt(FIRST)
        fake.desk.reset(FIRST)
    assert FIRST.file(fake.desk.folder).read_text(encoding="utf-8") == FIRST.starter
    assert fake.desk.progress() == Progress()
    kept = {path.read_text(encoding="utf-8") for path in fake.kept.parent.glob(f"{FIRST.name}.py*")}
    assert kept == {"MENDED once", "MENDED twice"}


def test_a_reset_of_an_untouched_server_keeps_nothing(fake: Fake) -> None:
    fake.desk.reset(FIRST)
    assert FIRST.file(fake.desk.folder).read_text(encoding="utf-8") == FIRST.starter
    assert [path.name for path in fake.kept.parent.iterdir()] == [fake.kept.name]


def test_a_skipped_step_is_behind_but_not_done_and_can_be_done_later(fake: Fake) -> None:
    fake.desk.skip()
    assert fake.desk.progress() == Progress(skipped=(FIRST.name,))
    assert fake.desk.progress().current == SECOND
    fake.save(FIRST, "MENDED")
    fake.desk.attempt(FIRST)
    assert fake.desk.progress() == Progress(done=(FIRST.name,))


def test_when_nothing_is_left_but_skipped_steps_they_are_named(fake: Fake) -> None:
    for _ in STEPS:
        fake.desk.skip()
    assert all(step.name in fake.said[-1] for step in STEPS)
    fake.desk.skip()
    assert fake.desk.progress().current is None


# Hints.


def test_the_untouched_starter_is_no_try_and_gets_evidence_but_no_hint(fake: Fake) -> None:
    fake.desk.attempt(FIRST)
    assert fake.desk.progress() == Progress()
    assert fake.shown == [FIRST.cases[0]]
    assert Texts().step(FIRST.name).hint not in fake.text


def test_the_hint_comes_with_the_first_try_and_more_after_the_third(fake: Fake) -> None:
    texts = Texts().step(FIRST.name)
    for tries in range(1, TRIES_BEFORE_MORE + 2):
        fake.said.clear()
        fake.save(FIRST, f"try {tries}")
        fake.desk.attempt(FIRST)
        assert texts.hint in fake.text
        assert (texts.more in fake.text) == (tries >= TRIES_BEFORE_MORE)
    assert fake.desk.progress().tries_at(SECOND) == 0


def test_a_doubt_is_neither_a_try_nor_done(fake: Fake) -> None:
    fake.save(FIRST, "DOUBTFUL")
    fake.desk.attempt(FIRST)
    assert fake.desk.progress() == Progress()
    assert MARKS[Outcome.UNKNOWN] in fake.text


def test_what_is_done_is_followed_by_the_why_and_what_the_solution_changes(fake: Fake) -> None:
    fake.save(FIRST, "MENDED")
    fake.desk.attempt(FIRST)
    assert Texts().step(FIRST.name).why in fake.text
    assert "+    finally:" in fake.text
    assert not fake.shown


# Watch mode.


def test_watching_goes_from_step_to_step_as_files_are_saved(fake: Fake) -> None:
    watch(fake.desk, saves(*(lambda step=step: fake.save(step, "MENDED") for step in STEPS)))
    assert fake.desk.progress().done == tuple(step.name for step in STEPS)
    assert fake.graded == [step.name for step in STEPS for _ in range(2)]
    assert fake.said[-1] == Texts().say("all-done")


def test_watching_grades_again_at_each_save_and_at_no_other_time(fake: Fake) -> None:
    with pytest.raises(Interrupted):
        watch(fake.desk, saves(lambda: fake.save(FIRST, "no"), lambda: None, lambda: fake.save(FIRST, "nor this")))
    assert fake.graded == [FIRST.name] * 3
    assert fake.desk.progress().tries_at(FIRST) == 2
    assert fake.text.count(Texts().step(FIRST.name).task) == 1


def test_a_server_that_does_not_start_is_one_line_and_the_end_of_its_log(fake: Fake) -> None:
    with pytest.raises(Interrupted):
        watch(fake.desk, saves(lambda: fake.save(FIRST, "def BROKEN(:")))
    assert Texts().say("not-started", why="the server does not start") in fake.said
    assert [line for line in fake.said if line.startswith("  line")] == [f"  line {n}" for n in range(14, 20)]
    assert fake.desk.progress() == Progress()


def test_after_a_server_that_does_not_start_the_next_save_is_graded(fake: Fake) -> None:
    with pytest.raises(Interrupted):
        watch(fake.desk, saves(lambda: fake.save(FIRST, "BROKEN"), lambda: fake.save(FIRST, "MENDED")))
    assert fake.desk.progress().done == (FIRST.name,)


def test_a_file_in_the_middle_of_a_save_is_not_graded(fake: Fake) -> None:
    path = FIRST.file(fake.desk.folder)

    def half() -> None:
        path.unlink()

    with pytest.raises(Interrupted):
        watch(fake.desk, saves(half, lambda: fake.save(FIRST, "MENDED")))
    assert fake.graded[:2] == [FIRST.name] * 2
    assert fake.text.count("made from the starter") == 2  # the first step's at the start, then the second step's
    assert fake.desk.progress().done == (FIRST.name,)


def test_a_file_that_is_deleted_is_made_again(fake: Fake) -> None:
    path = FIRST.file(fake.desk.folder)
    with pytest.raises(Interrupted):
        watch(fake.desk, saves(path.unlink, *(lambda: None for _ in range(GONE))))
    assert path.read_text(encoding="utf-8") == FIRST.starter


def test_a_save_while_it_is_graded_is_graded_next(fake: Fake) -> None:
    grade: Grade = fake.grade

    def saved_meanwhile(step: Step, server: Path) -> Report:
        found = grade(step, server)
        if len(fake.graded) == 1:
            fake.save(step, "MENDED")
        return found

    desk = Desk(Texts(), saved_meanwhile, fake.said.append, lambda _: None, fake.desk.folder, fake.kept)
    with pytest.raises(Interrupted):
        watch(desk, saves())
    assert desk.progress().done == (FIRST.name,)


def test_a_skip_in_another_terminal_moves_the_watch_on(fake: Fake) -> None:
    with pytest.raises(Interrupted):
        watch(fake.desk, saves(Fake(fake.folder).desk.skip))
    assert fake.graded == [FIRST.name, SECOND.name]
    assert Texts().step(SECOND.name).task in fake.text


# The command line.


@dataclass(frozen=True, slots=True)
class Terminal:
    """`lab exercise` in this process, with the fake grader."""

    fake: Fake

    def run(self, *args: str) -> Result:
        return CliRunner().invoke(lab.exercise.exercise, [*args], standalone_mode=False)

    def refusal(self, *args: str) -> str:
        found = self.run(*args).exception
        assert isinstance(found, Refusal), found
        return str(found)


@pytest.fixture
def terminal(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("LAB_HOME", str(fake.kept.parent))
    monkeypatch.setenv("LAB_EXERCISES", str(fake.desk.folder))
    monkeypatch.setenv("LAB_LANG", "en")
    monkeypatch.setattr("lab.exercise.grade_step", fake.grade)
    monkeypatch.setattr("lab.exercise.show", lambda played, _words: fake.shown.append(played.name))
    return Terminal(fake)


def test_one_round_says_where_one_stands_and_ends_with_the_verdict(terminal: Terminal) -> None:
    first = terminal.run("--once")
    assert (first.return_value, first.exception) == (1, None)
    assert Texts().step(FIRST.name).task in first.stdout
    assert first.stderr == f"lab: violated: {FIRST.cases[0]}\n"
    assert "\x1b" not in first.output
    terminal.fake.save(FIRST, "MENDED")
    second = terminal.run("--once")
    assert second.return_value == 0
    assert Texts().step(SECOND.name).title in second.stdout


def test_one_round_after_the_last_step_holds(terminal: Terminal) -> None:
    for _ in STEPS:
        terminal.run("skip")
    last = terminal.run("--once")
    assert last.return_value == 0
    assert not terminal.fake.graded


def test_check_grades_the_current_step_or_the_one_that_is_named(terminal: Terminal) -> None:
    assert terminal.run("check").return_value == 1
    terminal.fake.save(SECOND, "MENDED")
    assert terminal.run("check", "code").return_value == 0
    assert terminal.fake.graded == [FIRST.name, SECOND.name]
    assert terminal.fake.shown == [*FIRST.cases, *SECOND.cases]
    terminal.fake.save(FIRST, "DOUBTFUL")
    assert terminal.run("check", "1").return_value == 2


def test_the_list_says_what_is_done_skipped_current_and_ahead(terminal: Terminal) -> None:
    terminal.fake.save(FIRST, "MENDED")
    terminal.run("check")
    terminal.run("skip")
    lines = terminal.run("list").stdout.splitlines()
    assert [line[0] for line in lines] == ["✔", "–", "→", "·", "·"]
    assert all(step.name in line for step, line in zip(STEPS, lines, strict=True))


def test_the_solution_is_shown_after_the_step_and_not_before(terminal: Terminal) -> None:
    before = terminal.run("solution", "1")
    assert before.return_value == 2
    assert not before.stdout
    assert before.stderr.splitlines() == [f"lab: {Texts().say('not-yet', name=FIRST.name)}"]
    terminal.run("skip")
    after = terminal.run("solution", "1")
    assert after.return_value == 0
    assert FIRST.solution in after.stdout
    assert Texts().step(FIRST.name).why in after.stdout
    assert terminal.run("solution", "2").return_value == 2
    terminal.fake.save(SECOND, "MENDED")
    terminal.run("check", "2")
    assert terminal.run("solution", "2").return_value == 0


def test_hint_reset_and_skip_do_what_they_say(terminal: Terminal) -> None:
    assert Texts().step(FIRST.name).hint in terminal.run("hint").stdout
    assert Texts().step(SECOND.name).hint in terminal.run("hint", "2").stdout
    terminal.fake.save(FIRST, "mine")
    assert terminal.run("reset", "1").exception is None
    assert FIRST.file(terminal.fake.desk.folder).read_text(encoding="utf-8") == FIRST.starter
    assert terminal.run("skip").exception is None
    assert terminal.fake.desk.progress().current == SECOND


@pytest.mark.parametrize("args", [("--lang", "ko", "list"), ("list", "--lang", "ko")])
def test_either_place_for_the_language_will_do(terminal: Terminal, args: tuple[str, ...]) -> None:
    assert Texts("ko").step(FIRST.name).title in terminal.run(*args).stdout


@pytest.mark.parametrize("command", ["check", "hint", "reset", "solution"])
def test_a_step_that_does_not_exist_is_refused_with_those_that_do(terminal: Terminal, command: str) -> None:
    why = terminal.refusal(command, "nonsense")
    assert "nonsense" in why
    assert all(step.name in why for step in STEPS)
    assert not terminal.fake.graded


def test_a_home_that_cannot_be_written_is_a_refusal(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "file" / "home"))
    assert "file" in terminal.refusal("skip")


def test_ctrl_c_is_left_to_whoever_runs_the_command(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_seconds: float) -> None:
        raise Interrupted

    monkeypatch.setattr("lab.exercises.watch.watch.__defaults__", (interrupted,))
    with pytest.raises(Interrupted):
        terminal.run()


# With the real grader.


def found_in(step: Step, text: str, folder: Path) -> tuple[Report, dict[str, str]]:
    """The real verdict on a server, and its violations in the form of `Step.findings`."""
    server = folder / "server.py"
    server.write_text(text, encoding="utf-8")
    graded = grade_step(step, server)
    found: dict[str, list[str]] = {}
    for played in graded.played:
        for one in played.verdict.findings:
            if one.outcome is Outcome.VIOLATED:
                cases = found.setdefault(f"{one.claim} {one.kind}" if one.kind else one.claim, [])
                cases += [played.name] if played.name not in cases else []
    return graded, {claim: " ".join(cases) for claim, cases in found.items()}


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    return tmp_path


@each_step
def test_a_starter_gets_wrong_what_it_is_meant_to_and_nothing_else(step: Step, own_home: Path) -> None:
    graded, found = found_in(step, step.starter, own_home)
    assert graded.outcome is Outcome.VIOLATED
    assert {played.name for played in graded.played} == set(step.cases)
    assert {claim: set(cases.split()) for claim, cases in found.items()} == {
        claim: set(cases.split()) for claim, cases in step.findings.items()
    }


@each_step
def test_a_solution_holds(step: Step, own_home: Path) -> None:
    graded, found = found_in(step, step.solution, own_home)
    assert not found
    assert graded.outcome is Outcome.HELD


def test_a_server_with_a_syntax_error_is_a_stage_error(own_home: Path) -> None:
    with pytest.raises(StageError) as error:
        found_in(FIRST, "def app(:\n", own_home)
    assert "\n" not in str(error.value)
    assert any("SyntaxError" in line for line in (str(error.value), *error.value.log))


def test_nothing_of_the_repository_is_written_by_these_tests() -> None:
    assert "LAB_EXERCISES" not in os.environ
    assert all(step.file(ROOT / "exercises").read_text(encoding="utf-8") == step.starter for step in STEPS)

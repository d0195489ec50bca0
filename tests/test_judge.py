"""The judge, on stored runs: each verdict again from disk, then every claim made to fail and made to doubt.

The runs in golden/ are real: the reference server's held, and those of broken servers did not. A test takes one,
changes what was seen, and demands exactly the findings that this change deserves, and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from junitparser import Error, Failure, JUnitXml

import lab
from lab import invariants
from lab.invariants import Claim, ClosedWith, Invariant
from lab.judge import judge
from lab.reports import Played, Report, data, junit
from lab.scenario import Scenario, load, names
from lab.steps import Connect
from lab.timeline import Header, Json, Observation, Timeline
from lab.verdict import Finding, Outcome, Phrase, Verdict
from lab.words import LANGUAGES, Words, harmless

GOLDEN = Path(__file__).parent / "golden"
HELD = tuple(name for name in names() if name != "crowd")
"""The crowd's run is of five instead of two hundred, and judged by a scenario of five."""

BROKEN: dict[str, set[tuple[str, str | None, str]]] = {
    "cleans_twice-kill": {("cleaned-once", None, "alice"), ("counter-is-true", None, "server")},
    "forgets_heartbeat-kill": {("no-orphan", "task", "alice")},
    "no_reaper-server-kill": {("no-orphan", "row", "alice"), ("no-orphan", "row", "bob")},
    "no_unregister-kill": {
        ("no-orphan", "connection", "alice"),
        ("cleaned-once", None, "alice"),
        ("counter-is-true", None, "server"),
    },
    "row_left_open-kill": {("no-orphan", "row", "alice")},
    "trusts_tcp-pause": {
        ("noticed-within", None, "alice"),
        ("no-goodbye", None, "alice"),
        ("no-orphan", "connection", "alice"),
        ("no-orphan", "handler", "alice"),
        ("no-orphan", "task", "alice"),
        ("cleaned-once", None, "alice"),
    },
}

CLAIMS = frozenset(
    [
        "no-orphan",
        "no-goodbye",
        "closed-with",
        "cleaned-once",
        "still-served",
        "noticed-within",
        "counter-is-true",
        "no-noise",
        "stops-in-time",
        "attested",
    ]
)
KINDS = frozenset({"connection", "handler", "task", "row", "socket"})

Bad = tuple[str, str | None, str, str]
"""Claim, kind, who and outcome of a finding that is not `held`."""

Held = tuple[str, str, str, str]
"""What a census says of one thing: kind, who, evidence, holder."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run, and ways to have seen something else."""

    header: Header
    seen: tuple[Observation, ...]
    sealed: bool = True

    def without(self, what: str, who: str | None = None, *, when: Callable[[Observation], bool] | None = None) -> Run:
        """The same run in which that was not seen."""
        kept = tuple(one for one in self.seen if not _is(one, what, who, when))
        assert len(kept) < len(self.seen), "nothing to leave out: this run never had it"
        return replace(self, seen=kept)

    def change(
        self,
        what: str,
        who: str | None = None,
        *,
        when: Callable[[Observation], bool] | None = None,
        at: float | None = None,
        **detail: Json,
    ) -> Run:
        """The same run in which that was seen differently, or at another time."""
        changed = tuple(
            replace(one, at=one.at if at is None else at, detail={**one.detail, **detail})
            if _is(one, what, who, when)
            else one
            for one in self.seen
        )
        assert changed != self.seen, "nothing to change: this run never had it"
        return replace(self, seen=changed)

    def add(self, source: str, what: str, who: str = "", *, at: float | None = None, **detail: Json) -> Run:
        """The same run in which something more was seen, at the end unless it is said when."""
        more = Observation(self.seen[-1].at if at is None else at, source, what, who, detail)
        return replace(self, seen=(*self.seen, more))

    def twice(self, what: str, who: str, *, when: Callable[[Observation], bool] | None = None) -> Run:
        """The same run in which that was seen two times."""
        seen = [copy for one in self.seen for copy in ((one, one) if _is(one, what, who, when) else (one,))]
        assert len(seen) > len(self.seen), "nothing to double: this run never had it"
        return replace(self, seen=tuple(seen))

    def last_census(self, count: Callable[[list[Held]], list[Held]]) -> Run:
        """The same run in which the last census counted otherwise."""
        index = max(index for index, one in enumerate(self.seen) if one.what == "counted")
        held = count([_held(item) for item in _list(self.seen[index].detail["held"])])
        counted = replace(self.seen[index], detail={**self.seen[index].detail, "held": [list(item) for item in held]})
        return replace(self, seen=(*self.seen[:index], counted, *self.seen[index + 1 :]))

    def no_census_has(self, kind: str, who: str) -> Run:
        """The same run in which no census ever counted that."""
        return replace(self, seen=tuple(_uncounted(one, kind, who) for one in self.seen))

    @property
    def timeline(self) -> Timeline:
        """Stored and read again: whatever is judged here could have come from disk."""
        return Timeline.from_jsonl(Timeline(self.header, self.seen, sealed=self.sealed).to_jsonl())

    def verdict(self, scenario: Scenario | None = None) -> Verdict:
        """What the judge says."""
        return judge(scenario or load(self.header.scenario), self.timeline)

    def bad(self, scenario: Scenario | None = None) -> set[Bad]:
        """Every finding that is not `held`."""
        found = self.verdict(scenario).findings
        return {(one.claim, one.kind, one.who, one.outcome.word) for one in found if one.outcome is not Outcome.HELD}


def _is(one: Observation, what: str, who: str | None, when: Callable[[Observation], bool] | None) -> bool:
    return one.what == what and who in (None, one.who) and (when is None or when(one))


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value


def _held(item: Json) -> Held:
    kind, who, evidence, holder = map(str, _list(item))
    return kind, who, evidence, holder


def _uncounted(one: Observation, kind: str, who: str) -> Observation:
    if one.what != "counted":
        return one
    kept = [item for item in _list(one.detail["held"]) if _held(item)[:2] != (kind, who)]
    return replace(one, detail={**one.detail, "held": kept})


def golden(name: str) -> Run:
    """A stored run."""
    timeline = Timeline.from_jsonl((GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8"))
    return Run(timeline.header, tuple(timeline), timeline.sealed)


def crowd_of_five() -> Scenario:
    """The crowd, as small as the stored run of it."""
    crowd = load("crowd")
    return replace(crowd, given=(Connect("alice"), Connect("bob"), Connect("carol", times=5)))


def says(text: str) -> Callable[[Observation], bool]:
    """Whether that is in the text of an observation."""
    return lambda one: text in one.text("text")


def went_down(who: str) -> Callable[[Observation], bool]:
    """Whether it is the counter's line for the end of that connection."""
    return says(f"{who} disconnected; active connections")


def finding(run: Run, claim: str, kind: str | None = None) -> Finding:
    """The one finding of that claim which is not `held`."""
    (found,) = (one for one in run.verdict().findings if (one.claim, one.kind) == (claim, kind) and one.outcome.value)
    return found


# Stored runs, judged again.


@pytest.mark.parametrize("name", HELD)
def test_a_stored_run_of_the_reference_server_is_held(name: str) -> None:
    run = golden(name)
    assert run.sealed
    assert run.header.scenario == name
    assert run.bad() == set()
    assert run.verdict().outcome is Outcome.HELD


@pytest.mark.parametrize("name", BROKEN)
def test_a_stored_run_of_a_broken_server_is_violated_in_exactly_its_own_way(name: str) -> None:
    run = golden(f"broken-{name}")
    assert run.bad() == {(*what, "violated") for what in BROKEN[name]}
    assert run.verdict().outcome is Outcome.VIOLATED


def test_a_stored_crowd_is_held_as_the_crowd_that_it_was() -> None:
    verdict = golden("crowd-of-five").verdict(crowd_of_five())
    assert verdict.outcome is Outcome.HELD
    assert [one.who for one in verdict.findings if one.evidence.key == "each-one"] == ["carol-*", "carol-*"]


def test_a_crowd_of_which_some_never_came_is_unknown() -> None:
    assert golden("crowd-of-five").bad() == {("attested", None, "carol-6", "unknown")}


def test_every_stored_run_is_judged_by_a_test() -> None:
    stored = {path.stem for path in GOLDEN.glob("*.jsonl")}
    assert stored == {*HELD, "crowd-of-five", *(f"broken-{name}" for name in BROKEN)}


def test_stored_runs_are_small_and_say_nothing_of_the_machine_they_were_made_on() -> None:
    texts = [path.read_text(encoding="utf-8") for path in GOLDEN.iterdir() if path.is_file()]
    assert sum(map(len, texts)) < 420_000
    for folder in ("/work", "/tmp", "/root", "/home", "/Users", "/usr", "C:\\"):  # looked for, not used
        assert not any(folder in text for text in texts), folder


def test_judging_twice_gives_the_same_verdict() -> None:
    for path in GOLDEN.glob("*.jsonl"):
        run = golden(path.stem)
        assert run.verdict() == run.verdict()


def test_the_measures_of_a_kill_are_as_recorded() -> None:
    verdict = golden("kill").verdict()
    assert verdict.scenario == "kill"
    assert (verdict.codes.client, verdict.codes.wire, verdict.codes.app) == (None, 1006, 1006)
    assert verdict.noticed_ms == 5.086  # injected at 39.609 ms, told at 44.695 ms
    assert verdict.cleaned_ms == 8.952  # the handler returned at 48.561 ms and the next census was clean
    assert verdict.bound_ms == 1000


def test_the_three_points_may_disagree_on_a_code() -> None:
    codes = golden("unplug").verdict().codes
    assert (codes.client, codes.wire, codes.app) == (1006, 1011, 1006)


def test_cleaned_is_the_first_census_that_stayed_clean() -> None:
    run = golden("kill")
    late = run.change("counted", when=lambda one: one.number("ask") == 7, held=[["task", "alice", "", ""]])
    assert late.verdict().cleaned_ms == 15.003  # the census at 54.612 ms
    never = late.change("counted", when=lambda one: one.number("ask") == 9, held=[["task", "alice", "", ""]])
    assert never.verdict().cleaned_ms is None


# No goodbye.


def test_a_polite_code_for_a_client_that_was_killed_is_a_violation() -> None:
    assert golden("kill").change("told", "alice", code=1000).bad() == {("no-goodbye", None, "alice", "violated")}


def test_1005_is_no_goodbye_only_where_nothing_better_can_be_had() -> None:
    run = golden("kill").change("told", "alice", code=1005)
    assert run.bad() == {("no-goodbye", None, "alice", "violated")}
    assert replace(run, header=replace(run.header, flavour="auto")).bad() == set()


def test_an_application_that_was_never_told_is_a_violation() -> None:
    run = golden("kill").without("told", "alice")
    assert run.bad() == {("no-goodbye", None, "alice", "violated")}
    assert finding(run, "no-goodbye").evidence.key == "never-told"


def test_claims_about_a_crowd_that_never_came_are_unknown() -> None:
    run = golden("crowd-of-five").without("connected", when=lambda one: one.who.startswith("carol"))
    assert run.bad(crowd_of_five()) == {
        ("attested", None, "carol-1", "unknown"),
        ("noticed-within", None, "carol-*", "unknown"),
        ("no-goodbye", None, "carol-*", "unknown"),
        ("cleaned-once", None, "carol-*", "unknown"),
    }


def test_of_a_crowd_only_the_first_bad_ones_are_shown() -> None:
    run = golden("crowd-of-five").change("told", when=lambda one: one.who.startswith("carol"), code=1000)
    shown = {("no-goodbye", None, f"carol-{n}", "violated") for n in (1, 2, 3)}
    assert run.bad(crowd_of_five()) == shown


def test_one_bad_end_in_a_crowd_is_shown_as_that_connection() -> None:
    run = golden("crowd-of-five").change("told", "carol-4", code=1000)
    assert run.bad(crowd_of_five()) == {("no-goodbye", None, "carol-4", "violated")}


# Time, and a machine that could not have been in time.


@pytest.mark.parametrize(("late_ms", "outcome"), [(199.0, "violated"), (200.0, "unknown")])
def test_a_bound_that_the_machine_could_not_meet_is_unknown(late_ms: float, outcome: str) -> None:
    run = golden("kill").change("told", "alice", at=39.609 + 1000.1).add("lab", "woken", late_ms=late_ms)
    assert run.bad() == {("noticed-within", None, "alice", outcome)}


@pytest.mark.parametrize(("late_ms", "outcome"), [(399.0, "violated"), (401.0, "unknown")])
def test_an_answer_that_the_machine_could_not_bring_in_time_is_unknown(late_ms: float, outcome: str) -> None:
    run = golden("kill").without("received", "bob").add("lab", "woken", late_ms=late_ms)
    assert run.bad() == {("still-served", None, "bob", outcome)}


def test_what_was_in_time_on_a_late_machine_was_in_time() -> None:
    assert golden("kill").add("lab", "woken", late_ms=5000.0).bad() == set()


# Closed with.


@pytest.mark.parametrize("detail", [{"code": 1001}, {"reason": "tschüss"}, {"code": None}], ids=str)
def test_another_code_or_reason_than_was_sent_is_a_violation(detail: dict[str, Any]) -> None:
    assert golden("close").change("told", "alice", **detail).bad() == {("closed-with", None, "alice", "violated")}


def test_an_end_that_the_client_never_saw_is_a_violation() -> None:
    run = golden("bug").without("closed", "alice")
    assert run.bad() == {("closed-with", None, "alice", "violated")}
    assert finding(run, "closed-with").evidence.key == "never-closed"


def test_the_code_at_the_client_is_not_the_code_at_the_application() -> None:
    assert golden("bug").change("closed", "alice", code=1006).bad() == {("closed-with", None, "alice", "violated")}
    assert golden("close").change("closed", "alice", code=1006).bad() == set()


def test_the_code_of_a_crowd_that_never_came_is_unknown() -> None:
    scenario = replace(load("kill"), then=(ClosedWith("carol-*", 1006),))
    assert golden("kill").bad(scenario) == {("closed-with", None, "carol-*", "unknown")}


# Noticed within.


def test_an_end_that_was_noticed_too_late_is_a_violation() -> None:
    assert golden("kill").change("told", "alice", at=39.609 + 1000).bad() == set()
    assert golden("kill").change("told", "alice", at=39.609 + 1000.1).bad() == {
        ("noticed-within", None, "alice", "violated")
    }


def test_an_end_that_was_never_noticed_is_a_violation() -> None:
    run = golden("pause").without("told", "alice").without("returned", "alice")
    assert run.bad() == {
        ("noticed-within", None, "alice", "violated"),
        ("no-goodbye", None, "alice", "violated"),
        ("cleaned-once", None, "alice", "violated"),
    }


def test_a_handler_that_returns_without_being_told_has_noticed_too() -> None:
    run = golden("kill").without("told", "alice")
    assert run.verdict().noticed_ms == 8.952
    assert ("noticed-within", None, "alice", "violated") not in run.bad()


def test_the_clock_starts_at_the_last_thing_done_to_the_connection() -> None:
    assert golden("stall").verdict().noticed_ms == 748.585  # the second tunnel began at 269.925 ms


def test_of_a_crowd_the_one_noticed_last_decides() -> None:
    run = golden("crowd-of-five")
    run = run.change("told", "carol-3", at=_injected_at(run) + 3000.1)
    assert run.bad(crowd_of_five()) == {("noticed-within", None, "carol-*", "violated")}


# No orphan.


@pytest.mark.parametrize("kind", ["connection", "handler", "task"])
def test_what_is_still_held_in_the_last_census_is_a_violation_with_its_evidence(kind: str) -> None:
    left: Held = (kind, "alice", "beat() waits at echo.py:17", "echo.tasks['alice']")
    run = golden("kill").last_census(lambda held: [*held, left])
    counted = {("counter-is-true", None, "server", "violated")} if kind == "handler" else set()
    assert run.bad() == {("no-orphan", kind, "alice", "violated")} | counted
    found = finding(run, "no-orphan", kind)
    assert found.holder == "echo.tasks['alice']"
    assert dict(found.evidence.args)["evidence"] == "beat() waits at echo.py:17"
    assert Words("en").say(found.evidence) == "1 still there at 54.6 ms beat() waits at echo.py:17"


def test_a_row_that_nobody_serves_any_more_is_a_violation() -> None:
    run = golden("kill").last_census(lambda held: [*held, ("row", "alice", "", "")])
    assert run.bad() == {("no-orphan", "row", "alice", "violated")}


def test_a_row_of_the_same_user_s_other_connection_is_no_orphan() -> None:
    run = golden("away")
    more = run.last_census(lambda held: [*held, ("row", "alice", "", "")])
    assert any(one.what == "counted" and ["row", "alice", "", ""] in _list(one.detail["held"]) for one in run.seen)
    assert run.bad() == set()
    assert more.bad() == {("no-orphan", "row", "alice", "violated")}


def test_two_orphans_are_counted() -> None:
    run = golden("kill").last_census(lambda held: [*held, ("task", "alice", "", ""), ("task", "alice", "", "")])
    assert dict(finding(run, "no-orphan", "task").evidence.args)["count"] == 2


def test_what_is_held_for_a_bystander_is_no_orphan() -> None:
    assert golden("kill").last_census(lambda held: [*held, ("task", "bob", "", "")]).bad() == set()


def test_an_orphan_of_one_census_that_is_gone_in_the_last_is_none() -> None:
    run = golden("kill").change("counted", when=lambda one: one.number("ask") == 7, held=[["task", "alice", "", ""]])
    assert run.bad() == set()


def test_a_row_that_only_the_reaper_closed_is_a_violation() -> None:
    run = golden("kill").add("server", "logged", at=52.0, level="warning", text="reaped: a row of alice outlived it")
    assert run.bad() == {("no-orphan", "row", "alice", "violated")}
    assert finding(run, "no-orphan", "row").evidence.key == "reaped"


def test_a_row_that_was_the_reaper_s_to_close_is_none() -> None:
    run = golden("server-kill")
    assert any(says("reaped: a row of alice ")(one) for one in run.seen)
    assert run.bad() == set()


@pytest.mark.parametrize("kind", invariants.KINDS)
def test_the_absence_of_what_was_never_there_means_nothing(kind: str) -> None:
    run = golden("kill").no_census_has(kind, "alice")
    assert run.bad() == {("no-orphan", kind, "alice", "unknown")}
    assert finding(run, "no-orphan", kind).evidence.key == "never-there"


def test_what_only_the_last_census_could_have_shown_was_never_there() -> None:
    run = golden("kill")
    run = run.without("counted", when=lambda one: (one.number("ask") or 0) < 9)
    assert run.bad() == {("no-orphan", kind, "alice", "unknown") for kind in invariants.KINDS}


def test_without_a_census_nothing_is_known() -> None:
    assert golden("kill").without("counted").bad() == {
        *(("no-orphan", kind, "alice", "unknown") for kind in invariants.KINDS),
        ("counter-is-true", None, "server", "unknown"),
        ("still-served", None, "bob", "unknown"),
    }


def test_a_census_that_failed_is_unknown() -> None:
    run = golden("kill").change("counted", when=lambda one: one.number("ask") == 9, error="rows: database is locked")
    assert run.bad() == {("no-orphan", kind, "alice", "unknown") for kind in invariants.KINDS}
    assert Words().say(finding(run, "no-orphan", "row").evidence) == "the census failed: rows: database is locked"


def test_when_nothing_was_counted_after_the_fault_what_is_left_is_unknown() -> None:
    run = golden("kill").without("counted", when=lambda one: one.at > 39.609)
    assert {outcome for claim, _, _, outcome in run.bad() if claim == "no-orphan"} == {"unknown"}


# Cleaned once.


def test_a_counter_that_went_down_twice_is_a_violation() -> None:
    run = golden("kill").twice("logged", "alice", when=went_down("alice"))
    assert run.bad() == {("cleaned-once", None, "alice", "violated"), ("counter-is-true", None, "server", "violated")}
    assert dict(finding(run, "cleaned-once").evidence.args)["times"] == 2


def test_a_counter_that_never_went_down_is_a_violation() -> None:
    run = golden("kill").without("logged", "alice", when=went_down("alice"))
    assert run.bad() == {("cleaned-once", None, "alice", "violated"), ("counter-is-true", None, "server", "violated")}
    assert dict(finding(run, "cleaned-once").evidence.args)["times"] == 0


def test_a_handler_that_never_returned_is_a_violation() -> None:
    run = golden("kill").without("returned", "alice")
    assert run.bad() == {("cleaned-once", None, "alice", "violated")}
    assert run.verdict().cleaned_ms is None


def test_without_a_counter_nobody_knows_how_often_it_was_cleaned() -> None:
    run = golden("kill").without("logged", when=says("active connections"))
    assert run.bad() == {("cleaned-once", None, "alice", "unknown"), ("counter-is-true", None, "server", "unknown")}


# The counter is true.


def test_a_counter_that_jumps_is_a_violation() -> None:
    run = golden("kill").change("logged", when=went_down("alice"), text="alice disconnected; active connections: 0")
    assert run.bad() == {("counter-is-true", None, "server", "violated")}
    assert finding(run, "counter-is-true").evidence.key == "counter-jumped"


def test_a_counter_that_goes_below_nothing_is_a_violation() -> None:
    run = golden("kill").without("logged", when=says("connected; active"))
    run = run.add("server", "logged", "alice", text="alice disconnected; active connections: -1")
    assert ("counter-is-true", None, "server", "violated") in run.bad()


def test_a_counter_that_does_not_count_what_is_open_is_a_violation() -> None:
    run = golden("kill").last_census(lambda held: [*held, ("handler", "dave", "", "")])
    assert run.bad() == {("counter-is-true", None, "server", "violated")}
    assert finding(run, "counter-is-true").evidence.key == "counter-wrong"


def test_a_server_that_was_started_again_counts_from_nothing() -> None:
    run = golden("server-kill")
    more = run.add("server", "logged", "dave", at=38.0, text="dave connected; active connections: 3")
    later = sorted(more.seen, key=lambda one: one.at)
    run = replace(run, seen=tuple(later))
    assert run.bad() == set()
    assert run.without("listening").bad() == {("counter-is-true", None, "server", "violated")}


# Noise.


@pytest.mark.parametrize(
    "detail",
    [{"level": "error", "text": "Exception in ASGI application"}, {"level": "info", "error": "KeyError: 'alice'"}],
    ids=str,
)
def test_an_exception_in_the_log_is_a_violation(detail: dict[str, Any]) -> None:
    run = golden("kill").add("server", "logged", "alice", **detail)
    assert run.bad() == {("no-noise", None, "alice", "violated")}


def test_a_warning_is_no_noise() -> None:
    assert golden("kill").add("server", "logged", level="warning", text="slow").bad() == set()


def test_without_any_log_nobody_knows_whether_it_was_quiet() -> None:
    assert ("no-noise", None, "server", "unknown") in golden("kill").without("logged").bad()


# Still served.


def test_a_bystander_without_an_echo_at_the_end_is_a_violation() -> None:
    run = golden("kill").without("received", "bob", when=says("still here?"))
    assert run.bad() == {("still-served", None, "bob", "violated")}
    assert finding(run, "still-served").evidence.key == "no-echo"


def test_a_bystander_who_missed_a_broadcast_is_a_violation() -> None:
    run = golden("pause").without("received", "carol", when=says("has anybody seen alice?"))
    assert run.bad() == {("still-served", None, "carol", "violated")}
    assert Words().say(finding(run, "still-served").evidence).startswith("missed 1 broadcast(s)")


def test_a_broadcast_from_before_a_bystander_came_is_not_missed() -> None:
    run = golden("kill").add("lab", "ordered", "bob", at=1.0, do="broadcast", text="is anybody there?")
    assert run.bad() == set()


def test_a_bystander_who_was_disconnected_too_is_a_violation() -> None:
    run = golden("kill").add("bob", "closed", "bob", code=1011, reason="")
    assert run.bad() == {("still-served", None, "bob", "violated")}
    assert finding(run, "still-served").evidence.key == "bystander-closed"


def test_a_bystander_who_never_connected_is_a_violation_and_a_doubt() -> None:
    run = golden("kill").without("connected", "bob")
    assert run.bad() == {("still-served", None, "bob", "violated"), ("attested", None, "bob", "unknown")}


@pytest.mark.parametrize("kind", invariants.KINDS)
def test_a_bystander_of_whom_something_was_lost_is_a_violation(kind: str) -> None:
    run = golden("kill").last_census(lambda held: [one for one in held if one[:2] != (kind, "bob")])
    counted = {("counter-is-true", None, "server", "violated")} if kind == "handler" else set()
    assert run.bad() == {("still-served", None, "bob", "violated")} | counted
    assert dict(finding(run, "still-served").evidence.args)["kinds"] == kind


def test_a_broadcast_that_never_came_out_of_the_tunnel_is_a_violation() -> None:
    run = golden("stall").without("received", "alice", when=says("you are in a tunnel"))
    assert run.bad() == {("still-served", None, "alice", "violated")}


def test_an_error_that_was_never_answered_is_a_violation() -> None:
    run = golden("garbage").without("received", "alice", when=says("bad-shape"))
    assert run.bad() == {("still-served", None, "alice", "violated")}


def test_errors_in_the_wrong_order_are_a_violation() -> None:
    run = golden("garbage")
    first, second = (next(one for one in run.seen if one.what == "received" and says(word)(one)) for word in BAD)
    swapped = {id(first): second, id(second): first}
    run = replace(run, seen=tuple(swapped.get(id(one), one) for one in run.seen))
    assert run.bad() == {("still-served", None, "alice", "violated")}


BAD = ("bad-json", "bad-shape")


# Stops in time.


def test_a_server_that_stops_too_late_is_a_violation() -> None:
    run = golden("server-stop")
    at = _injected_at(run)
    assert run.change("exited", "server", at=at + 3000).bad() == set()
    assert run.change("exited", "server", at=at + 3000.1).bad() == {("stops-in-time", None, "server", "violated")}


def test_a_server_that_never_stops_is_a_violation_and_no_doubt() -> None:
    assert golden("server-stop").without("exited", "server").bad() == {
        ("stops-in-time", None, "server", "violated"),
    }


def test_without_a_signal_nobody_knows_how_fast_it_stops() -> None:
    assert golden("server-stop").without("injected", "server").bad() == {
        ("stops-in-time", None, "server", "unknown"),
        ("attested", None, "server", "unknown"),
    }


# Attested.


def test_a_fin_where_an_rst_was_asked_is_unknown_and_never_held() -> None:
    run = golden("reset").change("disconnected", "alice", by="fin")
    assert run.bad() == {("attested", None, "alice", "unknown")}
    assert run.verdict().outcome is Outcome.UNKNOWN


def test_an_rst_where_a_fin_was_asked_is_unknown() -> None:
    assert golden("cut").change("disconnected", "alice", by="rst").bad() == {("attested", None, "alice", "unknown")}


@pytest.mark.parametrize("name", ["cut", "reset"])
def test_a_close_frame_before_a_cut_is_unknown(name: str) -> None:
    run = golden(name).change("disconnected", "alice", received=1000)
    assert run.bad() == {("attested", None, "alice", "unknown")}


@pytest.mark.parametrize("name", ["cut", "reset"])
def test_a_socket_that_never_ended_is_unknown(name: str) -> None:
    assert golden(name).without("disconnected", "alice").bad() == {("attested", None, "alice", "unknown")}


@pytest.mark.parametrize(
    ("name", "who", "code"), [("kill", "alice", -15), ("quit", "alice", 1), ("server-stop", "server", 1)]
)
def test_another_exit_code_than_the_signal_s_is_unknown(name: str, who: str, code: int) -> None:
    assert golden(name).change("exited", who, code=code).bad() == {("attested", None, who, "unknown")}


@pytest.mark.parametrize(
    ("name", "who", "code"), [("kill", "alice", 137), ("quit", "alice", 130), ("server-stop", "server", 143)]
)
def test_the_exit_code_of_a_container_proves_the_signal_too(name: str, who: str, code: int) -> None:
    assert golden(name).change("exited", who, code=code).bad() == set()


def test_a_process_that_was_gone_before_the_kill_is_unknown() -> None:
    assert golden("kill").change("exited", "alice", at=39.0).bad() == {("attested", None, "alice", "unknown")}


def test_a_fault_that_was_never_injected_is_unknown() -> None:
    assert golden("kill").without("injected").bad() == {
        ("attested", None, "alice", "unknown"),
        ("noticed-within", None, "alice", "unknown"),
    }


def test_the_second_of_two_faults_is_missed_too() -> None:
    run = golden("stall")
    assert run.without("injected", when=lambda one: one.at > 200).bad() >= {("attested", None, "alice", "unknown")}


def test_a_byte_after_a_pause_is_unknown() -> None:
    run = golden("pause")
    disconnected = next(one for one in run.seen if one.what == "disconnected" and one.who == "alice")
    late = disconnected.at - _injected_until(run)
    assert run.change("disconnected", "alice", silent_ms=late - 59.9).bad() == set()  # it was on its way
    assert run.change("disconnected", "alice", silent_ms=late - 60.1).bad() == {("attested", None, "alice", "unknown")}


@pytest.mark.parametrize("name", ["pause", "unplug", "nap"])
def test_a_byte_that_only_a_census_saw_is_unknown(name: str) -> None:
    run = golden(name)
    mended = next((one.at for one in run.seen if one.what == "mended"), float("inf"))
    looked = next(one for one in run.seen if one.what == "counted" and _injected_until(run) + 100 < one.at <= mended)
    assert run.change("counted", when=lambda one: one == looked, silent={"alice": 1.0}).bad() == {
        ("attested", None, "alice", "unknown")
    }


@pytest.mark.parametrize("name", ["pause", "stall", "unplug", "nap"])
def test_a_silence_into_which_nobody_looked_is_unknown(name: str) -> None:
    run = replace(
        golden(name), seen=tuple(replace(one, detail={**one.detail, "silent": {}}) for one in golden(name).seen)
    )
    if name != "nap":
        run = run.without("disconnected", "alice")
    assert run.bad() == {("attested", None, "alice", "unknown")}


@pytest.mark.parametrize("name", ["pause", "nap"])
def test_a_process_that_was_not_stopped_is_unknown(name: str) -> None:
    assert golden(name).change("injected", "alice", seen="running").bad() == {("attested", None, "alice", "unknown")}


def test_of_two_ways_that_forget_one_did_and_the_other_had_no_reason_to() -> None:
    said = {one.who: one.evidence.key for one in golden("nat").verdict().findings if one.claim == "attested"}
    assert said == {"alice": "forgotten-and-reset", "carol": "kept-alive"}


def test_what_is_forgotten_may_stay_so_for_nobody_speaks() -> None:
    run = golden("nat").without("disconnected", "alice")
    assert run.bad() == set()
    assert "forgotten" in {one.evidence.key for one in run.verdict().findings}


def doubt(run: Run, who: str) -> str:
    """The evidence for which alone a run is unknown."""
    assert run.bad() == {("attested", None, who, "unknown")}
    return finding(run, "attested").evidence.key


def test_what_was_to_be_forgotten_and_was_not_is_unknown() -> None:
    assert doubt(golden("nat").without("forgotten", "alice"), "alice") == "nobody-looked"


def test_what_was_forgotten_before_its_time_is_unknown() -> None:
    run, at = golden("nat"), _injected_until(golden("nat"))
    assert run.change("forgotten", "alice", at=at + 126, until=at + 126.1).bad() == set()
    assert doubt(run.change("forgotten", "alice", at=at + 124, until=at + 124.1), "alice") == "forgotten-early"


def test_a_byte_that_crossed_what_was_forgotten_is_unknown() -> None:
    run = golden("nat")
    forgotten, ended = (next(one for one in run.seen if one.what == what) for what in ("forgotten", "disconnected"))
    since = ended.at - (forgotten.number("until") or 0.0)
    assert run.change("disconnected", "alice", silent_ms=since - 59.9).bad() == set()  # it was on its way
    assert doubt(run.change("disconnected", "alice", silent_ms=since - 60.1), "alice") == "not-silent"
    heard = run.add("alice", "pinged", "alice", at=ended.at - since + 249.9)
    assert heard.bad() == set()  # she is slow
    assert doubt(run.add("alice", "pinged", "alice", at=ended.at - since + 250.1), "alice") == "not-silent"


def test_what_a_new_connection_hears_crossed_nothing_that_was_forgotten() -> None:
    run = golden("nat").add("alice", "connected", "alice#2", at=500.0).add("alice", "received", "alice#2", at=900.0)
    assert run.bad() == set()


def test_a_fin_that_crossed_what_was_forgotten_is_unknown() -> None:
    assert doubt(golden("nat").change("disconnected", "alice", by="fin"), "alice") == "wire-ended"


def test_a_silence_long_enough_to_be_forgotten_in_that_was_not_is_unknown() -> None:
    run = golden("nat")
    for what in ("pinged", "received"):
        run = run.without(what, "carol")
    found = finding(run.change("counted", silent={}), "attested")
    assert (found.who, found.outcome, found.evidence.key) == ("carol", Outcome.UNKNOWN, "not-forgotten")


def test_a_story_shorter_than_the_memory_proves_nothing() -> None:
    run = golden("nat")
    end = max(one.at for one in run.seen)
    assert run.change("injected", "carol", until=end - 1000.0).bad() == set()
    assert doubt(run.change("injected", "carol", until=end - 999.9), "carol") == "over-too-soon"


def test_what_arrives_after_a_stall_was_mended_is_no_doubt() -> None:
    assert any(one.what == "received" and one.who == "alice" and 260 < one.at < 300 for one in golden("stall").seen)
    assert golden("stall").bad() == set()


@pytest.mark.parametrize("name", HELD)
def test_a_run_that_was_cut_short_is_unknown(name: str) -> None:
    run = replace(golden(name), sealed=False)
    assert run.bad() == {("attested", None, "", "unknown")}
    assert run.verdict().outcome is Outcome.UNKNOWN


def test_a_violation_outweighs_a_doubt() -> None:
    run = golden("kill").change("told", "alice", code=1000).no_census_has("task", "alice")
    assert {outcome for *_, outcome in run.bad()} == {"violated", "unknown"}
    assert run.verdict().outcome is Outcome.VIOLATED


def test_a_doubt_about_the_whole_outweighs_a_violation_in_a_part() -> None:
    run = replace(golden("kill").change("told", "alice", code=1000), sealed=False)
    assert ("no-goodbye", None, "alice", "violated") in run.bad()
    assert run.verdict().outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("who", "code"), [("bob", -9), ("bob", 137), ("bob", 0), ("server", -9)])
def test_whom_the_lab_did_not_end_is_not_the_server_s_fault(who: str, code: int) -> None:
    run = golden("kill").without("received", "bob").add("lab", "exited", who, at=60.0, code=code)
    assert ("still-served", None, "bob", "violated") in run.bad()
    assert ("attested", None, who, "unknown") in run.bad()
    assert run.verdict().outcome is Outcome.UNKNOWN


def test_a_server_that_ends_by_itself_is_its_own_fault() -> None:
    run = golden("kill").without("received", "bob").add("lab", "exited", "server", at=60.0, code=1)
    assert run.verdict().outcome is Outcome.VIOLATED


def test_nothing_seen_at_all_is_no_success() -> None:
    for name in names():
        assert judge(load(name), Timeline(Header(name, "", "", ""), sealed=True)).outcome is not Outcome.HELD


def test_a_claim_that_raises_is_unknown() -> None:
    @dataclass(frozen=True, slots=True)
    class Confused(Claim):
        word: ClassVar[str] = "no-noise"

        def check(self, timeline: Timeline) -> Iterator[Finding]:
            yield self.found(Outcome.HELD, Phrase("quiet"))
            raise KeyError(len(timeline))

    confused: Invariant = Confused("alice")
    scenario = replace(load("kill"), then=(confused,))
    assert golden("kill").bad(scenario) == {("no-noise", None, "alice", "unknown")}


def _injected_at(run: Run) -> float:
    return next(one.at for one in run.seen if one.what == "injected")


def _injected_until(run: Run) -> float:
    return next(one.number("until") or 0.0 for one in run.seen if one.what == "injected")


# Reports of verdicts.


def report(*runs: Run, path: str = "somewhere/run.jsonl") -> Report:
    """The report on runs of one command."""
    played = tuple(Played(run.header.scenario, run.verdict(), run.timeline, 0.12345, path) for run in runs)
    return Report("run", "reference", "embedded", "rfc6455", 1.23456, played)


def everything() -> Report:
    """A report with held, violated and unknown scenarios."""
    return report(
        golden("kill"),
        golden("broken-no_unregister-kill"),
        golden("broken-trusts_tcp-pause"),
        golden("reset").change("disconnected", "alice", by="fin"),
        golden("garbage"),
    )


def rendered(told: Report, language: str = "en") -> dict[str, Any]:
    """The JSON report, read again."""
    loaded: dict[str, Any] = json.loads(data.render(told, Words(language)))
    return loaded


def test_every_claim_s_word_is_in_the_contract() -> None:
    words = {claim.word for claim in _subclasses(Claim) if claim.__module__.startswith("lab.invariants")}
    assert words | {"attested"} == CLAIMS
    assert set(invariants.KINDS) < KINDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_json_report_keeps_its_contract(language: str) -> None:
    told = rendered(everything(), language)
    scenarios = told.pop("scenarios")
    assert told == {
        "schema": 1,
        "hangup": lab.__version__,
        "command": "run",
        "subject": "reference",
        "backend": "embedded",
        "flavour": "rfc6455",
        "outcome": "violated",
        "seconds": 1.235,
    }
    assert [(one["name"], one["outcome"]) for one in scenarios] == [
        ("kill", "held"),
        ("kill", "violated"),
        ("pause", "violated"),
        ("reset", "unknown"),
        ("garbage", "held"),
    ]
    for one in scenarios:
        _check_scenario(one)


def _check_scenario(one: dict[str, Any]) -> None:
    wanted = ["name", "title", "outcome", "codes", "noticed_ms", "bound_ms", "cleaned_ms", "findings", "timeline"]
    assert set(wanted) <= set(one) <= {*wanted, "seconds"}
    assert one["title"]
    assert set(one["codes"]) == {"client", "wire", "app"}
    assert all(code is None or type(code) is int for code in one["codes"].values())
    assert all(one[key] is None or type(one[key]) in (int, float) for key in ("noticed_ms", "bound_ms", "cleaned_ms"))
    for found in one["findings"]:
        assert list(found) == ["claim", "kind", "who", "outcome", "scenario", "evidence", "holder", "hint"]
        assert found["claim"] in CLAIMS
        assert (found["kind"] in KINDS) if found["claim"] == "no-orphan" else found["kind"] is None
        assert found["outcome"] in {"held", "violated", "unknown"}
        assert found["scenario"] == one["name"]
        assert found["evidence"]
        assert bool(found["hint"]) == (found["outcome"] == "violated")
        assert found["holder"] is None or found["holder"]


def test_what_was_not_measured_is_null() -> None:
    *_, pause, _, garbage = rendered(everything())["scenarios"]
    assert pause["codes"] == {"client": None, "wire": None, "app": None}
    assert (pause["noticed_ms"], pause["bound_ms"], pause["cleaned_ms"]) == (None, 1500, None)
    assert (garbage["noticed_ms"], garbage["bound_ms"], garbage["cleaned_ms"]) == (None, None, None)


def test_a_violation_names_its_holder_and_its_hint() -> None:
    (told,) = rendered(report(golden("broken-no_unregister-kill")))["scenarios"]
    (orphan,) = (one for one in told["findings"] if one["claim"] == "no-orphan" and one["outcome"] == "violated")
    assert orphan["holder"] == "app.state.manager.sessions['alice']"
    assert orphan["hint"] == load("kill").hint
    (korean,) = rendered(report(golden("broken-no_unregister-kill")), "ko")["scenarios"]
    assert korean["title"] == Words("ko").scenario("kill").title
    assert {one["hint"] for one in korean["findings"]} == {None, Words("ko").scenario("kill").hint}


def test_a_timeline_that_was_kept_nowhere_is_null() -> None:
    assert rendered(report(golden("kill"), path=""))["scenarios"][0]["timeline"] is None
    assert rendered(report(golden("kill")))["scenarios"][0]["timeline"] == "somewhere/run.jsonl"


def test_a_report_on_nothing_is_no_success() -> None:
    assert rendered(report())["outcome"] == "unknown"
    assert junit.render(report(), Words())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_junit_report_counts_violations_as_failures_and_doubts_as_errors(language: str) -> None:
    told = JUnitXml.fromstring(junit.render(everything(), Words(language)).encode())
    (suite,) = told
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (5, 2, 1, 0)
    results = [[type(result) for result in case.result] for case in suite]
    assert results == [[], [Failure], [Failure], [Error], []]
    assert [case.name for case in suite] == ["kill", "kill", "pause", "reset", "garbage"]
    assert {case.classname for case in suite} == {"hangup.embedded"}
    assert [result.type for case in suite for result in case.result] == ["violated", "violated", "unknown"]
    assert all(
        Words(language).scenario(case.name).title in (result.text or "") for case in suite for result in case.result
    )


@pytest.mark.parametrize(
    "text",
    [
        "<&>\"' ]]> 한국어",
        "\x1b[31mred\x1b[0m",
        "nul \x00",
        "\ufffe",
    ],
    ids=ascii,
)
def test_whatever_a_server_logs_the_reports_can_be_read(text: str) -> None:
    run = golden("kill").add("server", "logged", "alice", level="error", text=text, error="")
    evidence = [one["evidence"] for one in rendered(report(run))["scenarios"][0]["findings"]]
    assert any(harmless(text) in one for one in evidence)
    (suite,) = JUnitXml.fromstring(junit.render(report(run), Words()).encode())
    assert suite.failures == 1


def _subclasses(kind: type[Claim]) -> Iterator[type[Claim]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)

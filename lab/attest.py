"""Attestation: did each fault happen as it was asked for? If not, the verdict is unknown, never held."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice, pairwise

from lab import evidence
from lab.faults import SERVER, Cut, Fault, Idle, Interrupt, Kill, Pause, Reset, Stop
from lab.steps import Connect, Step, actor_of
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, Phrase, phrase

TOLD_LATE_MS = 250.0
"""How late a client may say that she heard something: hers is a process among many."""

IN_FLIGHT_MS = 60.0
"""Bytes sent just before a fault may still be on their way when it begins (measured: under 5 ms on loopback)."""

ENDS = ("disconnected", "closed", "exited")
"""After any of these there is nothing to forget."""

SIGNALS = {Kill: (-9, 137), Interrupt: (-2, 130, 0), Stop: (-15, 143, 0)}
"""Exit codes that prove the signal: as the parent sees it, and as a container's exit code."""


def attest(steps: tuple[Step, ...], timeline: Timeline) -> Iterator[Finding]:
    """One finding for each thing that was to be set up or done."""
    for step in steps:
        if isinstance(step, Connect):
            yield from _connected(step, timeline)
    yield from _disturbed(timeline)
    faults = [step for step in steps if isinstance(step, Fault)]
    seen = list(timeline.select("injected"))
    for index, fault in enumerate(faults):
        if index >= len(seen):
            yield _finding(fault, False, phrase("not-injected", fault=fault.name))
        else:
            yield _happened(fault, seen[index], timeline)


def _connected(step: Connect, timeline: Timeline) -> Iterator[Finding]:
    missing = [who for who in step.connections if not timeline.first("connected", who)]
    if missing:
        refused = timeline.first("refused", missing[0])
        why = refused.text("text") if refused else ""
        yield Finding("attested", missing[0], Outcome.UNKNOWN, phrase("never-connected", why=why))


def _disturbed(timeline: Timeline) -> Iterator[Finding]:
    """What nobody asked for: lines that are no facts, and processes that ended though the lab did nothing to them.

    Somebody killed those, or the machine had no memory. A server may end by itself, and that is its own affair; but
    none ends itself with SIGKILL.
    """
    for garbled in islice(timeline.select("garbled", source="lab"), 1):
        said = phrase("garbled", line=garbled.text("line"))
        yield Finding("attested", garbled.who, Outcome.UNKNOWN, said, whole=True)
    for gone in timeline.select("exited", source="lab"):
        ours = any(seen.at <= gone.at for seen in timeline.select("injected", gone.who))
        if not ours and (gone.who != SERVER or gone.code() in SIGNALS[Kill]):
            said = phrase("ended-by-others", code=gone.code() or 0)
            yield Finding("attested", gone.who, Outcome.UNKNOWN, said, whole=True)


def _happened(fault: Fault, injected: Observation, timeline: Timeline) -> Finding:
    if fault.fatal:
        return _exited(fault, injected, timeline)
    if isinstance(fault, Idle):
        return _idled(fault, injected, timeline)
    if fault.silent:
        return _fell_silent(fault, injected, timeline)
    return _ended(fault, timeline)


def _exited(fault: Fault, injected: Observation, timeline: Timeline) -> Finding:
    """The process is gone, by that signal."""
    gone = next((seen for seen in timeline.select("exited", fault.who) if seen.at >= injected.at), None)
    if gone is None and isinstance(fault, Stop):  # whether it obeys is the server's affair
        return _finding(fault, True, phrase("told-to-stop"))
    if gone is None:
        return _finding(fault, False, phrase("still-runs", fault=fault.name))
    expected = SIGNALS[type(fault)]
    return _finding(fault, gone.code() in expected, phrase("exited", fault=fault.name, code=gone.code() or 0))


def _ended(fault: Fault, timeline: Timeline) -> Finding:
    """The server's socket ended as asked: FIN for a cut, RST for a reset, and no Close frame either way."""
    want = {Cut: "fin", Reset: "rst"}[type(fault)]
    wire = next((seen for seen in timeline.select("disconnected") if actor_of(seen.who) == fault.who), None)
    if wire is None:
        return _finding(fault, False, phrase("wire-open", fault=fault.name))
    clean = wire.text("by") == want and wire.code("received") is None
    return _finding(fault, clean, phrase("wire-ended", fault=fault.name, by=wire.text("by").upper()))


def _fell_silent(fault: Fault, injected: Observation, timeline: Timeline) -> Finding:
    """No byte of the client reached the server from the fault until it was mended, or the connection was gone."""
    if isinstance(fault, Pause) and injected.text("seen") not in ("stopped", "paused"):
        return _finding(fault, False, phrase("not-paused"))
    if fault.who == SERVER or timeline.first("accepted") is None:  # nobody inside could say more than the system did
        return _finding(fault, True, phrase("paused"))
    until = injected.number("until") or injected.at
    mended = next((m for m in timeline.select("mended", fault.who) if m.at >= until), None)
    end = mended.at if mended else math.inf
    last_look: float | None = None
    for _, at, silent_ms in _silences(timeline, fault.who):
        if until < at <= end:
            last_look = at
            if at - silent_ms > until + IN_FLIGHT_MS:
                return _finding(
                    fault, False, phrase("not-silent", fault=fault.name, ms=round(at - silent_ms - until, 3))
                )
    if last_look is None:
        return _finding(fault, False, phrase("nobody-looked", fault=fault.name))
    return _finding(fault, True, phrase("silent", fault=fault.name, ms=round(last_look - until, 3)))


def _idled(fault: Idle, injected: Observation, timeline: Timeline) -> Finding:
    """The way forgot the client when it should have, or it had no reason to."""
    since = injected.number("until") or injected.at
    mended = next((seen.at for seen in timeline.select("mended", fault.who) if seen.at >= since), math.inf)
    forgotten = next((seen for seen in timeline.select("forgotten", fault.who) if since <= seen.at <= mended), None)
    if forgotten is None:
        return _kept_alive(fault, since, mended, timeline)
    return _forgotten(fault, since, forgotten, mended, timeline)


def _forgotten(fault: Idle, since: float, forgotten: Observation, mended: float, timeline: Timeline) -> Finding:
    """There was a silence before, no byte crossed after, and if the server's socket ended, no FIN crossed either."""
    flows = {seen.who for seen in timeline.select("connected", source=fault.who) if seen.at <= forgotten.at}
    heard = [at - silent for who, at, silent in _silences(timeline, fault.who) if who in flows and at <= mended]
    silence = forgotten.at - max((at for at in heard if since <= at <= forgotten.at), default=since)
    if silence < fault.seconds * 1000 / 2:
        return _finding(fault, False, phrase("forgotten-early", fault=fault.name, ms=round(silence, 3)))
    until = forgotten.number("until") or forgotten.at
    told = (seen.at for what in ("received", "pinged") for who in flows for seen in timeline.select(what, who))
    after = [at - until for at in heard if at > until + IN_FLIGHT_MS]
    after += [at - until for at in told if until + TOLD_LATE_MS < at <= mended]
    if after:
        return _finding(fault, False, phrase("not-silent", fault=fault.name, ms=round(min(after), 3)))
    ends = (seen for who in flows for seen in timeline.select("disconnected", who))
    ended = {seen.text("by") for seen in ends if forgotten.at <= seen.at <= mended}
    if "fin" in ended:
        return _finding(fault, False, phrase("wire-ended", fault=fault.name, by="FIN"))
    reset = "rst" in ended
    said = phrase("forgotten-and-reset" if reset else "forgotten", fault=fault.name, ms=round(silence, 3))
    return _finding(fault, True, said)


def _kept_alive(fault: Idle, since: float, mended: float, timeline: Timeline) -> Finding:
    """It lasted for long enough, and never was there so long a silence."""
    ends = [seen.at for seen in timeline if seen.what in ENDS and actor_of(seen.who) == fault.who and seen.at > since]
    end = min(mended, max(ends or (seen.at for seen in timeline)))
    heard = {at - silent for _, at, silent in _silences(timeline, fault.who)}
    heard |= {seen.at for seen in evidence.crossings(timeline, fault.who)}
    crossed = sorted(at for at in heard if since < at < end)
    longest = max(later - earlier for earlier, later in pairwise((since, *crossed, end)))
    if end - since < fault.seconds * 1000:
        return _finding(fault, False, phrase("over-too-soon", fault=fault.name))
    if not crossed:
        return _finding(fault, False, phrase("nobody-looked", fault=fault.name))
    held = longest <= fault.seconds * 1000 + TOLD_LATE_MS
    said = phrase("kept-alive" if held else "not-forgotten", fault=fault.name, ms=round(longest, 3))
    return _finding(fault, held, said)


def _silences(timeline: Timeline, actor: str) -> Iterator[tuple[str, float, float]]:
    """Which socket of that client's somebody looked at, when, and for how long it had been silent."""
    for seen in timeline.select("disconnected"):
        if actor_of(seen.who) == actor:
            yield seen.who, seen.at, seen.number("silent_ms") or 0.0
    for census in evidence.censuses(timeline):
        for who, silent_ms in census.silent.items():
            if actor_of(who) == actor:
                yield who, census.at, silent_ms


def _finding(fault: Fault, held: bool, said: Phrase) -> Finding:
    return Finding("attested", fault.who or SERVER, Outcome.HELD if held else Outcome.UNKNOWN, said)

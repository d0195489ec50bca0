"""Attestation: did each fault happen as it was asked for? If not, the verdict is unknown, never held."""

from __future__ import annotations

from collections.abc import Iterator

from lab import evidence
from lab.faults import SERVER, Cut, Fault, Interrupt, Kill, Pause, Reset, Stop
from lab.steps import Connect, Step, actor_of
from lab.timeline import Observation, Timeline
from lab.verdict import Finding, Outcome, Phrase, phrase

IN_FLIGHT_MS = 60.0
"""Bytes sent just before a fault may still be on their way when it begins (measured: under 5 ms on loopback)."""

SIGNALS = {Kill: (-9, 137), Interrupt: (-2, 130, 0), Stop: (-15, 143, 0)}
"""Exit codes that prove the signal: as the parent sees it, and as a container's exit code."""


def attest(steps: tuple[Step, ...], timeline: Timeline) -> Iterator[Finding]:
    """One finding for each thing that was to be set up or done."""
    for step in steps:
        if isinstance(step, Connect):
            yield from _connected(step, timeline)
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


def _happened(fault: Fault, injected: Observation, timeline: Timeline) -> Finding:
    if fault.fatal:
        return _exited(fault, injected, timeline)
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
    end = mended.at if mended else float("inf")
    last_look: float | None = None
    for at, silent_ms in _silences(timeline, fault.who):
        if until < at <= end:
            last_look = at
            if at - silent_ms > until + IN_FLIGHT_MS:
                return _finding(
                    fault, False, phrase("not-silent", fault=fault.name, ms=round(at - silent_ms - until, 3))
                )
    if last_look is None:
        return _finding(fault, False, phrase("nobody-looked", fault=fault.name))
    return _finding(fault, True, phrase("silent", fault=fault.name, ms=round(last_look - until, 3)))


def _silences(timeline: Timeline, actor: str) -> Iterator[tuple[float, float]]:
    """When somebody looked at a socket of that client's, and for how long it had been silent."""
    for seen in timeline:
        if seen.what == "disconnected" and actor_of(seen.who) == actor:
            yield seen.at, seen.number("silent_ms") or 0.0
    for census in evidence.censuses(timeline):
        for who, silent_ms in census.silent.items():
            if actor_of(who) == actor:
                yield census.at, silent_ms


def _finding(fault: Fault, held: bool, said: Phrase) -> Finding:
    return Finding("attested", fault.who or SERVER, Outcome.HELD if held else Outcome.UNKNOWN, said)

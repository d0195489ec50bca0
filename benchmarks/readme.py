"""The README's table, made of the figures that were stored last: `python -m benchmarks.readme`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import ROOT, Row, Stored, read

LAST = Path(__file__).parent / "last.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
SHOWN = ("fastapi", "uvicorn", "websockets", "docker", "testcontainers")


def section(stored: Stored) -> str:
    """Where it was measured, and a row for each figure that is compared, or that is no measure for others."""
    return "\n".join((BEGIN, *_text(stored), END))


def _text(stored: Stored) -> Iterator[str]:
    machine = stored.machine
    versions = ", ".join(f"{name} {machine.packages[name]}" for name in SHOWN if name in machine.packages)
    yield f"`make bench` at {stored.commit}, {stored.at[:10]}: {machine.cores} cores, {machine.system},"
    yield f"Python {machine.python}, {versions}; load {machine.load:g} when it began. Medians, and from least to most."
    yield ""
    yield "| what | took | by hand, in the same run | ratio |"
    yield "|---|---|---|---|"
    measures = {row.against for row in stored.rows.values()}
    for row in stored.rows.values():
        if row.name not in measures:
            yield _row(row, stored.rows.get(row.against))


def _row(row: Row, other: Row | None) -> str:
    beside = f"{_said(other)}: {other.what.removeprefix('by hand: ').removeprefix('by hand, ')}" if other else ""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} ×"
    return f"| {row.what} | {_said(row)} | {beside} | {ratio} |"


def _said(row: Row) -> str:
    if row.count == 1:
        return f"{row.median:.3g} {row.unit}".rstrip()
    return f"{row.median:.3g} {row.unit}".rstrip() + f" ({row.low:.3g} to {row.high:.3g})"


def replaced(readme: str, stored: Stored) -> str:
    """A README with that section.

    Raises:
        ValueError: it has no place for one.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no {BEGIN} … {END}")
    return before + section(stored) + after


def main() -> None:
    """Write it."""
    README.write_text(replaced(README.read_text(encoding="utf-8"), read(LAST)), encoding="utf-8")


if __name__ == "__main__":
    main()

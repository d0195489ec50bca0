"""Two stored reports side by side: `python -m benchmarks.compare BEFORE AFTER`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Row, Stored, read, say


def lines(before: Stored, after: Stored) -> Iterator[str]:
    """One for each figure that is in either; medians, how they changed, and what each is of its other way."""
    yield f"{'':<62} {before.commit or 'before':>12} {after.commit or 'after':>12}"
    if replace(before.machine, load=0.0) != replace(after.machine, load=0.0):
        yield "measured on different machines, or with other versions: only ratios can be compared"
    for name in dict.fromkeys((*before.rows, *after.rows)):
        yield _line(before.rows.get(name), after.rows.get(name))


def _line(before: Row | None, after: Row | None) -> str:
    row = after or before
    assert row is not None, "a figure of neither"
    medians = "".join(f" {'-' if one is None else f'{one.median:.3f}':>12}" for one in (before, after))
    return f"{row.what:<62}{medians} {row.unit:<4} {_change(before, after)}{_ratios(before, after)}".rstrip()


def _change(before: Row | None, after: Row | None) -> str:
    """How many times what it was; nothing where the ranges overlap, for then it may be chance."""
    if before is None or after is None or not before.median:
        return "      "
    apart = after.low > before.high or after.high < before.low
    return f"{after.median / before.median:5.2f}×" if apart else "   ≈  "


def _ratios(before: Row | None, after: Row | None) -> str:
    said = [f"{one.ratio:.2f}" if one is not None and one.ratio is not None else "-" for one in (before, after)]
    row = after or before
    if row is None or said == ["-", "-"]:
        return ""
    must = f", must be at most {row.must:g}" if row.must is not None else ""
    return f"   ratio {said[0]} → {said[1]}{must}"


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    chosen = parser.parse_args()
    for line in lines(read(chosen.before), read(chosen.after)):
        say(line)


if __name__ == "__main__":
    main()

"""What the lab costs, beside what one would do instead, in one run: `python -m benchmarks [--json FILE]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import checking, containers, linked, processes
from benchmarks.figures import Figure, Machine, report, say, store

PARTS: dict[str, Callable[[int], Iterator[Figure]]] = {
    "processes": processes.figures,
    "containers": containers.figures,
    "check": checking.figures,
    "link": linked.figures,
}


def main() -> None:
    """Measure, print, and store."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, help="where to store the figures")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default 5)")
    chosen = parser.parse_args()
    machine = Machine.here()  # before: the load is then not our own
    figures: list[Figure] = []
    for name in chosen.only or PARTS:
        for one in PARTS[name](chosen.rounds):
            say(str(one))
            figures.append(one)
    by_name = {one.name: one for one in figures}
    for one in figures:
        if one.against in by_name:
            must = "" if one.must is None else f"   must be at most {one.must:g}"
            say(f"{one.what:<62} {one.median / by_name[one.against].median:9.2f} × {by_name[one.against].what}{must}")
    if chosen.json:
        store(chosen.json, report(figures, machine))


if __name__ == "__main__":
    main()

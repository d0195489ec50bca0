"""`python -m tests.chaos`: play all of it, and say what broke. Exit code 1 if anything did."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.backends import engine as engines
from tests.chaos import damaged, endings, engine_faults, hostile
from tests.chaos.watching import inherit_orphans
from tests.place import Place, new_place

KINDS = ("hostile", "endings", "engine", "timelines")


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is played for each seed.

    Attributes:
        servers: of how many hostile servers a check is made; 0 for all.
        endings, docker_endings, faults: how often a run is ended in each way, and suffers each fault of the engine.
        timelines: how many are damaged.
    """

    servers: int = 0
    endings: int = 13
    docker_endings: int = 1
    faults: int = 3
    timelines: int = 2000


SHORT = Amount(servers=4, endings=1, docker_endings=0, faults=1, timelines=100)


def main() -> int:
    """Play it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="*", default=[1, 2, 3], help="each of them is played whole")
    parser.add_argument("--short", action="store_true", help="a part of each kind: less than a minute a seed")
    parser.add_argument("--only", choices=KINDS, nargs="*", default=KINDS)
    parser.add_argument("--server", nargs="*", default=(), help="of the hostile ones only these")
    chosen = parser.parse_args()
    inherit_orphans()
    broken = 0
    for seed in chosen.seed:
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder, new_place(Path(folder)) as place:
            amount = SHORT if chosen.short else Amount()
            for name, faults in play(place, seed, amount, chosen.only, tuple(chosen.server)):
                broken += bool(faults)
                print(f"seed {seed}  {'BROKE' if faults else 'well '}  {name}", flush=True)
                print("".join(f"    {fault}\n" for fault in faults), end="", flush=True)
    print(f"{broken} broke")
    return 1 if broken else 0


def play(
    place: Place, seed: int, amount: Amount, kinds: tuple[str, ...], servers: tuple[str, ...]
) -> Iterator[tuple[str, list[str]]]:
    """Everything of these kinds: what was done, and what was wrong then."""
    rng = random.Random(seed)
    found = engines.find()
    engine = found if isinstance(found, engines.Engine) else None
    if "timelines" in kinds:
        yield from damaged.play(seed, amount.timelines)
    if "endings" in kinds:
        yield from endings.play(place, rng, amount.endings, None)
        if engine and amount.docker_endings:
            yield from endings.play(place, rng, amount.docker_endings, engine)
    if "engine" in kinds and engine:
        yield from engine_faults.play(place, rng, amount.faults, engine)
    if "hostile" in kinds:
        yield from hostile.play(place, rng, servers, amount.servers)


if __name__ == "__main__":
    sys.exit(main())

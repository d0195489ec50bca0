"""The same verdict every time: every scenario, many times. `python -m tests.soak [--embedded 50] [--docker 10]`"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from lab.backends import engine
from lab.backends.docker import Docker
from lab.backends.embedded import Embedded
from lab.backends.stage import Backend
from lab.clock import now
from lab.scenario import names
from lab.servers import REFERENCE
from lab.verdict import Outcome
from tests.playing import play, report


def soak(backend: Backend, times: int) -> bool:
    """Play every scenario so many times, print what came of it, and say whether all of it was held."""
    steady = True
    backend.open()
    try:
        for name in names():
            before = now()
            outcomes: Counter[str] = Counter()
            for _ in range(times):
                played = play(name, backend)
                outcomes[played.verdict.outcome.word] += 1
                if played.verdict.outcome is not Outcome.HELD:
                    steady = False
                    print(report(played))
            said = ", ".join(f"{count} {word}" for word, count in outcomes.items())
            print(f"{backend.name:<9} {name:<12} {said:<20} {(now() - before) / times:6.2f} s each", flush=True)
    finally:
        backend.close()
    return steady


def main() -> int:
    """Soak what there is; exit code 1 if a verdict ever differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedded", type=int, default=50, metavar="TIMES")
    parser.add_argument("--docker", type=int, default=10, metavar="TIMES")
    times = parser.parse_args()
    steady = soak(Embedded(), times.embedded) if times.embedded else True
    found = engine.find() if times.docker else "not asked for"
    if isinstance(found, engine.Engine):
        steady = soak(Docker(found, REFERENCE, "rfc6455"), times.docker) and steady
    else:
        print(f"docker: {found}")
    return 0 if steady else 1


if __name__ == "__main__":
    sys.exit(main())

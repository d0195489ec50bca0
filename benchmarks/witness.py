"""What the witness costs: python -m benchmarks.witness [connections] [orphans].

One uvicorn process with the witness round the application and one without, side by side in the same run: echo
throughput, a crowd that is killed at once, memory; and a census of many open connections and many orphans.
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.witnessed import LEAKING, ORDINARY, ROUNDS, crowd, serve, talk


class Server:
    """A server process."""

    def __init__(self, *, witnessed: bool) -> None:
        self.process = start("serve", "1" if witnessed else "0")
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def ask(self, order: str) -> Any:
        """An order, and its answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


def start(*argv: str) -> subprocess.Popen[str]:
    """This module again, as somebody else."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "benchmarks.witness", *argv]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def gather(port: int, count: int, source: str = ORDINARY) -> subprocess.Popen[str]:
    """That many clients, connected."""
    process = start("crowd", str(port), str(count), source)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def storm(server: Server, count: int) -> tuple[float, float]:
    """Milliseconds from the kill of all clients until none is open; KiB a connection at the height of it."""
    empty = server.ask("rss")
    clients = gather(server.port, count)
    full = server.ask("rss")
    before = time.perf_counter()
    clients.send_signal(signal.SIGKILL)
    while server.ask("open"):
        time.sleep(0.005)  # to ask without a pause would be a load of its own, on what is measured
    took = (time.perf_counter() - before) * 1000
    clients.communicate()
    return took, (full - empty) / 1024 / count


def throughput(server: Server, messages: int = 20_000) -> float:
    """Messages a second, there and back."""
    said, _ = start("echo", str(server.port), str(messages)).communicate()
    return float(said)


def in_turn(servers: dict[str, Server], turn: int) -> list[tuple[str, Server]]:
    """Each goes first every other time: what one has left to the kernel must not be the other's."""
    return list(servers.items())[:: -1 if turn % 2 else 1]


def side_by_side(count: int) -> None:
    """Both servers in turn, so that whatever else the machine does is the same for both."""
    servers = {"without": Server(witnessed=False), "with": Server(witnessed=True)}
    try:
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for turn in range(ROUNDS):
            for name, server in in_turn(servers, turn):
                rates[name].append(throughput(server))
        storms: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        memory: dict[str, list[int]] = {name: [] for name in servers}
        for turn in range(ROUNDS):
            for name, server in in_turn(servers, turn):
                storms[name].append(storm(server, count))
                memory[name].append(server.ask("rss"))
    finally:
        for server in servers.values():
            server.close()
    for name in servers:
        rate, zero = statistics.median(rates[name]), statistics.median(took for took, _ in storms[name])
        kib = storms[name][0][1]
        grown = (memory[name][-1] - memory[name][1]) / 1024 / count / (ROUNDS - 2)
        print(
            f"{name:<8} echo {rate:8.0f}/s   {count} killed: {zero:7.1f} ms to zero"
            f"   {kib:6.2f} KiB each   grows {grown:+.3f} KiB each"
        )


def census(count: int, orphans: int) -> None:
    """A census of that many open connections and orphans."""
    server = Server(witnessed=True)
    try:
        living = gather(server.port, count)
        dying = gather(server.port, orphans, LEAKING)
        dying.kill()
        dying.communicate()
        while server.ask("open") > count:
            time.sleep(0.02)  # uvicorn says to nobody that a connection is gone: it can only be asked again
        print(f"census of {count} open and {orphans} orphans: {server.ask('census')}")
        living.kill()
        living.communicate()
    finally:
        server.close()


def main(argv: list[str]) -> None:
    """Measure, or be the server, the crowd or the echo."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    del soft
    match argv:
        case ["serve", witnessed]:
            serve(witnessed == "1")
        case ["crowd", port, count, source]:
            asyncio.run(crowd(int(port), int(count), source))
        case ["echo", port, messages]:
            asyncio.run(talk(int(port), int(messages)))
        case _:
            opened, left = (int(one) for one in (argv or ["9000", "1000"]))
            census(opened, left)
            side_by_side(opened)


if __name__ == "__main__":
    main(sys.argv[1:])

"""The embedded link, against Toxiproxy and against none."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.link import measure

MANY = "eight connections of 64 KiB writes"


def figures(rounds: int) -> Iterator[Figure]:
    """A message through each way; the link's own against none, and against Toxiproxy."""
    found = measure(4.0 * rounds)
    toxiproxy = found.toxiproxy
    yield Figure("link_none", "a message with no link", "us", tuple(found.direct.message))
    if toxiproxy is not None:
        yield Figure("link_toxiproxy", "a message through Toxiproxy", "us", tuple(toxiproxy.message), "link_none")
    yield Figure("link", "a message through the embedded link", "us", tuple(found.thread.message), "link_none")
    yield Figure("flow_none", f"{MANY}, no link", "MB/s", tuple(found.direct.flow))
    if toxiproxy is not None:
        yield Figure(
            "flow_toxiproxy",
            f"{MANY}, through Toxiproxy",
            "MB/s",
            tuple(toxiproxy.flow),
            "flow_none",
        )
    yield Figure(
        "flow",
        f"{MANY}, through the embedded link",
        "MB/s",
        tuple(found.thread.flow),
        "flow_none",
    )

"""What a client says, to whom: the gaps of a text, the answers to what it hears, the server that it dials."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Header = tuple[str, str]


def fill(text: str, name: str) -> str:
    """The user's name for `{user}`; for `{n}` a number that is always hers: some servers want one."""
    user = name.partition("#")[0]
    return text.replace("{user}", user).replace("{n}", str(zlib.crc32(user.encode()) % 1_000_000))


class Answers:
    r"""What a client says to what it hears: to each text in which a pattern is found, the text that goes with it.

    `\1` in it is what the pattern's first group found, and so on.
    """

    def __init__(self, replies: Sequence[tuple[str, str]], name: str) -> None:
        self._replies = [(re.compile(pattern), fill(text, name)) for pattern, text in replies]

    def to(self, heard: str) -> Iterator[str]:
        """All that is to be said to it."""
        for pattern, text in self._replies:
            if found := pattern.search(heard):
                yield _with_groups(text, found)


def _with_groups(text: str, found: re.Match[str]) -> str:
    return re.sub(r"\\([1-9])", lambda group: found[int(group[1])] or "", text)


@dataclass(frozen=True, slots=True)
class Dial:
    """Where to connect, and what to ask there for.

    Attributes:
        url: what is asked for; it says what the `Host` header is.
        host, port: where to connect.
        headers: those that a client adds.
    """

    url: str
    host: str | None
    port: int | None
    headers: tuple[Header, ...]

    @classmethod
    def of(cls, url: str, headers: Sequence[Header], name: str) -> Dial:
        """With the gaps filled. A `Host` among the headers replaces the url's: it may be said only once."""
        said = [(key, fill(text, name)) for key, text in headers]
        there = urlsplit(fill(url, name))
        host = next((text for key, text in said if key.lower() == "host"), there.netloc)
        others = tuple((key, text) for key, text in said if key.lower() != "host")
        return cls(there._replace(netloc=host).geturl(), there.hostname, there.port, others)

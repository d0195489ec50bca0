"""Servers that do what no server should: each is graded, and the lab must come out of it whole."""

from __future__ import annotations

import random
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.watching import Ended, leftovers, run
from tests.place import Place

HELD, VIOLATED, NO_VERDICT = 0, 1, 2
ANY = frozenset({HELD, VIOLATED, NO_VERDICT})
PATIENCE = 90.0
"""Seconds after which a check is said to hang."""

CASES = ("close", "kill", "garbage", "stop")

SERVER = """\
import asyncio, builtins, ctypes, gc, json, logging, os, resource, signal, socket as sockets, subprocess
import sys, threading, time, types
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
AT_IMPORT

@app.websocket("/ws")
async def ws(socket: WebSocket):
    ACCEPT
    ON_CONNECT
    try:
        while True:
            text = await socket.receive_text()
            ON_MESSAGE
            await socket.send_text(text)
    except (WebSocketDisconnect, KeyError):
        ON_END
"""


@dataclass(frozen=True, slots=True)
class Hostile:
    """A server, by what it does beyond echoing. Where one sleeps, that is what is wrong with it: nobody waits so.

    Attributes:
        codes: the exit codes that a check of it may have; what it does to nobody but itself is no violation.
        at_import, on_connect, on_message, on_end: what it does then.
        accept: how it lets in.
    """

    name: str
    codes: frozenset[int]
    at_import: str = ""
    on_connect: str = "pass"
    on_message: str = "pass"
    on_end: str = "pass"
    accept: str = "await socket.accept()"

    @property
    def source(self) -> str:
        """The module."""
        found = SERVER
        parts = {
            "AT_IMPORT": self.at_import,
            "ACCEPT": self.accept,
            "ON_CONNECT": self.on_connect,
            "ON_MESSAGE": self.on_message,
            "ON_END": self.on_end,
        }
        for key, code in parts.items():
            line = next(line for line in found.splitlines() if line.strip() == key)
            found = found.replace(line, textwrap.indent(code, line.removesuffix(key)))
        return found


def fine(name: str, **parts: str) -> Hostile:
    """One that harms nobody: a check holds it."""
    return Hostile(name, frozenset({HELD}), **parts)


def bad(name: str, **parts: str) -> Hostile:
    """One that lets its clients down, or leaves something: a check convicts it."""
    return Hostile(name, frozenset({VIOLATED}), **parts)


def hopeless(name: str, **parts: str) -> Hostile:
    """One that cannot be graded."""
    return Hostile(name, frozenset({NO_VERDICT}), **parts)


def doubtful(name: str, **parts: str) -> Hostile:
    """One that may come out as anything but convicted: it is no worse than an echo."""
    return Hostile(name, frozenset({HELD, NO_VERDICT}), **parts)


def guilty(name: str, **parts: str) -> Hostile:
    """One that must not be held."""
    return Hostile(name, frozenset({VIOLATED, NO_VERDICT}), **parts)


SPITEFUL = """
class Spite:
    def __getattribute__(self, name): raise RuntimeError(name)
    def __repr__(self): raise RuntimeError
    def __eq__(self, other): raise RuntimeError
    def __hash__(self): raise RuntimeError
    def __len__(self): raise RuntimeError
    def __bool__(self): raise RuntimeError
    def __iter__(self): raise RuntimeError
spite = Spite()
spites = [Spite(), {"a": Spite()}]
"""
ENDLESS = """
class Endless(dict):
    def items(self):
        while True: yield 1, 1
    values = keys = __iter__ = items
    def __len__(self): return 10**12
endless = Endless()
"""
LIES = """
class Liar:
    @property
    def __class__(self): return dict
    def __len__(self): return -1
liar = Liar()
"""
DEEP = """
deep = []
for _ in range(100_000): deep = [deep]
loop = []; loop.append(loop)
"""
FACTS = """
for n in range(100):
    print(json.dumps({"what": "counted", "who": "alice", "at": 1, "detail": {}}), flush=True)
    print('{"what": "returned", "at"', "\\x00\\xff", n, flush=True)
"""
DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3): os.close(fd)
        os.environ.clear()
        while True: time.sleep(1)
    os._exit(0)
"""

EVERY_DESCRIPTOR = """
for fd in range(3, 64):
    try: os.write(fd, b"{}\\n")
    except OSError: pass
"""
SPINNING = """
def spin():
    while True: pass
threading.Thread(target=spin, daemon=True).start()
"""
ALARMED = """
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
"""
RAISING_MODULE = """
class Raising(types.ModuleType):
    def __getattr__(self, name): raise RuntimeError
sys.modules["raising"] = raising = Raising("raising")
"""
IN_A_SESSION = "subprocess.Popen(['sleep', '1000'], start_new_session=True)"
UNCANCELLED = """
while True:
    try: await asyncio.sleep(3600)
    except asyncio.CancelledError: pass
"""
THOUSAND = """
globals().setdefault("tasks", []).extend(asyncio.create_task(asyncio.sleep(1e9)) for _ in range(1000))
"""

SERVERS = (
    # what happens while it is imported
    hopeless("exits at import", at_import="sys.exit(0)"),
    hopeless("exits at once", at_import="os._exit(3)"),
    hopeless("raises at import", at_import="raise RuntimeError('no \\ud800 \\x1b[31m')"),
    hopeless("raises what is no Exception", at_import="raise BaseException('no')"),
    hopeless("recurses at import", at_import="def f(): f()\nf()"),
    hopeless("kills itself at import", at_import="os.kill(os.getpid(), signal.SIGKILL)"),
    hopeless("imports for ever", at_import="while True: pass"),
    hopeless("stops itself", at_import="os.kill(os.getpid(), signal.SIGSTOP)"),
    hopeless("closes every descriptor", at_import="os.closerange(3, 1000)"),
    # what it prints
    doubtful("prints ten megabytes", at_import="print('x' * 10_000_000)"),
    doubtful("prints facts of its own", at_import=FACTS),
    doubtful("closes its output", at_import="os.close(1); os.close(2)"),
    fine("has no streams", at_import="sys.stdout = sys.stderr = None"),
    doubtful("logs a hundred thousand lines", at_import="for n in range(100_000): print(n, file=sys.stderr)"),
    fine("logs what a terminal obeys", on_message="logging.getLogger('x').error('\\x1b[2J\\x00 %s', text)"),
    # what it does to its process
    doubtful("writes to every descriptor", at_import=EVERY_DESCRIPTOR),
    guilty("stops the clock", at_import="time.monotonic = lambda: 1.0"),
    fine("sleeps never", at_import="time.sleep = lambda _: None"),
    doubtful("hides its tasks", at_import="asyncio.all_tasks = lambda *_: set()"),
    doubtful("hides its objects", at_import="gc.get_objects = lambda *_, **__: []; gc.disable()"),
    doubtful("has little recursion", at_import="sys.setrecursionlimit(150)"),
    doubtful("has few descriptors", at_import="resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))"),
    doubtful("spins in a thread", at_import=SPINNING),
    doubtful("goes elsewhere", at_import="os.chdir('/'); os.environ.clear(); os.umask(0o777)"),
    doubtful("takes modules away", at_import="sys.modules['asyncio.tasks'] = None; sys.modules['json'] = None"),
    doubtful("has no open and no len", at_import="builtins.open = None"),
    fine("traces every line", at_import="sys.settrace(lambda *_: None); threading.settrace(lambda *_: None)"),
    doubtful("is woken all the time", at_import=ALARMED),
    fine("logs nothing", at_import="logging.disable()"),
    # what it keeps
    fine("holds what raises", at_import=SPITEFUL),
    fine("holds what never ends", at_import=ENDLESS),
    fine("holds what lies", at_import=LIES),
    fine("holds what is deep", at_import=DEEP),
    fine("holds a million", at_import="million = list(range(1_000_000)); table = dict.fromkeys(range(300_000))"),
    fine("has a module that raises", at_import=RAISING_MODULE),
    # whom it starts
    bad("leaves a child", at_import="subprocess.Popen(['sleep', '1000'])"),
    bad("leaves a child in a session of its own", at_import=IN_A_SESSION),
    bad("leaves a daemon", at_import=DAEMON),
    guilty("starts a child at every end", on_end="subprocess.Popen(['sleep', '1000'])"),
    # what it does to a client
    guilty("blocks at connect", on_connect="time.sleep(1000)"),
    guilty("blocks at a message", on_message="time.sleep(1000)"),
    guilty("spins at an end", on_end="while True: pass"),
    guilty("exits at connect", on_connect="os._exit(0)"),
    guilty("exits at an end", on_end="os._exit(0)"),
    guilty("leaves at an end", on_end="sys.exit(3)"),
    guilty("interrupts itself at an end", on_end="os.kill(os.getpid(), signal.SIGINT)"),
    guilty("freezes at an end", on_end="os.kill(os.getpid(), signal.SIGSTOP)"),
    guilty("stops its loop at an end", on_end="asyncio.get_running_loop().stop()"),
    guilty("waits for ever at an end", on_end="await asyncio.Event().wait()"),
    guilty("cannot be cancelled", on_end=UNCANCELLED),
    guilty("makes a thousand tasks at an end", on_end=THOUSAND),
    Hostile("answers with fifty megabytes", ANY, on_message="await socket.send_text('x' * 50_000_000)"),
    guilty("never stops talking", on_message="while True: await socket.send_text('x' * 100_000)"),
    # whom it lets in
    hopeless("lets nobody in", accept="await socket.close(); return"),
    hopeless("never answers", accept="await asyncio.sleep(1e9)"),
    hopeless("raises at the handshake", accept="raise RuntimeError('no')"),
    hopeless("closes at once", on_connect="await socket.close(4000); return"),
)


def play(
    place: Place, rng: random.Random, names: tuple[str, ...] = (), most: int = 0
) -> Iterator[tuple[str, list[str]]]:
    """Grade them, in another order each time: each name, and what was wrong.

    Args:
        names: only these.
        most: no more than so many; 0 for all.
    """
    chosen = [one for one in SERVERS if not names or one.name in names]
    rng.shuffle(chosen)
    for server in chosen[: most or None]:
        ended = grade(place, server)
        yield (
            f"hostile: {server.name} ({ended.code}, {ended.seconds:.1f} s)",
            [
                *ended.faults(server.codes),
                *leftovers(place),
            ],
        )


def grade(place: Place, server: Hostile) -> Ended:
    """A check of it."""
    path = place.root / f"{server.name.replace(' ', '_')}.py"
    path.write_text(server.source)
    command = [sys.executable, "-m", "lab", "check", str(path), *(f"--case={name}" for name in CASES)]
    return run(place, command, PATIENCE)

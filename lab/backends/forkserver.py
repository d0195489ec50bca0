"""The fork server: pays the imports once, then every actor is a fork.

Run as `python -m lab.backends.forkserver FD FOLDER [reference]`, with one end of a Unix socket. A request is a line of
JSON with the actor's three standard descriptors attached; the answer says its pid. Later, a line says how it exited,
and one for each process that it left behind, when that has ended or has been killed.
When the socket closes the lab is gone, however it went: every actor is killed, paused ones too, and FOLDER is removed.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import random
import selectors
import shutil
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from typing import Any, NoReturn

from lab.backends.compat import run_exit_functions
from lab.backends.strangers import KILLED, Left, bury, follow, inherited, mark, strangers
from lab.followed import FOLLOW_SECONDS

SERVER = "lab.actors.server"

PAID_ONCE = (
    SERVER,
    "lab.actors.client",
    "lab.witness.rfc6455",
    "fastapi",
    "fastapi.telemetry._runtime",
    "pydantic.v1.dataclasses",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.auto",
)
"""Whatever actors import. None of it reads its settings before it runs."""

REFERENCE = ("lab.servers.reference.app", "aiosqlite", "sqlalchemy.dialects.sqlite.aiosqlite")
"""What the reference server imports besides: half of the time, which a check of another server need not pay."""

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main(argv: list[str]) -> None:
    """Import, then serve requests until the lab is gone."""
    control = socket.socket(fileno=int(argv[0]))
    leave_with_parent(argv[1])
    gc.disable()  # nothing that is imported is garbage
    for module in (*PAID_ONCE, *(REFERENCE if argv[2:] == ["reference"] else ())):
        with suppress(ImportError):  # another version of a package may have put it elsewhere
            importlib.import_module(module)
    importlib.import_module("lab.witness.clock").find_copies()
    gc.freeze()
    control_process(PR_SET_PDEATHSIG, 0)  # from here on the socket says so
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    control_process(PR_SET_CHILD_SUBREAPER, 1)
    tell(control, {"ready": os.getpid()})
    children: set[int] = set()
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        try:
            serve(control, woken, selector, children)
        finally:
            bury(children)
            while left := strangers(set()):
                bury(left)
            shutil.rmtree(argv[1], ignore_errors=True)


def serve(control: socket.socket, woken: socket.socket, selector: selectors.BaseSelector, children: set[int]) -> None:
    """Fork on request, report exits, return when the lab hangs up."""
    servers: set[int] = set()
    left: dict[int, Left] = {}
    while True:
        for key, _ in selector.select(min((one.until - time.monotonic() for one in left.values()), default=None)):
            if key.fileobj is woken:
                woken.recv(4096)
            else:
                data, fds, _, _ = socket.recv_fds(control, 65536, 3)
                if not data:
                    return
                request = json.loads(data)
                pid = os.fork()
                if pid == 0:
                    control.close()
                    become(request, fds)
                children.add(pid)
                if request["module"] == SERVER:
                    servers.add(pid)
                for fd in fds:
                    os.close(fd)
                tell(control, {"forked": pid})
            reap(control, children, servers, left)
        for actor, command in follow(left):
            tell(control, {"followed": actor, "command": command})


def reap(control: socket.socket, children: set[int], servers: set[int], left: dict[int, Left]) -> None:
    """Report every child that has exited. Its own children are ours from then on.

    What is left by one who was killed is killed; what is left by one who ended is given a second to end too.
    """
    exits: dict[int, int] = {}
    for pid in tuple(children):
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            exits[pid] = os.waitstatus_to_exitcode(status)
    at = time.monotonic()
    children.difference_update(exits)
    new, nobodys = inherited(strangers(children) - left.keys(), children, exits, servers) if exits else ({}, set())
    left.update({pid: Left(actor, at + FOLLOW_SECONDS) for pid, actor in new.items() if exits[actor] != KILLED})
    bury((new.keys() - left.keys()) | nobodys)
    servers &= children
    for pid, code in exits.items():
        mine = sum(one.actor == pid for one in left.values())
        tell(control, {"exited": pid, "code": code, "at": at, "left": mine})


def tell(control: socket.socket, fact: dict[str, Any]) -> None:
    """One line to the lab. If the lab is gone, the next read says so."""
    with suppress(OSError):
        control.sendall(json.dumps(fact).encode() + b"\n")


def become(request: dict[str, Any], fds: list[int]) -> NoReturn:
    """In the child: turn into an actor, and never come back."""
    code = 1
    try:
        die_with_parent()
        mark(os.getpid())
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for target, fd in enumerate(fds):
            os.dup2(fd, target)
            os.close(fd)
        os.environ.update(request["env"])
        gc.enable()
        random.seed()
        sys.argv = [request["module"], *request["argv"]]
        importlib.import_module(request["module"]).main(request["argv"])
        code = 0
        run_exit_functions()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
        run_exit_functions()
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
    except BaseException:  # whatever it was, the actor's log must show it, and the fork must not return
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def leave_with_parent(folder: str) -> None:
    """While this imports, for seconds on a busy machine, Linux tells if the lab is gone; then so is this."""
    parent = os.getppid()

    def leave(*_: object) -> None:
        if os.getppid() != parent:  # and not only the thread that started it
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)

    signal.signal(signal.SIGUSR1, leave)
    control_process(PR_SET_PDEATHSIG, signal.SIGUSR1)


def die_with_parent() -> None:
    """On Linux the kernel kills an actor whose fork server died; elsewhere the closed order channel ends it."""
    if sys.platform == "linux":
        parent = os.getppid()
        control_process(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def control_process(option: int, value: int) -> None:
    """Linux's prctl(2)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # taking 700 modules apart would take as long as a kill

"""Between the lab and a command: starts it, says how it ends, and lets nothing of it outlive the lab.

Run as `python -I -S guard.py FD COMMAND...`, a script that imports next to nothing and is there in milliseconds. The
command gets our standard output and error and a process group of its own. On FD a line says that it was `started PID`
or `failed WHY`, another that it `ended CODE`, the last that it `exited CODE AT`, which it has when its group has: what
a shell or `npm start` leaves running when told to stop has not stopped. Our standard input has no data, only an end:
when the lab closes it, or is gone, however it went, the whole group is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
POLL_SECONDS = 0.005


def main(argv: list[str]) -> None:
    """Start the command and watch both it and the lab."""
    report = int(argv[0])
    os.set_inheritable(report, False)
    control(PR_SET_CHILD_SUBREAPER, 1)  # what the command lets go of becomes ours, and is found
    pid = os.fork()
    if pid == 0:
        become(argv[1:], report)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (1, 2):
        os.dup2(nothing, fd)  # the lab reads the end of these when the command has closed them
    threading.Thread(target=wait_for_the_lab, args=(pid,), daemon=True).start()
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # not buried yet: nobody else gets its pid
    assert ended is not None
    code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    tell(report, f"ended {code}")
    while any(in_group(child, pid) for child in children()):
        time.sleep(POLL_SECONDS)  # nobody says when the last of a group is gone
    tell(report, f"exited {code} {time.monotonic()}")
    while True:
        time.sleep(3600)  # until the lab hangs up


def become(command: list[str], report: int) -> NoReturn:
    """In the child: turn into the command."""
    try:
        os.setsid()
        control(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        tell(report, f"started {os.getpid()}")
        os.execvp(command[0], command)
    except OSError as why:
        tell(report, f"failed {why.strerror}")
    finally:
        os._exit(127)


def in_group(child: int, pid: int) -> bool:
    """Whether a child of ours lives and is of the command's group, but not the command itself."""
    with suppress(OSError):
        return child != pid and os.waitpid(child, os.WNOHANG)[0] == 0 and os.getpgid(child) == pid
    return False


def wait_for_the_lab(pid: int) -> None:
    """When it hangs up, kill and bury whatever is left."""
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    bury(pid)
    os._exit(0)


def bury(pid: int) -> None:
    """Kill the group, then whoever left it: those are our children as soon as their parents are dead."""
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    while True:
        for child in children():
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def children() -> list[int]:
    """Our children, where the system is one that says so."""
    me = os.getpid()
    with suppress(OSError), open(f"/proc/{me}/task/{me}/children", encoding="ascii") as found:  # noqa: PTH123
        return [int(child) for child in found.read().split()]
    return []


def control(option: int, value: int) -> None:
    """Linux's prctl(2)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def tell(report: int, line: str) -> None:
    """One line to the lab. If the lab is gone, its hanging up is noticed too."""
    with suppress(OSError):
        os.write(report, line.encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])

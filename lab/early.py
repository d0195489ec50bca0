"""Being told to stop before the lab is ready to be: while it is imported there is nothing to unwind but the process."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

NUMBERS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK") if hasattr(signal, name)
)
"""Every way of being told: Ctrl-C, a kill, a closed terminal, a quit, and Ctrl-Break of Windows."""

SAID = {
    "en": "lab: interrupted; everything started was taken down",
    "ko": "lab: 중단됨. 시작한 것은 모두 내렸음",
}
"""As `words/` has it, which is not imported yet."""

NO_VERDICT = 2


def leave_at_once() -> None:
    """From now on such a signal ends this process with one line. A fork server sees its lab go, and goes too."""
    for number in NUMBERS:
        signal.signal(number, _leave)


def hear_no_more() -> None:
    """From now on they do nothing: what was to be taken down is, and the exit code is known."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


def _leave(_number: int, _frame: FrameType | None) -> None:
    hear_no_more()
    wanted = os.environ.get("LAB_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    line = SAID["ko" if wanted.lower().startswith("ko") else "en"] + "\n"
    with suppress(OSError):  # a terminal that is closed
        os.write(2, line.encode(errors="replace"))
    os._exit(NO_VERDICT)

"""Whether a server took what was said to it, or turned it away."""

from __future__ import annotations

import json
import re

from lab.timeline import Json, Timeline

SHOWN = 100

NO = (
    "error",
    "invalid",
    "unauthorized",
    "unauthorised",
    "unauthenticated",
    "forbidden",
    "denied",
    "rejected",
    "refused",
)
"""First words of an answer that says no, and what its `type` or `status` is then called."""

SAYS_NO = re.compile(
    rf"\W*(?:{'|'.join(NO)})\b|\W*(?:please )?(?:log ?in|authenticate)\b|\W*(?:오류|에러|잘못된|거부|로그인)",
    re.IGNORECASE,
)
IS_NO = re.compile(rf"(?:^|[^a-z])(?:{'|'.join(NO)})(?:$|[^a-z])", re.IGNORECASE)
KINDS = ("type", "event", "kind", "op", "action", "status", "result")
FLAGS = ("ok", "success")


def rejection(timeline: Timeline, who: str) -> str:
    """What it did instead of taking what she said, in one line; "" if it took it, or takes nothing from anybody.

    It took what was delivered to the application if the connection stayed open and the answer is no error. An
    application to which it could be said, and which never received it, is a feed; that it is hung up on when the
    unread message keeps it from hearing a pong is no rejection.
    """
    orders = [one.at for one in timeline.select("ordered", who) if one.text("do") in ("open", "say")]
    closed, witnessed = timeline.first("closed", who), timeline.first("accepted") is not None
    said, died = timeline.first("sent", who) is not None, timeline.first("returned", who)
    if witnessed and said and timeline.first("delivered", who) is None:
        return ""
    if died is not None and died.text("said"):
        at = f" at {died.text('at_line')}" if died.text("at_line") else ""
        return f"{died.text('said')}{at}"
    if closed is not None:
        return f"{closed.code()} {closed.text('reason')}".rstrip()
    if not said or not orders:
        return "nothing could be said"
    before = {seen.text("text") for seen in timeline.select("received", who) if seen.at < orders[0]}
    answers = (seen.text("text") for seen in timeline.select("received", who) if seen.at >= orders[0])
    return next((text[:SHOWN] for text in answers if text not in before and says_no(text)), "")


def says_no(text: str) -> bool:
    """Whether an answer is an error: by its first word, or as an object by what it calls itself."""
    try:
        answer: Json = json.loads(text)
    except ValueError:
        return SAYS_NO.match(text) is not None
    if not isinstance(answer, dict):
        return isinstance(answer, str) and SAYS_NO.match(answer) is not None
    named = any(isinstance(kind := answer.get(key), str) and IS_NO.search(kind) for key in KINDS)
    return named or bool(answer.get("error") or answer.get("errors")) or any(answer.get(key) is False for key in FLAGS)

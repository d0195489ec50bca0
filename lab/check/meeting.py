"""The first visit: two clients come and one of them talks, so that the others know how this server behaves."""

from __future__ import annotations

from functools import partial

from lab.backends.actors import StageError
from lab.check.guest import Guest, all_heard
from lab.clock import now
from lab.faults import SERVER
from lab.manners import Manners, learn
from lab.scenario import Scenario
from lab.steps import Connect, Rest
from lab.timeline import Timeline

LISTEN_SECONDS = 0.7
"""How long it is listened to before anybody speaks."""

TAKE_SECONDS = 1.6
"""How long it may take to take, or to answer, what is said; on a busy machine longer."""

LOOK_SECONDS, PROMPT_SECONDS, LONGEST_SECONDS = 0.2, 0.05, 4.0
"""How often the server's loop is asked whether it is awake; what does not count, because it took longer to say so;
and for how long altogether."""

MEETING = Scenario("meeting", (Connect("bob"), Connect("carol")), (Rest("bob", LISTEN_SECONDS),), 1.0, (), "")


class Meeting(Guest):
    """Learns the manners. Nobody is accused of anything here."""

    def learn(self) -> Manners:
        """Connect, listen, speak twice.

        Raises:
            StageError: nobody is let in, or everybody is thrown out at once.
        """
        path = self._path()
        for one in (path, path.replace("{name}", "{n}")):  # some servers want a number for a name
            self.manners = Manners(path=one, answers=False)
            for client in ("bob", "carol"):
                self._connect(Connect(client))
            if self.timeline.first("connected", "bob") or "{name}" not in one:
                break
        self._let_in()
        self._wait(_over, LISTEN_SECONDS)
        for _ in range(2):
            asked = self.timeline.elapsed()
            self.say("carol")
            if not self._hears("carol", asked):
                break  # it does not answer; and what is not received yet must not pile up
        return learn(self.timeline, self.manners.path, self.subject.talk, "carol", "bob")

    def _hears(self, who: str, asked: float) -> bool:
        """Whether she gets an answer. Time in which the machine is too busy to answer us is not the server's."""
        began, had = now(), 0.0
        while had < TAKE_SECONDS and now() - began < LONGEST_SECONDS:
            if self._wait(partial(all_heard, [who], asked), LOOK_SECONDS):
                return True
            before = now()
            self.census()
            if now() - before <= PROMPT_SECONDS:
                had += LOOK_SECONDS
        return False

    def _path(self) -> str:
        """The one that was asked for; else /ws, or the only one there is."""
        if self.subject.path is not None:
            return self.subject.path
        said = self.timeline.last("listening", source=SERVER)
        found = said.detail.get("routes") if said else None
        known = [str(one) for one in found] if isinstance(found, list) else []
        if not known or "/ws" in known:
            return "/ws"
        if len(known) > 1:
            raise StageError(f"it has several WebSocket routes; say which one with --path: {', '.join(known)}")
        return "/".join("{name}" if part.startswith("{") else part for part in known[0].split("/"))

    def _let_in(self) -> None:
        refused = self.timeline.last("refused", "bob")
        if self.timeline.first("connected", "bob") is None:
            why = refused.text("text") if refused else "no answer"
            raise StageError(
                f"it lets nobody in at {self.manners.path}: {why}; see --path, --query, --header and --subprotocol"
            )


def _over(seen: Timeline) -> bool:
    return seen.first("closed", "carol") is not None

"""A stage made of containers and Toxiproxy's proxies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from docker.models.containers import Container

from lab import evidence
from lab.backends.actors import Actor, StageError
from lab.backends.compose import Composition
from lab.backends.containers import ContainerActor, call
from lab.backends.stage import Cast, Injected, Mend, forgetting
from lab.backends.toxiproxy import ToxiproxyLink
from lab.clock import Bracket, now
from lab.faults import SERVER, Cut, Fault, Idle, Interrupt, Kill, Pause, Reset, Stall, Stop, Unplug
from lab.timeline import Json, Observation, Timeline

CLIENTS = ("alice", "bob", "carol")
FRONT = "front"
TOXIPROXY = "toxiproxy"
READY_SECONDS = 15.0


Later = Callable[[str, Callable[[], None]], None]
"""Has something done for a container, when there is time, before anybody wants it to be ready."""


class DockerStage:
    """Containers and proxies."""

    def __init__(
        self,
        composition: Composition,
        actors: dict[str, ContainerActor],
        links: dict[str, ToxiproxyLink],
        timeline: Timeline,
        later: Later,
    ) -> None:
        self.composition, self.actors, self.timeline = composition, actors, timeline
        self._later = later
        self._links = links
        self._containers = composition.containers()

    def set(self, cast: Cast) -> None:
        """Mend what an earlier run may have left, attach to whom we are not attached, and wait until all are idle."""
        unknown = set(cast.clients) - set(CLIENTS)
        if unknown:
            raise StageError(f"with Docker the clients are {', '.join(CLIENTS)}; there is no {min(unknown)}")
        for link in self._links.values():
            link.mend()
        names = (SERVER, *CLIENTS)
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(self._ready, names))
        for name in cast.armed:
            self._links[name].arm()

    def actor(self, name: str) -> Actor:
        """The actor of that name."""
        if name not in self.actors:
            raise StageError(f"there is no {name} on this stage")
        return self.actors[name]

    def look(self) -> None:
        """The proxy, which every connection passes: it must run, and be the one that it was."""
        proxy = self._containers[TOXIPROXY]
        before = proxy.attrs["State"]["StartedAt"]
        try:
            call(proxy.reload)
            state = proxy.attrs["State"]
            well, code = state["Running"] and state["StartedAt"] == before, state["ExitCode"]
        except StageError:  # it has been removed
            well, code = False, -9
        if not well:
            detail: dict[str, Json] = {"code": code}
            self.timeline.record(Observation(self.timeline.elapsed(), "lab", "exited", TOXIPROXY, detail))

    def url(self, client: str) -> str:
        """Where that client dials: its own proxy."""
        host, port = self._links[client].address
        return f"ws://{host}:{port}/ws?user={{user}}"

    def inject(self, fault: Fault) -> Injected:
        """A call to the engine, or a fault on a link."""
        match fault:
            case Kill() | Interrupt() | Stop():
                return self._end(fault)
            case Pause(who):
                return self._pause(self._containers[who])
            case Unplug(who):
                return self._unplug(self._containers[who], who)
            case Cut() | Reset() | Stall() | Idle():
                return self._on_link(fault, self._links[fault.who])
        raise StageError(f"the docker backend cannot do {fault.name!r}")

    def _end(self, fault: Fault) -> Injected:
        """Signal a container. The engine answers only after it has taken the network down, so a thread waits for it."""
        actor = self.actors[fault.who]
        number = {"kill": "SIGKILL", "interrupt": "SIGINT"}.get(fault.name, "SIGTERM")

        def signal() -> None:
            with suppress(StageError):  # if it did not happen, the exit code will not say that it did
                call(lambda: actor.container.kill(signal=number))
            with suppress(StageError):
                actor.note_exit()

        before = now()
        thread = threading.Thread(target=signal, name=f"{fault.name} {fault.who}", daemon=True)
        thread.start()
        if not actor.ended.wait(READY_SECONDS):
            raise StageError(f"{fault.who} did not end after {number}")
        return Injected(Bracket(before, actor.at_end), number, self._mend_ended(actor, thread))

    def _mend_ended(self, actor: ContainerActor, thread: threading.Thread) -> Mend:
        def restart() -> None:
            thread.join(READY_SECONDS)
            fresh = self._attach(actor.name)
            call(fresh.container.start)

        def restart_if_it_will() -> None:
            with suppress(StageError):  # the next stage finds out, and says so
                restart()

        def mend() -> None:
            if self.timeline.sealed:  # the story is over: the next one waits until this container is ready
                self._later(actor.name, restart_if_it_will)
                return
            restart()
            if actor.name == SERVER:
                self._await_said(self.actors[SERVER], "listening")

        return mend

    def _pause(self, container: Container) -> Injected:
        before = now()
        call(container.pause)
        after = now()
        call(container.reload)

        def mend() -> None:
            call(container.reload)
            if container.status == "paused":
                call(container.unpause)

        return Injected(Bracket(before, after), str(container.status), mend)

    def _unplug(self, container: Container, who: str) -> Injected:
        network = call(lambda: self.composition.client.networks.get(f"{self.composition.project}_{FRONT}"))
        before = now()
        call(lambda: network.disconnect(container))
        after = now()

        def mend() -> None:
            call(lambda: network.connect(container, aliases=[who]))

        return Injected(Bracket(before, after), "disconnected", mend)

    def _on_link(self, fault: Fault, link: ToxiproxyLink) -> Injected:
        match fault:
            case Cut():
                bracket = link.cut()
            case Reset():
                bracket = link.reset()
            case Idle(who, seconds):
                link.last_byte = lambda: self._last_byte(who)
                bracket = link.idle(seconds, forgetting(self.timeline, fault))
            case _:
                bracket = link.stall()

        def mend() -> None:
            link.mend()

        return Injected(bracket, "", mend)

    def _last_byte(self, who: str) -> float | None:
        """When a byte last crossed that client's link, by what her own program says of it."""
        closed = {seen.who for seen in self.timeline.select("closed", source=who)}
        heard = [seen.at for seen in evidence.crossings(self.timeline, who) if seen.who not in closed]
        return self.timeline.started + max(heard) / 1000 if heard else None

    def _ready(self, name: str) -> None:
        """Bring one container to the state in which a scenario finds it."""
        container = self._containers.get(name)
        if container is None:
            raise StageError(f"lab {self.composition.project} has no {name}; make lab-down, then make lab-up")
        call(container.reload)
        if container.status == "paused":
            call(container.unpause)
        if (
            name in CLIENTS
            and f"{self.composition.project}_{FRONT}" not in container.attrs["NetworkSettings"]["Networks"]
        ):
            network = call(lambda: self.composition.client.networks.get(f"{self.composition.project}_{FRONT}"))
            call(lambda: network.connect(container, aliases=[name]))
        actor = self.actors.get(name)
        if actor is None or actor.ended.is_set():
            actor = self._attach(name)
        actor.timeline = self.timeline
        if container.status in ("exited", "created"):
            call(container.start)
        self._idle(actor)

    def _attach(self, name: str) -> ContainerActor:
        if name in self.actors:
            self.actors[name].close()
        actor = ContainerActor(name, self._containers[name], self.timeline)
        self.actors[name] = actor
        return actor

    def _idle(self, actor: ContainerActor) -> None:
        """Ask until it answers: no connection of an earlier scenario is left."""
        deadline = now() + READY_SECONDS
        before = sum(1 for _ in self.timeline.select("idle", source=actor.name))
        while now() < deadline and not actor.ended.is_set():
            actor.order("idle")  # an actor that is still importing answers late; one that died, never
            if self._heard(actor, "idle", before, 0.5):
                if not actor.offset:
                    actor.measure_clock()
                return
        raise StageError(f"{actor.name} does not answer", tuple(actor.log) or _tail(actor.container))

    def _await_said(self, actor: ContainerActor, what: str) -> None:
        if not self._heard(actor, what, 0, READY_SECONDS):
            raise StageError(f"{actor.name} did not start", tuple(actor.log) or _tail(actor.container))

    def _heard(self, actor: ContainerActor, what: str, before: int, seconds: float) -> bool:
        def said(seen: Timeline) -> bool:
            facts = list(seen.select(what, source=actor.name))
            return len(facts) > before or actor.ended.is_set()

        return self.timeline.wait_for(said, seconds) and not actor.ended.is_set()


def _tail(container: Container) -> tuple[str, ...]:
    with suppress(Exception):  # it is only to explain a failure that is being reported already
        return tuple(container.logs(tail=12, stdout=False).decode(errors="replace").splitlines())
    return ()

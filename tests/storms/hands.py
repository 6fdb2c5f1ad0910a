"""Begins and ends each kind of fault, by the engine's SDK and the overlay's files. Touches our own containers only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import docker
from docker.models.containers import Container

from tests.storms.federation import StormFederation
from tests.storms.kinds import Fault, Kind

_BACK_S = 30.0
_PAGES = 2 * 4096
_BREAK_S = 0.5
_TRIES = 3
_AGAIN_S = 0.5


class NotBack(Exception):
    """A container does not run: it did not come back after a fault; says which."""


@dataclass(slots=True)
class Hands:
    """The SDK's client, and what was there before a fault, by its number and service."""

    federation: StormFederation
    client: docker.DockerClient = field(default_factory=docker.from_env)
    pids: dict[tuple[int, str], int] = field(default_factory=dict)
    networks: dict[tuple[int, str], str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """Containers by service: they keep their ids, and to look one up takes longer than a round does."""

    def begin(self, fault: Fault) -> None:
        """Does it to every target, as soon as that runs. Raises NotBack where one does not, from an earlier fault."""
        for service in fault.targets:
            self._wait(fault, service)
        for service in fault.targets:
            self._insist(fault, service)

    def _insist(self, fault: Fault, service: str) -> None:
        """An engine of few cores under load cannot always freeze a process at once."""
        for left in reversed(range(_TRIES)):
            try:
                self._begins[fault.kind](fault, service)
            except docker.errors.APIError:
                if not left:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return

    def end(self, fault: Fault) -> None:
        """Undoes it, and waits until the containers run. Raises NotBack."""
        for service in fault.targets:
            self._ends[fault.kind](fault, service)
        for service in fault.targets:
            self._wait(fault, service)

    def container(self, service: str) -> Container:
        """A service's container, as it is now."""
        return self.client.containers.get(self.ids[service])

    def look_up(self) -> None:
        """Learns every container of the federation, which must be up."""
        compose = "com.docker.compose"
        ours = {"label": [f"{compose}.project={self.federation.project}"]}
        for found in self.client.api.containers(all=True, filters=ours):
            self.ids[found["Labels"][f"{compose}.service"]] = found["Id"]

    @property
    def _begins(self) -> Mapping[Kind, Callable[[Fault, str], None]]:
        return {
            Kind.NODE_KILLED: self._kill,
            Kind.NODE_CRASHED: self._crash,
            Kind.NODE_PAUSED: self._pause,
            Kind.NODE_CUT_OFF: self._disconnect,
            Kind.NODE_SLOW: lambda fault, service: self.federation.overlay.set_line(service, fault.by),
            Kind.NODE_BROKEN: self._break,
            Kind.NODE_FULL: lambda _fault, service: self.federation.disks[service].full_after(_PAGES),
            Kind.NODE_CLOCK_ON: self._jump,
            Kind.NODE_CLOCK_BACK: self._jump,
            Kind.WITNESS_DOWN: self._stop,
            Kind.WITNESS_PAUSED: self._pause,
            Kind.WITNESS_CLOCK: self._jump,
            Kind.WITNESSES_DOWN: self._kill,
            Kind.DESK_KILLED: self._kill,
            Kind.DESK_CRASHED: self._crash,
            Kind.DESK_PAUSED: self._pause,
            Kind.DESK_CLOCK: self._jump,
            Kind.DATABASE_KILLED: self._kill,
            Kind.DATABASE_RESTARTED: self._stop,
            Kind.DATABASE_CUT_OFF: self._disconnect,
        }

    @property
    def _ends(self) -> Mapping[Kind, Callable[[Fault, str], None]]:
        return {
            Kind.NODE_KILLED: self._start,
            Kind.NODE_CRASHED: self._nothing,
            Kind.NODE_PAUSED: self._resume,
            Kind.NODE_CUT_OFF: self._connect,
            Kind.NODE_SLOW: self._good_line,
            Kind.NODE_BROKEN: self._good_line,
            Kind.NODE_FULL: self._make_room,
            Kind.NODE_CLOCK_ON: self._set_right,
            Kind.NODE_CLOCK_BACK: self._set_right,
            Kind.WITNESS_DOWN: self._start,
            Kind.WITNESS_PAUSED: self._resume,
            Kind.WITNESS_CLOCK: self._set_right,
            Kind.WITNESSES_DOWN: self._start,
            Kind.DESK_KILLED: self._start,
            Kind.DESK_CRASHED: self._nothing,
            Kind.DESK_PAUSED: self._resume,
            Kind.DESK_CLOCK: self._set_right,
            Kind.DATABASE_KILLED: self._start,
            Kind.DATABASE_RESTARTED: self._start,
            Kind.DATABASE_CUT_OFF: self._connect,
        }

    def _nothing(self, fault: Fault, service: str) -> None:
        """The engine does it."""

    def _kill(self, fault: Fault, service: str) -> None:
        self.client.api.kill(self.ids[service])

    def _stop(self, fault: Fault, service: str) -> None:
        self.client.api.stop(self.ids[service], timeout=20)

    def _start(self, fault: Fault, service: str) -> None:
        self.client.api.start(self.ids[service])

    def _crash(self, fault: Fault, service: str) -> None:
        """Kills the process as the machine's own kernel would: then the engine's restart policy has to act."""
        container = self.container(service)
        pid, short = int(container.attrs["State"]["Pid"]), container.id or ""
        # A process of another machine, or one that took the number meanwhile, is not ours to kill.
        if not short or short not in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii"):
            raise NotBack(f"the process of {service} is not on this machine")
        self.pids[fault.number, service] = pid
        os.kill(pid, signal.SIGKILL)

    def _pause(self, fault: Fault, service: str) -> None:
        self.client.api.pause(self.ids[service])

    def _resume(self, fault: Fault, service: str) -> None:
        self.client.api.unpause(self.ids[service])

    def _disconnect(self, fault: Fault, service: str) -> None:
        container = self.container(service)
        (name,) = container.attrs["NetworkSettings"]["Networks"]
        self.networks[fault.number, service] = name
        self.client.networks.get(name).disconnect(container)

    def _connect(self, fault: Fault, service: str) -> None:
        """With its name: without it nobody would find it again."""
        name = self.networks.pop((fault.number, service))
        self.client.networks.get(name).connect(self.container(service), aliases=[service])

    def _jump(self, fault: Fault, service: str) -> None:
        self.federation.overlay.set_clock(service, fault.by)

    def _set_right(self, fault: Fault, service: str) -> None:
        self.federation.overlay.set_clock(service, 0)

    def _break(self, fault: Fault, service: str) -> None:
        """Twice, with time to come back in between; and once more until it ends."""
        for _ in range(2):
            self.federation.overlay.set_line(service, broken=True)
            time.sleep(_BREAK_S)
            self.federation.overlay.set_line(service)
            time.sleep(_BREAK_S)
        self.federation.overlay.set_line(service, broken=True)

    def _good_line(self, fault: Fault, service: str) -> None:
        self.federation.overlay.set_line(service)

    def _make_room(self, fault: Fault, service: str) -> None:
        """And no more: whether the node goes on or ends and is restarted, it needs nobody for that."""
        self.federation.disks[service].roomy()

    def _wait(self, fault: Fault, service: str) -> None:
        last = time.monotonic() + _BACK_S
        before = self.pids.pop((fault.number, service), 0)
        while time.monotonic() < last:
            with suppress(docker.errors.APIError):
                state = self.container(service).attrs["State"]
                if state["Status"] == "running" and state["Pid"] != before:
                    return
            time.sleep(0.1)
        raise NotBack(f"{service} does not run, and was waited for {_BACK_S:.0f} s: {fault}")

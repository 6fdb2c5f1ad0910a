"""Every party is stopped and started as the next release, one after the other, while programmes keep coming."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from compose.demo.federation import Federation
from coordinator.client import Desk
from coordinator.desk.views import Progress
from coordinator.errors import Unreachable
from coordinator.gather import Asked, State
from policies.rules.entries import Debited
from tests.e2e.world import PATIENCE_S, draft, entries, quiet, rondgang, small_federation, stored_answers, until

pytestmark = pytest.mark.slow
STARTS = {
    "witness": ("audit", "witness"),
    "coordinator": ("coordinator", "serve"),
    "AA": ("node", "serve"),
    "BB": ("node", "serve"),
}
"""In the order in which they are upgraded: whoever serves first, so that no desk is older than its nodes for long."""


@dataclass
class Researcher:
    """Who asks one programme after the other, whatever happens to the desk. `runs` were opened, in order."""

    federation: Federation
    runs: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    broken: list[BaseException] = field(default_factory=list)

    @contextmanager
    def asking(self) -> Iterator[Researcher]:
        thread = threading.Thread(target=self._run, name="researcher")
        thread.start()
        try:
            yield self
        finally:
            self.stop.set()
            thread.join(2 * PATIENCE_S)
            assert not thread.is_alive()

    def _run(self) -> None:
        try:
            with Desk.open(self.federation.researcher) as desk:
                while not self.stop.is_set():
                    self._ask(desk, f"number_{len(self.runs)}")
        # Shown by the test; nobody reads what a thread prints.
        except BaseException as error:
            self.broken.append(error)

    def _ask(self, desk: Desk, name: str) -> None:
        """One programme, until the desk has taken it; asked twice it is one run."""
        while not self.stop.is_set():
            try:
                self.runs.append(desk.submit(desk.plan(draft(name, rho="0.01"))).run)
            except Unreachable:
                self.stop.wait(0.05)
            else:
                self.stop.wait(0.2)
                return


def upgrade(federation: Federation, name: str) -> None:
    """Stops a party in order, and starts it as the next release."""
    room, verb = STARTS[name]
    home = {"witness": federation.witness(), "coordinator": federation.coordinator}.get(name) or federation.node(name)
    process = federation.processes.pop(name)
    process.terminate()
    assert process.wait(PATIENCE_S) == 0, (home / "serve.out").read_text("utf-8")
    with (home / "serve.out").open("ab") as out:
        command = [sys.executable, "-m", "tests.newer_party", room, verb, "--home", str(home)]
        federation.processes[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )


def _more_than(runs: list[str], count: int) -> bool:
    return len(runs) > count


def last(federation: Federation, run: str) -> Progress:
    """How a run ended; asked anew where the desk went away meanwhile."""
    while True:
        try:
            with Desk.open(federation.researcher) as desk:
                *_, progress = desk.watch(run, 2 * PATIENCE_S)
                return progress
        except Unreachable:
            federation.check_alive()


@dataclass
class Rolled:
    """What came of it."""

    federation: Federation
    runs: list[str]
    ended: dict[str, Progress]
    early: tuple[bytes, ...]


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rolled]:
    federation = small_federation(tmp_path_factory.mktemp("rolling"))
    try:
        federation.start(quiet)
        with Researcher(federation).asking() as researcher:
            until(lambda: len(researcher.runs) > 1)
            last(federation, researcher.runs[0])
            with Desk.open(federation.researcher) as desk:
                early = desk.fetch(researcher.runs[0]).signed_answers
            for name in STARTS:
                upgrade(federation, name)
                federation.wait_for(federation.regions, 2 * PATIENCE_S, quiet)
                known = len(researcher.runs)
                until(partial(_more_than, researcher.runs, known + 1))
                # It works in this mixture of releases, too.
                assert last(federation, researcher.runs[known]).state is State.COMPLETE
        assert researcher.broken == []
        yield Rolled(federation, researcher.runs, {run: last(federation, run) for run in researcher.runs}, early)
    finally:
        federation.stop()


def test_nothing_is_lost(rolled: Rolled) -> None:
    assert len(rolled.runs) >= 2 * len(STARTS)
    assert {progress.state for progress in rolled.ended.values()} == {State.COMPLETE}
    assert all(progress.count(Asked.ANSWERED) == 2 for progress in rolled.ended.values())


def test_nothing_is_charged_twice_or_answered_twice_differently(rolled: Rolled) -> None:
    assert all(one.other == 0 for progress in rolled.ended.values() for one in progress.regions)
    kept = {region: set(stored_answers(rolled.federation, region)) for region in rolled.federation.regions}
    with Desk.open(rolled.federation.researcher) as desk:
        for run in rolled.runs:
            assert all(any(answer in kept[region] for region in kept) for answer in desk.fetch(run).signed_answers)
        assert desk.fetch(rolled.runs[0]).signed_answers == rolled.early
    for region in rolled.federation.regions:
        debits = [one.body.programme for one in entries(rolled.federation, region) if isinstance(one.body, Debited)]
        assert len(debits) == len(set(debits)) == len(rolled.runs) == len(kept[region])


def test_nobody_was_turned_away_for_its_version_or_found_a_message_unreadable(rolled: Rolled) -> None:
    for home, file in (
        (rolled.federation.coordinator, "coordinator.log"),
        (rolled.federation.witness(), "witness.log"),
        *((rolled.federation.node(region), "node.log") for region in rolled.federation.regions),
    ):
        text = (home / "logs" / file).read_text("utf-8")
        for trouble in (
            "node_rejected",
            "not_admitted",
            "message_unknown",
            "message_failed",
            '"fault"',
            "not_cosigned",
        ):
            assert trouble not in text, (file, trouble)


def test_an_auditor_of_this_release_finds_nothing_wrong(rolled: Rolled, tmp_path: Path) -> None:
    rolled.federation.export(tmp_path / "evidence")
    key = (rolled.federation.consortium / "consortium.pub").read_text("ascii").strip()
    bundles = sorted((tmp_path / "evidence").glob("*.bundle"))
    assert len(bundles) == 4
    verified = rondgang("audit", "verify", *bundles, "--consortium-key", key)
    assert verified.returncode == 0, verified.stdout

"""A whole run of storms: the federation up, programme after programme, and an audit every so many faults."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import docker

from audit.bundles import read
from audit.findings import Severity
from audit.model import LoggedEntry
from compose.containers.engine import EngineFailed
from compose.containers.federation import verify
from compose.demo.federation import running
from tests.storms.federation import StormFederation, build, cast, prepared
from tests.storms.hands import Hands
from tests.storms.judge import Judge
from tests.storms.kinds import Asking
from tests.storms.programme import Asker, Ran
from tests.storms.script import script
from tests.storms.table import Audit, Report, outcome

Say = Callable[[str], None]
CHAPTER = 50
"""Faults between two audits."""


@dataclass(slots=True)
class Storms:
    """One run in a folder of its own. `say` is told how far it is."""

    out: Path
    regions: tuple[str, ...]
    seed: int
    faults: int
    project: str
    say: Say
    ran: list[Ran] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    judge: Judge = field(default_factory=Judge)

    def run(self) -> Report:
        """All of it; what comes after something that is wrong is left out. Leaves nothing running.

        Raises EngineFailed and NotStarted where the federation does not come up, CannotStorm where it may not.
        """
        build()
        began = time.monotonic()
        client = docker.from_env()
        with prepared(self.out, self.regions, self.project, lambda _step: None) as federation:
            self.say(f"{len(self.regions)} regions are set up")
            with running(federation, self.say):
                self._all(federation, Hands(federation, client))
        engine = str(client.version()["Version"])
        return Report(self.seed, len(self.regions), engine, tuple(self.ran), tuple(self.audits), tuple(self.wrong),
                      time.monotonic() - began)  # fmt: skip

    def _all(self, federation: StormFederation, hands: Hands) -> None:
        hands.look_up()
        asker, since, done = Asker(hands, self.judge), 0, 0
        for asking in script(self.seed, self.faults, cast(self.regions)):
            ran = asker.ask(asking)
            self.ran.append(ran)
            since, done = since + len(asking.faults), done + len(asking.faults)
            self._tell(asking, ran, done)
            if ran.wrong:
                break
            if since >= CHAPTER:
                since = 0
                self._audit(federation)
                if self.wrong:
                    break
        if since:
            self._audit(federation)

    def _tell(self, asking: Asking, ran: Ran, done: int) -> None:
        self.say(f"{done}/{self.faults} {asking.name} {asking.mode.value}, {ran.seconds:.1f} s")
        for hit in ran.hits:
            self.say(f"    {hit.fault}: {hit.before} -> {hit.after} => {outcome(hit.fault, ran.last)}")
        for what in ran.wrong:
            self.say(f"    WRONG {what}")

    def _audit(self, federation: StormFederation) -> None:
        """Everybody's evidence, as an auditor sees it and as our own judge does."""
        folder = self.out / f"evidence-{len(self.audits) + 1}"
        key = (federation.consortium / "consortium.pub").read_text(encoding="ascii").strip()
        try:
            federation.export(folder)
            said = json.loads(verify(folder, key, federation.user, "--json"))
        except EngineFailed as error:
            self.wrong.append(f"the audit: {error}")
            return
        notes = Counter(one["code"] for one in said["findings"] if one["severity"] == Severity.NOTE)
        found = [one for one in said["findings"] if one["severity"] != Severity.NOTE]
        entries, debits, answers = (
            sum(one[what] for one in said["regions"]) for what in ("entries", "debits", "answers")
        )
        self.audits.append(Audit(entries, debits, answers, len(found), notes))
        self.wrong += [f"the auditor found {one['code']}: {one['what']}" for one in found]
        self.wrong += self.judge.books(_books(folder, self.regions))
        self.say(f"audited: {self.audits[-1]}")
        for what in self.wrong:
            self.say(f"    WRONG {what}")


def _books(folder: Path, regions: Sequence[str]) -> dict[str, Sequence[LoggedEntry]]:
    """The regions' ledgers, out of their bundles."""
    found: dict[str, Sequence[LoggedEntry]] = {}
    for region in regions:
        bundle = read(region, (folder / f"{region}.bundle").read_bytes()).bundle
        found[region] = () if bundle is None else tuple(e for epoch in bundle.entries.values() for e in epoch)
    return found

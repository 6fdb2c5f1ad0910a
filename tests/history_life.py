"""One region's life with a real ledger: what can be done to it, and the evidence that everybody keeps."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rondgang.merkle import Tree
from rondgang.signed import Signed, sign

from node import evidence as region_evidence
from node import recovering
from node.approving import Heard, hear
from node.authenticate import Ordered, read_order
from node.home import Home
from node.region import InForce
from node.snapshots import CodebookOf, Manifest
from node.spending import Step
from node.witnessing import recovery
from policies.documents import to_canonical
from policies.rules.approval import Approval, DeclineReason
from policies.rules.order import Order
from policies.rules.refusals import Refused
from policies.statistics.programme import Programme
from policies.study.calendar import DAY_S
from policies.study.roster import Roster
from tests.history_world import (
    COHORTS,
    Desk,
    Rows,
    policy,
    programme,
    roster,
    signed_roster,
    study,
    witness_bundle,
)
from tests.node_world import CHECKPOINT, CONSORTIUM, DESK, REGION, RESEARCHER, STEWARD, Clock, World
from tests.small_study import codebook
from tests.witnesses import Fault, MemoryLine, Witness

_RHO = ("0.02", "0.05", "0.013")


@dataclass
class Life:
    """One region's life. Each operation returns whether it did what its name says; `number` varies it."""

    folder: Path
    template: Path
    clock: Clock = field(default_factory=Clock)
    desk: Desk = field(default_factory=Desk)
    done: Counter[str] = field(default_factory=Counter)
    asked: list[Signed] = field(default_factory=list)
    others: Tree = field(default_factory=Tree)
    version: int = 1
    third: bool = False
    left: bool = False
    steward: bool = False
    copy: Path | None = None

    def __post_init__(self) -> None:
        self.home = Home(self.folder / "home")
        shutil.copytree(self.template, self.home.root)
        self.rosters: list[Roster] = [roster(1)]
        self.watching = tuple(Witness(name, lambda: self.rosters[-1], self.clock) for name in ("desk", "witness"))
        self.world = World(self.home, self.clock, watching=self.watching)
        self.desk.keep(
            *(
                sign(kind, to_canonical(one), CONSORTIUM)
                for kind, one in (("calendar", study()), ("codebook", codebook()))
            )
        )
        for cohort in COHORTS:
            self.load(cohort)

    def bundles(self) -> dict[str, bytes]:
        """The evidence of all, the region's as its own export writes it."""
        self.world.region.ledger.flush()
        now, papers = self.clock.now, [signed_roster(one) for one in self.rosters]
        found = {f"{REGION}.bundle": b"".join(region_evidence.bundle(self.home, now))}
        found["coordinator.bundle"] = witness_bundle("coordinator", "desk", self.watching[0], papers, self.desk, now)
        for one in self.watching[1:]:
            found[f"{one.label}.bundle"] = witness_bundle("witness", one.label, one, papers, self.desk, now)
        return found

    def close(self) -> None:
        self.world.region.close()

    def new(self, number: int, rho: str = "") -> Programme:
        return programme(f"p{len(self.asked)}", COHORTS[number % 2], rho or _RHO[number % 3])

    def order(self, asked: Programme) -> Ordered:
        signed = sign("programme", to_canonical(asked), RESEARCHER)
        self.asked += [] if signed in self.asked else [signed]
        return self.again(signed)

    def attempt(self, asked: Programme, number: int, run: str = "") -> Ordered:
        """The order of an attempt, in a run of its own if none is given."""
        return self.again(sign("programme", to_canonical(asked), RESEARCHER), number, run)

    def again(self, signed: Signed, attempt: int = 0, run: str = "") -> Ordered:
        run = run or f"run-{len(self.desk.papers):016x}"
        now = self.clock.now
        order = Order(run=run, programme=signed.digest, issued=now, deadline=now + DAY_S, attempt=attempt)
        signed_order = sign("order", to_canonical(order), DESK)
        self.desk.keep(signed, signed_order)
        read = read_order(run, signed_order.to_bytes(), signed.to_bytes())
        assert not isinstance(read, Refused)
        return read

    def answered(
        self, *orders: Ordered, steps: Callable[[Step], None] | None = None, rows: Rows | None = None
    ) -> list[bytes | Refused]:
        """What leaves the node, which the coordinator keeps."""
        outcomes = self.world.answering(steps, rows or Rows()).answer(orders)
        for ordered, outcome in zip(orders, outcomes, strict=True):
            if isinstance(outcome, bytes):
                self.desk.answers[ordered.order.run] = (self.clock.now, outcome)
        return outcomes

    def befall(self, fault: Fault, number: int) -> None:
        """Both witnesses, or one of them."""
        for place, one in enumerate(self.watching):
            one.fault = fault if number % 3 in (place, 2) else "none"

    def well(self) -> None:
        for one in self.watching:
            one.fault = "none"

    def adopt_policy(self, **changes: object) -> bool:
        self.version += 1
        rule = {"witnesses": {"need": 3}} if self.third else {}
        approval = "steward" if self.steward else "automatic"
        found = self.world.region.adopt_policy(policy(self.version, **({"approval": approval} | rule | changes)))
        return isinstance(found, InForce)

    def adopt_roster(self) -> bool:
        fresh = roster(len(self.rosters) + 1, third=self.third, left=self.left)
        self.rosters.append(fresh)
        return isinstance(self.world.region.adopt(signed_roster(fresh).to_bytes()), InForce)

    def load(self, cohort: str) -> bool:
        snapshot = f"{int(self.clock.now) * 100 + len(list(self.home.snapshots.iterdir())):032x}"
        book = codebook()
        hashed = sign("codebook", to_canonical(book), CONSORTIUM).digest
        manifest = Manifest(
            format=1,
            id=snapshot,
            cohort=cohort,
            codebook=CodebookOf(id=book.codebook.id, version=book.codebook.version, hash=hashed),
            columns={"household": (), "adult": (), "child": ()},
        )
        folder = self.home.snapshots / snapshot
        folder.mkdir()
        (folder / "manifest.json").write_bytes(manifest.to_bytes())
        self.world.region.record_import(snapshot, cohort, hashed)
        return True

    def kill(self) -> None:
        """The process is gone: nothing is flushed, and the next one opens what is on disk."""
        self.world.region.ledger._log.connection.close()
        self.open()

    def open(self) -> None:
        """The node starts, and compares itself with its witnesses as it then does."""
        self.world = World(self.home, self.clock, watching=self.watching)
        self.world.witnesses.watch()

    def say(self, signed: Signed, reason: DeclineReason | None = None) -> bool:
        word = Approval(
            region=REGION,
            programme=signed.digest,
            decision="approve" if reason is None else "decline",
            reason=reason,
            decided=self.clock.now,
        )
        heard = hear(self.world.region, sign("approval", to_canonical(word), STEWARD).to_bytes())
        return isinstance(heard, Heard) and heard.new

    def recover(self) -> bool:
        """`node recover`: what witnesses saw last, and the next epoch on top of it."""
        lines = [MemoryLine(one, REGION) for one in self.watching]
        held = self.world.region.documents
        assert held.policy is not None
        rule = held.policy.document.witnesses
        keys = frozenset({CHECKPOINT.public})
        self.world.region.ledger._log.connection.close()
        asking = recovery.Asking(REGION, keys, recovering.roster(self.home, self.clock), rule, self.clock.now)
        last = recovery.ask_all(lines, asking, 1.0)
        assert isinstance(last, recovering.Last)
        outcome = recovering.reset(self.home, self.clock, last.checkpoint)
        self.open()
        return isinstance(outcome, recovering.Plan)

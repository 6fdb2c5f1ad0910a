"""A made-up node: its log as it grows, entry by entry, with checkpoints that the witnesses cosign at once.

It does what it is told, so that a story may let it cheat; told an honest story it keeps every rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rondgang import canonical
from rondgang.canonical import Json, digest
from rondgang.leaves import GENESIS, leaf_hash
from rondgang.merkle import Tree
from rondgang.notes import Checkpoint, Note, cosign, origin, sign_checkpoint
from rondgang.signed import Signed

from audit.findings import place
from audit.practise import papers
from audit.practise.papers import CALENDAR, CODEBOOK, COHORT, Values, paper
from audit.practise.people import DAY_S, START, Person
from audit.practise.study import Study


def link(entries: Sequence[Values]) -> list[Values]:
    """The entries as one chain: numbered from 0, each with the hash of the one before."""
    previous, linked = GENESIS, []
    for seq, one in enumerate(entries):
        linked.append({**one, "seq": seq, "previous": previous})
        previous = leaf_hash(canonical.encode(linked[-1]))
    return linked


def tree_of(entries: Sequence[Values]) -> Tree:
    return Tree(bytes.fromhex(leaf_hash(canonical.encode(one))) for one in entries)


@dataclass(frozen=True, slots=True)
class Reply:
    """A signed answer as the coordinator has it, and when it came (unix seconds)."""

    run: str
    received: int
    signed: Signed


@dataclass(slots=True)
class Log:
    """One region's node. `now` moves as it works; `cosigned` is what each witness keeps, by the witness's name."""

    study: Study
    who: Person
    now: int = START
    epoch: int = 0
    entries: dict[int, list[Values]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    cosigned: dict[str, list[Note]] = field(default_factory=dict)
    papers: list[Signed] = field(default_factory=list)
    sent: list[Signed] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    cohorts: dict[str, int] = field(default_factory=dict)
    lifetime: int = 0
    snapshot: str = ""
    policy: Signed | None = None
    roster: Signed | None = None
    trees: dict[int, Tree] = field(default_factory=dict)

    @property
    def region(self) -> str:
        return str(self.who.party.region)

    @property
    def size(self) -> int:
        return len(self.entries[self.epoch])

    def place(self, seq: int) -> str:
        """How entry `seq` of the open epoch is called."""
        return place(self.region, self.epoch, seq)

    def wait(self, seconds: int) -> None:
        self.now += seconds

    def cite(self, *signed: Signed) -> None:
        """Puts documents among the evidence; each once."""
        self.papers += [one for one in signed if one not in self.papers]

    def write(self, event: str, *, time: int | None = None, **body: Json) -> int:
        """Adds one entry, now or at another time. Returns its sequence number."""
        return self._add(event, body, time)

    def _add(self, event: str, body: Values, time: int | None = None) -> int:
        log, tree = self.entries[self.epoch], self.trees[self.epoch]
        previous = leaf_hash(canonical.encode(log[-1])) if log else GENESIS
        when = self.now if time is None else time
        log.append({"seq": len(log), "time": when, "previous": previous, "body": {"event": event, **body}})
        tree.append(bytes.fromhex(leaf_hash(canonical.encode(log[-1]))))
        self.now += 1
        return len(log) - 1

    def look(self, *witnesses: Person, at: int | None = None) -> Note:
        """A checkpoint of all so far, cosigned by these witnesses (both unless said), now or at another time."""
        self.now += 1
        checkpoint = Checkpoint(origin(self.region, self.epoch), self.size, self.trees[self.epoch].root())
        bare = note = sign_checkpoint(checkpoint, self.who.signing)
        for witness in witnesses or self.study.people.witnesses:
            line = cosign(bare, witness.signing, self.now if at is None else at)
            self.cosigned.setdefault(witness.name, []).append(bare.with_signature(line))
            note = note.with_signature(line)
        self.notes.append(note)
        self.now += 1
        return note

    def open(self, epoch: int = 1) -> None:
        self.epoch = epoch
        self.entries[epoch], self.trees[epoch] = [], Tree()
        self.write("opened", region=self.region)

    def adopt(self, kind: str, name: str, signed: Signed) -> int:
        """A document in force, and kept."""
        self.cite(signed)
        match kind:
            case "policy":
                self.policy = signed
            case "roster":
                self.roster = signed
        return self.write("adopted", kind=kind, name=name, hash=signed.digest)

    def inherit(self, calendar: Signed, cohorts: Mapping[str, int], lifetime: int) -> int:
        """What regions before this one had spent, in nano-rho, counts from here on."""
        for name, nano in cohorts.items():
            self.cohorts[name] = self.cohorts.get(name, 0) + nano
        self.lifetime += lifetime
        totals: Values = {name: str(nano) for name, nano in cohorts.items()}
        return self.write("inherited", calendar=calendar.digest, cohorts=totals, lifetime=str(lifetime))

    def load(self, snapshot: str = "", cohort: str = COHORT) -> int:
        """A snapshot in force: a new one unless one is named. Questions are about the one of cohort c1."""
        made = snapshot or self.study.draw(32)
        self.snapshot = made if cohort == COHORT else self.snapshot
        return self.write("imported", snapshot=made, cohort=cohort, codebook=self.study.codebook.digest)

    def ask(self, asked: Signed, run: str = "") -> int:
        """A programme comes in, with the coordinator's order."""
        name = run or self.study.run(asked.digest)
        order = self.study.order(name, asked, self.now)
        self.sent += [asked, order]
        self.cite(asked, order)
        return self.write("asked", programme=asked.digest, run=name, researcher=self._asker(asked), order=order.digest)

    def approve(self, asked: Signed, reason: str | None = None) -> int:
        """The steward's yes, or the no with its reason."""
        said = self.study.approval(self.region, asked, self.now, reason)
        self.cite(said)
        if reason is None:
            return self.write("approved", programme=asked.digest, approval=said.digest)
        return self.write("declined", programme=asked.digest, approval=said.digest, reason=reason)

    def refuse(self, asked: Signed, reason: str) -> int:
        return self.write("refused", programme=asked.digest, run=self.study.run(asked.digest), reason=reason)

    def debit(self, asked: Signed, charge: int | None = None, wrong: Values | None = None, number: int = 0) -> int:
        """Charges the programme's own price, or another, and adds it to the totals; `wrong` replaces fields.

        `number` 0 pays for the answer, from 1 on for that attempt at the national sums.
        """
        paid, cohort = charge_of(asked, number) if charge is None else charge, cohort_of(asked)
        self.cohorts[cohort] = self.cohorts.get(cohort, 0) + paid
        self.lifetime += paid
        body: Values = {
            "programme": asked.digest,
            "run": self.study.run(asked.digest),
            "researcher": self._asker(asked),
            "snapshot": self.snapshot,
            "cohort": cohort,
            "charge": str(paid),
            "cohort_total": str(self.cohorts[cohort]),
            "lifetime_total": str(self.lifetime),
        }
        attempt: Values = {"attempt": number} if number else {}
        return self._add("debited", body | attempt | (wrong or {}))

    def order(self, asked: Signed, number: int = 1) -> None:
        """The coordinator orders an attempt, and shows what came of it; the log does not say that it was ordered."""
        order = self.study.order(self.study.run(asked.digest), asked, self.now, number)
        self.sent += [order, *self.study.rounds(asked, number).papers]

    def vector(self, asked: Signed, debit: int, number: int = 1, participants: str = "") -> int:
        """A masked vector leaves for a debit; what it was made of stays, behind a commitment."""
        listed = participants or self.study.rounds(asked, number).participants.digest
        run, commitment = self.study.run(asked.digest), self.study.draw(64)
        return self.write(
            "attempted",
            programme=asked.digest,
            run=run,
            attempt=number,
            debit=debit,
            participants=listed,
            commitment=commitment,
        )

    def attempt(self, asked: Signed, number: int = 1) -> int:
        """Order, debit, checkpoint, vector, checkpoint: as it should be. Returns the debit."""
        self.order(asked, number)
        debit = self.debit(asked, number=number)
        self.look()
        self.vector(asked, debit, number)
        self.look()
        self.wait(10)
        return debit

    def keep_sum(self, asked: Signed, number: int = 1, hashed: str = "") -> int:
        """The finished sum comes back and is kept."""
        run, made = self.study.run(asked.digest), hashed or self.study.rounds(asked, number).sum.digest
        return self.write("summed", programme=asked.digest, run=run, attempt=number, hash=made)

    def _asker(self, asked: Signed) -> str:
        """Who is said to ask: whoever signed, or the researcher where nobody did."""
        return next(iter(asked.signers), self.study.people.researcher.signing.public.hex)

    def reply(self, asked: Signed) -> Signed:
        """An answer with drawn numbers, signed by the node."""
        body = papers.answer(self.region, asked, self.snapshot, self.study.entropy)
        return paper("answer", body, self.who.signing)

    def answer(self, asked: Signed, debit: int, signed: Signed | None = None) -> int:
        """Stores an answer, which is with the coordinator a few seconds later."""
        signed = signed or self.reply(asked)
        self.replies.append(Reply(self.study.run(asked.digest), self.now + 5, signed))
        hashed = digest(signed.to_bytes())
        return self.write("answered", programme=asked.digest, snapshot=self.snapshot, debit=debit, answer=hashed)

    def spend(self, asked: Signed) -> int:
        """Debit, checkpoint, answer, checkpoint: as it should be. Returns the debit."""
        debit = self.debit(asked)
        self.look()
        self.answer(asked, debit)
        self.look()
        self.wait(10)
        return debit

    def reset(self, size: int | None = None, caps: tuple[int, int] | None = None, called: int | None = None) -> int:
        """Closes the epoch at its last checkpoint (or another size), charges all that is left, and opens the next.

        Documents in force and the snapshot are logged again. Returns the sequence number of the first entry.
        """
        old = self.trees[self.epoch]
        held = self.notes[-1].checkpoint.size if size is None else size
        cohort, lifetime = caps or caps_of(self.policy)
        self.cohorts = {COHORT: max(cohort, self.cohorts.get(COHORT, 0))} if caps is None else {COHORT: cohort}
        self.lifetime = max(lifetime, self.lifetime) if caps is None else lifetime
        self.epoch += 1
        self.entries[self.epoch], self.trees[self.epoch] = [], Tree()
        return self.write(
            "reset",
            region=self.region,
            epoch=called or self.epoch,
            old_size=held,
            old_root=old.root(held).hex(),
            policy=self.policy.digest if self.policy else "",
            cohorts={name: str(total) for name, total in self.cohorts.items()},
            lifetime_total=str(self.lifetime),
        )

    def adopt_again(self) -> None:
        """What was in force, after a reset."""
        for kind, name, signed in (
            ("roster", str(self.study.rosters.index(self.roster) + 1) if self.roster else "", self.roster),
            ("calendar", CALENDAR, self.study.calendar),
            ("codebook", CODEBOOK, self.study.codebook),
            ("policy", "1", self.policy),
        ):
            if signed is not None:
                self.adopt(kind, name, signed)
        self.load(self.snapshot)

    def sleep(self) -> None:
        """Until the next morning, nine o'clock."""
        self.now = (self.now // DAY_S + 1) * DAY_S + 9 * 3600


def charge_of(asked: Signed, number: int = 0) -> int:
    """What a programme says that it costs, in nano-rho: a region's own answer, or an attempt at its national sums."""
    match papers.body_of(asked):
        case {"charge": {"rho": str(rho), **rest}}:
            national = int(str(rest.get("national", "0")))
            return national if number else int(rho) - national
        case _:
            raise ValueError("not a programme")


def cohort_of(asked: Signed) -> str:
    match papers.body_of(asked):
        case {"programme": {"cohort": str(cohort)}}:
            return cohort
        case _:
            raise ValueError("not a programme")


def caps_of(policy: Signed | None) -> tuple[int, int]:
    """The caps of cohort and lifetime in nano-rho, of a policy as `papers.policy` writes it."""
    match None if policy is None else papers.body_of(policy):
        case {"cohorts": {"c1": {"rho": str(cohort)}}, "lifetime": {"rho": str(lifetime)}}:
            return _nano(cohort), _nano(lifetime)
        case _:
            raise ValueError("not a policy of this study")


def _nano(rho: str) -> int:
    whole, _, part = rho.partition(".")
    return int(whole) * papers.NANO + int(part.ljust(9, "0"))

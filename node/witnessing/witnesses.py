"""The node's witnesses: asked together to cosign the ledger's head, and compared with before anything is spent.

Nothing a witness says is believed: its cosignature counts when it verifies under a key on the roster, and a claim that
our ledger is behind or forked counts when it comes with a checkpoint under our own signature (contradiction.py). Such a
proof holds until the process ends, whatever the others say; without one a witness that says no is one cosignature less.

Every call takes a bounded time: `within_ms` of the settings for a round, second tries included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from rondgang.keys import PublicKey, SigningKey
from rondgang.notes import Checkpoint, Note, sign_checkpoint
from rondgang.witnessing import Submission

from node.journal import Journal
from node.region import NotReady, Region
from node.witnessing import evidence
from node.witnessing.contradiction import Contradiction, contradicted, own_checkpoint
from node.witnessing.gossip import hear
from node.witnessing.rule import Count, Unsound, cosigner, count, timely, unsound
from node.witnessing.said import Away, Cosigned, Exchanged, Line, NotCosigned, SawOther, Told
from node.witnessing.watcher import Watcher
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import WitnessRule
from policies.study.roster import checkpoint_keys

State = Literal["unknown", "up", "down"]
_NOTHING_LOST = "Nothing is lost: ask again later."


@dataclass(slots=True)
class _Round:
    """A note that is being cosigned, and who was asked a second time."""

    note: Note
    head: Checkpoint
    again: list[Watcher] = field(default_factory=list)

    def first_time(self, watcher: Watcher) -> bool:
        """Whether it may be asked a second time: once in a round."""
        if watcher in self.again:
            return False
        self.again.append(watcher)
        return True


class Witnesses:
    """All witnesses of one region. For the writer's thread alone; `close` ends their lines."""

    def __init__(self, region: Region, key: SigningKey, lines: Sequence[Line], journal: Journal) -> None:
        self._region = region
        self._key = key
        self._journal = journal
        self._state: State = "unknown"
        self._why = ""
        self._have = 0
        self._late: list[tuple[Watcher, Future[Told], _Round]] = []
        self.watchers = tuple(Watcher(line) for line in lines)
        self.contradiction: Contradiction | None = None

    def close(self) -> None:
        for watcher in self.watchers:
            watcher.line.close()

    @property
    def have(self) -> tuple[int, int]:
        """How many cosigned, or could be reached, when that was last tried and was too few; and how many must."""
        return self._have, self._rule.need

    def unsound(self) -> Unsound | None:
        """How the policy's rule fails with the witnesses on the roster."""
        return unsound(self._region.roster, self._rule, self._region.now())

    def standing(self) -> Refused | None:
        """Why nothing can be spent now, from what is known already; asks nobody."""
        if (fixed := self._fixed()) is not None:
            return fixed
        return self._unwitnessed() if self._state == "down" else None

    def ready(self) -> Refused | None:
        """Why nothing may be charged. Where witnesses were last away, or never asked, they are asked for the head now.

        So an outage that is known costs nobody a charge.
        """
        if (fixed := self._fixed()) is not None:
            return fixed
        return None if self._state == "up" else self._gather()

    def cosign(self) -> Refused | None:
        """Has the ledger's head cosigned by as many as the policy wants, and keeps that; or says why not.

        None at once where it was cosigned before. No row may be read for a debit, and no answer may leave, before this
        gave None for a head that includes them.
        """
        ledger = self._region.ledger
        if (fixed := self._fixed()) is not None:
            return fixed
        return None if ledger.cosigned >= ledger.head().size else self._gather()

    def watch(self) -> Refused | None:
        """Compares, and has the head cosigned where that is due: at start, and from time to time.

        Durable on return, checkpoints included.
        """
        ledger = self._region.ledger
        refused = self.compare()
        if refused is None and (self._state != "up" or ledger.cosigned < ledger.head().size):
            refused = self._gather()
        ledger.flush()
        return refused

    def compare(self) -> Refused | None:
        """Asks every witness what it last cosigned for us, and passes on what was seen of other regions.

        Every reachable witness is heard, and evidence is durable on return. Gives why nothing can be spent, if so.
        """
        within_s = self._within_s
        seen = tuple(self._region.ledger.seen())
        asked = {watcher.line.exchange(seen, within_s): watcher for watcher in self.watchers}
        wait(asked, timeout=within_s)
        reached = 0
        for told, watcher in asked.items():
            said = told.result() if told.done() else Away("slow")
            if isinstance(said, Away):
                watcher.wrong("away", said.reason)
                continue
            reached += 1
            self._compared(watcher, said)
        if (fixed := self._fixed()) is not None:
            return fixed
        if reached < self._rule.need:
            self._down(f"{reached} of the {self._rule.need} witnesses that must cosign can be reached.", reached)
            return self._unwitnessed()
        return None

    @property
    def _rule(self) -> WitnessRule:
        if self._region.documents.policy is None:
            raise NotReady("policy")
        return self._region.documents.policy.document.witnesses

    @property
    def _within_s(self) -> float:
        return self._region.config.witnessing.within_ms / 1000

    def _fixed(self) -> Refused | None:
        """What asking witnesses cannot mend."""
        if self.contradiction is not None:
            return Refused(Reason.BEHIND_WITNESSES, self.contradiction.sentence)
        why = self.unsound()
        return None if why is None else Refused(Reason.UNWITNESSED, why.sentence)

    def _gather(self) -> Refused | None:
        """One round: all are asked at once, and it ends as soon as enough have cosigned."""
        region = self._region
        for watcher, future, earlier in self._late:
            # Who was not waited for the last time has been heard since.
            if future.done():
                self._take(watcher, future.result(), earlier)
        head = region.ledger.head()
        this = _Round(sign_checkpoint(head, self._key), head)
        deadline = monotonic() + self._within_s
        asked = {self._submit(watcher, this, self._within_s): watcher for watcher in self.watchers}
        found = self._count(this.note)
        while asked and not found.enough and (left_s := deadline - monotonic()) > 0:
            done, _ = wait(asked, timeout=left_s, return_when=FIRST_COMPLETED)
            for future in done:
                watcher = asked.pop(future)
                if self._take(watcher, future.result(), this):
                    asked[self._submit(watcher, this, max(0.0, deadline - monotonic()))] = watcher
            found = self._count(this.note)
        self._late = [(watcher, future, this) for future, watcher in asked.items()]
        if not found.enough:
            for watcher in asked.values():
                watcher.wrong("slow")
        if self.contradiction is not None:
            return self._fixed()
        if not found.enough:
            self._down(self._shortage(found), len(found.by))
            return self._unwitnessed()
        region.ledger.hold_checkpoint(this.note)
        self._up(found)
        return None

    def _submit(self, watcher: Watcher, this: _Round, within_s: float) -> Future[Told]:
        tree, ledger = self._region.ledger.tree, self._region.ledger
        old = watcher.old if watcher.old <= this.head.size else 0
        first, first_proof = b"", tuple[bytes, ...]()
        if this.head.epoch > 1 and old == 0:
            # Whoever knows an earlier epoch must see what this one commits to.
            first, first_proof = ledger.first_entry(), tree.inclusion(0, this.head.size)
        proof = tree.consistency(old, this.head.size)
        return watcher.line.add_checkpoint(Submission(this.note, old, proof, first, first_proof), within_s)

    def _take(self, watcher: Watcher, told: Told, this: _Round) -> bool:
        """Notes what one witness said; True if it is to be asked once more, from the size that it named."""
        match told:
            case Cosigned(signature):
                self._cosigned(watcher, Note(this.note.text, (signature,)), this)
            case SawOther(size, note):
                return not self._contradicts(watcher, note) and self._prove_from(watcher, size, this)
            case NotCosigned(why, note):
                watcher.wrong("no", why.value)
                self._contradicts(watcher, note)
            case Away(reason):
                watcher.wrong("away", reason)
                # A line that broke since it was used last is dialled anew.
                return reason == "unavailable" and this.first_time(watcher)
        return False

    def _prove_from(self, watcher: Watcher, size: int, this: _Round) -> bool:
        if size > this.head.size:
            watcher.wrong("claim", f"size {size}")
            return False
        if not this.first_time(watcher):
            watcher.wrong("claim", "one size after another")
            return False
        watcher.old = size
        return True

    def _cosigned(self, watcher: Watcher, alone: Note, this: _Round) -> None:
        now = self._region.now()
        found = cosigner(alone, self._region.roster, now)
        if found is None:
            watcher.wrong("signature")
            return
        member, time = found
        if not timely(time, now):
            watcher.wrong("clock", f"{time - now:+d} s")
            return
        this.note = this.note.with_signature(alone.signatures[0])
        watcher.name = member.name
        watcher.well(now)
        watcher.old = watcher.cosigned = this.head.size

    def _compared(self, watcher: Watcher, said: Exchanged) -> None:
        now, ledger = self._region.now(), self._region.ledger
        watcher.well(now)
        if said.own is not None and not self._contradicts(watcher, said.own):
            own = own_checkpoint(said.own, self._region.code, self._keys())
            if own is not None and own.epoch == ledger.epoch:
                watcher.old = watcher.cosigned = own.size
        heard = hear(said.notes, ledger.seen(), self._region.code, self._region.roster, now)
        if heard.news:
            ledger.hold_seen(heard.news)
        for two in heard.two:
            if evidence.keep(self._region.home, two.checkpoint, (two.one, two.other)):
                place = f"{two.checkpoint.origin} at {two.checkpoint.size}"
                self._journal(
                    "forked", reason=f"another region signed two histories: {place}; told by {watcher.called}"
                )

    def _contradicts(self, watcher: Watcher, note: Note | None) -> bool:
        """Whether the note proves that our ledger is not all there is; that is kept, told, and stays so."""
        seen = None if note is None else own_checkpoint(note, self._region.code, self._keys())
        if note is None or seen is None:
            return False
        if (by := cosigner(note, self._region.roster, self._region.now())) is not None:
            watcher.name = by[0].name
        head = self._region.ledger.head()
        kind = contradicted(head, self._region.ledger.tree, seen)
        if kind is None:
            return False
        found = Contradiction(kind, head, seen, watcher.called)
        watcher.heard, watcher.cosigned = self._region.now(), seen.size
        watcher.wrong(kind)
        if self.contradiction is None:
            self.contradiction = found
            self._journal("forked" if kind == "forked" else "behind_witnesses", reason=found.sentence)
        # Last: a full disk must not hide what is known from here on.
        evidence.keep(self._region.home, seen, (note,))
        return True

    def _keys(self) -> Iterable[PublicKey]:
        return {self._key.public, *checkpoint_keys(self._region.roster, self._region.code, self._region.now())}

    def _count(self, note: Note) -> Count:
        return count(note, self._region.roster, self._rule, self._region.now())

    def _shortage(self, found: Count) -> str:
        if len(found.by) >= found.need:
            return "None of the witnesses that cosigned is independent of the coordinator."
        if any(watcher.problem == "clock" for watcher in self.watchers):
            return "The region's clock and that of a witness are more than 5 minutes apart: its steward sets the clock."
        return f"{len(found.by)} of the {found.need} witnesses that must cosign did so."

    def _up(self, found: Count) -> None:
        if self._state != "up":
            names = ", ".join(member.name for member in found.by)
            self._journal("witnessed", reason=f"{len(found.by)} of {found.of} cosigned: {names}")
        self._state, self._why = "up", ""

    def _down(self, why: str, have: int) -> None:
        if self._state != "down":
            problems = "; ".join(
                f"{one.called}: {one.problem} {one.detail}".rstrip() for one in self.watchers if one.problem
            )
            self._journal("unwitnessed", reason=f"{why} {problems}".rstrip())
        self._state, self._why, self._have = "down", why, have

    def _unwitnessed(self) -> Refused:
        return Refused(Reason.UNWITNESSED, f"{self._why} {_NOTHING_LOST}")

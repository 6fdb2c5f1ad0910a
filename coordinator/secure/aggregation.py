"""One attempt at a programme's national sums, as the desk goes through it. Pure: no I/O, no clock; replies come in.

    keys ──> sharing ──> vectors ──> seen ──> shares ──> Finished
      └─────────┴───────────┴─────────┴─────────┴──────> Aborted

In each round `awaited` are the regions whose reply is still to come. What a region says is checked as it comes in: who
refuses, or says what does not fit, is out of the attempt like one that vanished, and never stops the others. What comes
late, again, or from elsewhere changes nothing. `close` ends a round: who is still awaited is out too. Then the next
round starts with those that are left, if they are enough: n - d up to the list of survivors, `Group.threshold` after.

Only the first round may grow: `invite` asks more regions, or the same again, for nothing is fixed or spent yet. A node
begins an attempt once: who is asked again and has the secrets still says so, and the keys it sent before stand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from rondgang.keys import PublicKey, SigningKey
from rondgang.signed import Signed, sign

from coordinator.secure.assemble import Masked, Unfit, assemble
from coordinator.secure.checks import boxes_fit, read_keys, seen_fits, shares_fit
from coordinator.secure.messages import (
    Asked,
    BoxesSaid,
    KeysSaid,
    Reply,
    Round,
    SeenSaid,
    Send,
    Share,
    SharesSaid,
    ShowList,
    Unmask,
    VectorSaid,
)
from policies.documents import from_canonical, to_canonical
from policies.rules.refusals import Reason, Refused
from policies.secure.rounds import NationalSum, Participants, SecureKeys, Sharing, Survivors
from policies.study.roster import Roster, checkpoint_keys
from policies.study.text import some

V = TypeVar("V")


class Stage(StrEnum):
    KEYS = "keys"
    SHARING = "sharing"
    VECTORS = "vectors"
    SEEN = "seen"
    SHARES = "shares"


_SAYS = {
    Stage.KEYS: (KeysSaid, "sent their keys"),
    Stage.SHARING: (BoxesSaid, "sealed their shares"),
    Stage.VECTORS: (VectorSaid, "sent their vector"),
    Stage.SEEN: (SeenSaid, "signed the list of survivors"),
    Stage.SHARES: (SharesSaid, "gave their shares"),
}
LATE = "no reply in time"
OFF = "off the line"


@dataclass(frozen=True, slots=True)
class Keys:
    """A region's keys: as they came, the hash of the document, and what it says."""

    data: bytes
    digest: str
    keys: SecureKeys

    @classmethod
    def of(cls, signed: Signed) -> Keys:
        """Keys that were checked before. Raises BadDocument for another document."""
        return cls(signed.to_bytes(), signed.digest, from_canonical(SecureKeys, signed.document))

    @property
    def paper(self) -> Signed:
        return Signed.from_bytes(self.data)


@dataclass(frozen=True, slots=True)
class Aborted:
    """No sum came of it. `regions` are those that were missing; the sentence names them and says why each."""

    sentence: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The sum, signed; and the regions that gave wrong shares, which were left out."""

    signed: Signed
    sum: NationalSum
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Where an attempt stands. Made by `begin`.

    `out`: who is out of it, and why in a few words that hold nothing another party wrote.
    `declined`: of those, who said no in the first round, and may be invited again.
    """

    asked: Asked
    stage: Stage = Stage.KEYS
    awaited: frozenset[str] = frozenset()
    out: Mapping[str, str] = field(default_factory=dict)
    declined: Mapping[str, Refused] = field(default_factory=dict)
    participants: Signed | None = None
    sharing: Signed | None = None
    survivors: Signed | None = None
    keys: Mapping[str, Keys] = field(default_factory=dict)
    boxes: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    vectors: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    seen: Mapping[str, bytes] = field(default_factory=dict)
    shares: Mapping[str, SharesSaid] = field(default_factory=dict, repr=False)

    @classmethod
    def begin(cls, asked: Asked, regions: Iterable[str], kept: Mapping[str, Keys] | None = None) -> Aggregation:
        """The first round, with these regions of the programme invited.

        `kept` are keys that came in it before: they count once their region says that it has the secrets still.
        """
        held = dict(kept or {})
        return cls(asked, keys=held, out=dict.fromkeys(held, OFF)).invite(regions)

    @property
    def papers(self) -> tuple[Signed, ...]:
        """The documents that were fixed, or came in, in the round before this one."""
        match self.stage:
            case Stage.SHARING:
                return (
                    *(self.keys[region].paper for region in sorted(self.keys)),
                    _paper(self.participants),
                )
            case Stage.VECTORS:
                return (_paper(self.sharing),)
            case Stage.SEEN:
                return (_paper(self.survivors),)
            case Stage.SHARES:
                return tuple(Signed.from_bytes(self.seen[region]) for region in sorted(self.seen))
            case Stage.KEYS:
                return ()

    def invite(self, regions: Iterable[str]) -> Aggregation:
        """Awaits keys of more regions: new ones, such as declined, or such as were off the line in between."""
        if self.stage is not Stage.KEYS:
            return self
        asked = frozenset(regions) & frozenset(self.asked.programme.weights)
        return replace(
            self,
            awaited=self.awaited | asked,
            out=_without(self.out, asked),
            declined=_without(self.declined, asked),
        )

    @property
    def replied(self) -> frozenset[str]:
        """The regions whose reply of this round is in."""
        if self.stage is Stage.KEYS:
            return frozenset(self.keys) - self.awaited - frozenset(self.out)
        return frozenset(self._replies)

    @property
    def need(self) -> int:
        """How many replies this round takes."""
        group = self.asked.group
        return group.threshold if self.stage in (Stage.SEEN, Stage.SHARES) else group.fewest

    @property
    def enough(self) -> bool:
        """Whether the next round can start without those that are still awaited."""
        return len(self.replied) >= self.need

    @property
    def hopeless(self) -> bool:
        """Whether it cannot, even if all of them reply."""
        return len(self.replied) + len(self.awaited) < self.need

    def take(self, region: str, reply: Reply, roster: Roster, now: int) -> Aggregation:
        """Takes in what a region says in this round. `now` is in unix seconds.

        Who declined may send its keys after all, as when its steward approves: it need not be invited again.
        """
        late = region in self.declined and isinstance(reply, KeysSaid)
        if region not in self.awaited and not late:
            return self
        if isinstance(reply, Refused):
            if self.stage is Stage.KEYS and reply.reason is Reason.MALFORMED and region in self.keys:
                return replace(self, awaited=self.awaited - {region})
            declined = {**self.declined, region: reply} if self.stage is Stage.KEYS else self.declined
            return replace(self._drop(region, f"refused: {reply.reason.value}"), declined=declined)
        expected, _ = _SAYS[self.stage]
        if not isinstance(reply, expected):
            return self
        after = self._take(region, reply, checkpoint_keys(roster, region, now))
        if isinstance(after, str):
            return self._drop(region, after)
        mine = {region}
        out, declined = _without(self.out, mine), _without(self.declined, mine)
        return replace(after, awaited=self.awaited - mine, out=out, declined=declined)

    def lost(self, region: str) -> Aggregation:
        """The region is off the line and has replied nothing in this round: it is out.

        In the first round its keys do not count any more; it may be invited again.
        """
        return self._drop(region, OFF) if self.stage is Stage.KEYS or region in self.awaited else self

    def close(self, key: SigningKey) -> tuple[Aggregation, dict[str, Round]] | Finished | Aborted:
        """Ends the round: what to say to each region in the next one; or the end. `key` is the desk's.

        The last one takes its time: masks come off for every coordinate.

        Privacy: below n - d regions nothing is fixed, so nobody is asked to unmask fewer.
        """
        if not self.enough:
            return self._aborted()
        match self.stage:
            case Stage.KEYS:
                return self._fix_participants(key)
            case Stage.SHARING:
                return self._fix_sharing(key)
            case Stage.VECTORS:
                return self._fix_survivors(key)
            case Stage.SEEN:
                unmask = Unmask(tuple(self.seen[region] for region in sorted(self.seen)))
                return self._next(Stage.SHARES), dict.fromkeys(sorted(self.seen), unmask)
            case Stage.SHARES:
                return self._finish(key)

    def _fix_participants(self, key: SigningKey) -> tuple[Aggregation, dict[str, Round]]:
        keys = {region: self.keys[region] for region in sorted(self.replied)}
        listed = {region: theirs.digest for region, theirs in keys.items()}
        document = Participants(
            run=self.asked.run, programme=self.asked.signed.digest, attempt=self.asked.attempt, keys=listed
        )
        signed = sign("participants", to_canonical(document), key)
        share = Share(signed.to_bytes(), tuple(theirs.data for theirs in keys.values()))
        return replace(self._next(Stage.SHARING), keys=keys, participants=signed), dict.fromkeys(listed, share)

    def _fix_sharing(self, key: SigningKey) -> tuple[Aggregation, dict[str, Round]]:
        regions = tuple(sorted(self.boxes))
        document = Sharing(participants=_digest(self.participants), regions=regions)
        signed = sign("sharing", to_canonical(document), key)
        said: dict[str, Round] = {}
        for receiver in regions:
            boxes = {sender: self.boxes[sender][receiver] for sender in regions if sender != receiver}
            said[receiver] = Send(signed.to_bytes(), boxes)
        return replace(self._next(Stage.VECTORS), sharing=signed), said

    def _fix_survivors(self, key: SigningKey) -> tuple[Aggregation, dict[str, Round]]:
        regions = tuple(sorted(self.vectors))
        document = Survivors(sharing=_digest(self.sharing), regions=regions)
        signed = sign("survivors", to_canonical(document), key)
        return replace(self._next(Stage.SEEN), survivors=signed), dict.fromkeys(regions, ShowList(signed.to_bytes()))

    def _finish(self, key: SigningKey) -> Finished | Aborted:
        found = assemble(
            Masked(
                self.asked,
                tuple(sorted(self.keys)),
                {region: bytes.fromhex(self.keys[region].keys.mask) for region in self.boxes},
                _digest(self.sharing),
                _digest(self.survivors),
                self.vectors,
                self.shares,
            )
        )
        if isinstance(found, Unfit):
            sentence = f"The shares of region {found.region}'s secret do not fit together, so the masks stay on."
            return Aborted(sentence, (found.region,))
        return Finished(sign("national_sum", to_canonical(found.sum), key), found.sum, found.wrong)

    def _aborted(self) -> Aborted:
        _, done = _SAYS[self.stage]
        missing = sorted(set(self.asked.programme.weights) - self.replied)
        why = ", ".join(f"{region} ({self._late.get(region, 'not on the line')})" for region in missing)
        sentence = f"{some(len(self.replied), 'region')} {done}; it takes {self.need}. Missing: {why}."
        return Aborted(sentence, tuple(missing))

    def _next(self, stage: Stage) -> Aggregation:
        return replace(self, stage=stage, awaited=self.replied, out=self._late, declined={})

    @property
    def _late(self) -> dict[str, str]:
        """Who is out once this round is closed."""
        return {**self.out, **dict.fromkeys(self.awaited, LATE)}

    def _drop(self, region: str, why: str) -> Aggregation:
        return replace(self, awaited=self.awaited - {region}, out={**self.out, region: why})

    @property
    def _replies(self) -> Mapping[str, object]:
        match self.stage:
            case Stage.KEYS:
                return self.keys
            case Stage.SHARING:
                return self.boxes
            case Stage.VECTORS:
                return self.vectors
            case Stage.SEEN:
                return self.seen
            case Stage.SHARES:
                return self.shares

    def _take(self, region: str, reply: Reply, trusted: Collection[PublicKey]) -> Aggregation | str:
        """With the reply in it, or why it does not fit."""
        match reply:
            case KeysSaid():
                others = [theirs.keys for code, theirs in self.keys.items() if code != region]
                found = read_keys(self.asked, region, reply.signed_keys, trusted, others)
                if isinstance(found, str):
                    return found
                keys = Keys(reply.signed_keys, found[0].digest, found[1])
                return replace(self, keys={**self.keys, region: keys})
            case BoxesSaid():
                fits = boxes_fit(reply, set(self.keys) - {region})
                return replace(self, boxes={**self.boxes, region: reply.boxes}) if fits else "boxes that do not fit"
            case VectorSaid():
                fits = len(reply.masked) == self.asked.vector_bytes
                return replace(self, vectors={**self.vectors, region: reply.masked}) if fits else "another length"
            case SeenSaid():
                fits = seen_fits(reply.signed_seen, region, _digest(self.survivors), trusted)
                return replace(self, seen={**self.seen, region: reply.signed_seen}) if fits else "another list"
            case SharesSaid():
                fits = shares_fit(reply, self.asked, self.vectors, set(self.boxes) - set(self.vectors))
                return replace(self, shares={**self.shares, region: reply}) if fits else "shares that do not fit"
            case Refused():
                return "refused"


def _paper(signed: Signed | None) -> Signed:
    assert signed is not None, "a round was skipped"
    return signed


def _digest(signed: Signed | None) -> str:
    return _paper(signed).digest


def _without(by_region: Mapping[str, V], regions: Collection[str]) -> dict[str, V]:
    return {region: value for region, value in by_region.items() if region not in regions}

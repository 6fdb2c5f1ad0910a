"""One real node, with ledger and witnesses, among parties that a test plays: what tests of its attempts share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rondgang.signed import Signed, sign
from rondgang.tls import new_tls_key

from node.home import Config, CoordinatorAddress, Home, create_home
from node.region import InForce, Region
from node.secure.attempts import Told
from policies.documents import to_canonical
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import (
    AnyReply,
    Begin,
    BoxesSaid,
    Done,
    KeysSaid,
    Round,
    SeenSaid,
    Send,
    Share,
    SharesSaid,
    ShowList,
    Unmask,
    VectorSaid,
)
from policies.secure.rounds import NationalSum, group_of
from policies.statistics.answer import block_values
from policies.statistics.blocks import Block
from policies.statistics.programme import Programme
from tests import national_study
from tests.national_study import codes
from tests.node_world import (
    CHECKPOINT,
    COHORT,
    CONSORTIUM,
    DESK,
    FAST,
    REGION,
    RUN,
    STEWARD,
    Clock,
    CountedRows,
    World,
    put_snapshot,
)
from tests.secure_world import NOTHING, Played, Sums, attempt_order, regions_roster
from tests.small_study import OPEN, codebook

PROGRAMME = national_study.planned()
"""Four regions, of which one may collude and one drop out; two attempts."""


def make_secure_home(folder: Path, regions: int = 4, address: str = "localhost:443", **policy: object) -> Home:
    """Region AA's home among so many regions, with everything adopted and a snapshot in force by name."""
    config = Config(region=REGION, coordinator=CoordinatorAddress(address=address), lang="en", reconnect=FAST)
    keys = {"checkpoint": CHECKPOINT.to_pem(), "steward": STEWARD.to_pem()}
    home = create_home(folder, config, CONSORTIUM.public, keys | {"tls": new_tls_key()})
    region = Region(home, Clock())
    documents = {
        "roster": regions_roster(codes(regions)),
        "calendar": national_study.calendar(regions),
        "codebook": codebook(),
    }
    for kind, document in documents.items():
        assert isinstance(region.adopt(sign(kind, to_canonical(document), CONSORTIUM).to_bytes()), InForce)
    assert isinstance(region.adopt_policy(national_study.region_policy(**policy)), InForce)
    region.close()
    put_snapshot(home)
    return home


@dataclass
class Numbered(CountedRows):
    """Rows that sum to numbers which are told apart, and are counted as they are read."""

    seen: list[str] = field(default_factory=list)

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        self.reads.append(snapshot)
        self.seen = [block.id for block in blocks]
        return exact(blocks, 1000)


def exact(blocks: Sequence[Block], start: int) -> dict[str, list[int]]:
    """So many different whole numbers, some negative."""
    found, at = {}, start
    for block in blocks:
        found[block.id] = [(-1) ** place * (at + place) for place in range(block.cells)]
        at += block.cells
    return found


class Takes(Protocol):
    """A node, near or far."""

    def take(self, run: str, attempt: int, said: Round) -> Told: ...


class Attempt:
    """One attempt of a run as the desk leads it: the node is asked through `take`, the others are parties here."""

    def __init__(self, attempts: Takes, programme: Programme = PROGRAMME, number: int = 1, run: str = RUN) -> None:
        self.attempts = attempts
        self.number, self.run = number, run
        self.programme = programme
        self.ordered = attempt_order(programme, number, run)
        self.played = Played(programme, number, run)
        self.server = self.played.server
        del self.played.parties[REGION]

    def say(self, said: Round) -> AnyReply | None:
        return self.attempts.take(self.run, self.number, said).reply

    def begin(self, lost: Collection[str] = NOTHING) -> AnyReply | None:
        reply = self.say(Begin(self.ordered.signed_order.to_bytes(), self.ordered.asked.signed.to_bytes()))
        self.played.keys(lost)
        if isinstance(reply, KeysSaid):
            self.server.keys[REGION] = reply.signed_keys
        return reply

    def share(self, lost: Collection[str] = NOTHING) -> AnyReply | None:
        participants = self.server.name_participants()
        keys = tuple(self.server.keys.values())
        reply = self.say(Share(participants, keys))
        for name in sorted(set(self.server.keys) - {REGION} - set(lost)):
            boxes = self.played.parties[name].share(participants, keys, self.played.who, OPEN)
            assert not isinstance(boxes, Refused), boxes
            self.server.boxes[name] = boxes
        if isinstance(reply, BoxesSaid):
            self.server.boxes[REGION] = reply.boxes
        return reply

    def send(self, lost: Collection[str] = NOTHING) -> AnyReply | None:
        sharing = self.server.name_sharing()
        for name in sorted(set(self.server.boxes) - {REGION} - set(lost)):
            assert self.played.parties[name].open(sharing, self.server.boxes_for(name)) is None
            self.server.vectors[name] = self.played.parties[name].mask(others_of(name, self.programme), CountedRows())
        return self.resend()

    def resend(self) -> AnyReply | None:
        """The node's round by itself, as the desk would ask it once more."""
        assert self.server.sharing is not None
        reply = self.say(Send(self.server.sharing.to_bytes(), self.server.boxes_for(REGION)))
        if isinstance(reply, VectorSaid):
            self.server.vectors[REGION] = reply.masked
        return reply

    def list_(self) -> AnyReply | None:
        survivors = self.server.name_survivors()
        for name in sorted(set(self.server.vectors) - {REGION}):
            seen = self.played.parties[name].see(survivors)
            assert isinstance(seen, bytes), seen
            self.server.seen[name] = seen
        reply = self.say(ShowList(survivors))
        if isinstance(reply, SeenSaid):
            self.server.seen[REGION] = reply.signed_seen
        return reply

    def unmask(self) -> AnyReply | None:
        signatures = tuple(self.server.seen.values())
        for name in sorted(set(self.server.seen) - {REGION}):
            shares = self.played.parties[name].unmask(list(signatures), self.played.who, OPEN)
            assert isinstance(shares, SharesSaid), shares
            self.server.shares[name] = shares
        reply = self.say(Unmask(signatures))
        if isinstance(reply, SharesSaid):
            self.server.shares[REGION] = reply
        return reply

    def through(self, last: str = "unmask") -> AnyReply | None:
        """Every round in its turn, up to this one; nothing may be refused before it."""
        reply: AnyReply | None = None
        for name in ("begin", "share", "send", "list_", "unmask"):
            reply = getattr(self, name)()
            if name == last:
                return reply
            assert not isinstance(reply, Refused), (name, reply)
        return reply

    def finish(self) -> tuple[int, ...]:
        """What the desk makes of what it has."""
        group = group_of(self.programme)
        assert group is not None
        return self.server.finish(group.threshold)

    def sum_document(self, **changes: object) -> NationalSum:
        """The finished sum as the desk would sign it."""
        numbers, blocks, at = self.finish(), [], 0
        for block in self.programme.of_mode("national"):
            blocks.append(block_values(block.id, numbers[at : at + block.cells]))
            at += block.cells
        survivors = tuple(sorted(self.server.vectors))
        assert self.server.survivors is not None
        facts = {
            "run": self.run,
            "programme": self.ordered.asked.digest,
            "cohort": COHORT,
            "attempt": self.number,
            "survivors": self.server.survivors.digest,
            "regions": survivors,
            "taken_back": {name: len(shares.taken_back) for name, shares in self.server.shares.items()},
            "blocks": tuple(blocks),
        }
        return NationalSum.model_validate({**facts, **changes})

    def done(self, document: NationalSum | None = None, signed: Signed | None = None) -> AnyReply | None:
        signed = signed or sign("national_sum", to_canonical(document or self.sum_document()), DESK)
        return self.say(Done(signed.to_bytes()))


def others_of(region: str, programme: Programme = PROGRAMME) -> Sums:
    """What another region's rows sum to; weighted already."""
    return exact_planned(programme, 10_000 * (1 + codes(26).index(region)))


def exact_planned(programme: Programme, start: int) -> Mapping[str, Sequence[int]]:
    """As `exact`, for the national blocks of a programme."""
    found, at = {}, start
    for block in programme.of_mode("national"):
        found[block.id] = [(-1) ** place * (at + place) for place in range(block.cells)]
        at += block.cells
    return found


def bodies(world: World, kind: type) -> list[object]:
    """The entries of one kind that were logged."""
    return [entry.body for entry in world.region.ledger.last_entries(100) if isinstance(entry.body, kind)]


def why(reply: AnyReply | bytes | None) -> Reason:
    """Why it was refused."""
    assert isinstance(reply, Refused), reply
    return reply.reason


def own(programme: Programme = PROGRAMME, step: int = 1) -> list[int]:
    """What region AA's rows add to the sum, at a weight of so many steps."""
    numbers = exact_planned(programme, 1000)
    return [value * block.multiplier * step for block in programme.of_mode("national") for value in numbers[block.id]]

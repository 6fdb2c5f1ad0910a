"""The desk's own side of an attempt against honest parties: who says what to whom, without lines between."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from coordinator.secure.aggregation import Aborted, Aggregation, Finished
from coordinator.secure.asked import Asked
from node.secure.noise import Noise
from node.secure.party import Party
from policies.rules.refusals import Refused
from policies.secure.messages import (
    BoxesSaid,
    KeysSaid,
    Reply,
    Round,
    SeenSaid,
    Send,
    Share,
    ShowList,
    Unmask,
    VectorSaid,
)
from policies.statistics.programme import Programme
from policies.study.roster import Roster
from tests.node_world import DESK
from tests.secure_world import NOTHING, Played, Sums
from tests.small_study import OPEN


@dataclass
class Desk:
    """An attempt with real parties (`played`), whose messages go through the desk's state machine."""

    played: Played
    sums: Mapping[str, Sums]
    said: dict[str, Round] = field(default_factory=dict)

    def __post_init__(self) -> None:
        order = self.played.ordered.order
        self.asked = Asked.of(order.run, order.attempt, self.played.ordered.asked.signed)
        self.state = Aggregation.begin(self.asked, self.programme.weights)

    @property
    def programme(self) -> Programme:
        return self.played.programme

    def reply(self, region: str) -> Reply:
        """What an honest party says to what it was told last."""
        if region not in self.said:
            return KeysSaid(self.played.parties[region].signed_keys)
        party, noise = self.played.parties[region], self.played.noise(region)
        return reply_to(self.said[region], party, self.played.who, noise, self.sums[region])

    def take(self, region: str, reply: Reply) -> None:
        self.state = self.state.take(region, reply, self.played.who, OPEN)

    def round(self, lost: Collection[str] = NOTHING) -> Finished | Aborted | None:
        """One round: everybody that is awaited replies, without the lost; None where another one follows."""
        for region in sorted(self.state.awaited - set(lost)):
            self.take(region, self.reply(region))
        return self.close()

    def close(self) -> Finished | Aborted | None:
        found = self.state.close(DESK)
        if isinstance(found, (Finished, Aborted)):
            return found
        self.state, self.said = found
        return None

    def whole(self, *lost: Collection[str]) -> Finished | Aborted:
        """The attempt to its end; the n-th argument: who is gone before it replies in the n-th round."""
        gone: set[str] = set()
        for place in range(5):
            gone |= set(lost[place]) if place < len(lost) else set()
            if (found := self.round(gone)) is not None:
                return found
        raise AssertionError("an attempt has five rounds")


def reply_to(said: Round, party: Party, who: Roster, noise: Noise, sums: Sums) -> Reply:
    """What an honest party says next."""
    match said:
        case Share():
            boxes = party.share(said.signed_participants, said.signed_keys, who, OPEN)
            return boxes if isinstance(boxes, Refused) else BoxesSaid(boxes)
        case Send():
            refused = party.open(said.signed_sharing, said.boxes)
            return refused or VectorSaid(party.mask(sums, noise))
        case ShowList():
            seen = party.see(said.signed_survivors)
            return seen if isinstance(seen, Refused) else SeenSaid(seen)
        case Unmask():
            return party.unmask(said.signed_seen, who, OPEN)
    raise AssertionError("nothing is said to that")

"""One attempt at a programme's national sums, as one node goes through it. Pure: no I/O; entropy and noise come in.

    begun --share--> shared --open--> opened --mask--> masked --see--> seen --unmask--> over

Each round is gone through once. What comes out of order, or again, is refused and changes nothing; what the protocol
does not allow is refused and ends the attempt. Nothing of an attempt is ever on disk: a process that ends forgets it.

The vector is that of the programme's national blocks, one after the other. The boxes are sealed in the context of the
participants' hash, the masks drawn in that of the sharing's (both as 32 bytes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from rondgang.keys import PublicKey, SigningKey
from rondgang.signed import Signed, sign, verify

from node.authenticate import Ordered, read_signed
from node.secure.checks import read_keys, read_participants, seen_by, usable, wrong
from node.secure.noise import Noise, draw_parts
from policies.documents import to_canonical
from policies.rules.refusals import Reason, Refused
from policies.secure.group import Group
from policies.secure.lanes import pack, total
from policies.secure.masks import Secrets, mask_vector, open_box, seal_shares
from policies.secure.messages import SharesSaid
from policies.secure.rounds import Participants, SecureKeys, Seen, Sharing, Survivors, group_of, spare
from policies.secure.shares import Entropy
from policies.statistics.programme import PlannedBlock
from policies.study.roster import Roster

Stage = Literal["begun", "shared", "opened", "masked", "seen", "over"]
_GONE = Secrets(b"", b"", b"")
"""In the place of secrets that are not needed any more: no key can be made of it."""


class Party:
    """One node in one attempt. Made by `begin`."""

    def __init__(self, me: str, key: SigningKey, ordered: Ordered, group: Group, secrets: Secrets, entropy: Entropy):
        self.ordered = ordered
        self.group = group
        self.stage: Stage = "begun"
        self.participants = ""
        self.sharing = ""
        self.survivors: tuple[str, ...] = ()
        self._me = me
        self._key = key
        self._secrets = secrets
        self._entropy = entropy
        self._own_keys = SecureKeys(
            region=me,
            run=ordered.order.run,
            programme=ordered.order.programme,
            attempt=ordered.order.attempt,
            mask=secrets.mask_key.hex(),
            box=secrets.box_key.hex(),
        )
        self._signed_keys = sign("secure_keys", to_canonical(self._own_keys), key)
        self._desk: PublicKey | None = None
        self._keys: dict[str, SecureKeys] = {}
        self._shares: dict[str, tuple[bytes, bytes]] = {}
        self._sharing: tuple[str, ...] = ()
        self._list = ""
        self._parts: tuple[bytes, ...] = ()

    @classmethod
    def begin(cls, me: str, key: SigningKey, ordered: Ordered, entropy: Entropy) -> Self:
        """Draws fresh secrets. `key` is the region's checkpoint key, `ordered` the order of an attempt (from 1).

        Raises ValueError for an order that is of no attempt, or of a programme without national sums.
        """
        group = group_of(ordered.asked.programme)
        if group is None or ordered.order.attempt < 1:
            raise ValueError("only an attempt at a programme's national sums has parties")
        return cls(me, key, ordered, group, Secrets.draw(entropy), entropy)

    @property
    def attempt(self) -> int:
        return self.ordered.order.attempt

    @property
    def blocks(self) -> tuple[PlannedBlock, ...]:
        """The national blocks, in the order in which their coordinates stand in every vector."""
        return self.ordered.asked.programme.of_mode("national")

    @property
    def signed_keys(self) -> bytes:
        """This node's public keys for this attempt, signed."""
        return self._signed_keys.to_bytes()

    @property
    def parts(self) -> tuple[bytes, ...]:
        """All parts of the noise that `mask` drew, as vectors: for the opening of the commitment, and nobody else."""
        return self._parts

    def share(
        self, signed_participants: bytes, signed_keys: Sequence[bytes], roster: Roster, now: int
    ) -> dict[str, bytes] | Refused:
        """For every other participant a box with its shares of my secrets. `now` is in unix seconds.

        Privacy: shares go to keys that the participants' own checkpoint keys signed, by this node's adopted roster, and
        `Group.threshold` of them are needed; so who may open what is not for the coordinator to choose.
        """
        if self.stage != "begun":
            return self._out_of_order("participants")
        read = read_participants(signed_participants, self.ordered, self.group, roster, now)
        if isinstance(read, Refused):
            return self._ended(read)
        signed, participants, desk = read
        keys = read_keys(participants, signed_keys, roster, now)
        if isinstance(keys, Refused):
            return self._ended(keys)
        if refused := self._mine(participants) or usable(keys, self._me, self._secrets):
            return self._ended(refused)
        self._desk, self._keys, self.participants = desk, keys, signed.digest
        box_keys = {region: bytes.fromhex(theirs.box) for region, theirs in keys.items()}
        boxes = seal_shares(
            self._me, self._secrets, box_keys, self.group.threshold, bytes.fromhex(self.participants), self._entropy
        )
        own = boxes.pop(self._me)
        half = len(own) // 2
        self._shares[self._me] = own[:half], own[half:]
        self.stage = "shared"
        return boxes

    def open(self, signed_sharing: bytes, boxes: Mapping[str, bytes]) -> Refused | None:
        """Takes in the boxes of the others, by sender; from here on it is fixed between whom there are masks.

        For before anything is charged.
        """
        if self.stage != "shared":
            return self._out_of_order("sharing")
        read = read_signed("sharing", Sharing, signed_sharing)
        if isinstance(read, Refused):
            return self._ended(read)
        signed, sharing = read
        refused = (
            self._of_desk(signed)
            or self._follows(sharing.participants, self.participants)
            or self._listed(sharing.regions, tuple(self._keys))
        )
        if refused is not None:
            return self._ended(refused)
        if set(boxes) != set(sharing.regions) - {self._me}:
            return self._ended(wrong("The boxes are not those of the regions that share."))
        for sender, box in boxes.items():
            key = bytes.fromhex(self._keys[sender].box)
            shares = open_box(self._me, sender, self._secrets, key, bytes.fromhex(self.participants), box)
            if shares is None:
                return self._ended(wrong(f"The box of region {sender} does not open."))
            self._shares[sender] = shares
        self.sharing, self._sharing = signed.digest, sharing.regions
        self.stage = "opened"
        return None

    def mask(self, sums: Mapping[str, Sequence[int]], noise: Noise) -> bytes:
        """The one vector of this attempt, under noise and masks. `sums` are weighted and multiplied, by block.

        Raises ValueError out of order, ArithmeticError where the sums do not have the programme's shape, and whatever
        the source of noise raises; a second call raises, also after one that broke.

        Privacy: every part of the noise is in it (noise.py), and over it one mask that any t regions and the
        coordinator cannot take off before `Group.threshold` regions gave their shares (policies/secure/masks.py).
        """
        if self.stage != "opened":
            raise ValueError("a vector is masked once, after the boxes were opened")
        self.stage = "over"
        exact: list[int] = []
        for block in self.blocks:
            if len(sums[block.id]) != block.cells:
                raise ArithmeticError("the sums do not have the shape of the programme")
            exact.extend(sums[block.id])
        parts = draw_parts(noise, self.group, self.blocks)
        vector = total(len(exact), (pack(exact), *parts))
        mask_keys = {region: bytes.fromhex(self._keys[region].mask) for region in self._sharing}
        masked = mask_vector(self._me, self._secrets, mask_keys, bytes.fromhex(self.sharing), vector)
        self._parts, self._secrets = parts, _GONE
        self.stage = "masked"
        return masked

    def see(self, signed_survivors: bytes) -> bytes | Refused:
        """My name under the list of survivors: the first that comes, and no other in this attempt.

        Privacy: no list of fewer than n - d regions, and none without me, is ever signed.
        """
        if self.stage != "masked":
            return self._out_of_order("list of survivors")
        read = read_signed("survivors", Survivors, signed_survivors)
        if isinstance(read, Refused):
            return self._ended(read)
        signed, survivors = read
        refused = (
            self._of_desk(signed)
            or self._follows(survivors.sharing, self.sharing)
            or self._listed(survivors.regions, self._sharing)
        )
        if refused is not None:
            return self._ended(refused)
        self._list, self.survivors = signed.digest, survivors.regions
        self.stage = "seen"
        return sign("seen", to_canonical(Seen(region=self._me, survivors=self._list)), self._key).to_bytes()

    def unmask(self, signed_seen: Sequence[bytes], roster: Roster, now: int) -> SharesSaid | Refused:
        """What takes the masks off the sum of the survivors, once `Group.threshold` regions have signed their list.

        Privacy: of no region both shares are given, so a vector that came too late stays hidden; noise is taken back
        only as far as that one list allows (`policies.secure.rounds.spare`).
        """
        if self.stage != "seen":
            return self._out_of_order("signatures of the survivors")
        seen = seen_by(signed_seen, self._list, self._sharing, roster, now)
        if len(seen) < self.group.threshold:
            return self._ended(
                wrong(f"{len(seen)} regions signed the list of survivors; it takes {self.group.threshold}.")
            )
        lost = set(self._sharing) - set(self.survivors)
        kept = len(self._parts) - spare(self.group, len(self.survivors))
        shares = SharesSaid(
            own={region: self._shares[region][1] for region in self.survivors},
            lost={region: self._shares[region][0] for region in sorted(lost)},
            taken_back=self._parts[kept:],
        )
        self._end()
        return shares

    def _mine(self, participants: Participants) -> Refused | None:
        if participants.keys.get(self._me) != self._signed_keys.digest:
            return wrong(f"The keys listed for region {self._me} are not its own.")
        return None

    def _of_desk(self, signed: Signed) -> Refused | None:
        """One coordinator's key leads an attempt, from the participants on."""
        if self._desk is None or not verify(signed, self._desk):
            return Refused(
                Reason.UNSIGNED,
                f"The {signed.kind} is not signed by the coordinator that named the participants. It must sign it.",
            )
        return None

    def _follows(self, named: str, held: str) -> Refused | None:
        return None if named == held else wrong("This belongs to another attempt, or to another list of regions.")

    def _listed(self, regions: Sequence[str], among: Sequence[str]) -> Refused | None:
        if outside := set(regions) - set(among):
            return wrong(f"Region {min(outside)} was not there a round before.")
        if self._me not in regions:
            return wrong(f"Region {self._me} is not on the list.")
        if len(regions) < self.group.fewest:
            return wrong(f"{len(regions)} regions are on the list; it takes {self.group.fewest}.")
        return None

    def _out_of_order(self, what: str) -> Refused:
        return Refused(Reason.MALFORMED, f"The {what} came out of order, or a second time. Start a new attempt.")

    def _ended(self, refused: Refused) -> Refused:
        self._end()
        return refused

    def _end(self) -> None:
        """Lets go of everything secret."""
        self.stage = "over"
        self._secrets = _GONE
        self._shares.clear()
        self._parts = ()

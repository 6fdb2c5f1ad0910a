"""Reading what comes in during an attempt: whose it is, and that it is of this attempt. Pure, nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rondgang.errors import ContractError
from rondgang.keys import PublicKey
from rondgang.signed import Signed, verify

from node.authenticate import Ordered, read_signed, signed_by_coordinator
from policies.documents import BadDocument, from_canonical
from policies.rules.refusals import Reason, Refused
from policies.secure.group import Group
from policies.secure.masks import Secrets, agree
from policies.secure.rounds import Participants, SecureKeys, Seen
from policies.study.roster import Roster, checkpoint_keys

_AGAIN = "Start a new attempt."


def wrong(sentence: str) -> Refused:
    """Something that the protocol does not allow."""
    return Refused(Reason.MALFORMED, f"{sentence} {_AGAIN}")


def read_participants(
    data: bytes, ordered: Ordered, group: Group, roster: Roster, now: int
) -> tuple[Signed, Participants, PublicKey] | Refused:
    """Who takes part, when a live coordinator says so of this attempt and they are enough; and that coordinator."""
    read = read_signed("participants", Participants, data)
    if isinstance(read, Refused):
        return read
    signed, found = read
    desk = signed_by_coordinator(signed, roster, now)
    if isinstance(desk, Refused):
        return desk
    order = ordered.order
    if (found.run, found.programme, found.attempt) != (order.run, order.programme, order.attempt):
        return wrong("The participants are those of another attempt.")
    if outside := set(found.keys) - set(ordered.asked.programme.weights):
        return wrong(f"Region {min(outside)} takes part and the programme does not ask it.")
    if len(found.keys) < group.fewest:
        return wrong(f"{len(found.keys)} regions take part; it takes {group.fewest}.")
    return signed, found, desk


def read_keys(
    participants: Participants, signed_keys: Sequence[bytes], roster: Roster, now: int
) -> dict[str, SecureKeys] | Refused:
    """The keys of every participant: those that the list names, each under a live checkpoint key of its region.

    All keys are different from each other, so nobody stands in for anybody.
    """
    if len(signed_keys) != len(participants.keys):
        return wrong("There are not as many keys as participants.")
    found: dict[str, SecureKeys] = {}
    for data in signed_keys:
        read = read_signed("secure_keys", SecureKeys, data)
        if isinstance(read, Refused):
            return read
        signed, keys = read
        if participants.keys.get(keys.region) != signed.digest or keys.region in found:
            return wrong(f"The keys of region {keys.region} are not those that were listed.")
        if (keys.run, keys.programme, keys.attempt) != (
            participants.run,
            participants.programme,
            participants.attempt,
        ):
            return wrong(f"The keys of region {keys.region} are those of another attempt.")
        if not any(verify(signed, key) for key in checkpoint_keys(roster, keys.region, now)):
            return Refused(
                Reason.UNKNOWN_SIGNER,
                f"The keys of region {keys.region} are not signed by it. Adopt a newer roster, or leave it out.",
            )
        found[keys.region] = keys
    values = [value for keys in found.values() for value in (keys.mask, keys.box)]
    if len(set(values)) != len(values):
        return wrong("Two of the keys are the same.")
    return found


def usable(keys: Mapping[str, SecureKeys], me: str, secrets: Secrets) -> Refused | None:
    """Refuses keys with which nothing can be agreed in secret (points of small order)."""
    for region, theirs in keys.items():
        if region != me:
            try:
                agree(secrets.mask, bytes.fromhex(theirs.mask), b"check")
                agree(secrets.box, bytes.fromhex(theirs.box), b"check")
            except ValueError:
                return wrong(f"The keys of region {region} cannot be used.")
    return None


def seen_by(
    signed_seen: Sequence[bytes], survivors: str, among: Sequence[str], roster: Roster, now: int
) -> frozenset[str]:
    """The regions of `among` that signed this very list of survivors; what cannot be read or believed counts for none.

    No more are read than there are regions.
    """
    found = set()
    for data in signed_seen[: len(among)]:
        try:
            signed = Signed.from_bytes(data)
            seen = from_canonical(Seen, signed.document)
        except (ContractError, BadDocument):
            # Any region may have sent this, and one cannot stop the others.
            continue
        if signed.kind != "seen" or seen.survivors != survivors or seen.region not in among:
            continue
        if any(verify(signed, key) for key in checkpoint_keys(roster, seen.region, now)):
            found.add(seen.region)
    return frozenset(found)

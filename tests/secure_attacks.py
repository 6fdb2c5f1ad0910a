"""Attacks on the national sums, one function each: what a coordinator tries with t colluders, against real parties.

A function raises `Through` where its attack goes through. The suite runs them on the product, and on copies of it
with one fault each (secure_mutants.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from hashlib import sha256

from rondgang.signed import Signed, sign
from scipy.stats import chi2

from node.mechanism import DiscreteGaussian
from policies.documents import to_canonical
from policies.rules.refusals import Refused
from policies.secure.group import Group
from policies.secure.lanes import total, unpack
from policies.secure.masks import Secrets, expand, open_box, unmask
from policies.secure.messages import SharesSaid
from policies.secure.rounds import Participants, SecureKeys, Seen, Survivors
from policies.secure.shares import Entropy, combine
from policies.statistics.programme import Secure
from tests.applicants import signing_key
from tests.national_study import codes
from tests.node_world import DESK
from tests.secure_world import FOUR, SCALE, Lost, Played, checkpoint_key, national, regions_roster, sums
from tests.small_study import OPEN

GROUPS = (Group(4, 1, 1), Group(6, 1, 2), Group(7, 2, 2))
BIRTHDAYS = 400_000
"""So many 32-bit seeds hold no two alike with probability exp(-18.6): 8e-9. 256-bit ones always."""
_CELLS = 1000
_ALARM = 1e-9
AA, BB, CC, DD = codes(4)


class Through(AssertionError):
    """An attack went through."""


def holds(this: bool, otherwise: str) -> None:
    """What must be so where an attack fails."""
    if not this:
        raise Through(otherwise)


class Remembered(Played):
    """An attempt whose secrets are written down as they are drawn, for parties let go of them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.secrets = {name: party._secrets for name, party in self.parties.items()}


def played_to(where: str, group: Group = GROUPS[0], **more: object) -> Remembered:
    """An honest attempt up to the end of this round; the sums tell all subsets of regions apart."""
    programme = national(group.regions, Secure(colluders=group.colluders, dropouts=group.dropouts))
    played = Remembered(programme, **more)  # type: ignore[arg-type]
    for name in ("keys", "share", "open", "mask", "see", "unmask"):
        step = getattr(played, name)
        step(sums(codes(group.regions))) if name == "mask" else step()
        if name == where:
            break
    return played


def tape(label: str) -> Entropy:
    """Bytes that are the same each time: a machine that was copied, its entropy with it."""
    count = 0

    def read(size: int) -> bytes:
        nonlocal count
        found = b""
        while len(found) < size:
            count += 1
            found += sha256(f"{label} {count}".encode()).digest()
        return found[:size]

    return read


def survivors(played: Played, regions: Sequence[str]) -> bytes:
    """A list as the coordinator would sign it."""
    assert played.server.sharing is not None
    named = Survivors(sharing=played.server.sharing.digest, regions=tuple(sorted(regions)))
    return sign("survivors", to_canonical(named), DESK).to_bytes()


def signed_by_colluder(region: str, listed: bytes) -> bytes:
    seen = Seen(region=region, survivors=Signed.from_bytes(listed).digest)
    return sign("seen", to_canonical(seen), checkpoint_key(region)).to_bytes()


def different_lists_to_different_nodes() -> None:
    """Some are told that AA survived, others that it was lost; colluders sign both lists and give all they have."""
    for group in GROUPS:
        for misled in range(1, group.regions - group.colluders):
            played = played_to("mask", group)
            names = codes(group.regions)
            honest, colluders = names[: -group.colluders], names[-group.colluders :]
            whole, less = survivors(played, names), survivors(played, names[1:])
            told = {name: less if 0 < place <= misled else whole for place, name in enumerate(honest)}
            signatures = {listed: [signed_by_colluder(name, listed) for name in colluders] for listed in (whole, less)}
            for name, listed in told.items():
                seen = played.parties[name].see(listed)
                if isinstance(seen, bytes):
                    signatures[listed].append(seen)
            given = {
                name: played.parties[name].unmask(signatures[listed], played.who, OPEN) for name, listed in told.items()
            }
            shares = {name: found for name, found in given.items() if isinstance(found, SharesSaid)}
            one_secret(played, group, shares, colluders)
            holds(len({told[name] for name in shares}) <= 1, f"shares were given for two lists: {group}, {misled}")


def one_secret(played: Remembered, group: Group, given: dict[str, SharesSaid], colluders: Sequence[str]) -> None:
    """Of AA the coordinator and its colluders can put together one secret at most."""
    places = {name: place for place, name in enumerate(codes(group.regions), 1)}
    own = {places[name]: shares.own[AA] for name, shares in given.items() if AA in shares.own}
    lost = {places[name]: shares.lost[AA] for name, shares in given.items() if AA in shares.lost}
    for name in colluders:
        lost[places[name]], own[places[name]] = played.parties[name]._shares[AA]
    secrets = played.secrets[AA]
    found = combine(own, group.threshold) == secrets.own, combine(lost, group.threshold) == secrets.mask
    holds(not all(found), f"both secrets of one region are known: {group}")


def more_declared_gone_than_may_drop_out() -> None:
    """Lists of n - d - 1 regions, and of one: whoever signs or unmasks one lets so few stand alone."""
    for group in GROUPS:
        for fewer in (group.fewest - 1, 1):
            played = played_to("mask", group)
            names = codes(group.regions)[:fewer]
            listed = survivors(played, names)
            seen = [played.parties[name].see(listed) for name in names]
            holds(all(isinstance(one, Refused) for one in seen), "a list of too few was signed")
            forged = [signed_by_colluder(name, listed) for name in codes(group.regions)]
            given = played.parties[AA].unmask(forged, played.who, OPEN)
            holds(isinstance(given, Refused), "a list of too few was unmasked")


def a_vector_that_came_too_late() -> None:
    """DD is declared lost, so its mask key becomes known; and then its vector comes after all."""
    played = played_to("mask")
    late = played.server.vectors.pop(DD)
    played.see()
    played.unmask()
    group = GROUPS[0]
    places = {name: place for place, name in enumerate(codes(4), 1)}
    key = combine({places[name]: given.lost[DD] for name, given in played.server.shares.items()}, group.threshold)
    assert key == played.secrets[DD].mask
    # The masks between DD and the others, with their signs turned: what is left is DD's vector under its own mask.
    others = {name: bytes(len(late)) for name in (AA, BB, CC)}
    assert played.server.sharing is not None
    public = {name: one.mask_key for name, one in played.secrets.items()}
    context = bytes.fromhex(played.server.sharing.digest)
    pairs = unmask(others, {}, {DD: key}, public, context)
    bare = unpack(total(len(late) // 8, [late], [pairs]))
    exact = sums(codes(4))[DD]
    said = [*exact["block_0"], *exact["block_1"]]
    holds(all(a != b for a, b in zip(bare, said, strict=True)), "a vector that came too late can be read")


def a_round_played_again() -> None:
    """All that was said in one attempt is said again in the next; and every round a second time in the same."""
    first = played_to("unmask")
    second = Played(FOUR, attempt=2)
    second.keys()
    party, old = second.parties[AA], first.server
    assert old.participants is not None
    assert old.sharing is not None
    assert old.survivors is not None
    keys = list(old.keys.values())
    found = party.share(old.participants.to_bytes(), keys, second.who, OPEN)
    holds(isinstance(found, Refused), "participants of another attempt count")
    opened = played_to("share").parties[AA].open(old.sharing.to_bytes(), old.boxes_for(AA))
    holds(isinstance(opened, Refused), "boxes of another attempt count")
    seen = played_to("mask").parties[AA].see(old.survivors.to_bytes())
    holds(isinstance(seen, Refused), "a list of another attempt counts")
    late = played_to("see")
    holds(isinstance(late.parties[AA].unmask(list(old.seen.values()), late.who, OPEN), Refused), "old signatures count")
    again = played_to("see")
    for listed in (survivors(again, codes(4)), survivors(again, (AA, BB, CC))):
        holds(isinstance(again.parties[AA].see(listed), Refused), "a second list was signed")
    again.unmask()
    twice = again.parties[AA].unmask(list(again.server.seen.values()), again.who, OPEN)
    holds(isinstance(twice, Refused), "shares were given twice")


def keys_swapped_on_the_way() -> None:
    """The coordinator stands between AA and BB with keys of its own: signed by nobody, by itself, or by a colluder."""
    for signer in (DESK, checkpoint_key(DD), None):
        played = played_to("keys")
        mine = Secrets.draw(os.urandom)
        theirs = SecureKeys.model_validate_json(Signed.from_bytes(played.server.keys[BB]).document)
        changed = theirs.model_copy(update={"mask": mine.mask_key.hex(), "box": mine.box_key.hex()})
        signed = Signed.from_bytes(played.server.keys[BB])
        forged = (
            Signed(kind="secure_keys", document=to_canonical(changed), signatures=signed.signatures)
            if signer is None
            else sign("secure_keys", to_canonical(changed), signer)
        )
        played.server.keys[BB] = forged.to_bytes()
        listed = played.server.name_participants()
        boxes = played.parties[AA].share(listed, list(played.server.keys.values()), played.who, OPEN)
        if isinstance(boxes, Refused):
            continue
        key = bytes.fromhex(
            SecureKeys.model_validate_json(Signed.from_bytes(played.parties[AA].signed_keys).document).box
        )
        context = bytes.fromhex(Signed.from_bytes(listed).digest)
        holds(open_box(BB, AA, mine, key, context, boxes[BB]) is None, "the coordinator reads what was sealed for BB")


def participants_that_are_nobody() -> None:
    """A region that the programme does not ask; one that is on no roster; and keys of a region under a name not its."""
    order = Played(FOUR).ordered
    for name, signer in (("EE", checkpoint_key("EE")), (DD, signing_key("stranger")), (DD, checkpoint_key("EE"))):
        played = played_to("keys")
        forged = SecureKeys(
            region=name,
            run=order.order.run,
            programme=order.order.programme,
            attempt=1,
            mask=Secrets.draw(os.urandom).mask_key.hex(),
            box=Secrets.draw(os.urandom).box_key.hex(),
        )
        played.server.keys[name] = sign("secure_keys", to_canonical(forged), signer).to_bytes()
        keys = {region: Signed.from_bytes(data).digest for region, data in played.server.keys.items()}
        named = Participants(run=order.order.run, programme=order.order.programme, attempt=1, keys=keys)
        listed = sign("participants", to_canonical(named), DESK).to_bytes()
        who = regions_roster([*codes(4), "EE"])
        found = played.parties[AA].share(listed, list(played.server.keys.values()), who, OPEN)
        holds(isinstance(found, Refused), f"{name} takes part and is nobody")


def an_attempt_with_the_secrets_of_another() -> None:
    """Keys that come twice would let one attempt give the seed of a region, and the other its mask key."""
    seen: set[str] = set()
    for attempt in (1, 2, 3):
        played = Played(FOUR, attempt=attempt)
        for party in played.parties.values():
            keys = SecureKeys.model_validate_json(Signed.from_bytes(party.signed_keys).document)
            holds(not {keys.mask, keys.box} & seen, "a key was used in two attempts")
            seen |= {keys.mask, keys.box}


def two_attempts_of_a_copied_machine() -> None:
    """Even where all entropy repeats, masks do not: the difference of two vectors is not that of what is in them."""
    vectors = [played_to("mask", attempt=attempt, entropy=tape("copied")).server.vectors for attempt in (1, 2)]
    for region in codes(4):
        both = [unpack(one[region]) for one in vectors]
        holds(all(a != b for a, b in zip(*both, strict=True)), "two vectors of one region are under one mask")


def the_same_nodes_twice_with_one_left_out() -> None:
    """The difference of both sums is DD's data under fresh noise of everybody, not under DD's own."""
    group = GROUPS[0]
    programme = national(4, Secure(colluders=1, dropouts=1), (_CELLS,))
    source = {region: DiscreteGaussian() for region in codes(4)}
    exact = {region: {"block_0": [10_000 * place] * _CELLS} for place, region in enumerate(codes(4), 1)}
    found = []
    for attempt, lost in ((1, ()), (2, (DD,))):
        played = Played(programme, attempt=attempt, noise=lambda region: source[region])
        found.append(played.whole(exact, Lost(vectors=lost)))
    left = [a - b - 40_000 for a, b in zip(*found, strict=True)]
    parts = [float(part.fraction) ** 2 for part in group.parts(SCALE)]
    fresh = 4 * parts[0] + 3 * sum(parts)
    statistic = sum(value**2 for value in left) / fresh
    holds(statistic > chi2.ppf(_ALARM, _CELLS), f"{statistic / _CELLS:.2f} of the noise of two attempts is left")


def guesses_of_a_seed() -> None:
    """Of 400,000 first masks no two are alike: so many guesses at 32-bit seeds hit about twenty times over."""
    found = {expand(Secrets.draw(os.urandom).own, 1) for _ in range(BIRTHDAYS)}
    # 64 bits of each mask are looked at: two alike by chance with probability 4e-9.
    holds(len(found) == BIRTHDAYS, f"{BIRTHDAYS - len(found)} masks came twice")


Attack = Callable[[], None]
ATTACKS: tuple[Attack, ...] = (
    different_lists_to_different_nodes,
    more_declared_gone_than_may_drop_out,
    a_vector_that_came_too_late,
    a_round_played_again,
    keys_swapped_on_the_way,
    participants_that_are_nobody,
    an_attempt_with_the_secrets_of_another,
    two_attempts_of_a_copied_machine,
    the_same_nodes_twice_with_one_left_out,
    guesses_of_a_seed,
)

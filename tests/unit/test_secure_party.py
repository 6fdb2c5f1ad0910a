"""One node in an attempt: nothing that the protocol does not allow, whatever the desk says and however often."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from rondgang.roles import Role
from rondgang.signed import Signed, sign

from node.secure.party import Party
from policies.documents import to_canonical
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import SharesSaid
from policies.secure.rounds import Participants, SecureKeys, Seen, Sharing, Survivors
from tests.applicants import signing_key
from tests.national_study import codes
from tests.node_world import DESK, RUN, member, ordered
from tests.secure_world import (
    FOUR,
    Drawn,
    NoNoise,
    Played,
    attempt_order,
    checkpoint_key,
    regions_roster,
    sums,
)
from tests.small_study import OPEN, planned

AA, BB, CC, DD = codes(4)


def at(where: str) -> Played:
    """An honest attempt after this round."""
    played = Played(FOUR)
    played.keys()
    steps: list[tuple[str, Callable[[], None]]] = [
        ("share", played.share),
        ("open", played.open),
        ("mask", lambda: played.mask(sums(codes(4)))),
        ("see", played.see),
        ("unmask", played.unmask),
    ]
    for name, step in steps if where != "keys" else []:
        step()
        if name == where:
            break
    return played


def survivors(played: Played, *regions: str, sharing: str | None = None) -> bytes:
    assert played.server.sharing is not None
    named = Survivors(sharing=sharing or played.server.sharing.digest, regions=tuple(sorted(regions)))
    return sign("survivors", to_canonical(named), DESK).to_bytes()


def sharing(played: Played, *regions: str) -> bytes:
    assert played.server.participants is not None
    named = Sharing(participants=played.server.participants.digest, regions=tuple(sorted(regions)))
    return sign("sharing", to_canonical(named), DESK).to_bytes()


def participants(keys: dict[str, bytes], *signers: object, **changes: object) -> bytes:
    order = attempt_order(FOUR).order
    facts = {"run": order.run, "programme": order.programme, "attempt": 1}
    listed = {region: Signed.from_bytes(data).digest for region, data in keys.items()}
    named = Participants.model_validate({**facts, "keys": listed, **changes})
    return sign("participants", to_canonical(named), *(signers or (DESK,))).to_bytes()  # type: ignore[arg-type]


def keys_of(region: str, signer: str | None = None, **changes: object) -> bytes:
    """Somebody's keys of this attempt."""
    order = attempt_order(FOUR).order
    party = Party.begin(region, checkpoint_key(region), attempt_order(FOUR), os.urandom)
    keys = SecureKeys.model_validate_json(Signed.from_bytes(party.signed_keys).document)
    assert (keys.run, keys.programme) == (order.run, order.programme)
    changed = keys.model_copy(update=changes)
    return sign("secure_keys", to_canonical(changed), checkpoint_key(signer or region)).to_bytes()


def told(found: object) -> str:
    assert isinstance(found, Refused), found
    return found.sentence


Change = Callable[[Played], tuple[bytes, list[bytes]]]


def _with(region: str, **changes: object) -> Change:
    """The participants with other keys of one region."""

    def change(played: Played) -> tuple[bytes, list[bytes]]:
        keys = {**played.server.keys, region: keys_of(region, **changes)}  # type: ignore[arg-type]
        return participants(keys), list(keys.values())

    return change


def _without(*regions: str) -> Change:
    def change(played: Played) -> tuple[bytes, list[bytes]]:
        keys = {name: data for name, data in played.server.keys.items() if name not in regions}
        return participants(keys), list(keys.values())

    return change


def _listed(*signers: object, **changes: object) -> Change:
    return lambda played: (participants(played.server.keys, *signers, **changes), list(played.server.keys.values()))


def _swapped(played: Played) -> tuple[bytes, list[bytes]]:
    keys = dict(played.server.keys)
    keys[BB], keys[CC] = keys[CC], keys[BB]
    return participants(keys), list(keys.values())


def _same_keys(played: Played) -> tuple[bytes, list[bytes]]:
    theirs = SecureKeys.model_validate_json(Signed.from_bytes(played.server.keys[CC]).document)
    return _with(BB, box=theirs.box)(played)


def _stranger(played: Played) -> tuple[bytes, list[bytes]]:
    keys = {**played.server.keys, "EE": keys_of("EE")}
    return participants(keys), list(keys.values())


def _keys_short(played: Played) -> tuple[bytes, list[bytes]]:
    return participants(played.server.keys), list(played.server.keys.values())[1:]


SHARING: tuple[tuple[str, Change, str], ...] = (
    ("no document", lambda played: (b"{}", list(played.server.keys.values())), "cannot be read"),
    ("not the coordinator", _listed(signing_key("stranger")), "not on the roster"),
    ("a witness", _listed(signing_key("witness")), "not a coordinator"),
    ("another attempt", _listed(attempt=2), "another attempt"),
    ("another run", _listed(run="run-" + "9" * 16), "another attempt"),
    ("another programme", _listed(programme="e" * 64), "another attempt"),
    ("too few", _without(CC, DD), "it takes 3"),
    ("me left out", _without(AA), "not its own"),
    ("other keys of mine", _with(AA), "not its own"),
    ("a stranger among them", _stranger, "does not ask it"),
    ("keys not sent", _keys_short, "as many"),
    ("keys of one twice", lambda played: (participants(played.server.keys), [played.server.keys[BB]] * 4), "not those"),
    ("swapped keys", _swapped, "not those"),
    ("other keys than listed", lambda played: (
        participants(played.server.keys), [*list(played.server.keys.values())[:3], keys_of(DD)]), "not those"),
    ("keys of another run", _with(BB, run="run-" + "9" * 16), "another attempt"),
    ("keys of another attempt", _with(BB, attempt=2), "another attempt"),
    ("keys signed by another region", _with(BB, signer=CC), "not signed by it"),
    ("the same key twice", _same_keys, "the same"),
    ("a key of small order", _with(BB, mask="0" * 64), "cannot be used"),
    ("a box key of small order", _with(BB, box="01" + "0" * 62), "cannot be used"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in SHARING], ids=[case[0] for case in SHARING])
def test_participants_that_cannot_be_are_refused_and_end_the_attempt(change: Change, said: str) -> None:
    played = at("keys")
    party = played.parties[AA]
    listed, keys = change(played)
    assert said in told(party.share(listed, keys, regions_roster([*codes(4), "EE"]), OPEN))
    assert party.stage == "over"
    honest = played.server.name_participants()
    assert "out of order" in told(party.share(honest, list(played.server.keys.values()), played.who, OPEN))


def test_keys_count_only_while_the_roster_says_so() -> None:
    played = at("keys")
    revoked = [one.model_copy(update={"revoked": one.region == BB}) for one in played.who.members]
    gone = played.who.model_copy(update={"members": tuple(revoked)})
    honest, keys = played.server.name_participants(), list(played.server.keys.values())
    assert "not signed by it" in told(played.parties[AA].share(honest, keys, gone, OPEN))
    late = OPEN + 31 * 86_400
    found = played.parties[CC].share(honest, keys, played.who, late)
    assert isinstance(found, Refused)
    assert found.reason is Reason.EXPIRED


def test_shares_are_sealed_for_every_other_participant_and_nobody_else() -> None:
    played = at("keys")
    boxes = played.parties[AA].share(
        played.server.name_participants(), list(played.server.keys.values()), played.who, OPEN
    )
    assert not isinstance(boxes, Refused)
    assert set(boxes) == {BB, CC, DD}


OPENING: tuple[tuple[str, Callable[[Played], tuple[bytes, dict[str, bytes]]], str], ...] = (
    ("no document", lambda played: (b"", played.server.boxes_for(AA)), "cannot be read"),
    ("of other participants", lambda played: (
        sign("sharing", to_canonical(Sharing(participants="e" * 64, regions=codes(4))), DESK).to_bytes(),
        played.server.boxes_for(AA)), "another attempt"),
    ("not the coordinator", lambda played: (
        sign("sharing", Signed.from_bytes(sharing(played, *codes(4))).document, signing_key("x")).to_bytes(),
        played.server.boxes_for(AA)), "not signed by the coordinator"),
    ("too few", lambda played: (sharing(played, AA, BB), {BB: played.server.boxes[BB][AA]}), "it takes 3"),
    ("without me", lambda played: (sharing(played, BB, CC, DD), played.server.boxes_for(AA)), "not on the list"),
    ("more than took part", lambda played: (sharing(played, *codes(5)), played.server.boxes_for(AA)), "round before"),
    ("a box less", lambda played: (
        sharing(played, *codes(4)), {BB: played.server.boxes[BB][AA]}), "not those of the regions"),
    ("a box more", lambda played: (
        sharing(played, AA, BB, CC), played.server.boxes_for(AA)), "not those of the regions"),
    ("boxes exchanged", lambda played: (sharing(played, *codes(4)), {
        **played.server.boxes_for(AA), BB: played.server.boxes[CC][AA]}), "of region BB does not open"),
    ("another one's box", lambda played: (sharing(played, *codes(4)), {
        **played.server.boxes_for(AA), BB: played.server.boxes[BB][CC]}), "of region BB does not open"),
    ("a changed box", lambda played: (sharing(played, *codes(4)), {
        **played.server.boxes_for(AA), DD: played.server.boxes[DD][AA][:-1] + b"x"}), "of region DD does not open"),
    ("an empty box", lambda played: (sharing(played, *codes(4)), {
        **played.server.boxes_for(AA), DD: b""}), "of region DD does not open"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in OPENING], ids=[case[0] for case in OPENING])
def test_boxes_that_cannot_be_are_refused_and_end_the_attempt(
    change: Callable[[Played], tuple[bytes, dict[str, bytes]]], said: str
) -> None:
    played = at("share")
    party = played.parties[AA]
    assert said in told(party.open(*change(played)))
    assert party.stage == "over"


def test_boxes_of_another_attempt_do_not_open() -> None:
    first, second = at("share"), at("share")
    boxes = {**second.server.boxes_for(AA), BB: first.server.boxes[BB][AA]}
    assert "does not open" in told(second.parties[AA].open(second.server.name_sharing(), boxes))


def test_a_vector_is_masked_once() -> None:
    early = at("share").parties[AA]
    with pytest.raises(ValueError, match="after the boxes"):
        early.mask(sums(codes(4))[AA], NoNoise())
    late = at("mask").parties[AA]
    with pytest.raises(ValueError, match="once"):
        late.mask(sums(codes(4))[AA], NoNoise())
    broken = at("open").parties[AA]
    with pytest.raises(ArithmeticError):
        broken.mask({"block_0": [1, 2], "block_1": [1, 2]}, NoNoise())
    with pytest.raises(ValueError, match="once"):
        broken.mask(sums(codes(4))[AA], NoNoise())


LISTS: tuple[tuple[str, Callable[[Played], bytes], str], ...] = (
    ("no document", lambda played: b"{}", "cannot be read"),
    ("of another sharing", lambda played: survivors(played, *codes(4), sharing="e" * 64), "another attempt"),
    ("too few", lambda played: survivors(played, AA, BB), "it takes 3"),
    ("without me", lambda played: survivors(played, BB, CC, DD), "not on the list"),
    ("more than shared", lambda played: survivors(played, *codes(5)), "round before"),
    ("not the coordinator", lambda played: sign(
        "survivors", Signed.from_bytes(survivors(played, *codes(4))).document, checkpoint_key(BB)
    ).to_bytes(), "not signed by the coordinator"),
    ("of another kind", lambda played: sharing(played, *codes(4)), "signed survivors"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in LISTS], ids=[case[0] for case in LISTS])
def test_a_list_that_cannot_be_is_not_signed_and_ends_the_attempt(change: Callable[[Played], bytes], said: str) -> None:
    played = at("mask")
    party = played.parties[AA]
    assert said in told(party.see(change(played)))
    assert party.stage == "over"
    assert "out of order" in told(party.see(survivors(played, *codes(4))))


def test_one_list_is_signed_and_no_other() -> None:
    played = at("mask")
    party = played.parties[AA]
    assert isinstance(party.see(survivors(played, AA, BB, CC)), bytes)
    for again in (survivors(played, *codes(4)), survivors(played, AA, BB, CC)):
        assert "out of order" in told(party.see(again))
    assert party.survivors == (AA, BB, CC)


def seen(played: Played, region: str, listed: bytes, signer: str | None = None) -> bytes:
    name = Signed.from_bytes(listed).digest
    return sign("seen", to_canonical(Seen(region=region, survivors=name)), checkpoint_key(signer or region)).to_bytes()


def _unmask(signatures: Callable[[Played, bytes], list[bytes]]) -> SharesSaid | Refused:
    """What AA gives for a list of all four; three signatures are enough."""
    played = at("mask")
    listed = survivors(played, *codes(4))
    assert isinstance(played.parties[AA].see(listed), bytes)
    return played.parties[AA].unmask(signatures(played, listed), played.who, OPEN)


@pytest.mark.parametrize(
    "signatures",
    [
        lambda played, listed: [],
        lambda played, listed: [seen(played, one, listed) for one in (AA, BB)],
        lambda played, listed: [seen(played, BB, listed)] * 4,
        lambda played, listed: [seen(played, one, listed, BB) for one in (AA, BB, CC)],
        lambda played, listed: [seen(played, one, survivors(played, AA, BB, CC)) for one in (AA, BB, CC)],
        lambda played, listed: [*(seen(played, one, listed) for one in (AA, BB)), seen(played, "EE", listed)],
        lambda played, listed: [*(seen(played, one, listed) for one in (AA, BB)), b"{}", listed],
    ],
    ids=["none", "two", "one four times", "one for all", "of another list", "a stranger's", "unreadable"],
)
def test_without_enough_signatures_nothing_is_given_and_the_attempt_is_over(
    signatures: Callable[[Played, bytes], list[bytes]],
) -> None:
    found = _unmask(signatures)
    assert "it takes 3" in told(found)


def test_signatures_count_that_hold_whatever_lies_among_them() -> None:
    found = _unmask(lambda played, listed: [b"{}", *(seen(played, one, listed) for one in (AA, BB, CC))])
    assert isinstance(found, SharesSaid)


def test_of_no_region_both_shares_are_given() -> None:
    played = at("open")
    played.mask(sums(codes(4)), lost=[DD])
    played.see()
    shares = played.parties[AA].unmask(list(played.server.seen.values()), played.who, OPEN)
    assert isinstance(shares, SharesSaid)
    assert (set(shares.own), set(shares.lost)) == ({AA, BB, CC}, {DD})
    assert shares.taken_back == (), "one of one dropout happened"
    again = played.parties[AA].unmask(list(played.server.seen.values()), played.who, OPEN)
    assert "out of order" in told(again)


def test_the_parts_that_are_taken_back_are_the_last_ones() -> None:
    played = Played(FOUR, noise=lambda _region: Drawn())
    played.keys()
    played.share()
    played.open()
    played.mask(sums(codes(4)))
    played.see()
    parts = played.parties[AA].parts
    shares = played.parties[AA].unmask(list(played.server.seen.values()), played.who, OPEN)
    assert isinstance(shares, SharesSaid)
    assert shares.taken_back == parts[1:]
    assert played.parties[AA].parts == (), "nothing secret is kept"


def test_what_comes_out_of_order_is_refused_and_changes_nothing() -> None:
    played = at("keys")
    party = played.parties[AA]
    other = at("mask")
    for refused in (
        party.open(sharing(other, *codes(4)), other.server.boxes_for(AA)),
        party.see(survivors(other, *codes(4))),
        party.unmask([], played.who, OPEN),
    ):
        assert "out of order" in told(refused)
    assert party.stage == "begun"
    assert played.whole(sums(codes(4))) == Played(FOUR).whole(sums(codes(4)))


def test_every_attempt_has_secrets_of_its_own() -> None:
    once = [Party.begin(AA, checkpoint_key(AA), attempt_order(FOUR), os.urandom).signed_keys for _ in range(3)]
    keys = [SecureKeys.model_validate_json(Signed.from_bytes(data).document) for data in once]
    assert len({value for one in keys for value in (one.mask, one.box)}) == 6


def test_secrets_are_drawn_from_256_bits_and_more_at_a_time() -> None:
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return os.urandom(count)

    played = Played(FOUR, entropy=entropy)
    played.whole(sums(codes(4)))
    assert min(asked) >= 32


def test_only_an_attempt_at_national_sums_has_parties() -> None:
    for wrong in (ordered(planned()), replace(attempt_order(FOUR), order=attempt_order(FOUR, 0).order)):
        with pytest.raises(ValueError, match="attempt"):
            Party.begin(AA, checkpoint_key(AA), wrong, os.urandom)


def test_a_second_coordinator_does_not_take_an_attempt_over() -> None:
    second = signing_key("second desk")
    more = member(Role.COORDINATOR, {"signing": second}, name="second")
    played = at("share")
    who = played.who.model_copy(update={"members": (*played.who.members, more)})
    assert played.server.sharing is None
    document = Signed.from_bytes(sharing(played, *codes(4))).document
    by_other = sign("sharing", document, second).to_bytes()
    assert who != played.who
    assert "not signed by the coordinator" in told(played.parties[AA].open(by_other, played.server.boxes_for(AA)))


def test_attempts_of_one_run_know_each_other_apart() -> None:
    first, second = Played(FOUR, attempt=1, run=RUN), Played(FOUR, attempt=2, run=RUN)
    first.keys()
    second.keys()
    listed = first.server.name_participants()
    keys = list(first.server.keys.values())
    assert "another attempt" in told(second.parties[AA].share(listed, keys, second.who, OPEN))

"""Whoever drops out, whenever, and whatever rubbish comes: the desk gives the exact sum of the survivors, or it aborts
and names who was missing; it never asks for what would take the masks off fewer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rondgang.signed import Signed, sign

from coordinator.secure.aggregation import Aborted, Aggregation, Finished, Stage
from coordinator.secure.assemble import recover
from policies.documents import to_canonical
from policies.rules.refusals import Reason, Refused
from policies.secure.group import Group
from policies.secure.lanes import unpack
from policies.secure.messages import BoxesSaid, KeysSaid, Reply, SeenSaid, SharesSaid, VectorSaid
from policies.secure.rounds import Seen
from policies.secure.shares import split
from policies.statistics.programme import Secure
from tests.national_study import codes
from tests.node_world import DESK
from tests.secure_play import Desk
from tests.secure_world import Drawn, Played, Sums, checkpoint_key, national

CELLS = (3, 2)
GROUPS = (Group(3, 1, 0), Group(4, 1, 1), Group(6, 1, 2), Group(7, 2, 2))


def _desk(group: Group, noisy: bool = False) -> Desk:
    programme = national(group.regions, Secure(colluders=group.colluders, dropouts=group.dropouts), CELLS)
    drawn = {region: Drawn(next=place * 1_000) for place, region in enumerate(codes(group.regions))}
    played = Played(programme, noise=lambda region: drawn[region]) if noisy else Played(programme)
    return Desk(played, {region: _sums(place) for place, region in enumerate(codes(group.regions), 1)})


def _sums(place: int) -> Sums:
    return {"block_0": (place, -(10**9) * place, 10**15), "block_1": (0, -place)}


def _expected(desk: Desk, regions: Sequence[str]) -> list[list[int]]:
    return [
        [sum(column) for column in zip(*(desk.sums[region][block] for region in regions), strict=True)]
        for block in ("block_0", "block_1")
    ]


def _numbers(finished: Finished) -> list[list[int]]:
    return [list(block.numbers()) for block in finished.sum.blocks]


LOSSES = st.tuples(st.sampled_from(GROUPS), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=6))


@settings(max_examples=40, deadline=None)
@given(LOSSES)
def test_who_drops_out_in_whatever_round_gives_the_exact_sum_or_an_abort_that_names_them(
    drawn: tuple[Group, list[tuple[int, int]]],
) -> None:
    group, losses = drawn
    names = codes(group.regions)
    by_round = [{names[place % group.regions] for at, place in losses if at == number} for number in range(5)]
    desk = _desk(group)
    found = desk.whole(*by_round)
    before = [set[str]().union(*by_round[: number + 1]) for number in range(5)]
    left = [group.regions - len(gone) for gone in before]
    short = next((n for n in range(5) if left[n] < (group.fewest if n < 3 else group.threshold)), None)
    if short is not None:
        assert isinstance(found, Aborted)
        assert set(found.regions) == before[short]
        assert all(f"{region} (" in found.sentence for region in found.regions)
        return
    assert isinstance(found, Finished)
    survivors = sorted(set(names) - before[2])
    assert list(found.sum.regions) == survivors
    assert _numbers(found) == _expected(desk, survivors)
    assert found.sum.fits(desk.programme)
    assert found.signed == sign("national_sum", to_canonical(found.sum), DESK)
    spared = group.dropouts - (group.regions - len(survivors))
    helpers = set(names) - before[4]
    assert found.sum.taken_back == {region: spared * (region in helpers) for region in survivors}


def test_losses_are_drawn_that_end_in_every_way() -> None:
    ends: set[str] = set()

    @settings(max_examples=100, deadline=None)
    @given(LOSSES)
    def collect(drawn: tuple[Group, list[tuple[int, int]]]) -> None:
        group, losses = drawn
        gone = {place % group.regions for at, place in losses if at < 3}
        ends.add("aborted" if len(gone) > group.dropouts else "dropped" if gone else "whole")

    collect()
    assert ends == {"aborted", "dropped", "whole"}


def test_the_noise_that_was_not_needed_is_taken_out_of_the_sum() -> None:
    """Three parts each, one region gone of two that might: every survivor takes back the last part."""
    desk = _desk(Group(6, 1, 2), noisy=True)
    for lost in ((), (), {"FF"}):
        desk.round(lost)
    parts = {region: [unpack(part) for part in desk.played.parties[region].parts] for region in desk.state.vectors}
    for lost in ({"FF"}, {"FF", "AA"}):
        found = desk.round(lost)
    assert isinstance(found, Finished)
    assert found.sum.taken_back == {region: int(region != "AA") for region in ["AA", "BB", "CC", "DD", "EE"]}
    kept = [part for region, drawn in parts.items() for part in drawn[: 3 if region == "AA" else 2]]
    exact = [number for block in _expected(desk, list(parts)) for number in block]
    noise = [sum(column) for column in zip(*kept, strict=True)]
    assert [number for block in _numbers(found) for number in block] == [
        a + b for a, b in zip(exact, noise, strict=True)
    ]


def _wrong_share(said: SharesSaid) -> SharesSaid:
    return replace(said, own={region: _other_share(share) for region, share in said.own.items()})


def _other_share(share: bytes) -> bytes:
    """Another number below the prime, with nothing to do with this one."""
    return b"\x00" + sha512(share).digest() + b"\x00"


def _other_list(region: str) -> Reply:
    document = Seen(region=region, survivors="0" * 64)
    return SeenSaid(sign("seen", to_canonical(document), checkpoint_key(region)).to_bytes())


def _cut(data: Mapping[str, bytes]) -> dict[str, bytes]:
    return {region: part[:-1] for region, part in data.items()}


def _rubbish(region: str, honest: Reply, number: int) -> Reply:
    """Something that does not fit, of the kind that is due."""
    match honest:
        case KeysSaid():
            signed = Signed.from_bytes(honest.signed_keys)
            foreign = sign("secure_keys", signed.document, DESK).to_bytes()
            return KeysSaid((b"", b"{}", foreign, signed.document, honest.signed_keys[:-1])[number % 5])
        case BoxesSaid():
            less = dict(list(honest.boxes.items())[1:])
            return BoxesSaid(({}, less, {**honest.boxes, "ZZ": bytes(148)}, _cut(honest.boxes), less)[number % 5])
        case VectorSaid():
            return VectorSaid((b"", honest.masked[:-8], honest.masked + bytes(8), bytes(1), b"x" * 7)[number % 5])
        case SeenSaid():
            return _other_list(region) if number % 2 else SeenSaid(b"rubbish")
        case SharesSaid():
            wrong = (
                replace(honest, own={}),
                replace(honest, own=_cut(honest.own)),
                replace(honest, lost={**honest.lost, region: bytes(66)}),
                replace(honest, taken_back=(*honest.taken_back, bytes(40))),
                replace(honest, taken_back=tuple(part[:-1] for part in honest.taken_back) or (b"",)),
            )
            return wrong[number % 5]
        case Refused():
            return honest


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 4), st.integers(0, 4), st.sampled_from(GROUPS[1:]))
def test_a_region_that_says_what_does_not_fit_is_out_like_one_that_vanished(at: int, number: int, group: Group) -> None:
    desk, names = _desk(group), codes(group.regions)
    bad = names[number % len(names)]
    found: Finished | Aborted | None = None
    for stage in range(5):
        for region in sorted(desk.state.awaited):
            honest = desk.reply(region)
            desk.take(region, _rubbish(region, honest, number) if (stage, region) == (at, bad) else honest)
        if stage == at:
            assert bad in desk.state.out
            assert bad not in desk.state.replied
        found = desk.close()
    assert isinstance(found, Finished)
    survivors = [region for region in names if region != bad or at > 2]
    assert _numbers(found) == _expected(desk, survivors)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 4), st.data())
def test_what_comes_again_late_out_of_turn_or_from_elsewhere_changes_nothing(at: int, data: st.DataObject) -> None:
    desk, heard = _desk(Group(4, 1, 1)), list[tuple[str, Reply]]()
    found: Finished | Aborted | None = None
    for stage in range(5):
        for region in sorted(desk.state.awaited):
            reply = desk.reply(region)
            desk.take(region, reply)
            heard.append((region, reply))
        if stage == at:
            before = desk.state
            for region, reply in data.draw(st.permutations(heard)):
                desk.take(region, reply)
                desk.take("ZZ", reply)
            desk.take("AA", Refused(Reason.MALFORMED, "after the fact"))
            assert desk.state == before
        found = desk.close()
    assert isinstance(found, Finished)
    assert _numbers(found) == _expected(desk, codes(4))


def test_a_vector_that_comes_after_the_list_stays_hidden() -> None:
    desk = _desk(Group(4, 1, 1))
    desk.round()
    desk.round()
    late = desk.reply("DD")
    desk.round({"DD"})
    desk.take("DD", late)
    assert "DD" not in desk.state.vectors
    desk.round({"DD"})
    found = desk.round({"DD"})
    assert isinstance(found, Finished)
    assert all(set(said.own) == {"AA", "BB", "CC"} for said in desk.state.shares.values())
    assert all(set(said.lost) == {"DD"} for said in desk.state.shares.values())


def test_nothing_is_fixed_below_n_less_d_and_nobody_is_asked_to_unmask_below_the_threshold() -> None:
    group = Group(7, 2, 2)
    for stage, lost in ((0, 3), (1, 3), (2, 3), (3, 3), (4, 3)):
        desk = _desk(group)
        for _ in range(stage):
            desk.round()
        found = desk.round(codes(7)[:lost])
        assert isinstance(found, Aborted)
        assert found.regions == codes(7)[:lost]


def test_one_wrong_share_too_many_is_told_where_more_than_the_threshold_came() -> None:
    """Six regions, of which four are needed: two may lie."""
    for liars in (["AA"], ["BB", "EE"]):
        desk = _desk(Group(6, 1, 2))
        for _ in range(4):
            desk.round()
        for region in sorted(desk.state.awaited):
            said = desk.reply(region)
            assert isinstance(said, SharesSaid)
            desk.take(region, _wrong_share(said) if region in liars else said)
        found = desk.close()
        assert isinstance(found, Finished)
        assert list(found.wrong) == liars
        assert _numbers(found) == _expected(desk, codes(6))
        assert {region: parts for region, parts in found.sum.taken_back.items() if parts == 0} == dict.fromkeys(
            liars, 0
        )


def test_wrong_shares_that_nobody_can_tell_end_the_attempt() -> None:
    desk = _desk(Group(4, 1, 1))
    for _ in range(4):
        desk.round()
    for region in ("AA", "BB", "CC"):
        said = desk.reply(region)
        assert isinstance(said, SharesSaid)
        desk.take(region, _wrong_share(said) if region == "AA" else said)
    found = desk.close()
    assert isinstance(found, Aborted)
    assert "do not fit together" in found.sentence


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(0, 4), st.integers(0, 3), st.binary(min_size=32, max_size=32), st.data())
def test_a_secret_comes_back_from_honest_shares_whoever_lies(
    threshold: int, more: int, liars: int, secret: bytes, data: st.DataObject
) -> None:
    places = tuple(range(1, threshold + more + 1))
    shares = split(secret, places, threshold, os.urandom)
    wrong = frozenset(data.draw(st.permutations(places))[:liars])
    given_shares = {place: _other_share(share) if place in wrong else share for place, share in shares.items()}
    found = recover(given_shares, threshold, lambda _secret: True)
    if len(wrong) <= min(2, more):
        assert found == (secret, wrong)
    else:
        assert found is None


def test_two_secrets_that_would_both_do_are_none() -> None:
    """Whoever knows all the other shares can make one that fits another secret, together with some of them."""
    shares = split(bytes(32), (1, 2, 3), 2, os.urandom)
    forged = {**shares, 2: _through(shares[1], 1)}
    assert recover(forged, 2, lambda _secret: True) is None
    assert recover(forged, 2, lambda secret: secret == bytes(32)) == (bytes(32), frozenset({2}))


def _through(first: bytes, secret: int) -> bytes:
    """The share at 2 of the line through `secret` at 0 and `first` at 1."""
    prime = 2**521 - 1
    return ((2 * int.from_bytes(first, "big") - secret) % prime).to_bytes(66, "big")


def test_who_refused_or_lost_its_keys_may_be_invited_again_until_somebody_is_named() -> None:
    desk = _desk(Group(4, 1, 1))
    desk.take("AA", Refused(Reason.AWAITING_APPROVAL, "ask the steward"))
    desk.take("BB", desk.reply("BB"))
    assert set(desk.state.declined) == {"AA"}
    assert not desk.state.enough
    desk.state = desk.state.lost("BB")
    assert (desk.state.replied, set(desk.state.keys)) == (frozenset(), {"BB"})
    desk.state = desk.state.invite(["AA", "BB", "ZZ"])
    assert desk.state.awaited == set(codes(4))
    assert isinstance(desk.whole(), Finished)
    assert desk.state.invite(["AA"]) == desk.state


def test_keys_stand_where_their_region_says_that_it_has_the_secrets_still() -> None:
    desk = _desk(Group(4, 1, 1))
    for region in ("AA", "BB", "CC"):
        desk.take(region, desk.reply(region))
    kept = desk.state.keys
    desk.state = Aggregation.begin(desk.asked, ["AA", "BB", "CC"], kept)
    assert desk.state.replied == frozenset()
    desk.take("AA", Refused(Reason.MALFORMED, "begun before"))
    desk.take("BB", desk.reply("BB"))
    desk.take("CC", Refused(Reason.DECLINED, "not any more"))
    desk.take("DD", desk.reply("DD"))
    assert desk.state.replied == {"AA", "BB"}
    desk.state = desk.state.invite(["DD"])
    assert isinstance(desk.whole(), Finished)
    assert set(desk.state.keys) == {"AA", "BB", "DD"}


def test_an_approval_that_nobody_asked_for_again_is_taken_in() -> None:
    desk = _desk(Group(4, 1, 1))
    keys = desk.reply("AA")
    desk.take("AA", Refused(Reason.AWAITING_APPROVAL, "ask the steward"))
    desk.take("AA", keys)
    assert desk.state.replied == {"AA"}
    assert (desk.state.out, desk.state.declined) == ({}, {})


@pytest.mark.parametrize("small", [bytes(32), b"\x01" + bytes(31)], ids=["zero", "one"])
def test_keys_with_which_nothing_can_be_kept_secret_are_left_out(small: bytes) -> None:
    desk = _desk(Group(4, 1, 1))
    party = desk.played.parties["AA"]
    keys = party._own_keys.model_copy(update={"mask": small.hex()})
    desk.take("AA", KeysSaid(sign("secure_keys", to_canonical(keys), checkpoint_key("AA")).to_bytes()))
    assert desk.state.out == {"AA": "keys that cannot be used"}


def test_keys_that_another_region_has_already_are_left_out() -> None:
    desk = _desk(Group(4, 1, 1))
    first, second = desk.played.parties["AA"], desk.played.parties["BB"]
    desk.take("AA", KeysSaid(first.signed_keys))
    copied = second._own_keys.model_copy(update={"box": first._secrets.mask_key.hex()})
    desk.take("BB", KeysSaid(sign("secure_keys", to_canonical(copied), checkpoint_key("BB")).to_bytes()))
    assert desk.state.replied == {"AA"}


def test_the_state_stays_what_it_was() -> None:
    """Every change gives another state; the one before can be used again."""
    desk = _desk(Group(4, 1, 1))
    before = desk.state
    desk.round()
    assert (before.stage, desk.state.stage) == (Stage.KEYS, Stage.SHARING)
    assert before == Aggregation.begin(desk.asked, desk.programme.weights)
    assert before.lost("AA").hopeless is False
    assert before.lost("AA").lost("BB").hopeless

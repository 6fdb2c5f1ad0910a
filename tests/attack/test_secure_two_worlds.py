"""Two worlds that differ in the honest nodes' data look the same, byte for byte, to the coordinator and t colluders.

For every tape of the first world there is one of the second, and back, with the same transcript; so transcripts say
nothing of which world it is. A tape is all that is drawn: entropy, noise, and the stream of each mask. That streams are
tapes of their own is what ChaCha20, HKDF and X25519 are trusted for (a pseudo-random generator, a random oracle, the
Diffie-Hellman assumption). Streams whose seed the observer can work out stay the real ones: only one is moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pytest

import policies.secure.masks
from policies.secure.group import Group
from policies.secure.lanes import pack, total
from policies.secure.masks import expand, pair_seed
from policies.secure.shares import combine
from policies.statistics.programme import Secure
from policies.units.noise import Sigma
from tests.national_study import codes
from tests.secure_attacks import Remembered, tape
from tests.secure_world import Sums, national

CELLS = (3, 2)


class _Noise:
    """Noise from a tape: any numbers do, as long as both worlds have the same."""

    def __init__(self, label: str) -> None:
        self._tape = tape(f"noise {label}")

    def draw(self, cells: int, sigma: Sigma) -> list[int]:
        return [int.from_bytes(self._tape(3)) - 2**23 for _ in range(cells)]


@dataclass
class Streams:
    """In the place of the generator: the real streams, but for those that are moved by a vector."""

    moved: Mapping[bytes, bytes]

    def __call__(self, seed: bytes, coordinates: int) -> bytes:
        stream = expand(seed, coordinates)
        return total(coordinates, [stream, self.moved[seed]]) if seed in self.moved else stream


def _play(group: Group, sums: Mapping[str, Sums], lost: Sequence[str], late: Sequence[str]) -> Remembered:
    """An attempt from the same tapes each time. `lost` send no vector; `late` one that misses the list."""
    sources = {region: _Noise(region) for region in codes(group.regions)}
    secure = Secure(colluders=group.colluders, dropouts=group.dropouts)
    played = Remembered(
        national(group.regions, secure, CELLS), noise=lambda region: sources[region], entropy=tape("world")
    )
    played.keys()
    played.share()
    played.open(lost)
    played.mask(sums, lost)
    kept = {name: played.server.vectors.pop(name) for name in late}
    played.see()
    played.unmask()
    played.server.finish(group.threshold)
    played.server.vectors |= kept
    return played


def _view(played: Remembered, colluders: Sequence[str], sums: Mapping[str, Sums]) -> dict[str, object]:
    """All that the coordinator and its colluders hold in the end."""
    server = played.server
    papers = [server.participants, server.sharing, server.survivors]
    return {
        "keys": server.keys,
        "boxes": server.boxes,
        "papers": [paper.to_bytes() for paper in papers if paper is not None],
        "vectors": server.vectors,
        "seen": server.seen,
        "shares": {name: (given.own, given.lost, given.taken_back) for name, given in server.shares.items()},
        "secrets": {name: _bare(played, name) for name in colluders},
        "sums": {name: sums[name] for name in colluders},
    }


def _bare(played: Remembered, name: str) -> tuple[object, ...]:
    """What a colluder has: its secrets, its noise, and the shares it was sealed."""
    one = played.secrets[name]
    return (one.mask, one.box, one.own, _Noise(name).draw(30, Sigma(1, 0)))


def _flat(sums: Sums) -> bytes:
    return pack([number for block in ("block_0", "block_1") for number in sums[block]])


def _sums(regions: Sequence[str]) -> dict[str, Sums]:
    return {
        name: {"block_0": [10**place, -(3**place), 2**50 * place], "block_1": [place, -(2**60) + place]}
        for place, name in enumerate(regions)
    }


def _pair(played: Remembered, one: str, other: str) -> bytes:
    """The seed between two nodes."""
    assert played.server.sharing is not None
    secret, public = played.secrets[one].mask, played.secrets[other].mask_key
    return pair_seed(secret, public, one, other, bytes.fromhex(played.server.sharing.digest))


def _known(played: Remembered, group: Group, colluders: Sequence[str], shares: bool = True) -> set[bytes]:
    """Every seed of a mask that the coordinator and its colluders can work out."""
    names = codes(group.regions)
    helpers = {name: played.server.shares[name] for name in sorted(played.server.shares)} if shares else {}
    masks = {name: played.secrets[name].mask for name in colluders}
    seeds = {played.secrets[name].own for name in colluders}
    for target in names:
        for pick in ("own", "lost"):
            places = {
                names.index(name) + 1: getattr(given, pick)[target]
                for name, given in helpers.items()
                if target in getattr(given, pick)
            }
            secret = combine(places, group.threshold)
            if secret is not None and pick == "own":
                seeds.add(secret)
            elif secret is not None:
                masks[target] = secret
    return seeds | {_pair(played, one, other) for one in masks for other in names if other != one}


CASES = [
    (group, lost, first, second)
    for group in (Group(4, 1, 1), Group(5, 1, 1), Group(7, 2, 2))
    for honest in [codes(group.regions)[: -group.colluders]]
    for lost in [(), *[(name,) for name in honest]][: 2 if group.regions > 4 else None]
    for first, second in list(combinations([name for name in honest if name not in lost], 2))[
        : 2 if group.regions > 4 else None
    ]
]


@pytest.mark.parametrize(("group", "lost", "first", "second"), CASES)
def test_exchanged_data_of_two_honest_nodes_give_the_same_transcript(
    group: Group, lost: tuple[str, ...], first: str, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tape of the second world: the mask between the two is moved by the difference of their data."""
    names = codes(group.regions)
    colluders, sums = names[-group.colluders :], _sums(names)
    exchanged = {**sums, first: sums[second], second: sums[first]}
    one = _play(group, sums, lost, ())
    seed, numbers = _pair(one, first, second), sum(CELLS)
    assert seed not in _known(one, group, colluders), "the observer must not know the stream that is moved"
    for there, back in ((sums, exchanged), (exchanged, sums)):
        # first adds the stream, second takes it off: first + stream stays, second - stream stays.
        monkeypatch.setattr(policies.secure.masks, "expand", Streams({}))
        here = _view(_play(group, there, lost, ()), colluders, there)
        moved = {seed: total(numbers, [_flat(there[first])], [_flat(back[first])])}
        assert _view(_play(group, back, lost, ()), colluders, back) != here, "without moving a tape it shows"
        monkeypatch.setattr(policies.secure.masks, "expand", Streams(moved))
        assert _view(_play(group, back, lost, ()), colluders, back) == here


@pytest.mark.parametrize("late", codes(3))
def test_a_vector_that_came_too_late_is_the_same_for_any_data(late: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its mask key is known then; its own stream is not, and moves by whatever its data are moved."""
    group, names = Group(4, 1, 1), codes(4)
    sums, numbers = _sums(names), sum(CELLS)
    other = {**sums, late: sums[names[3]]}
    one = _play(group, sums, (), (late,))
    seed = one.secrets[late].own
    known = _known(one, group, names[3:])
    assert seed not in known
    assert {_pair(one, late, name) for name in names if name != late} <= known
    assert _view(_play(group, other, (), (late,)), names[3:], other) != _view(one, names[3:], sums)
    moved = {seed: total(numbers, [_flat(sums[late])], [_flat(other[late])])}
    monkeypatch.setattr(policies.secure.masks, "expand", Streams(moved))
    assert _view(_play(group, other, (), (late,)), names[3:], other) == _view(one, names[3:], sums)


@pytest.mark.parametrize("single", codes(3))
def test_an_attempt_that_ends_before_the_shares_says_nothing_of_any_node(
    single: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even the sum stays hidden: one node's data alone may be anything."""
    group, names = Group(4, 1, 1), codes(4)
    sums = _sums(names)
    other = {**sums, single: {"block_0": [0, 0, 0], "block_1": [0, 0]}}

    def vectors(of: Mapping[str, Sums]) -> tuple[Remembered, dict[str, bytes]]:
        secure = Secure(colluders=1, dropouts=1)
        sources = {region: _Noise(region) for region in names}
        played = Remembered(national(4, secure, CELLS), noise=lambda region: sources[region], entropy=tape("world"))
        for step in (played.keys, played.share, played.open):
            step()
        played.mask(of)
        return played, played.server.vectors

    played, here = vectors(sums)
    seed = played.secrets[single].own
    assert seed not in _known(played, group, names[3:], shares=False)
    moved = {seed: total(sum(CELLS), [_flat(sums[single])], [_flat(other[single])])}
    monkeypatch.setattr(policies.secure.masks, "expand", Streams(moved))
    assert vectors(other)[1] == here

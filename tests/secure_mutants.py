"""The protocol of the national sums with one fault each, as somebody could write it; only ever in a test's process.

Each is named with the attacks that must go through on it (secure_attacks.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

import node.secure.checks
import node.secure.party
import policies.secure.masks
from node.secure.noise import Noise, draw_parts
from node.secure.party import Party
from policies.secure.group import Group
from policies.secure.lanes import WORD_BYTES, total
from policies.secure.masks import SEED_BYTES, Secrets, agree, expand, pair_seed
from policies.secure.shares import Entropy
from policies.statistics.programme import PlannedBlock
from tests import secure_attacks
from tests.secure_attacks import Attack


def _draw_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every seed is 32 bits long, made longer with zeros."""

    def draw(_cls: type[Secrets], entropy: Entropy) -> Secrets:
        return Secrets(*(entropy(4) + bytes(SEED_BYTES - 4) for _ in range(3)))

    monkeypatch.setattr(Secrets, "draw", classmethod(draw))


def _fold_to_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """256 bits go in, and the generator is seeded with 32 of them (what flwr's SecAgg+ does)."""

    def folded(seed: bytes, coordinates: int) -> bytes:
        word = 0
        for place in range(0, SEED_BYTES, 4):
            word ^= int.from_bytes(seed[place : place + 4])
        return expand(word.to_bytes(SEED_BYTES), coordinates)

    monkeypatch.setattr(policies.secure.masks, "expand", folded)
    monkeypatch.setattr(secure_attacks, "expand", folded)


def _no_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks between two nodes are those of their keys, whatever the attempt and whoever shares."""

    def plain(secret: bytes, public: bytes, one: str, other: str, _context: bytes) -> bytes:
        low, high = sorted((one, other))
        return agree(secret, public, f"mask\n{low}\n{high}".encode())

    monkeypatch.setattr(policies.secure.masks, "pair_seed", plain)


def _secrets_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node draws its secrets once, and uses them in every attempt."""
    kept: dict[str, Secrets] = {}
    begin = Party.__init__

    def with_kept(self: Party, me: str, key: Any, ordered: Any, group: Group, secrets: Secrets, *more: Any) -> None:
        begin(self, me, key, ordered, group, kept.setdefault(me, secrets), *more)

    monkeypatch.setattr(Party, "__init__", with_kept)


def _single_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors leave under masks with the others, and none of their own."""

    def single(me: str, secrets: Secrets, mask_keys: Mapping[str, bytes], context: bytes, vector: bytes) -> bytes:
        coordinates = len(vector) // WORD_BYTES
        plus, minus = [vector], list[bytes]()
        for other, key in mask_keys.items():
            if other != me:
                seed = pair_seed(secrets.mask, key, me, other, context)
                (plus if me < other else minus).append(expand(seed, coordinates))
        return total(coordinates, plus, minus)

    monkeypatch.setattr(node.secure.party, "mask_vector", single)


def _any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """n - d is not looked at: whoever is on the list is enough."""
    monkeypatch.setattr(Party, "_listed", lambda _self, _regions, _among: None)


def _unsigned_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares are given for whatever list the coordinator showed."""
    monkeypatch.setattr(node.secure.party, "seen_by", lambda _seen, _listed, among, *_more: frozenset(among))


def _threshold_less_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One helper fewer is enough to unmask."""
    whole = Group.threshold.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Group, "threshold", property(lambda self: whole(self) - 1))


def _noise_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node draws its noise once, and uses it in every attempt."""
    kept: dict[int, tuple[Noise, tuple[bytes, ...]]] = {}

    def again(noise: Noise, group: Group, blocks: Sequence[PlannedBlock]) -> tuple[bytes, ...]:
        if id(noise) not in kept:
            kept[id(noise)] = noise, draw_parts(noise, group, blocks)
        return kept[id(noise)][1]

    monkeypatch.setattr(node.secure.party, "draw_parts", again)


def _nothing_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every signature under keys, and under lists, is good."""
    monkeypatch.setattr(node.secure.checks, "verify", lambda _signed, _key: True)


def _rounds_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounds may come in any order, and as often as they like."""
    monkeypatch.setattr(Party, "stage", property(lambda _self: _Anything(), lambda _self, _stage: None), raising=False)
    monkeypatch.setattr(Party, "_end", lambda _self: None)


class _Anything:
    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Mutant:
    """`attack` goes through on it, and says this."""

    name: str
    make: Callable[[pytest.MonkeyPatch], None]
    attack: Attack
    says: str


_LISTS = secure_attacks.different_lists_to_different_nodes
_AGAIN = secure_attacks.a_round_played_again
MUTANTS = (
    Mutant("seeds of 32 bits", _draw_32_bits, secure_attacks.guesses_of_a_seed, "masks came twice"),
    Mutant("seeds folded to 32 bits", _fold_to_32_bits, secure_attacks.guesses_of_a_seed, "masks came twice"),
    Mutant("masks of no attempt", _no_context, secure_attacks.two_attempts_of_a_copied_machine, "under one mask"),
    Mutant("secrets kept", _secrets_kept, secure_attacks.an_attempt_with_the_secrets_of_another, "in two attempts"),
    Mutant("a single mask", _single_mask, secure_attacks.a_vector_that_came_too_late, "can be read"),
    Mutant("lists of any length", _any_length, secure_attacks.more_declared_gone_than_may_drop_out, "was signed"),
    Mutant("lists that nobody signed", _unsigned_lists, _LISTS, "shares were given for two lists"),
    Mutant("signatures under any list", _unsigned_lists, _AGAIN, "old signatures count"),
    Mutant("threshold less one", _threshold_less_one, _LISTS, "both secrets of one region are known"),
    Mutant("noise kept", _noise_kept, secure_attacks.the_same_nodes_twice_with_one_left_out, "of two attempts is left"),
    Mutant("keys not verified", _nothing_verified, secure_attacks.keys_swapped_on_the_way, "reads what was sealed"),
    Mutant("names not verified", _nothing_verified, secure_attacks.participants_that_are_nobody, "is nobody"),
    Mutant("rounds again", _rounds_again, _AGAIN, "a second list was signed"),
)

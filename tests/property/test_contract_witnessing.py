"""Witnesses: one of them never cosigns two histories, and a sound rule never lets two histories through."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st
from rondgang import canonical
from rondgang.canonical import Json
from rondgang.keys import SigningKey
from rondgang.leaves import leaf_hash
from rondgang.merkle import Tree, extends
from rondgang.notes import Checkpoint, Note, NoteSignature, sign_checkpoint
from rondgang.witnessing import Accepted, Conflict, Rejected, Submission, consider

from policies.rules.region_policy import WitnessRule

KEY = SigningKey.generate(b"k" * 32)
MOST = 12


def _history(split: int, fork: str) -> Tree:
    """A log of `MOST` entries that is the same as any other up to `split`."""
    entries: list[Json] = [f"{number}" if number < split else f"{number} {fork}" for number in range(MOST)]
    return Tree(bytes.fromhex(leaf_hash(canonical.encode(entry))) for entry in entries)


def _signed(tree: Tree, size: int) -> Note:
    return sign_checkpoint(Checkpoint("FR/1", size, tree.root(size)), KEY)


@dataclass
class Witness:
    """An honest one: it keeps what it accepts, and nothing else."""

    held: Checkpoint | None = None
    cosigned: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def asked(self, given: Submission) -> bool:
        """Whether it cosigns."""
        outcome = consider(self.held, "FR", [KEY.public], given)
        if isinstance(outcome, Accepted):
            new = outcome.checkpoint
            assert self.cosigned.setdefault((new.origin, new.size), new.root) == new.root
            if self.held is not None and self.held.origin == new.origin:
                assert self.held.size <= new.size
            self.held = new
        return isinstance(outcome, Accepted)


OLD = st.none() | st.integers(0, MOST)
"""The size to prove from; None for what the witness saw, as a node that was told does."""
STEPS = st.lists(st.tuples(st.integers(0, 1), OLD, st.integers(0, MOST)), min_size=1, max_size=25)


@given(st.integers(0, MOST), STEPS)
def test_one_witness_never_cosigns_two_roots_of_one_size(split: int, steps: list[tuple[int, int | None, int]]) -> None:
    """A region with two histories that shows either, at any size, with the proof from any size."""
    forks = (_history(split, "a"), _history(split, "b"))
    witness = Witness()
    seen: list[tuple[int, int]] = []
    for fork, claimed, size in steps:
        tree = forks[fork]
        old = claimed if claimed is not None else witness.held.size if witness.held else 0
        if witness.asked(Submission(_signed(tree, size), old, tree.consistency(min(old, size), size))):
            seen.append((fork, size))
    # All it ever accepted lies on one history, each extending the one before.
    assert len({fork for fork, size in seen if size > split}) <= 1
    for (earlier, small), (later, large) in pairwise(seen):
        roots = forks[earlier].root(small), forks[later].root(large)
        assert extends(small, roots[0], large, roots[1], forks[later].consistency(small, large))


@given(st.integers(0, MOST), st.integers(0, MOST), st.integers(0, MOST), st.data())
def test_whatever_proof_is_sent_another_history_is_not_cosigned(
    split: int, held: int, size: int, data: st.DataObject
) -> None:
    ours, other = _history(split, "a"), _history(split, "b")
    held, size = max(held, split + 1), max(size, split + 1)
    if size > MOST:
        return
    witness = Witness(Checkpoint("FR/1", min(held, MOST), ours.root(min(held, MOST))))
    steps = [tree.leaf(index) for tree in (ours, other) for index in range(MOST)]
    steps += [tree.root(number) for tree in (ours, other) for number in range(1, MOST + 1)]
    proof = data.draw(st.lists(st.sampled_from(steps), max_size=6).map(tuple) | st.just(other.consistency(split, size)))
    assert not witness.asked(Submission(_signed(other, size), data.draw(st.integers(0, MOST)), proof))


@given(
    st.none() | st.integers(0, MOST),
    st.text(max_size=30) | st.just(_signed(_history(0, "a"), 5).text),
    st.lists(st.builds(NoteSignature, st.just("FR/1"), st.binary(max_size=5), st.binary(max_size=70))).map(tuple),
    st.integers(-1, 2**64),
    st.lists(st.binary(max_size=33), max_size=3).map(tuple),
    st.binary(max_size=20) | st.just(b'{"body":{"event":"reset"},"seq":0}'),
)
def test_nothing_that_anybody_sends_makes_a_witness_fail_or_cosign(
    held: int | None, text: str, lines: tuple[NoteSignature, ...], old: int, proof: tuple[bytes, ...], first: bytes
) -> None:
    tree = _history(0, "a")
    kept = None if held is None else Checkpoint("FR/1", held, tree.root(held))
    given_ = Submission(Note(text, lines), old, proof, first, proof)
    assert isinstance(consider(kept, "FR", [KEY.public], given_), Rejected | Conflict)


def _two_histories_get_through(witnesses: int, need: int, faulty: int) -> bool:
    """Whether some `faulty` of m that cosign anything, and honest ones that each cosign one history, can do it.

    Brute force: every set of faulty witnesses, every division of the honest ones between two histories.
    """
    everybody = range(witnesses)
    for liars in combinations(everybody, min(faulty, witnesses)):
        honest = [one for one in everybody if one not in liars]
        for count in range(len(honest) + 1):
            for first in combinations(honest, count):
                second = len(honest) - len(first)
                if len(first) + len(liars) >= need and second + len(liars) >= need:
                    return True
    return False


def test_a_rule_is_sound_where_no_two_histories_can_both_get_enough_cosignatures() -> None:
    """All rules of up to six witnesses, up to four of them faulty; `sound` also asks for at least two, and enough."""
    for witnesses in range(1, 7):
        for faulty in range(min(witnesses, 4) + 1):
            for need in range(1, witnesses + 2):
                safe = not _two_histories_get_through(witnesses, need, faulty)
                sound = WitnessRule(need=need, faulty=faulty).sound(witnesses)
                assert sound == (safe and 2 <= need <= witnesses), (witnesses, faulty, need)


@given(st.integers(2, 5), st.integers(0, 2), st.integers(0, MOST - 1), st.data())
def test_under_a_sound_rule_two_forks_are_never_both_cosigned(
    witnesses: int, faulty: int, split: int, data: st.DataObject
) -> None:
    """The same with real witnesses: a region shows either history to any of them, in any order and at any size."""
    rule = WitnessRule(need=min(witnesses, (witnesses + faulty) // 2 + 1), faulty=faulty)
    if not rule.sound(witnesses):
        return
    forks = (_history(split, "a"), _history(split, "b"))
    honest = [Witness() for _ in range(witnesses - faulty)]
    shown = st.tuples(st.integers(0, len(honest) - 1), st.integers(0, 1), st.integers(1, MOST))
    for number, fork, size in data.draw(st.lists(shown, max_size=30)):
        witness, tree = honest[number], forks[fork]
        old = witness.held.size if witness.held else 0
        witness.asked(Submission(_signed(tree, size), old, tree.consistency(min(old, size), size)))
    for size in range(split + 1, MOST + 1):
        counts = [faulty + sum(one.cosigned.get(("FR/1", size)) == tree.root(size) for one in honest) for tree in forks]
        assert sum(count >= rule.need for count in counts) <= 1


def _first(epoch: int, old: Checkpoint) -> bytes:
    body: dict[str, Json] = {"event": "reset", "epoch": epoch, "old_size": old.size, "old_root": old.root.hex()}
    return canonical.encode({"seq": 0, "body": body, "fork": epoch})


@given(st.lists(st.tuples(st.integers(2, 4), st.integers(0, 1), st.integers(0, MOST)), max_size=12), st.data())
def test_resets_never_lead_back(resets: list[tuple[int, int, int]], data: st.DataObject) -> None:
    """A region that opens any epoch on top of any size of either of two histories, again and again."""
    forks = (_history(3, "a"), _history(3, "b"))
    witness = Witness()
    assert witness.asked(Submission(_signed(forks[0], data.draw(st.integers(0, MOST))), 0, ()))
    for epoch, fork, size in resets:
        before = witness.held
        assert before is not None
        first = _first(epoch, Checkpoint("FR/1", size, forks[fork].root(size)))
        leaf = bytes.fromhex(leaf_hash(first))
        note = sign_checkpoint(Checkpoint(f"FR/{epoch}", 1, leaf), KEY)
        if witness.asked(Submission(note, 0, (), first, ())):
            assert epoch > before.epoch
            if (before.epoch, epoch) == (1, 2):
                # Of the same size it may be another history, that two copies showed to others; never a shorter one.
                assert size >= before.size

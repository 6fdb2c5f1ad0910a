"""A witness: what it remembers decides, and a region cannot talk it out of that."""

from collections.abc import Callable

import pytest
from rondgang import canonical
from rondgang.canonical import Json
from rondgang.keys import SigningKey
from rondgang.leaves import leaf_hash
from rondgang.merkle import Tree
from rondgang.notes import Checkpoint, sign_checkpoint
from rondgang.witnessing import Accepted, Conflict, Rejected, Submission, Why, committed_by, consider

KEY, OLD_KEY = SigningKey.generate(b"k" * 32), SigningKey.generate(b"o" * 32)
TREE = Tree(bytes([number]) * 32 for number in range(9))
ROOT = TREE.root().hex()


def _at(size: int, origin: str = "FR/1") -> Checkpoint:
    return Checkpoint(origin, size, TREE.root(size))


def _given(old: int, size: int, origin: str = "FR/1", key: SigningKey = KEY) -> Submission:
    return Submission(sign_checkpoint(_at(size, origin), key), old, TREE.consistency(min(old, size), size))


def _reset(**changed: Json) -> bytes:
    body: dict[str, Json] = {"event": "reset", "epoch": 2, "old_size": 9, "old_root": ROOT}
    entry: dict[str, Json] = {"seq": 0, "body": body}
    for name, value in changed.items():
        (entry if name in entry else body)[name] = value
    return canonical.encode(entry)


def _opened(first: bytes, epoch: int = 2) -> Submission:
    leaf = bytes.fromhex(leaf_hash(first))
    note = sign_checkpoint(Checkpoint(f"FR/{epoch}", 1, leaf), KEY)
    return Submission(note, 0, (), first, ())


def test_every_live_key_of_a_region_may_sign() -> None:
    keys = [OLD_KEY.public, KEY.public]
    assert consider(_at(4), "FR", keys, _given(4, 9)) == Accepted(_at(9))
    assert consider(_at(4), "FR", keys, _given(4, 9, key=OLD_KEY)) == Accepted(_at(9))
    assert consider(_at(4), "FR", [], _given(4, 9)) == Rejected(Why.UNKNOWN_KEY)


def test_a_caller_cannot_submit_for_another_region() -> None:
    assert consider(None, "GR", [KEY.public], _given(0, 9)) == Rejected(Why.OTHER_REGION)


def test_who_does_not_know_what_was_seen_is_told() -> None:
    assert consider(_at(7), "FR", [KEY.public], _given(0, 9)) == Conflict(7)
    assert consider(_at(7), "FR", [KEY.public], _given(7, 9)) == Accepted(_at(9))
    assert consider(None, "FR", [KEY.public], _given(3, 9)) == Conflict(0)


def test_a_log_that_lost_its_tail_is_told_how_much_and_is_not_cosigned() -> None:
    assert consider(_at(9), "FR", [KEY.public], _given(7, 8)) == Conflict(9)
    assert consider(_at(9), "FR", [KEY.public], _given(9, 8)) == Rejected(Why.MALFORMED)


def test_a_log_that_was_closed_stays_closed() -> None:
    for size in (1, 9):
        assert consider(_at(1, "FR/2"), "FR", [KEY.public], _given(0, size)) == Rejected(Why.CLOSED)


def test_a_reset_is_followed_from_the_last_size_on_and_not_from_an_earlier_one() -> None:
    accepted = consider(_at(9), "FR", [KEY.public], _opened(_reset()))
    assert isinstance(accepted, Accepted)
    assert accepted.checkpoint.origin == "FR/2"
    forgetful = _opened(_reset(old_size=8, old_root=TREE.root(8).hex()))
    assert consider(_at(9), "FR", [KEY.public], forgetful) == Rejected(Why.BAD_RESET, evidence=True)


def test_of_two_histories_of_one_size_a_reset_may_rest_on_either_and_both_are_kept() -> None:
    other = consider(_at(9), "FR", [KEY.public], _opened(_reset(old_root="0" * 64)))
    assert isinstance(other, Accepted)
    assert other.evidence
    same = consider(_at(9), "FR", [KEY.public], _opened(_reset()))
    assert isinstance(same, Accepted)
    assert not same.evidence


def test_a_witness_that_missed_an_epoch_follows_the_one_after() -> None:
    assert isinstance(consider(_at(9), "FR", [KEY.public], _opened(_reset(epoch=3), epoch=3)), Accepted)
    assert consider(_at(9), "FR", [KEY.public], _opened(_reset(), epoch=3)) == Rejected(Why.BAD_RESET)


SPELT_OTHERWISE: list[tuple[str, Callable[[], bytes]]] = [
    ("no entry", lambda: b""),
    ("not canonical", lambda: b" " + _reset()),
    ("no object", lambda: b"[]"),
    ("another event", lambda: _reset(event="opened")),
    ("not the first entry", lambda: _reset(seq=1)),
    ("false for 0", lambda: _reset(seq=False)),
    ("true for an epoch", lambda: _reset(epoch=True)),
    ("epoch 1", lambda: _reset(epoch=1)),
    ("true for a size", lambda: _reset(old_size=True)),
    ("a negative size", lambda: _reset(old_size=-1)),
    ("a size as text", lambda: _reset(old_size="9")),
    ("a root in capitals", lambda: _reset(old_root="A" * 64)),
    ("a root with spaces", lambda: _reset(old_root=" " + "a" * 62 + " ")),
    ("a short root", lambda: _reset(old_root="a" * 62)),
    ("no root", lambda: _reset(old_root=None)),
]


@pytest.mark.parametrize(("what", "first"), SPELT_OTHERWISE, ids=[what for what, _ in SPELT_OTHERWISE])
def test_only_one_spelling_of_a_reset_commits_to_anything(what: str, first: Callable[[], bytes]) -> None:
    del what
    assert committed_by(first()) is None
    assert consider(_at(9), "FR", [KEY.public], _opened(first())) == Rejected(Why.BAD_RESET)


def test_a_reset_says_what_it_closes() -> None:
    assert committed_by(_reset()) == (2, 9, TREE.root())


def test_evidence_is_kept_of_a_fork_and_not_of_a_slip() -> None:
    other = Tree(bytes([number + 1]) * 32 for number in range(9))
    forked = Submission(sign_checkpoint(Checkpoint("FR/1", 9, other.root()), KEY), 9, ())
    assert consider(_at(9), "FR", [KEY.public], forked) == Rejected(Why.FORKED, evidence=True)
    larger = Submission(sign_checkpoint(Checkpoint("FR/1", 9, other.root()), KEY), 8, other.consistency(8))
    assert consider(_at(8), "FR", [KEY.public], larger) == Rejected(Why.BAD_PROOF, evidence=True)
    assert consider(_at(8), "FR", [], larger) == Rejected(Why.UNKNOWN_KEY), "anybody can make an unsigned fork"

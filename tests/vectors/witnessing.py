"""Golden decisions of a witness: what it remembers, what it is given, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from rondgang import canonical
from rondgang.canonical import Json
from rondgang.keys import SigningKey
from rondgang.leaves import leaf_hash
from rondgang.merkle import Tree
from rondgang.notes import Checkpoint, Note, sign_checkpoint
from rondgang.witnessing import Accepted, Conflict, Outcome, Submission, consider

from tests.vectors import entries
from tests.vectors.notes import REGION, STRANGER

LOG = entries.log()
TREE = entries.tree(LOG)
FORK = entries.tree([*LOG[:4], *LOG[5:]])
RESET = entries.reset()


@dataclass(frozen=True)
class Case:
    held: Checkpoint | None
    given: Submission
    region: str = "AA"


def at(tree: Tree, size: int, origin: str = "AA/1") -> Checkpoint:
    return Checkpoint(origin, size, tree.root(size))


def grown(tree: Tree, old: int, size: int, key: SigningKey = REGION, origin: str = "AA/1") -> Submission:
    return Submission(sign_checkpoint(at(tree, size, origin), key), old, tree.consistency(old, size))


def opened(first: bytes, tree: Tree, size: int, epoch: int = 2, old: int = 0) -> Submission:
    note = sign_checkpoint(at(tree, size, f"AA/{epoch}"), REGION)
    return Submission(note, old, (), first, tree.inclusion(0, size))


def cases() -> dict[str, Case]:
    return {**_same_epoch(), **_resets()}


def _same_epoch() -> dict[str, Case]:
    held, last = at(TREE, 5), at(TREE, 8)
    moved = Note(at(TREE, 6).text, sign_checkpoint(at(TREE, 5), REGION).signatures)
    return {
        "the first checkpoint of all": Case(None, grown(TREE, 0, 3)),
        "the first, of an empty log": Case(None, grown(TREE, 0, 0)),
        "the first, which calls itself empty and is not": Case(
            None, Submission(sign_checkpoint(Checkpoint("AA/1", 0, b"1" * 32), REGION), 0, ())
        ),
        "the first, with an old size": Case(None, grown(TREE, 2, 3)),
        "the first, with a proof from nowhere": Case(
            None, Submission(sign_checkpoint(at(TREE, 3), REGION), 0, TREE.consistency(2, 3))
        ),
        "grown": Case(held, grown(TREE, 5, 8)),
        "from an empty log": Case(at(TREE, 0), grown(TREE, 0, 8)),
        "the same again": Case(held, grown(TREE, 5, 5)),
        "from another size than was seen": Case(last, grown(TREE, 5, 11)),
        "smaller": Case(last, grown(TREE, 3, 5)),
        "smaller, and without knowing what was seen": Case(last, grown(TREE, 0, 5)),
        "another log of the same size": Case(last, grown(FORK, 8, 8)),
        "another log that is larger": Case(held, grown(FORK, 5, 8)),
        "another log that begins alike": Case(at(TREE, 4), grown(FORK, 4, 8)),
        "a proof from another size": Case(
            held, Submission(sign_checkpoint(at(TREE, 8), REGION), 5, TREE.consistency(6, 8))
        ),
        "no proof": Case(held, Submission(sign_checkpoint(at(TREE, 8), REGION), 5, ())),
        "an old size beyond its own": Case(held, Submission(sign_checkpoint(at(TREE, 3), REGION), 5, ())),
        "signed by a key that is not the region's": Case(held, grown(TREE, 5, 8, STRANGER)),
        "signed for another size": Case(held, Submission(moved, 5, TREE.consistency(5, 6))),
        "another region": Case(held, grown(TREE, 5, 8, origin="BB/1")),
        "no checkpoint": Case(held, Submission(Note("AA/1\n", grown(TREE, 5, 8).note.signatures), 5, ())),
    }


def _resets() -> dict[str, Case]:
    last, (first,) = at(TREE, 11), RESET
    tree = entries.tree(RESET)
    later = entries.tree([first, canonical.encode({"seq": 1})])
    forgetful, other = (
        _changed(first, old_size=8, old_root=TREE.root(8).hex()),
        _changed(first, old_root=FORK.root(8).hex()),
    )
    return {
        "a reset": Case(last, opened(first, tree, 1)),
        "a reset, seen later": Case(last, opened(first, later, 2)),
        "a reset on top of more than this witness saw": Case(at(TREE, 5), opened(first, tree, 1)),
        "a reset, from an old size": Case(last, opened(first, later, 2, old=1)),
        "a reset that forgets": Case(last, opened(forgetful, _tree(forgetful), 1)),
        "a reset of another log": Case(last, opened(other, _tree(other), 1)),
        "a reset that skips an epoch this witness missed": Case(
            last, opened(_changed(first, epoch=3), _tree(_changed(first, epoch=3)), 1, epoch=3)
        ),
        "a reset to another epoch than it says": Case(last, opened(first, tree, 1, epoch=3)),
        "a later epoch without its first entry": Case(last, grown(tree, 0, 1, origin="AA/2")),
        "a later epoch that begins with another entry": Case(last, opened(LOG[0], tree, 1)),
        "a later epoch that begins with no reset": Case(last, opened(LOG[0], TREE, 3)),
        "the first checkpoint of all, of a later epoch": Case(None, opened(first, tree, 1)),
        "the epoch that was closed": Case(at(tree, 1, "AA/2"), grown(TREE, 11, 11)),
    }


def _changed(first: bytes, **fields: Json) -> bytes:
    value = canonical.decode(first)
    assert isinstance(value, dict)
    assert isinstance(value["body"], dict)
    return canonical.encode({**value, "body": {**value["body"], **fields}})


def _tree(first: bytes) -> Tree:
    return Tree([bytes.fromhex(leaf_hash(first))])


def said(case: Case) -> Outcome:
    return consider(case.held, case.region, [REGION.public], case.given)


def vectors() -> Json:
    return {"key": REGION.public.hex, "cases": [_case(name, case) for name, case in cases().items()]}


def _case(name: str, case: Case) -> Json:
    return {
        "name": name,
        "held": case.held.text if case.held else None,
        "region": case.region,
        "note": case.given.note.to_text(),
        "old": case.given.old,
        "proof": [step.hex() for step in case.given.proof],
        "first_entry": case.given.first_entry.decode("ascii"),
        "first_proof": [step.hex() for step in case.given.first_proof],
        "outcome": outcome(said(case)),
    }


def outcome(found: Outcome) -> Json:
    match found:
        case Accepted(checkpoint):
            return {"accepted": checkpoint.size}
        case Conflict(size):
            return {"conflict": size}
        case _:
            return {"rejected": found.why.value, "evidence": found.evidence}

"""Trees, entries, notes, a witness's decisions and bundles of the first version stay what they were."""

import json
from typing import Any

import pytest
from rondgang.bundles import BadBundle, records, seal_of
from rondgang.keys import PublicKey
from rondgang.leaves import first_break, leaf_hash
from rondgang.merkle import Tree, extends, includes
from rondgang.notes import BadNote, Checkpoint, Note, cosigned_at, sign_checkpoint, signed_by
from rondgang.signed import KINDS
from rondgang.witnessing import Submission, Why, committed_by, consider

from policies.documents import from_canonical, to_canonical
from policies.rules.approval import Approval
from policies.rules.entries import Entry
from tests.vectors import entries
from tests.vectors.make_vectors import FOLDER
from tests.vectors.notes import REGION, STRANGER
from tests.vectors.witnessing import outcome


def _read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="ascii"))


TREES, ENTRIES, NOTES, BAD_NOTES = (
    _read("merkle.json"),
    _read("entries.json"),
    _read("notes.json"),
    _read("bad_notes.json"),
)
WITNESSING, BUNDLE, BAD_BUNDLES = _read("witnessing.json"), _read("bundle.json"), _read("bad_bundles.json")
LOGS = ("epoch 1", "epoch 2", "merged")
LOG = [case for epoch in LOGS for case in ENTRIES[epoch]]


def _proof(listed: list[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(step) for step in listed)


def test_golden_trees_have_their_roots_and_proofs() -> None:
    leaves, roots = _proof(TREES["leaves"]), _proof(TREES["roots"])
    tree = Tree(leaves)
    assert tuple(tree.root(size) for size in range(len(roots))) == roots
    for case in TREES["inclusion"]:
        index, size, proof = case["index"], case["size"], _proof(case["proof"])
        assert tree.inclusion(index, size) == proof
        assert includes(leaves[index], index, size, roots[size], proof)
    for case in TREES["consistency"]:
        old, size, proof = case["old"], case["size"], _proof(case["proof"])
        assert tree.consistency(old, size) == proof
        assert extends(old, roots[old], size, roots[size], proof)


@pytest.mark.parametrize("case", LOG, ids=lambda case: str(json.loads(case["entry"])["body"]["event"]))
def test_a_golden_entry_reads_and_hashes_as_it_did(case: dict[str, Any]) -> None:
    data = case["entry"].encode("ascii")
    assert to_canonical(from_canonical(Entry, data)) == data
    assert leaf_hash(data) == case["leaf_hash"]


def test_every_event_is_in_a_golden_log_and_the_logs_are_whole() -> None:
    found = {type(from_canonical(Entry, case["entry"].encode("ascii")).body) for case in LOG}
    assert found == entries.events()
    for epoch in LOGS:
        data = [case["entry"].encode("ascii") for case in ENTRIES[epoch]]
        assert first_break(data) is None
        tree = entries.tree(data)
        assert [tree.root(size).hex() for size in range(1, len(data) + 1)] == [c["root"] for c in ENTRIES[epoch]]


def test_the_golden_reset_commits_to_the_golden_log() -> None:
    old, first = ENTRIES["epoch 1"], ENTRIES["epoch 2"][0]["entry"].encode("ascii")
    assert committed_by(first) == (2, len(old), bytes.fromhex(old[-1]["root"]))


@pytest.mark.parametrize("name", sorted(ENTRIES["approvals"]))
def test_a_golden_approval_reads_as_it_did(name: str) -> None:
    data = ENTRIES["approvals"][name].encode("ascii")
    approval = from_canonical(Approval, data)
    assert to_canonical(approval) == data
    assert approval.decision == {"a yes": "approve", "a no": "decline"}[name]
    assert "approval" in KINDS


@pytest.mark.parametrize("name", sorted(NOTES["notes"]))
def test_a_golden_note_is_still_signed(name: str) -> None:
    text = NOTES["notes"][name]
    note = Note.parse(text)
    assert note.to_text() == text
    assert Checkpoint.from_text(note.text).text == note.text
    region = PublicKey.from_hex(NOTES["region"])
    assert signed_by(note, note.checkpoint.origin, region)
    assert sign_checkpoint(note.checkpoint, REGION).signatures[0] == note.signatures[0]
    times = [cosigned_at(note, PublicKey.from_hex(witness)) for witness in NOTES["witnesses"]]
    assert times == ([NOTES["time"], NOTES["time"] + 1] if "cosigned" in name else [None, None])


@pytest.mark.parametrize("name", sorted(BAD_NOTES["malformed"]))
def test_a_golden_text_that_is_no_note(name: str) -> None:
    with pytest.raises(BadNote):
        Note.parse(BAD_NOTES["malformed"][name])


@pytest.mark.parametrize("name", sorted(BAD_NOTES["no checkpoint"]))
def test_a_golden_note_that_is_no_checkpoint(name: str) -> None:
    note = Note.parse(BAD_NOTES["no checkpoint"][name])
    with pytest.raises(BadNote):
        _ = note.checkpoint


@pytest.mark.parametrize("name", sorted(BAD_NOTES["unverified"]))
def test_a_golden_checkpoint_that_convinces_nobody(name: str) -> None:
    note = Note.parse(BAD_NOTES["unverified"][name])
    witnesses = [PublicKey.from_hex(witness) for witness in NOTES["witnesses"]]
    assert not signed_by(note, note.checkpoint.origin, PublicKey.from_hex(NOTES["region"]))
    assert not signed_by(note, "AA/1", PublicKey.from_hex(NOTES["region"]))
    assert [cosigned_at(note, key) for key in (*witnesses, STRANGER.public)] == [None, None, None]


@pytest.mark.parametrize("case", WITNESSING["cases"], ids=lambda case: str(case["name"]))
def test_a_witness_still_says_what_it_said(case: dict[str, Any]) -> None:
    held = Checkpoint.from_text(case["held"]) if case["held"] else None
    first = case["first_entry"].encode("ascii")
    given = Submission(Note.parse(case["note"]), case["old"], _proof(case["proof"]), first, _proof(case["first_proof"]))
    keys = [PublicKey.from_hex(WITNESSING["key"])]
    assert outcome(consider(held, case["region"], keys, given)) == case["outcome"]


def test_every_reason_of_a_witness_has_a_golden_case() -> None:
    said = [case["outcome"] for case in WITNESSING["cases"]]
    assert {one["rejected"] for one in said if "rejected" in one} == {why.value for why in Why}
    assert any("accepted" in one for one in said)
    assert any("conflict" in one for one in said)


def test_the_golden_bundle_reads_and_is_sealed() -> None:
    data = bytes.fromhex(BUNDLE["hex"])
    found = list(records(data))
    assert [record.type for record in found] == BUNDLE["types"]
    sealed = seal_of(found, data)
    assert sealed is not None
    assert (sealed.key, sealed.whole, sealed.changed) == (BUNDLE["key"], True, None)


@pytest.mark.parametrize("case", BAD_BUNDLES["broken"], ids=lambda case: str(case["name"]))
def test_a_golden_bundle_that_breaks_off(case: dict[str, Any]) -> None:
    with pytest.raises(BadBundle) as broken:
        list(records(bytes.fromhex(case["hex"])))
    assert broken.value.record == case["record"]


@pytest.mark.parametrize("case", BAD_BUNDLES["unsealed"], ids=lambda case: str(case["name"]))
def test_a_golden_bundle_that_its_key_did_not_seal(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    sealed = seal_of(list(records(data)), data)
    assert sealed is not None
    assert (sealed.whole, sealed.changed) == (False, case["changed"])


@pytest.mark.parametrize("case", BAD_BUNDLES["endless"], ids=lambda case: str(case["name"]))
def test_a_golden_bundle_without_a_seal(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    assert seal_of(list(records(data)), data) is None

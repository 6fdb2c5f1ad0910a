"""Other people's vectors: trees, proofs and notes that were published elsewhere mean here what they mean there."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from rondgang import notes
from rondgang.keys import PublicKey, SigningKey
from rondgang.leaves import leaf_hash
from rondgang.merkle import EMPTY_ROOT, Tree, extends, includes
from rondgang.notes import BadNote, Note, NoteSignature, signed_by

from tests.vectors.make_vectors import FOLDER

TREES: dict[str, Any] = json.loads((FOLDER / "published_merkle.json").read_text(encoding="ascii"))
NOTES: dict[str, Any] = json.loads((FOLDER / "published_notes.json").read_text(encoding="ascii"))
SMALL, ARGON = TREES["eight leaves"], TREES["argon2020"]
ROOTS = [EMPTY_ROOT, *(bytes.fromhex(root) for root in SMALL["roots"])]
SOME_HASH = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
"""A hash of nothing, as transparency-dev/merkle has it."""


def _proof(listed: list[str]) -> list[bytes]:
    return [bytes.fromhex(step) for step in listed]


def _leaf(number: int) -> bytes:
    return bytes.fromhex(leaf_hash(bytes.fromhex(SMALL["leaves"][number])))


def _tree() -> Tree:
    return Tree(_leaf(number) for number in range(8))


def test_the_eight_leaves_of_certificate_transparency_have_their_published_roots() -> None:
    """The reference tree of certificate-transparency, as in transparency-dev/merkle proof/verify_test.go."""
    tree = _tree()
    assert [tree.root(size) for size in range(9)] == ROOTS


@pytest.mark.parametrize("case", SMALL["inclusion"], ids=lambda case: f"{case['index']}-of-{case['size']}")
def test_published_inclusion_proofs_are_made_and_believed(case: dict[str, Any]) -> None:
    """transparency-dev/merkle proof/verify_test.go, inclusionProofs; its places count from 1."""
    proof = _proof(case["proof"])
    assert list(_tree().inclusion(case["index"], case["size"])) == proof
    assert includes(_leaf(case["index"]), case["index"], case["size"], ROOTS[case["size"]], proof)


@pytest.mark.parametrize("case", SMALL["consistency"], ids=lambda case: f"{case['old']}-{case['size']}")
def test_published_consistency_proofs_are_made_and_believed(case: dict[str, Any]) -> None:
    """transparency-dev/merkle proof/verify_test.go, consistencyProofs."""
    proof = _proof(case["proof"])
    assert list(_tree().consistency(case["old"], case["size"])) == proof
    assert extends(case["old"], ROOTS[case["old"]], case["size"], ROOTS[case["size"]], proof)


def _around(proof: list[bytes], *more: bytes) -> Iterator[list[bytes]]:
    """The proof with something before and behind it, with one bit changed, and cut at both ends."""
    for one in (b"", *more):
        yield [*proof, one]
        yield [one, *proof]
    for place, step in enumerate(proof):
        yield [*proof[:place], bytes([step[0] ^ 8]) + step[1:], *proof[place + 1 :]]
    if proof:
        yield proof[:-1]
        yield proof[1:]
        yield [proof[0], SOME_HASH, *proof[1:]]


@pytest.mark.parametrize("case", SMALL["inclusion"], ids=lambda case: f"{case['index']}-of-{case['size']}")
def test_published_inclusion_proofs_are_not_believed_when_corrupted(case: dict[str, Any]) -> None:
    """The corruptions of corruptInclusionProof in transparency-dev/merkle proof/verify_test.go, and some more."""
    index, size, proof = case["index"], case["size"], _proof(case["proof"])
    leaf, root = _leaf(index), ROOTS[size]
    probes = [(place, size, root, leaf, proof) for place in (index - 1, index + 1, index ^ 2)]
    probes += [(index, other, root, leaf, proof) for other in (size * 2, size // 2)]
    probes += [(index, size, root, b"WrongLeaf", proof), (index, size, root, b"", proof)]
    probes += [(index, size, other, leaf, proof) for other in (EMPTY_ROOT, SOME_HASH, b"")]
    probes += [(index, size, root, leaf, other) for other in _around(proof, root)]
    for probe in probes:
        assert not includes(probe[3], probe[0], probe[1], probe[2], probe[4]), probe
    assert not includes(b"", 0, 1, b"", []), "what is no hash is in no tree"


@pytest.mark.parametrize("case", SMALL["consistency"][1:], ids=lambda case: f"{case['old']}-{case['size']}")
def test_published_consistency_proofs_are_not_believed_when_corrupted(case: dict[str, Any]) -> None:
    """The corruptions of corruptConsistencyProof in transparency-dev/merkle proof/verify_test.go, and some more."""
    old, size, proof = case["old"], case["size"], _proof(case["proof"])
    before, after = ROOTS[old], ROOTS[size]
    probes = [(other, size, before, after, proof) for other in (old - 1, old + 1, old ^ 2)]
    probes += [(old, other, before, after, proof) for other in (size * 2, size // 2)]
    probes += [(old, size, b"WrongRoot", after, proof), (old, size, before, b"WrongRoot", proof)]
    probes += [(old, size, after, before, proof), (old, size, before, after, [])]
    probes += [(old, size, before, after, other) for other in _around(proof, before, after)]
    for probe in probes:
        assert not extends(probe[0], probe[2], probe[1], probe[3], probe[4]), probe


def test_what_is_always_and_never_consistent() -> None:
    """TestVerifyConsistency in transparency-dev/merkle proof/verify_test.go. An empty tree has one root only, here."""
    one, two = SOME_HASH, ROOTS[1]
    assert extends(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert extends(0, EMPTY_ROOT, 1, one, [])
    assert extends(1, one, 1, one, [])
    for old, before, size, after in ((0, one, 0, two), (1, one, 1, two), (1, one, 0, two), (2, one, 1, two)):
        assert not extends(old, before, size, after, [])
    assert not extends(1, one, 2, two, []), "a proof may not be empty between different sizes"
    for old, size in ((0, 0), (0, 1), (1, 1)):
        assert not extends(old, EMPTY_ROOT, size, EMPTY_ROOT, [EMPTY_ROOT]), "nothing to prove, yet a proof"


def test_proofs_of_a_real_log_of_962_million_certificates_are_believed() -> None:
    """Answers of Google's log Argon 2020, as golang.org/x/mod keeps them in sumdb/tlog/testdata/argon2020."""
    root, leaf = bytes.fromhex(ARGON["root"]), bytes.fromhex(leaf_hash(bytes.fromhex(ARGON["entry"])))
    inclusion, consistency = _proof(ARGON["inclusion"]), _proof(ARGON["consistency"])
    assert includes(leaf, ARGON["index"], ARGON["size"], root, inclusion)
    assert extends(ARGON["old"], bytes.fromhex(ARGON["old_root"]), ARGON["size"], root, consistency)
    for other in (ARGON["size"] - 1, ARGON["size"] + 1):
        assert not extends(ARGON["old"] - 1, bytes.fromhex(ARGON["old_root"]), other, root, consistency)
    assert not any(includes(leaf, ARGON["index"], ARGON["size"], root, other) for other in _around(inclusion))


@pytest.mark.parametrize("case", NOTES["signed"], ids=lambda case: case["source"])
def test_published_notes_verify_under_their_published_keys(case: dict[str, Any]) -> None:
    """golang.org/x/mod sumdb/note/note_test.go (PeterNeumann, EnochRoot); the example of c2sp.org/signed-note; and a
    checkpoint of a real log with a real witness's cosignature, from the tests of tlog-scales.
    """
    note = Note.parse(case["note"])
    assert note.to_text() == case["note"]
    for signer in case["signers"]:
        key = PublicKey.from_hex(signer["key"])
        assert notes.key_id(signer["name"], signer["algorithm"], key).hex() == signer["key_id"]
        if signer["algorithm"] == 1:
            assert signed_by(note, signer["name"], key)
            assert not signed_by(Note(note.text + "x\n", note.signatures), signer["name"], key)
        else:
            (line,) = [one for one in note.signatures if one.name == signer["name"]]
            assert notes._verified_time(note.text, line, key) == signer["time"]
            assert notes._verified_time(note.text + "x\n", line, key) is None


def test_a_published_key_signs_what_it_is_published_to_have_signed() -> None:
    """TestSign in golang.org/x/mod sumdb/note/note_test.go: Ed25519 is deterministic, so the note is the same."""
    made = NOTES["made"]
    key = SigningKey.generate(bytes.fromhex(made["seed"]))
    line = NoteSignature(made["name"], notes.key_id(made["name"], 1, key.public), key.sign(made["text"].encode()))
    assert Note(made["text"], (line,)).to_text() == made["note"]


def test_the_example_of_the_cosignature_specification_reads_as_it_says() -> None:
    """The note in c2sp.org/tlog-cosignature; the specification does not give the keys."""
    case = NOTES["parsed"]
    note = Note.parse(case["note"])
    assert note.to_text() == case["note"]
    assert [one.name for one in note.signatures] == case["names"]
    assert [one.key_id.hex() for one in note.signatures] == case["key_ids"]
    assert int.from_bytes(note.signatures[1].value[:8], "big") == case["time"]
    assert len(note.signatures[1].value) == 72


@pytest.mark.parametrize("name", sorted(NOTES["malformed"]))
def test_published_malformed_notes_are_refused(name: str) -> None:
    """badMsgs of TestOpen in golang.org/x/mod sumdb/note/note_test.go."""
    with pytest.raises(BadNote):
        Note.parse(NOTES["malformed"][name])


def test_a_published_log_grows_as_its_witness_found() -> None:
    """mInit, mNext and consProof of transparency-dev/witness internal/witness/witness_test.go."""
    case = NOTES["grown"]
    old, new, key = Note.parse(case["old"]), Note.parse(case["new"]), PublicKey.from_hex(case["signer"]["key"])
    assert signed_by(old, case["signer"]["name"], key)
    assert signed_by(new, case["signer"]["name"], key)
    before, after = (base64.b64decode(note.text.split("\n")[2]) for note in (old, new))
    assert extends(5, before, 8, after, _proof(case["proof"]))
    assert not extends(5, before, 8, after, [b"\xaa\xaa", b"\xbb\xbb", b"\xcc\xcc", b"\xdd\xdd"])

"""Decoders of the contract floor: canonical bytes, envelopes, notes, proofs, bundles, keys and certificates."""

from __future__ import annotations

from functools import cache

from rondgang import bundles, canonical, leaves, merkle
from rondgang.errors import BadBundle, BadCertificate, BadKey, BadNote, BadRole, BadSigned, NotCanonical
from rondgang.keys import PublicKey, SigningKey
from rondgang.merkle import HASH_BYTES
from rondgang.notes import Checkpoint, Note, cosigned_at, signed_by
from rondgang.roles import Party, Role
from rondgang.signed import Signed, verify
from rondgang.tls import requested, role_of_certificate
from rondgang.witnessing import committed_by

from audit.bundles import read
from audit.checks.files import _read as examine_certificate
from audit.verify import verify as judge
from policies.study.certified import check_certificate, last_second
from policies.study.enrolment import EnrolmentRequest
from tests.applicants import Applicant, signing_key
from tests.fuzz.decoder import Decoder, of_text
from tests.made_up import people

_KEY = signing_key("fuzz").public


def _signed(data: bytes) -> object:
    signed = Signed.from_bytes(data)
    return verify(signed, _KEY), signed.to_bytes(), signed.digest, signed.signers


def _note(text: str) -> object:
    note = Note.parse(text)
    checkpoint = note.checkpoint
    return signed_by(note, checkpoint.origin, _KEY), cosigned_at(note, _KEY), note.to_text()


def _bundle(data: bytes) -> object:
    found = list(bundles.records(data))
    return bundles.seal_of(found, data) if found else None


def _proof(data: bytes) -> object:
    """Places and sizes in the first bytes, hashes in the rest."""
    index, size, old = (int.from_bytes(data[at : at + 9], "big") for at in (0, 9, 18))
    hashes = [data[at : at + HASH_BYTES] for at in range(27, len(data), HASH_BYTES)]
    leaf, root, *proof = (*hashes, b"", b"")
    return merkle.includes(leaf, index, size, root, proof), merkle.extends(old, leaf, size, root, proof)


def _taken_in(data: bytes) -> object:
    """A certificate and a root that somebody brings, as the desk's and the witness's enrolment take them."""
    own, _, root = data.partition(b"\0")
    return check_certificate(own, root, _request(), 1_800_000_000), last_second(own)


@cache
def _request() -> EnrolmentRequest:
    return Applicant.new(Role.REGION, "FR").request


def _examined(data: bytes) -> object:
    """The same for the auditor, who has them from a bundle, in DER."""
    length = int.from_bytes(data[:2], "big")
    return examine_certificate(data[2 : 2 + length], data[2 + length :])


def _judged(data: bytes) -> object:
    verdict = judge([("fuzz.bundle", data)], people().consortium.public)
    return verdict.sentence


DECODERS = (
    Decoder("canonical", canonical.decode, (NotCanonical,), 2),
    Decoder("signed", _signed, (NotCanonical, BadSigned), 2),
    Decoder("note", of_text(_note), (BadNote,), 2),
    Decoder("checkpoint", of_text(Checkpoint.from_text), (BadNote,)),
    Decoder("proof", _proof, (), 2),
    Decoder("bundle", _bundle, (BadBundle,), 2),
    Decoder("bundle_read", lambda data: read("fuzz.bundle", data), (), 1),
    Decoder("bundle_judged", _judged, (), 0.05),
    Decoder("committed", committed_by),
    Decoder("leaves", lambda data: (leaves.leaf_hash(data), leaves.first_break(data.split(b"\n")))),
    Decoder("public_key", of_text(PublicKey.from_hex), (BadKey,), 0.5),
    Decoder("signing_key", SigningKey.from_pem, (BadKey,), 0.5),
    Decoder("certificate", role_of_certificate, (BadCertificate,)),
    Decoder("certificate_request", requested, (BadCertificate,)),
    Decoder("certificate_taken_in", _taken_in, (BadCertificate,)),
    Decoder("certificate_examined", _examined),
    Decoder("role", of_text(Party.from_uri), (BadRole,), 0.5),
)

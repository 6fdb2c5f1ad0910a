"""Signed documents: they come back whole, and no part of one can be changed without the signature failing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from rondgang import canonical
from rondgang.errors import ContractError
from rondgang.keys import SigningKey
from rondgang.signed import KINDS, Signed, sign, verify

SEEDS = st.binary(min_size=32, max_size=32)
DOCUMENTS = st.dictionaries(st.text(st.characters(max_codepoint=127)), st.integers(0, 9) | st.text("aé")).map(
    lambda value: canonical.encode(dict(value))
)
KIND = st.sampled_from(sorted(KINDS))


@given(KIND, DOCUMENTS, st.lists(SEEDS, max_size=3))
def test_a_signed_document_comes_back_as_it_went(kind: str, document: bytes, seeds: list[bytes]) -> None:
    keys = [SigningKey.generate(seed) for seed in seeds]
    signed = sign(kind, document, *keys)
    again = Signed.from_bytes(signed.to_bytes())
    assert again == signed
    assert again.digest == canonical.digest(document)
    assert set(again.signers) == {key.public.hex for key in keys}
    assert all(verify(again, key.public) for key in keys)


@given(KIND, KIND, DOCUMENTS, DOCUMENTS, SEEDS, SEEDS)
def test_a_signature_fits_one_kind_one_document_and_one_key(
    kind: str, other_kind: str, document: bytes, other_document: bytes, seed: bytes, other_seed: bytes
) -> None:
    key, other_key = SigningKey.generate(seed), SigningKey.generate(other_seed)
    signed = sign(kind, document, key)
    assert verify(replace(signed, kind=other_kind), key.public) == (kind == other_kind)
    assert verify(replace(signed, document=other_document), key.public) == (document == other_document)
    assert verify(signed, other_key.public) == (seed == other_seed)
    claimed = replace(signed, signatures=(replace(signed.signatures[0], key=other_key.public.hex),))
    assert verify(claimed, other_key.public) == (seed == other_seed)


@given(DOCUMENTS, SEEDS, st.data())
def test_no_byte_of_an_envelope_can_be_changed(document: bytes, seed: bytes, data: st.DataObject) -> None:
    key = SigningKey.generate(seed)
    whole = sign("order", document, key).to_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda other: other != whole[place]))
    changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
    outcome = _read(changed)
    assert isinstance(outcome, ContractError) or not verify(outcome, key.public)


def _read(data: bytes) -> Signed | ContractError:
    try:
        return Signed.from_bytes(data)
    except ContractError as refused:
        return refused

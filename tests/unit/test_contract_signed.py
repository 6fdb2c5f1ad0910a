"""Envelopes that are no signed documents."""

import json

import pytest
from rondgang.canonical import Json, NotCanonical, encode
from rondgang.keys import SigningKey
from rondgang.signed import BadSigned, Signature, Signed, sign, verify

KEY = SigningKey.generate(b"1" * 32)
OTHER = SigningKey.generate(b"2" * 32)
DOCUMENT = encode({"serial": 1})


def _envelope(**changes: Json) -> bytes:
    value: dict[str, Json] = json.loads(sign("roster", DOCUMENT, KEY, OTHER).to_bytes())
    return encode({**value, **changes})


def test_signatures_stand_in_the_order_of_their_keys_whoever_signed_first() -> None:
    assert sign("roster", DOCUMENT, KEY, OTHER) == sign("roster", DOCUMENT, OTHER, KEY, OTHER)
    assert list(Signed.from_bytes(_envelope()).signers) == sorted((KEY.public.hex, OTHER.public.hex))


def test_without_a_signature_nobody_signed() -> None:
    unsigned = sign("programme", DOCUMENT)
    assert Signed.from_bytes(unsigned.to_bytes()) == unsigned
    assert not verify(unsigned, KEY.public)


def test_what_is_signed_is_fixed() -> None:
    """The exact bytes under a signature; a change here is a new version of the contract."""
    signed = sign("roster", b'{"serial":1}', KEY)
    assert KEY.public.verifies(bytes.fromhex(signed.signatures[0].value), b'rondgang/v1/roster\n{"serial":1}')


@pytest.mark.parametrize("kind", ["", "Roster", "roster\n", "key"])
def test_unknown_kinds_are_refused(kind: str) -> None:
    with pytest.raises(BadSigned, match="kind"):
        sign(kind, DOCUMENT, KEY)
    with pytest.raises(BadSigned):
        Signed.from_bytes(_envelope(kind=kind))


def test_a_document_that_is_not_canonical_is_not_signed() -> None:
    with pytest.raises(NotCanonical):
        sign("roster", b'{"serial": 1}', KEY)
    with pytest.raises(NotCanonical):
        Signed("roster", b'{"serial": 1}', ())


def test_envelopes_with_other_keys_are_refused() -> None:
    good: dict[str, Json] = json.loads(_envelope())
    bad: list[Json] = [
        [],
        None,
        "text",
        {**good, "note": 1},
        *({k: v for k, v in good.items() if k != one} for one in good),
    ]
    bad += [{**good, "kind": 1}, {**good, "signatures": {}}, {**good, "signatures": [1]}]
    for value in bad:
        with pytest.raises(BadSigned):
            Signed.from_bytes(encode(value))


def test_signatures_out_of_order_repeated_or_misspelt_are_refused() -> None:
    one, two = json.loads(_envelope())["signatures"]
    lists: list[list[Json]] = [
        [two, one],
        [one, one],
        [{**one, "note": "x"}],
        [{"key": one["key"]}],
        [{**one, "key": one["key"].upper()}],
        [{**one, "value": one["value"][:-2]}],
        [{**one, "value": 1}],
    ]
    for signatures in lists:
        with pytest.raises(BadSigned):
            Signed.from_bytes(_envelope(signatures=signatures))


def test_a_signature_under_a_key_that_is_no_point_is_no_signature() -> None:
    """The claim may stand in an envelope; it convinces nobody, because no roster can hold such a key."""
    claimed = Signed("roster", DOCUMENT, (Signature("00" * 32, "00" * 64),))
    assert not verify(claimed, KEY.public)

"""Keys that sign documents: RFC 8032's own vectors, and every key that is refused."""

import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rondgang.keys import BadKey, PublicKey, SigningKey
from rondgang.tls import new_tls_key

SEED = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
PUBLIC = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
SIGNATURE = (
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
PRIME = 2**255 - 19


def test_rfc_8032_test_3() -> None:
    key = SigningKey.generate(SEED)
    assert key.public.hex == PUBLIC
    assert key.sign(b"\xaf\x82").hex() == SIGNATURE
    assert key.public.verifies(bytes.fromhex(SIGNATURE), b"\xaf\x82")
    assert not key.public.verifies(bytes.fromhex(SIGNATURE), b"\xaf\x83")
    assert not key.public.verifies(b"", b"\xaf\x82")


def test_keys_come_back_from_their_files() -> None:
    key = SigningKey.generate(SEED)
    assert SigningKey.from_pem(key.to_pem()) == key
    assert PublicKey.from_hex(key.public.hex) == key.public


def test_a_fingerprint_is_the_hash_of_the_raw_key() -> None:
    key = PublicKey.from_hex(PUBLIC)
    assert key.fingerprint == hashlib.sha256(bytes.fromhex(PUBLIC)).hexdigest()


def test_a_private_key_does_not_show_itself() -> None:
    key = SigningKey.generate(SEED)
    assert SEED.hex() not in repr(key)
    assert repr(SEED) not in repr(key)


@pytest.mark.parametrize("text", ["", PUBLIC[:-1], PUBLIC + "0", PUBLIC.upper(), " " + PUBLIC[1:], PUBLIC + "\n"])
def test_other_spellings_of_a_public_key_are_refused(text: str) -> None:
    with pytest.raises(BadKey):
        PublicKey.from_hex(text)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(BadKey):
        PublicKey(bytes(length))
    with pytest.raises(BadKey):
        SigningKey.generate(bytes(length))


def test_other_kinds_of_key_files_are_refused() -> None:
    locked = Ed25519PrivateKey.from_private_bytes(SEED).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    for pem in (b"", b"not a key", new_tls_key(), locked):
        with pytest.raises(BadKey):
            SigningKey.from_pem(pem)


def test_points_of_small_order_are_refused() -> None:
    """The small-order points are found here by multiplying points with the group's order, not read from a list."""
    found = _small_orders()
    assert len(found) == 5
    for y in found | {y + PRIME for y in found if y + PRIME < 2**255}:
        for sign in (0, 1):
            with pytest.raises(BadKey, match="small order"):
                PublicKey((y | sign << 255).to_bytes(32, "little"))


def _small_orders() -> set[int]:
    order = 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, PRIME) % PRIME

    def add(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
        k = d * p[0] * q[0] * p[1] * q[1] % PRIME
        x = (p[0] * q[1] + q[0] * p[1]) * pow(1 + k, -1, PRIME) % PRIME
        return x, (p[1] * q[1] + p[0] * q[0]) * pow(1 - k, -1, PRIME) % PRIME

    found: set[int] = set()
    for y in range(2, 12):
        square = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
        x = pow(square, (PRIME + 3) // 8, PRIME)
        if x * x % PRIME != square:
            x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
        if x * x % PRIME != square:
            continue
        left, base, torsion = order, (x, y), (0, 1)
        while left:
            if left & 1:
                torsion = add(torsion, base)
            base, left = add(base, base), left >> 1
        point = torsion
        for _ in range(8):
            found.add(point[1])
            point = add(point, torsion)
    return found

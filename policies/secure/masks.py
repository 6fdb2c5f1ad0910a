"""Masks that cancel in the sum: double masking over the full graph (Bonawitz et al. 2017, section 4), pure.

Each node's vector leaves under a mask of its own and one mask with every other node, all modulo 2^64. The pairwise ones
cancel in the sum of all. Of a survivor the others give up shares of its own seed, of a lost node shares of its mask
key; of no node ever both, so that a vector that came too late stays hidden. Keys and seeds are drawn for one attempt.
Entropy is an argument. The rounds, and who may ask for what, are in rounds.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from policies.secure.lanes import WORD_BYTES, total
from policies.secure.shares import SHARE_BYTES, Entropy, split

SEED_BYTES = 32
_NONCE = bytes(12)
"""Each key seals one box, so one nonce is enough."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What one node draws for one attempt. Never on disk, never twice. 32 bytes each."""

    mask: bytes = field(repr=False)
    box: bytes = field(repr=False)
    own: bytes = field(repr=False)

    @classmethod
    def draw(cls, entropy: Entropy) -> Self:
        """Fresh ones; `entropy` is the operating system's, through the node's one seam."""
        return cls(entropy(SEED_BYTES), entropy(SEED_BYTES), entropy(SEED_BYTES))

    @property
    def mask_key(self) -> bytes:
        return public_of(self.mask)

    @property
    def box_key(self) -> bytes:
        return public_of(self.box)


def public_of(secret: bytes) -> bytes:
    """The public half of an X25519 key (32 bytes each)."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def agree(secret: bytes, public: bytes, info: bytes) -> bytes:
    """32 bytes that only the two holders can make: X25519 (RFC 7748), then HKDF-SHA256 (RFC 5869) with `info`.

    Raises ValueError for a public key of small order.
    """
    shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    return HKDF(hashes.SHA256(), SEED_BYTES, salt=None, info=info).derive(shared)


def expand(seed: bytes, coordinates: int) -> bytes:
    """A mask of so many coordinates from a seed that serves once: the ChaCha20 key stream (RFC 8439)."""
    stream = Cipher(algorithms.ChaCha20(seed, bytes(16)), mode=None).encryptor()
    return stream.update(bytes(WORD_BYTES * coordinates))


def seal_shares(
    me: str, secrets: Secrets, box_keys: Mapping[str, bytes], threshold: int, context: bytes, entropy: Entropy
) -> dict[str, bytes]:
    """For every other node a box with its shares of my mask key and my self seed; my own are under my name, open."""
    order = sorted(box_keys)
    places = {name: place for place, name in enumerate(order, 1)}
    of_mask = split(secrets.mask, tuple(places.values()), threshold, entropy)
    of_own = split(secrets.own, tuple(places.values()), threshold, entropy)
    boxes = {}
    for name, place in places.items():
        pair = of_mask[place] + of_own[place]
        lock = _lock(secrets, box_keys[name], context, me, name)
        boxes[name] = pair if name == me else lock.encrypt(_NONCE, pair, context)
    return boxes


def open_box(
    me: str, sender: str, secrets: Secrets, box_key: bytes, context: bytes, box: bytes
) -> tuple[bytes, bytes] | None:
    """The shares (of the sender's mask key, of its self seed) in a box for me; None if it is not what it should be."""
    try:
        pair = _lock(secrets, box_key, context, sender, me).decrypt(_NONCE, box, context)
    except InvalidTag:
        return None
    return (pair[:SHARE_BYTES], pair[SHARE_BYTES:]) if len(pair) == 2 * SHARE_BYTES else None


def _lock(secrets: Secrets, box_key: bytes, context: bytes, sender: str, receiver: str) -> ChaCha20Poly1305:
    """One key for each direction between two nodes, in one attempt."""
    return ChaCha20Poly1305(agree(secrets.box, box_key, b"box\n" + context + f"\n{sender}\n{receiver}".encode()))


def mask_vector(me: str, secrets: Secrets, mask_keys: Mapping[str, bytes], context: bytes, vector: bytes) -> bytes:
    """The vector under my own mask and one with every other node of `mask_keys`: one adds it, the other takes it off.

    Privacy: to whoever lacks my own seed, or one pair's seed, the result is uniform modulo 2^64 (ChaCha20, RFC 8439, as
    a pseudo-random generator); computational. Nothing is rounded.
    """
    coordinates = len(vector) // WORD_BYTES
    plus, minus = [vector, expand(secrets.own, coordinates)], list[bytes]()
    for other, key in mask_keys.items():
        if other != me:
            seed = pair_seed(secrets.mask, key, me, other, context)
            (plus if me < other else minus).append(expand(seed, coordinates))
    return total(coordinates, plus, minus)


def pair_seed(secret: bytes, public: bytes, one: str, other: str, context: bytes) -> bytes:
    """The seed of the mask between two nodes; the same for both, and for one attempt and set of nodes only."""
    low, high = sorted((one, other))
    return agree(secret, public, b"mask\n" + context + f"\n{low}\n{high}".encode())


def unmask(
    vectors: Mapping[str, bytes],
    own_seeds: Mapping[str, bytes],
    lost_keys: Mapping[str, bytes],
    mask_keys: Mapping[str, bytes],
    context: bytes,
) -> bytes:
    """The sum of the survivors' vectors: without their own masks, and without those they share with the lost nodes.

    `own_seeds` of all survivors, `lost_keys` the secret mask keys of nodes of `mask_keys` without a vector.
    """
    coordinates = len(next(iter(vectors.values()))) // WORD_BYTES
    plus, minus = list(vectors.values()), [expand(seed, coordinates) for seed in own_seeds.values()]
    for lost, secret in lost_keys.items():
        for survivor in vectors:
            mask = expand(pair_seed(secret, mask_keys[survivor], lost, survivor, context), coordinates)
            (minus if survivor < lost else plus).append(mask)
    return total(coordinates, plus, minus)

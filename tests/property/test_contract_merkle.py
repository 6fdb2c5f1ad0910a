"""The Merkle tree against a second one, written down as RFC 6962 says it, and proofs under single-bit errors."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from rondgang.merkle import EMPTY_ROOT, Tree, extends, includes, node_hash

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=40)
BYTES = st.binary(max_size=40)


def _plain_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(_plain_root(leaves[:split]), _plain_root(leaves[split:]))


@given(HASHES)
def test_every_root_is_that_of_the_plain_definition(leaves: list[bytes]) -> None:
    tree = Tree(leaves)
    assert [tree.root(size) for size in range(len(leaves) + 1)] == [
        _plain_root(leaves[:size]) for size in range(len(leaves) + 1)
    ]


def test_every_proof_up_to_forty_leaves_is_believed_and_no_longer_than_the_tree_is_high() -> None:
    tree = Tree(bytes([number]) * 32 for number in range(40))
    for size in range(1, 41):
        for index in range(size):
            proof = tree.inclusion(index, size)
            assert includes(tree.leaf(index), index, size, tree.root(size), proof)
            assert len(proof) <= (size - 1).bit_length()
        for old in range(size + 1):
            proof = tree.consistency(old, size)
            assert extends(old, tree.root(old), size, tree.root(size), proof)
            assert len(proof) <= (size - 1).bit_length() + 1


@given(st.integers(1, 40), st.data())
def test_a_changed_bit_or_another_place_is_not_believed(size: int, data: st.DataObject) -> None:
    tree = Tree(bytes([number]) * 32 for number in range(40))
    index = data.draw(st.integers(0, size - 1))
    proof, leaf, root = tree.inclusion(index, size), tree.leaf(index), tree.root(size)
    other = data.draw(st.integers(0, 40).filter(lambda other: other != index))
    assert not includes(leaf, other, size, root, proof)
    place, bit = data.draw(st.integers(0, len(proof) + 1)), data.draw(st.integers(0, 255))
    pieces = [*proof, leaf, root]
    pieces[place] = _flipped(pieces[place], bit)
    assert not includes(pieces[-2], index, size, pieces[-1], pieces[:-2])


@given(st.integers(2, 40), st.data())
def test_a_changed_bit_or_another_size_is_not_consistent(size: int, data: st.DataObject) -> None:
    tree = Tree(bytes([number]) * 32 for number in range(40))
    old = data.draw(st.integers(1, size - 1))
    proof = tree.consistency(old, size)
    other = data.draw(st.integers(1, size - 1).filter(lambda other: other != old)) if size > 2 else 0
    assert not extends(other, tree.root(old), size, tree.root(size), proof)
    place, bit = data.draw(st.integers(0, len(proof) + 1)), data.draw(st.integers(0, 255))
    pieces = [*proof, tree.root(old), tree.root(size)]
    pieces[place] = _flipped(pieces[place], bit)
    assert not extends(old, pieces[-2], size, pieces[-1], pieces[:-2])


@given(HASHES.filter(lambda leaves: len(leaves) > 1), st.data())
def test_a_tree_that_differs_early_extends_no_checkpoint_of_the_first(leaves: list[bytes], data: st.DataObject) -> None:
    """Whatever proof the other tree can make."""
    old = data.draw(st.integers(1, len(leaves) - 1))
    changed = data.draw(st.integers(0, old - 1))
    other = Tree([*leaves[:changed], _flipped(leaves[changed], 7), *leaves[changed + 1 :]])
    first = Tree(leaves)
    for claimed in range(len(leaves) + 1):
        proof = other.consistency(claimed)
        assert not extends(old, first.root(old), len(leaves), other.root(), proof)


@given(BYTES, st.integers(-2, 2**65), st.integers(-2, 2**65), BYTES, st.lists(BYTES, max_size=70))
def test_nothing_that_anybody_sends_makes_a_verifier_fail(
    leaf: bytes, index: int, size: int, root: bytes, proof: list[bytes]
) -> None:
    if includes(leaf, index, size, root, proof):
        assert (index, size, leaf, proof) == (0, 1, root, [])
    if extends(index, leaf, size, root, proof):
        assert not proof
        assert index == 0 or (index, leaf) == (size, root)


def _flipped(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ (1 << bit % 8)]) + data[bit // 8 + 1 :]

"""The Merkle tree: what it gives at its edges, and what a proof does not prove."""

import hashlib

import pytest
from rondgang.merkle import EMPTY_ROOT, Tree, extends, includes, node_hash

LEAVES = [hashlib.sha256(bytes([number])).digest() for number in range(9)]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Tree().root() == EMPTY_ROOT == hashlib.sha256().digest()
    assert Tree().size == 0


def test_the_root_of_three_is_that_of_two_and_one() -> None:
    tree = Tree(LEAVES[:3])
    assert tree.root() == node_hash(node_hash(LEAVES[0], LEAVES[1]), LEAVES[2])
    assert tree.root(1) == tree.leaf(0) == LEAVES[0]


def test_a_tree_answers_for_sizes_it_once_had() -> None:
    tree = Tree(LEAVES)
    for size in range(len(LEAVES) + 1):
        assert tree.root(size) == Tree(LEAVES[:size]).root()
        assert tree.consistency(size, size) == ()


def test_a_leaf_is_a_hash() -> None:
    for wrong in (b"", b"a" * 31, b"a" * 33):
        with pytest.raises(ValueError, match="32 bytes"):
            Tree([wrong])


def test_a_tree_does_not_answer_for_what_it_has_not() -> None:
    tree = Tree(LEAVES[:3])
    for size in (-1, 4):
        for asked in (tree.root, tree.consistency, lambda size: tree.inclusion(0, size)):
            with pytest.raises(IndexError):
                asked(size)
    for index in (-1, 3):
        with pytest.raises(IndexError):
            tree.inclusion(index)
        with pytest.raises(IndexError):
            tree.leaf(index)
    with pytest.raises(IndexError):
        tree.consistency(3, 2)


def test_no_tree_has_a_leaf_at_or_beyond_its_size() -> None:
    root = Tree(LEAVES[:2]).root()
    assert includes(LEAVES[1], 1, 2, root, [LEAVES[0]])
    for index, size in ((2, 2), (-1, 2), (0, 0), (0, -1)):
        assert not includes(LEAVES[1], index, size, root, [LEAVES[0]])


def test_a_proof_for_one_size_is_none_for_a_size_of_another_shape() -> None:
    tree = Tree(LEAVES)
    proof = tree.inclusion(2, 5)
    believed = [size for size in range(12) if includes(LEAVES[2], 2, size, tree.root(5), proof)]
    # A path says how the tree branches, not how large it is: the size comes from the signed checkpoint.
    assert believed == [5, 6, 7, 8]
    assert not includes(LEAVES[2], 2, 5, tree.root(6), proof)


def test_pieces_that_are_no_hashes_prove_nothing() -> None:
    """Two pieces of other lengths, joined, would be the bytes of a pair of hashes."""
    pair = LEAVES[0] + LEAVES[1]
    root = Tree(LEAVES[:2]).root()
    assert includes(pair[:32], 0, 2, root, [pair[32:]])
    for cut in (0, 31, 33, 64):
        assert not includes(pair[:cut], 0, 2, root, [pair[cut:]])
    assert not extends(1, pair[:31], 2, root, [pair[31:]])
    assert not includes(b"", 0, 1, b"", [])
    assert not extends(3, b"", 3, b"", [])


def test_an_inner_node_is_not_a_leaf_of_a_smaller_tree() -> None:
    """Without the two prefixes of RFC 6962, the two halves of a tree of four would pass for leaves."""
    whole = Tree(LEAVES[:4])
    left, right = Tree(LEAVES[:2]).root(), Tree(LEAVES[2:4]).root()
    assert Tree([left, right]).root() == whole.root(), "a leaf's hash is the caller's business"
    entry = left + right
    assert hashlib.sha256(b"\x00" + entry).digest() != whole.root()


def test_every_tree_extends_the_empty_one_and_itself_without_a_proof() -> None:
    tree = Tree(LEAVES)
    assert extends(0, EMPTY_ROOT, 9, tree.root(), [])
    assert extends(9, tree.root(), 9, tree.root(), [])
    assert not extends(0, EMPTY_ROOT, 9, tree.root(), [tree.root()])
    assert not extends(0, LEAVES[0], 9, tree.root(), []), "the empty tree has one root"
    assert not extends(0, EMPTY_ROOT, 0, tree.root(), [])


def test_a_tree_extends_none_that_is_larger() -> None:
    tree = Tree(LEAVES)
    assert extends(4, tree.root(4), 9, tree.root(), tree.consistency(4))
    assert not extends(9, tree.root(), 4, tree.root(4), tree.consistency(4))
    assert not extends(-1, EMPTY_ROOT, 4, tree.root(4), [])

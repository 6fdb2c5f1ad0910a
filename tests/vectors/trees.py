"""Golden trees: roots of eleven small entries, and every proof at sizes where the tree has another shape."""

from rondgang import canonical
from rondgang.canonical import Json
from rondgang.leaves import leaf_hash
from rondgang.merkle import EMPTY_ROOT, Tree

LEAVES = 11
SIZES = (1, 2, 3, 4, 7, 8, 11)


def tree(leaves: int = LEAVES) -> Tree:
    """The tree over the canonical bytes of 0, 1, 2, ..."""
    return Tree(bytes.fromhex(leaf_hash(canonical.encode(number))) for number in range(leaves))


def vectors() -> Json:
    grown = tree()
    leaves: list[Json] = [grown.leaf(index).hex() for index in range(LEAVES)]
    roots: list[Json] = [EMPTY_ROOT.hex(), *(grown.root(size).hex() for size in range(1, LEAVES + 1))]
    inclusion: list[Json] = [
        {"index": index, "size": size, "proof": _hex(grown.inclusion(index, size))}
        for size in SIZES
        for index in range(size)
    ]
    consistency: list[Json] = [
        {"old": old, "size": size, "proof": _hex(grown.consistency(old, size))}
        for size in SIZES
        for old in range(size + 1)
    ]
    return {"leaves": leaves, "roots": roots, "inclusion": inclusion, "consistency": consistency}


def _hex(proof: tuple[bytes, ...]) -> Json:
    return [step.hex() for step in proof]

"""Conditions on generated inputs: the normal form means what was written, and one meaning has one text."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.study.columns import Ref
from policies.study.expressions.nodes import required
from policies.study.expressions.normal import complement, intersect, tidy
from policies.study.expressions.parse import BadExpression, Scope, parse, spell
from tests.small_study import Row, codebook, conjunction, disjunction, holds

SCOPE = Scope(codebook().columns, "household", "T1")
NAMED = {
    "incidents": Ref("incidents", "T1"),
    "incidents@T0": Ref("incidents", "T0"),
    "grade": Ref("grade", "T1"),
    "profile": Ref("profile"),
    "help": Ref("help", "T1"),
    "state@T0": Ref("state", "T0"),
}
NUMBERS = ["incidents", "incidents@T0", "grade"]
COMPARE = {
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
}
WRITTEN = st.sampled_from(
    ["-2", "-1", "-0.75", "-0.5", "0", "0.25", "0.5", "1", "1.5", "1.50", "2", "3", "4", "5", "99"]
)


@dataclass(frozen=True)
class Atom:
    """`name sign values`, where sign is a comparison or `in`, or `missing`."""

    name: str
    sign: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Node:
    """`and`, `or` or `not` over parts."""

    word: str
    parts: tuple["Tree", ...]


Tree = Atom | Node


def numbers() -> st.SearchStrategy[Tree]:
    pairs = st.tuples(WRITTEN, WRITTEN | st.just(""))
    compared = st.builds(
        lambda name, sign, value: Atom(name, sign, ((value, ""),)),
        st.sampled_from(NUMBERS),
        st.sampled_from(sorted(COMPARE)),
        WRITTEN,
    )
    listed = st.builds(
        lambda name, values: Atom(name, "in", tuple(values)), st.sampled_from(NUMBERS), st.lists(pairs, max_size=4)
    )
    return compared | listed


@st.composite
def categories(draw: st.DrawFn) -> Tree:
    name = draw(st.sampled_from([name for name in NAMED if name not in NUMBERS]))
    code = st.sampled_from(SCOPE.columns[NAMED[name].name].codes)
    if draw(st.booleans()):
        return Atom(name, draw(st.sampled_from(["==", "!="])), ((draw(code), ""),))
    return Atom(name, "in", tuple((value, "") for value in draw(st.lists(code, max_size=3))))


ATOMS = numbers() | categories() | st.builds(Atom, st.sampled_from(sorted(NAMED)), st.just("missing"))
TREES: st.SearchStrategy[Tree] = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds(Node, st.just("not"), st.tuples(inner))
        | st.builds(Node, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=10,
)
ROWS = st.fixed_dictionaries(
    {ref: st.none() | st.integers(0, SCOPE.columns[ref.name].size - 1) for ref in NAMED.values()}
)


def spelled(tree: Tree, tight: bool = False) -> str:
    """The tree as somebody might write it, with every parenthesis."""
    gap = "" if tight else " "
    if isinstance(tree, Atom):
        if tree.sign == "missing":
            return f"missing({gap}{tree.name}{gap})"
        values = [f"{low}..{high}" if high else low for low, high in tree.values]
        right = f"{{{(',' + gap).join(values)}}}" if tree.sign == "in" else values[0]
        return f"{tree.name} in {right}" if tree.sign == "in" else f"{tree.name}{gap}{tree.sign}{gap}{right}"
    if tree.word == "not":
        return f"not ({spelled(tree.parts[0], tight)})"
    return f" {tree.word} ".join(f"({spelled(part, tight)})" for part in tree.parts)


def meaning(tree: Tree, row: Row) -> bool | None:
    """What the writer meant, on the values themselves, by Kleene's rules."""
    if isinstance(tree, Node):
        values = [meaning(part, row) for part in tree.parts]
        if tree.word == "not":
            return None if values[0] is None else not values[0]
        return conjunction(values) if tree.word == "and" else disjunction(values)
    ref = NAMED[tree.name]
    column, index = SCOPE.columns[ref.name], row[ref]
    if tree.sign == "missing":
        return index is None
    if index is None:
        return None
    if column.categorical:
        codes = [code for code, _ in tree.values]
        return (column.codes[index] in codes) != (tree.sign == "!=")
    value = column.lower + column.grid * index
    if tree.sign == "in":
        return any(Fraction(low) <= value <= Fraction(high or low) for low, high in tree.values)
    return bool(COMPARE[tree.sign](value, Fraction(tree.values[0][0])))


def reordered(tree: Tree, data: st.DataObject) -> Tree:
    """Another way to write the same: parts in another order, said twice, doubly denied, or by De Morgan."""
    if isinstance(tree, Node):
        parts = data.draw(st.permutations([reordered(part, data) for part in tree.parts]))
        tree = Node(tree.word, tuple(parts))
    match data.draw(st.integers(0, 4)):
        case 1:
            return Node("not", (Node("not", (tree,)),))
        case 2:
            return Node(data.draw(st.sampled_from(["and", "or"])), (tree, tree))
        case 3 if isinstance(tree, Node) and tree.word != "not":
            other = "or" if tree.word == "and" else "and"
            return Node("not", (Node(other, tuple(Node("not", (part,)) for part in tree.parts)),))
        case 4 if isinstance(tree, Node) and tree.word != "not" and len(tree.parts) == 3:
            return Node(tree.word, (tree.parts[0], Node(tree.word, tree.parts[1:])))
    return tree


@given(TREES, ROWS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_normal_form_means_what_was_written(tree: Tree, row: Row, tight: bool) -> None:
    assert holds(parse(spelled(tree, tight), SCOPE), row) == meaning(tree, row)


@given(TREES)
@settings(max_examples=200, deadline=None)
def test_the_canonical_text_reads_back_to_the_same_value(tree: Tree) -> None:
    found = parse(spelled(tree), SCOPE)
    canonical = spell(found, SCOPE)
    assert parse(canonical, SCOPE) == found
    # Every wave is named, so that the text no longer depends on the statistic's own wave.
    assert spell(parse(canonical, Scope(SCOPE.columns, "household", "T0")), SCOPE) == canonical


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_two_ways_to_write_one_meaning_have_one_text(data: st.DataObject) -> None:
    tree = data.draw(TREES)
    other = reordered(tree, data)
    assert spell(parse(spelled(other), SCOPE), SCOPE) == spell(parse(spelled(tree), SCOPE), SCOPE)


@given(TREES, ROWS)
@settings(max_examples=200, deadline=None)
def test_a_condition_is_known_when_what_it_requires_is_present(tree: Tree, row: Row) -> None:
    found = parse(spelled(tree), SCOPE)
    if all(row[ref] is not None for ref in required(found)):
        assert holds(found, row) is not None


WORDS = ("missing", "and", "or", "not", "in", "T0", "..", "2.5", "12a", "yes", "safe", " ", "\n", "\u00a0", "\x00")
PIECES = st.sampled_from([*NAMED, *COMPARE, *WORDS, *"(){},@.-=!&é٣1", "9" * 50])


@given(st.lists(PIECES, max_size=25).map("".join) | st.lists(PIECES, max_size=25).map(" ".join) | st.text(max_size=40))
@settings(max_examples=500, deadline=None)
def test_no_text_raises_anything_but_a_bad_expression(source: str) -> None:
    try:
        found = parse(source, SCOPE)
    except BadExpression as error:
        assert 0 <= error.place <= len(source)
    else:
        assert parse(spell(found, SCOPE), SCOPE) == found


STEPS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=5)


@given(STEPS, STEPS)
@settings(deadline=None)
def test_ranges_behave_as_the_sets_they_stand_for(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    def members(ranges: tuple[tuple[int, int], ...]) -> set[int]:
        return {step for low, high in ranges for step in range(low, high + 1)}

    one, other = tidy(left), tidy(right)
    assert members(one) == {step for low, high in left for step in range(low, high + 1)}
    assert all(before[1] + 1 < after[0] for before, after in pairwise(one))
    assert members(intersect(one, other)) == members(one) & members(other)
    assert members(complement(one, 13)) == set(range(13)) - members(one)
    assert complement(complement(one, 13), 13) == one

"""Reading a condition: comparisons, sets, and/or/not, missing().

    incidents < 22 and not (state@T0 == none or missing(profile))
    wellbeing in {7.5..10}        profile in {1, 2}

A bare name means the statistic's own wave; `name@T0` names another. Words and digits after a category variable are
its codes; after a number they are values in its own unit. `stopped.state` is the alternative `state` of the derived
variable `stopped`; a bare `stopped` stands for it where `using` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from policies.study.columns import RESERVED, Column, Ref
from policies.study.expressions.nodes import Among, Expr, Missing, Ranges, text
from policies.study.expressions.normal import both, complement, either, negate, tidy

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_]))|(?P<word>[A-Za-z0-9_]+(?:\.[A-Za-z][A-Za-z0-9_]*)?)"
    r"|(?P<sign>\.\.|==|!=|<=|>=|[<>(){},@]))"
)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_MAX_LENGTH = 4000
_MAX_DEPTH = 40
_COMPARE = ("==", "!=", "<", "<=", ">", ">=")


class BadExpression(ValueError):
    """A condition that cannot be read; `place` is the character it went wrong at."""

    def __init__(self, source: str, place: int, expected: str) -> None:
        self.place = place
        super().__init__(f"in {source!r} at character {place + 1}: {expected}")


class UnknownVariable(BadExpression):
    """The condition names a variable, wave or category that the codebook or the unit does not have."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which variables a condition may name: those of the unit's own table and of its household.

    `using` says which alternative a bare name stands for; `parameters` are the codebook's named numbers, as text.
    """

    columns: Mapping[str, Column]
    unit: str
    wave: str
    using: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(source: str, scope: Scope) -> Expr:
    """The condition in normal form. Raises BadExpression, or UnknownVariable for a name that is not there."""
    if len(source) > _MAX_LENGTH:
        raise BadExpression(source[:20], 0, f"a condition of at most {_MAX_LENGTH} characters")
    return _Parser(source, scope).whole()


def spell(expr: Expr, scope: Scope) -> str:
    """The canonical text of a condition, which can be parsed again to the same condition.

    Raises BadExpression where writing it out in full makes it too long or too deep to be read.
    """
    canonical = text(expr, scope.columns)
    if parse(canonical, scope) != expr:
        raise BadExpression(canonical[:20], 0, "a condition that reads back the same")
    return canonical


def parse_ref(source: str, scope: Scope) -> Ref:
    """A single variable such as `state` or `profile@T0`. Raises as `parse`."""
    return _Parser(source, scope).single_ref()


class _Parser:
    def __init__(self, source: str, scope: Scope) -> None:
        self._source, self._scope = source, scope
        self._sizes = {name: column.size for name, column in scope.columns.items()}
        self._tokens = list(_tokens(source))
        self._at = 0
        self._depth = 0

    def whole(self) -> Expr:
        expr = self._or()
        self._end()
        return expr

    def single_ref(self) -> Ref:
        ref, _ = self._ref()
        self._end()
        return ref

    def _end(self) -> None:
        if self._at < len(self._tokens):
            raise self._bad("expected the end, or `and` or `or`")

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _place(self) -> int:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else len(self._source)

    def _take(self, *wanted: str) -> str:
        token = self._peek()
        if not token or (wanted and token not in wanted):
            raise self._bad("expected " + (" or ".join(f"`{w}`" for w in wanted) or "something more"))
        self._at += 1
        return token

    def _bad(self, expected: str) -> BadExpression:
        return BadExpression(self._source, self._place(), expected)

    def _or(self) -> Expr:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._bad(f"at most {_MAX_DEPTH} levels of parentheses and `not`")
        parts = [self._and()]
        while self._peek() == "or":
            self._take()
            parts.append(self._and())
        self._depth -= 1
        return either(parts)

    def _and(self) -> Expr:
        parts = [self._not()]
        while self._peek() == "and":
            self._take()
            parts.append(self._not())
        return both(parts)

    def _not(self) -> Expr:
        negations = 0
        while self._peek() == "not":
            self._take()
            negations += 1
        expr = self._atom()
        return negate(expr, self._sizes) if negations % 2 else expr

    def _atom(self) -> Expr:
        if self._peek() == "(":
            self._take()
            expr = self._or()
            self._take(")")
            return expr
        if self._peek() == "missing":
            self._take()
            self._take("(")
            ref, _ = self._ref()
            self._take(")")
            return Missing(ref)
        ref, column = self._ref()
        sign = self._take(*_COMPARE, "in")
        if sign == "in":
            return Among(ref, self._set(column))
        return Among(ref, self._comparison(column, sign))

    def _ref(self) -> tuple[Ref, Column]:
        place, name = self._place(), self._take()
        if name in self._scope.using:
            name = f"{name}.{self._scope.using[name]}"
        column = self._scope.columns.get(name)
        if name in RESERVED or column is None:
            raise UnknownVariable(self._source, place, self._unknown(name))
        if column.table not in (self._scope.unit, "household"):
            raise UnknownVariable(self._source, place, f"`{name}` belongs to {column.table}, not to {self._scope.unit}")
        wave = self._scope.wave if column.waves else ""
        if self._peek() == "@":
            self._take()
            wave = self._take()
        if (wave or column.waves) and wave not in column.waves:
            raise UnknownVariable(self._source, place, f"`{name}` is not asked at wave {wave or '(none)'}")
        return Ref(name, wave), column

    def _unknown(self, name: str) -> str:
        ways = [known for known in self._scope.columns if known.startswith(f"{name}.")]
        if not ways:
            return f"expected a variable of the codebook, found `{name}`"
        return f"`{name}` has several definitions: expected {' or '.join(ways)}, or one chosen by `using`"

    def _comparison(self, column: Column, sign: str) -> Ranges:
        if column.categorical:
            if sign not in ("==", "!="):
                raise self._bad("a category is compared with == or != or `in`")
            index = self._code(column)
            return ((index, index),) if sign == "==" else complement(((index, index),), column.size)
        step = self._step(column)
        low, high = -(-step.numerator // step.denominator), step.numerator // step.denominator  # ceiling, floor
        last = column.size - 1
        found = {
            "==": [(low, high)],
            "!=": [(0, low - 1), (high + 1, last)],
            "<": [(0, low - 1)],
            "<=": [(0, high)],
            ">": [(high + 1, last)],
            ">=": [(low, last)],
        }[sign]
        return tidy((max(a, 0), min(b, last)) for a, b in found)

    def _set(self, column: Column) -> Ranges:
        self._take("{")
        found: list[tuple[int, int]] = []
        while self._peek() != "}":
            if column.categorical:
                index = self._code(column)
                found.append((index, index))
            else:
                first = self._step(column)
                last = first
                if self._peek() == "..":
                    self._take()
                    last = self._step(column)
                low, high = -(-first.numerator // first.denominator), last.numerator // last.denominator
                found.append((max(low, 0), min(high, column.size - 1)))
            if self._peek() != "}":
                self._take(",")
        self._take("}")
        return tidy(found)

    def _code(self, column: Column) -> int:
        place, code = self._place(), self._take()
        if code not in column.codes:
            raise UnknownVariable(self._source, place, f"expected one of {', '.join(column.codes)}, found `{code}`")
        return column.codes.index(code)

    def _step(self, column: Column) -> Fraction:
        """Where a written number lies on the variable's grid, in steps; may lie between or outside."""
        place, token = self._place(), self._take()
        token = self._scope.parameters.get(token, token)
        if not _NUMBER.fullmatch(token):
            raise BadExpression(self._source, place, f"expected a number for `{column.name}`")
        return (Fraction(token) - column.lower) / column.grid


def _tokens(source: str) -> Iterator[tuple[str, int]]:
    at = 0
    while at < len(source.rstrip()):
        match = _TOKEN.match(source, at)
        if match is None:
            place = len(source) - len(source[at:].lstrip())
            raise BadExpression(source, place, "expected a word, a number or a sign")
        token = match.group(match.lastgroup or 0)
        yield token, match.end() - len(token)
        at = match.end()

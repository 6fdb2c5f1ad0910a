"""Changing an input: bytes, digits, lengths, and values inside JSON, so that some of it passes the first gate."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.fuzz.chance import Chance

LONGEST = 2**17
EDGES = ("0", "1", "9", "-1", "-0", "00", "2147483648", "9007199254740991", "9007199254740992", "18446744073709551616",
         "1" * 400, "1e9999", "1e-9999", "NaN", "Infinity", "0.1", "1.")  # fmt: skip
"""Numbers at which something changes."""
BYTES = (b"", b"\x00", b"\xff", b"\x80", b"\x7f", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x80\x80\x80\x80\x08",
         b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3\x28", b"\r\n", b"\n\n",
         b"\xe2\x80\x94 ", b"[" * 1_200, b"{\"a\":" * 300, b"(" * 300, b"-" * 1_000, b"&a [*a]", b"!!python/none",
         b"\\ud800", b"<<: ", b"? ", b"|\n", b'"', b"'", b",", b":", b"null", b"true")  # fmt: skip
"""Words that decoders trip over: lengths, byte order marks, broken UTF-8, depth, and YAML's surprises."""
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**53 - 1, 2**53, 10**30, 0.5, "", "0", "-1", "1" * 5_000, "9" * 30, "0" * 64, "x" * 1_000,
    "\x00", "\ud7ff\u202e", "T0+T1", "T9", "1e9999", "0.0000000000000000000000000000001", "1/0", [], {}, [[]], [None],
    {"": {}},
    {"rho": "0"}, {"rho": "-1"}, [1, 2], [0, 0], [2**53 - 1, 60], "FR/1", "state == ", "(" * 200, "adult", "national",
)  # fmt: skip
"""JSON values of every type, and some that are nearly right."""


class Mutator:
    """Changes inputs by a seeded stream of chances, with other inputs to borrow from."""

    def __init__(self, seed: int) -> None:
        self._chance = Chance(seed)
        self._ways: Sequence[Callable[[bytes, bytes], bytes]] = (
            self._flip, self._flip, self._set, self._word, self._word, self._cut, self._double, self._digits,
            self._digits, self._splice, self._swap, self._repeat, self._value, self._value, self._value,
        )  # fmt: skip

    def one(self, data: bytes, other: bytes) -> bytes:
        """A changed input; `other` is one to borrow from."""
        for _ in range(self._chance.of((1, 1, 1, 2, 2, 3, 5))):
            data = self._chance.of(self._ways)(data, other)[:LONGEST]
        return data

    def choose(self, pool: Sequence[bytes]) -> bytes:
        return self._chance.of(pool)

    def _place(self, data: bytes) -> int:
        return self._chance.below(len(data) + 1)

    def _slice(self, data: bytes) -> tuple[int, int]:
        begin = self._place(data)
        return begin, min(len(data), begin + int(2 ** (self._chance.fraction() * 12)))

    def _flip(self, data: bytes, _: bytes) -> bytes:
        if not data:
            return b"\x00"
        at = self._chance.below(len(data))
        return data[:at] + bytes([data[at] ^ 1 << self._chance.below(8)]) + data[at + 1 :]

    def _set(self, data: bytes, _: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + bytes(self._chance.below(256) for _ in range(1 + self._chance.below(4))) + data[at + 1 :]

    def _word(self, data: bytes, _: bytes) -> bytes:
        at, word = self._place(data), self._chance.of(BYTES)
        return data[:at] + word + data[at + self._chance.of((0, len(word))) :]

    def _cut(self, data: bytes, _: bytes) -> bytes:
        begin, end = self._slice(data)
        return data[:begin] + data[end:] if self._chance.fraction() < 0.7 else data[:begin]

    def _double(self, data: bytes, _: bytes) -> bytes:
        begin, end = self._slice(data)
        return data[:end] + data[begin:end] + data[end:]

    def _repeat(self, data: bytes, _: bytes) -> bytes:
        begin, end = self._slice(data)
        return data[:end] + data[begin:end] * self._chance.of((10, 100, 1_000)) + data[end:]

    def _digits(self, data: bytes, _: bytes) -> bytes:
        places = [at for at, byte in enumerate(data[:20_000]) if 48 <= byte <= 57]
        if not places:
            return self._set(data, b"")
        begin = end = self._chance.of(places)
        while end < len(data) and 48 <= data[end] <= 57:
            end += 1
        return data[:begin] + self._chance.of(EDGES).encode() + data[end:]

    def _splice(self, data: bytes, other: bytes) -> bytes:
        return data[: self._place(data)] + other[self._place(other) :]

    def _swap(self, data: bytes, other: bytes) -> bytes:
        (begin, end), (first, last) = self._slice(data), self._slice(other)
        return data[:begin] + other[first:last] + data[end:]

    def _value(self, data: bytes, _: bytes) -> bytes:
        """Another value somewhere in JSON, written as canonical JSON is."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return self._word(data, b"")
        return json.dumps(self._changed(value, 0), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )

    def _changed(self, value: Any, depth: int) -> Any:
        if (depth and self._chance.fraction() < 0.25) or not isinstance(value, dict | list) or not value:
            return self._chance.of(VALUES)
        if isinstance(value, list):
            return self._list(value, depth)
        changed, key = dict(value), self._chance.of(sorted(value))
        match self._chance.below(10):
            case 0:
                del changed[key]
            case 1:
                changed[self._chance.of(("", "id", "x" * 70, "\u00e9", *map(str, value)))] = changed[key]
            case _:
                changed[key] = self._changed(value[key], depth + 1)
        return changed

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        at = self._chance.below(len(value))
        match self._chance.below(10):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value[:at] + [value[at]] * self._chance.of((2, 50)) + value[at:]
            case 2:
                return value[::-1]
            case _:
                return [*value[:at], self._changed(value[at], depth + 1), *value[at + 1 :]]

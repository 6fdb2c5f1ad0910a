"""The one byte string that is hashed or signed: canonical JSON.

UTF-8 without byte order mark; object keys ASCII, unique and sorted; no whitespace; no floats, NaN or infinities;
integers within +-(2**53 - 1), larger ones travel as decimal strings; at most `MAX_DEPTH` levels. Text is kept as it is
(no Unicode normalisation) and escaped only where JSON demands it. Hence `decode(encode(x)) == x` and
`encode(decode(b)) == b`, and whatever would break one of them is refused with `NotCanonical`.
"""

import hashlib
import json
from typing import NoReturn, TypeAlias

from rondgang.errors import NotCanonical

__all__ = ["MAX_DEPTH", "MAX_INTEGER", "Json", "NotCanonical", "decode", "digest", "encode"]

# The inner names are strings, because the alias is recursive and `type` statements need Python 3.12.
Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None

MAX_INTEGER = 2**53 - 1
"""Largest integer that every JSON reader holds exactly (RFC 8259 section 6)."""

MAX_DEPTH = 64
"""Deepest nesting of lists and objects; a lone scalar has depth 0."""


def encode(value: Json) -> bytes:
    """The canonical bytes of a value.

    Takes plain JSON types only: subclasses (enums, for example) and tuples are refused, they would not come back.
    Raises `NotCanonical` for floats, integers beyond `MAX_INTEGER`, non-ASCII keys, lone surrogates and deep nesting.
    """
    _check(value, 0)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotCanonical("text holds a lone surrogate") from None


def decode(data: bytes) -> Json:
    """The value of canonical bytes. Raises `NotCanonical` for any bytes that `encode` does not make."""
    value = _parse(data)
    again = encode(value)
    if again != data:
        raise NotCanonical("not in canonical form (order, spacing, escapes or number spelling)", _differs(again, data))
    return value


def digest(data: bytes) -> str:
    """SHA-256 of the bytes as 64 lowercase hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _parse(data: bytes) -> Json:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotCanonical("not UTF-8", error.start) from None
    try:
        # The reader's result is one of the types of `Json`: floats and constants are refused by the hooks.
        value: Json = json.loads(
            text, parse_float=_no_float, parse_constant=_no_constant, object_pairs_hook=_unique, strict=True
        )
    except json.JSONDecodeError as error:
        raise NotCanonical("not JSON", len(text[: error.pos].encode("utf-8"))) from None
    except RecursionError:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH} levels") from None
    except NotCanonical:
        raise
    except ValueError:
        # Python refuses to read integers of thousands of digits.
        raise NotCanonical("an integer beyond 2**53 - 1; write it as a decimal string") from None
    return value


def _check(value: object, depth: int) -> None:
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return
    if isinstance(value, int) and kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotCanonical("an integer beyond 2**53 - 1; write it as a decimal string")
    elif isinstance(value, list) and kind is list:
        _check_depth(depth)
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict) and kind is dict:
        _check_depth(depth)
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise NotCanonical("an object key that is not ASCII text")
            _check(item, depth + 1)
    else:
        raise NotCanonical(f"a {kind.__name__} has no canonical form")


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH} levels")


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("an object names a key twice")
    return found


def _no_float(_spelling: str) -> NoReturn:
    raise NotCanonical("a number with a point or exponent; write it as a decimal string")


def _no_constant(_spelling: str) -> NoReturn:
    raise NotCanonical("NaN or infinity")


def _differs(ours: bytes, theirs: bytes) -> int:
    shared = zip(ours, theirs, strict=False)
    return next((place for place, (a, b) in enumerate(shared) if a != b), min(len(ours), len(theirs)))

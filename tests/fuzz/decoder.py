"""What a decoder under test is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decoder:
    """Bytes in; a value, or one of `refusals`. `share` is its part of all inputs, relative to the others'."""

    name: str
    decode: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    share: float = 1.0


def of_text(decode: Callable[[str], object]) -> Callable[[bytes], object]:
    """For decoders of text: whoever calls them has decoded UTF-8 before, and refuses what is none."""
    return lambda data: decode(data.decode("utf-8", "replace"))

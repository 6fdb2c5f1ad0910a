"""What is said in the rounds of an attempt at national sums, as values: nothing in them is believed yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.rules.refusals import Refused


@dataclass(frozen=True, slots=True)
class Begin:
    """Draw keys. Both documents are signed canonical bytes, as all of them are here."""

    signed_order: bytes
    signed_programme: bytes


@dataclass(frozen=True, slots=True)
class Share:
    """Who takes part, with everybody's keys: seal shares for each of them."""

    signed_participants: bytes
    signed_keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Who sealed, and what they sealed for this region, by sender: charge, read, mask and send."""

    signed_sharing: bytes
    boxes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ShowList:
    """Whose vectors came: sign this list and no other."""

    signed_survivors: bytes


@dataclass(frozen=True, slots=True)
class Unmask:
    """The signatures under that list: give what takes the masks off, and the noise that is not needed."""

    signed_seen: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Aborted:
    """The attempt is over, for all or for this region only."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Done:
    """The finished sum."""

    signed_sum: bytes


Round = Begin | Share | Send | ShowList | Unmask | Aborted | Done
"""What the desk says in an attempt."""


@dataclass(frozen=True, slots=True)
class KeysSaid:
    signed_keys: bytes


@dataclass(frozen=True, slots=True)
class BoxesSaid:
    """By receiver."""

    boxes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class VectorSaid:
    masked: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeenSaid:
    signed_seen: bytes


@dataclass(frozen=True, slots=True)
class SharesSaid:
    """What takes the masks off: of each survivor a share of its own seed, of each lost region one of its mask key.

    `taken_back` are the parts of this region's noise that are not needed, each a vector over all national blocks.
    """

    own: Mapping[str, bytes] = field(repr=False)
    lost: Mapping[str, bytes] = field(repr=False)
    taken_back: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SumKept:
    """The hash (hex) of the finished sum's document: the region has stored it."""

    sum_hash: str


Reply = KeysSaid | BoxesSaid | VectorSaid | SeenSaid | SharesSaid | Refused
"""What a region says in a round of an attempt."""
AnyReply = Reply | SumKept
"""The same, and what it says after one."""
